/* esp_rom_sys.h: from the chip's ROM. */
#ifndef ESP_ROM_SYS_H
#define ESP_ROM_SYS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int esp_rom_printf(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
void esp_rom_delay_us(uint32_t us); /* without giving way to other tasks */
uint32_t esp_rom_get_cpu_ticks_per_us(void);

#ifdef __cplusplus
}
#endif

#endif
