/* time.h. A board's calendar begins in 1970 when it starts, in UTC. On the virtual board time is what its instructions
 * take at one a cycle, and what its tasks sleep. */
#ifndef _TIME_H
#define _TIME_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLOCKS_PER_SEC 1000000ul

typedef long long time_t;
typedef unsigned long clock_t;

struct tm {
    int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst;
};

time_t time(time_t *place);
clock_t clock(void);
double difftime(time_t end, time_t begin);
time_t mktime(struct tm *parts);
struct tm *gmtime_r(const time_t *__restrict time, struct tm *__restrict parts);
struct tm *localtime_r(const time_t *__restrict time, struct tm *__restrict parts);
size_t strftime(char *__restrict to, size_t size, const char *__restrict format, const struct tm *__restrict parts);

#ifdef __cplusplus
}
#endif

#endif
