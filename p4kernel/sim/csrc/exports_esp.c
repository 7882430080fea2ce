/* Small functions of ESP-IDF and of the chip's ROM; random numbers. */
#include <string.h>

#include "crc32.h"
#include "exports.h"
#include "rtos.h"

int32_t p4x_esp_rom_printf(p4x *x, uint32_t format) { return p4x_print(x, format); }

void p4x_esp_log_write(p4x *x, uint32_t level, uint32_t tag, uint32_t format)
{
    (void)tag;
    if (level <= 3) /* ESP_LOG_INFO, as ESP-IDF starts */
        p4x_print(x, format);
}

uint32_t p4x_esp_log_timestamp(p4x *x) { return (uint32_t)(p4r_us(x->rtos) / 1000u); }

void p4x_esp_rom_delay_us(p4x *x, uint32_t us) { p4r_spin_us(x->rtos, us); }

uint32_t p4x_esp_rom_get_cpu_ticks_per_us(p4x *x) { return p4r_mhz(x->rtos); }

uint32_t p4x_esp_rom_crc32_le(p4x *x, uint32_t crc, uint32_t data, uint32_t size)
{
    const uint8_t *p = size ? p4x_load(x, data, size) : NULL;
    return p ? p4v_crc(crc, p, size) : crc;
}

/* Bit by bit, of a reflected polynomial; what goes in and out is inverted. */
static uint32_t crc_of(p4x *x, uint32_t crc, uint32_t data, uint32_t size, uint32_t polynomial)
{
    const uint8_t *p = size ? p4x_load(x, data, size) : NULL;
    crc = ~crc;
    for (uint32_t i = 0; p && i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return ~crc;
}

uint16_t p4x_esp_rom_crc16_le(p4x *x, uint16_t crc, uint32_t data, uint32_t size)
{
    return (uint16_t)crc_of(x, ~(uint32_t)(uint16_t)~crc, data, size, 0x8408);
}

uint8_t p4x_esp_rom_crc8_le(p4x *x, uint8_t crc, uint32_t data, uint32_t size)
{
    return (uint8_t)crc_of(x, ~(uint32_t)(uint8_t)~crc, data, size, 0xe0);
}

void p4x_esp_fill_random(p4x *x, uint32_t to, uint32_t size)
{
    uint8_t *p = size ? p4x_store(x, to, size) : NULL;
    if (p && p4k_random(x->port, p, size))
        p4x_fail(x, "p4kernel: the host has no random numbers\n");
}

uint32_t p4x_esp_random(p4x *x)
{
    uint32_t value = 0;
    if (p4k_random(x->port, &value, sizeof value))
        p4x_fail(x, "p4kernel: the host has no random numbers\n");
    return value;
}

/* Xorshift on 32 bits (Marsaglia): a state of 0 would stay there. */
static uint32_t next_random(uint32_t *state)
{
    uint32_t s = *state ? *state : 0x6d2b79f5u;
    s ^= s << 13;
    s ^= s >> 17;
    s ^= s << 5;
    return *state = s;
}

int32_t p4x_rand(p4x *x) { return (int32_t)(next_random(&x->random) >> 1); }

void p4x_srand(p4x *x, uint32_t seed) { x->random = seed * 2654435761u + 1; }

int32_t p4x_rand_r(p4x *x, uint32_t state)
{
    uint32_t value;
    const uint8_t *p = p4x_load(x, state, sizeof value);
    int32_t result;
    if (!p)
        return 0;
    memcpy(&value, p, sizeof value);
    value += 0x9e3779b9u;
    result = (int32_t)(next_random(&value) >> 1);
    p4x_put(x, state, &value, sizeof value);
    return result;
}
