#ifndef P4V_CRC32_H
#define P4V_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t p4v_crc(uint32_t crc, const uint8_t *data, size_t size); /* as zlib's crc32: start with 0 */

#endif
