/* esp_rom_crc.h: checksums of the chip's ROM, reflected: polynomials 0x04C11DB7, 0x1021 and 0x07. What they start with
 * and return is inverted: esp_rom_crc32_le(0, ...) is zlib's crc32. */
#ifndef ESP_ROM_CRC_H
#define ESP_ROM_CRC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t esp_rom_crc32_le(uint32_t crc, const uint8_t *data, uint32_t size);
uint16_t esp_rom_crc16_le(uint16_t crc, const uint8_t *data, uint32_t size);
uint8_t esp_rom_crc8_le(uint8_t crc, const uint8_t *data, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
