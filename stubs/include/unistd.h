/* unistd.h: sleeping. Other tasks run meanwhile. */
#ifndef _UNISTD_H
#define _UNISTD_H

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned long useconds_t;

int usleep(useconds_t us);
unsigned sleep(unsigned seconds);

#ifdef __cplusplus
}
#endif

#endif
