/* A compressor after Lempel and Ziv, with a hash table for matches, and the way back. */
#include "runtime.h"

enum { SIZE = 3000, WINDOW = 1023, SHORTEST = 3, LONGEST = 66, SLOTS = 512 };

static uint8_t data[SIZE], packed[SIZE * 9 / 8 + 2], unpacked[SIZE];
static int32_t newest[SLOTS];

static uint32_t slot_of(const uint8_t *p)
{
    return ((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]) * 0x9E3779B1u >> 23;
}

/* Groups of eight, each led by a byte that says which are matches: 10 bits of distance, 6 of length. */
static int compress(const uint8_t *in, int size, uint8_t *out)
{
    int n = 0, flags = 0, bit = 8;
    for (int i = 0; i < SLOTS; ++i)
        newest[i] = -1;
    for (int i = 0; i < size; ++bit) {
        if (bit == 8) {
            flags = n++;
            out[flags] = 0;
            bit = 0;
        }
        int length = 0, from = -1;
        if (i + SHORTEST <= size) {
            int32_t *slot = &newest[slot_of(in + i)];
            from = *slot;
            *slot = i;
            if (from >= 0 && i - from <= WINDOW)
                while (length < LONGEST && i + length < size && in[from + length] == in[i + length])
                    ++length;
        }
        if (length >= SHORTEST) {
            out[flags] |= (uint8_t)(1 << bit);
            int code = (i - from) << 6 | (length - SHORTEST);
            out[n++] = (uint8_t)code;
            out[n++] = (uint8_t)(code >> 8);
            i += length;
        } else {
            out[n++] = in[i++];
        }
    }
    return n;
}

static int expand(const uint8_t *in, int size, uint8_t *out)
{
    int n = 0;
    for (int i = 0, flags = 0, bit = 8; i < size; ++bit) {
        if (bit == 8) {
            flags = in[i++];
            bit = 0;
        }
        if (flags >> bit & 1) {
            int code = in[i] | in[i + 1] << 8;
            i += 2;
            for (int k = (code & 63) + SHORTEST; k; --k, ++n)
                out[n] = out[n - (code >> 6)];
        } else if (i < size) {
            out[n++] = in[i++];
        }
    }
    return n;
}

static void fill(int kind)
{
    static const char *const words[] = {"the ", "core ", "runs ", "what ", "host ", "sends ", "and ", "returns "};
    for (int i = 0; i < SIZE;) {
        const char *word = words[random_below(8)];
        switch (kind) {
        case 0: data[i++] = 0; break;
        case 1: data[i++] = (uint8_t)random_word(); break;
        case 2: data[i] = (uint8_t)(i % 97 ^ i / 300), ++i; break;
        default:
            while (*word && i < SIZE)
                data[i++] = (uint8_t)*word++;
        }
    }
}

int main(void)
{
    for (int kind = 0; kind < 4; ++kind) {
        fill(kind);
        for (int size = SIZE; size > 0; size = size / 3 - 7) {
            int small = compress(data, size, packed);
            memset(unpacked, 0xEE, sizeof unpacked);
            EXPECT(expand(packed, small, unpacked) == size && memcmp(data, unpacked, (size_t)size) == 0);
            say("kind %d: %d to %d, %08x\n", kind, size, small, fold_bytes(0, packed, (size_t)small));
        }
    }
    return 0;
}
