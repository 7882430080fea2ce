/* AES-128 (FIPS 197), its tables computed in GF(256), with counter mode and the way back. */
#include "runtime.h"

static uint8_t box[256], inverse_box[256], keys[176];

static uint8_t twice(uint8_t a)
{
    return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1B : 0));
}

static uint8_t times(uint8_t a, uint8_t b)
{
    uint8_t product = 0;
    for (; b; b >>= 1, a = twice(a))
        product ^= b & 1 ? a : 0;
    return product;
}

static uint8_t turn(uint8_t a, int n)
{
    return (uint8_t)(a << n | a >> (8 - n));
}

static void make_tables(void)
{
    uint8_t p = 1, q = 1; /* q is the inverse of p */
    do {
        p ^= twice(p);
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        q ^= q & 0x80 ? 0x09 : 0;
        box[p] = q ^ turn(q, 1) ^ turn(q, 2) ^ turn(q, 3) ^ turn(q, 4) ^ 0x63;
    } while (p != 1);
    box[0] = 0x63;
    for (int i = 0; i < 256; ++i)
        inverse_box[box[i]] = (uint8_t)i;
}

static void expand(const uint8_t *key)
{
    uint8_t constant = 1;
    memcpy(keys, key, 16);
    for (int i = 16; i < 176; i += 4) {
        uint8_t t[4];
        memcpy(t, keys + i - 4, 4);
        if (i % 16 == 0) {
            uint8_t first = t[0];
            t[0] = box[t[1]] ^ constant, t[1] = box[t[2]], t[2] = box[t[3]], t[3] = box[first];
            constant = twice(constant);
        }
        for (int k = 0; k < 4; ++k)
            keys[i + k] = keys[i + k - 16] ^ t[k];
    }
}

static void add_key(uint8_t *s, int round)
{
    for (int i = 0; i < 16; ++i)
        s[i] ^= keys[16 * round + i];
}

static void mix(uint8_t *s, const uint8_t *row)
{
    for (int c = 0; c < 16; c += 4) {
        uint8_t t[4];
        memcpy(t, s + c, 4);
        for (int i = 0; i < 4; ++i)
            s[c + i] = times(t[0], row[(4 - i) % 4]) ^ times(t[1], row[(5 - i) % 4]) ^ times(t[2], row[(6 - i) % 4]) ^
                       times(t[3], row[(7 - i) % 4]);
    }
}

static void encrypt(uint8_t *s)
{
    static const uint8_t row[4] = {2, 3, 1, 1};
    add_key(s, 0);
    for (int round = 1; round <= 10; ++round) {
        uint8_t t[16];
        for (int i = 0; i < 16; ++i)
            t[i] = box[s[(i + i % 4 * 4) % 16]];
        memcpy(s, t, 16);
        if (round < 10)
            mix(s, row);
        add_key(s, round);
    }
}

static void decrypt(uint8_t *s)
{
    static const uint8_t row[4] = {14, 11, 13, 9};
    for (int round = 10; round; --round) {
        uint8_t t[16];
        add_key(s, round);
        if (round < 10)
            mix(s, row);
        for (int i = 0; i < 16; ++i)
            t[(i + i % 4 * 4) % 16] = inverse_box[s[i]];
        memcpy(s, t, 16);
    }
    add_key(s, 0);
}

int main(void)
{
    /* FIPS 197, appendix C.1. */
    static const uint8_t cipher[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                       0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
    uint8_t key[16], block[16], plain[16];
    for (int i = 0; i < 16; ++i) {
        key[i] = (uint8_t)i;
        block[i] = plain[i] = (uint8_t)(i * 17);
    }
    make_tables();
    expand(key);
    encrypt(block);
    EXPECT(memcmp(block, cipher, 16) == 0);
    say_bytes(block, 16);
    decrypt(block);
    EXPECT(memcmp(block, plain, 16) == 0);
    uint32_t hash = 0;
    for (uint32_t counter = 0; counter < 12; ++counter) {
        memset(block, 0, 16);
        memcpy(block, &counter, 4);
        encrypt(block);
        hash = fold_bytes(hash, block, 16);
    }
    say("stream %08x, tables %08x\n", hash, fold_bytes(0, box, 256));
    return 0;
}
