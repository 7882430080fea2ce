/* CRCs by bit, by table and by four tables, and sums: different ways to the same value. */
#include "runtime.h"

static uint32_t tables[4][256];
static uint8_t data[2000];

static uint32_t crc_bits(const uint8_t *p, size_t n, uint32_t polynomial)
{
    uint32_t crc = ~0u;
    while (n--) {
        crc ^= *p++;
        for (int i = 0; i < 8; ++i)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return ~crc;
}

static void make_tables(uint32_t polynomial)
{
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t crc = i;
        for (int k = 0; k < 8; ++k)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        tables[0][i] = crc;
    }
    for (int t = 1; t < 4; ++t)
        for (int i = 0; i < 256; ++i)
            tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 255];
}

static uint32_t crc_table(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;
    while (n--)
        crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 255];
    return ~crc;
}

static uint32_t crc_words(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        crc ^= word;
        crc = tables[3][crc & 255] ^ tables[2][crc >> 8 & 255] ^ tables[1][crc >> 16 & 255] ^ tables[0][crc >> 24];
    }
    while (n--)
        crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 255];
    return ~crc;
}

static uint16_t crc16(const uint8_t *p, size_t n)
{
    uint16_t crc = 0xFFFF;
    while (n--) {
        crc ^= (uint16_t)(*p++ << 8);
        for (int i = 0; i < 8; ++i)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

static uint32_t adler(const uint8_t *p, size_t n)
{
    uint32_t a = 1, b = 0;
    while (n--) {
        a = (a + *p++) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static uint16_t internet(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (; n > 1; n -= 2, p += 2)
        sum += (uint32_t)p[0] << 8 | p[1];
    if (n)
        sum += (uint32_t)*p << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

int main(void)
{
    const uint8_t *digits = (const uint8_t *)"123456789";
    EXPECT(crc_bits(digits, 9, 0xEDB88320u) == 0xCBF43926u);
    EXPECT(crc_bits(digits, 9, 0x82F63B78u) == 0xE3069283u);
    EXPECT(crc16(digits, 9) == 0x29B1);
    EXPECT(adler(digits, 9) == 0x091E01DE);
    make_tables(0xEDB88320u);
    for (size_t i = 0; i < sizeof data; ++i)
        data[i] = (uint8_t)(i * 7 + (i >> 5));
    for (size_t start = 0; start < 3; ++start)
        for (size_t n = 0; n < sizeof data - 5; n += 611) {
            uint32_t crc = crc_bits(data + start, n, 0xEDB88320u);
            EXPECT(crc_table(data + start, n) == crc);
            EXPECT(crc_words(data + start, n) == crc);
            say("%08x %04x %08x %04x\n", crc, crc16(data + start, n), adler(data + start, n),
                internet(data + start, n));
        }
    return 0;
}
