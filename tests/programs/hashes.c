/* Hash functions of 32 and 64 bits, and an open table that uses them. */
#include "runtime.h"

static uint32_t fnv(const char *s)
{
    uint32_t h = 2166136261u;
    while (*s)
        h = (h ^ (uint8_t)*s++) * 16777619u;
    return h;
}

static uint64_t fnv_wide(const char *s)
{
    uint64_t h = 14695981039346656037ull;
    while (*s)
        h = (h ^ (uint8_t)*s++) * 1099511628211ull;
    return h;
}

static uint32_t turn(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t murmur(const char *s, uint32_t seed)
{
    size_t length = strlen(s), n = length;
    uint32_t h = seed, k;
    for (; n >= 4; n -= 4, s += 4) {
        memcpy(&k, s, 4);
        h = turn(h ^ turn(k * 0xcc9e2d51u, 15) * 0x1b873593u, 13) * 5 + 0xe6546b64u;
    }
    k = 0;
    while (n--)
        k = k << 8 | (uint8_t)s[n];
    h ^= turn(k * 0xcc9e2d51u, 15) * 0x1b873593u;
    h ^= (uint32_t)length;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static uint64_t turn_wide(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t *v)
{
    v[0] += v[1], v[1] = turn_wide(v[1], 13) ^ v[0], v[0] = turn_wide(v[0], 32);
    v[2] += v[3], v[3] = turn_wide(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = turn_wide(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = turn_wide(v[1], 17) ^ v[2], v[2] = turn_wide(v[2], 32);
}

static uint64_t sip(const uint8_t *data, size_t size, uint64_t k0, uint64_t k1)
{
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull, k0 ^ 0x6c7967656e657261ull,
                     k1 ^ 0x7465646279746573ull};
    uint64_t last = (uint64_t)size << 56, word;
    for (; size >= 8; size -= 8, data += 8) {
        memcpy(&word, data, 8);
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    while (size--)
        last |= (uint64_t)data[size] << 8 * size;
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 255;
    for (int i = 0; i < 4; ++i)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

enum { SLOTS = 256 };
static struct {
    uint32_t key, count;
} table[SLOTS];

static void count(uint32_t key)
{
    uint32_t slot = key * 0x9E3779B1u >> 24;
    while (table[slot].count && table[slot].key != key)
        slot = (slot + 1) % SLOTS;
    table[slot].key = key;
    ++table[slot].count;
}

int main(void)
{
    static const char *const words[] = {"", "a", "ab", "abc", "hello", "hello, world", "The quick brown fox"};
    uint8_t bytes[15];
    for (int i = 0; i < 15; ++i)
        bytes[i] = (uint8_t)i;
    EXPECT(fnv("a") == 0xe40c292cu && fnv_wide("a") == 0xaf63dc4c8601ec8cull);
    EXPECT(murmur("hello", 0) == 0x248bfa47u);
    /* The example of the SipHash paper. */
    EXPECT(sip(bytes, 15, 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull) == 0xa129ca6149be45e5ull);
    for (int i = 0; i < 7; ++i)
        say("%08x %016llx %08x %016llx\n", fnv(words[i]), (unsigned long long)fnv_wide(words[i]),
            murmur(words[i], 0x9747b28c), (unsigned long long)sip((const uint8_t *)words[i], strlen(words[i]), 1, 2));
    for (int i = 0; i < 3000; ++i)
        count(random_below(180));
    uint32_t sum = 0, most = 0;
    for (int i = 0; i < SLOTS; ++i) {
        sum += table[i].count;
        most = table[i].count > most ? table[i].count : most;
    }
    EXPECT(sum == 3000);
    say("most %u, table %08x\n", most, fold_bytes(0, table, sizeof table));
    return 0;
}
