/* esp_random.h: numbers from the chip's random generator. */
#ifndef ESP_RANDOM_H
#define ESP_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t esp_random(void);
void esp_fill_random(void *to, size_t size);

#ifdef __cplusplus
}
#endif

#endif
