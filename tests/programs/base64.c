/* Base64 and Base32 both ways, with every length of rest and every kind of damage. */
#include "runtime.h"

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Any base of 2^bits; the text is filled up with '=' to a whole group. */
static size_t encode(const uint8_t *in, size_t size, char *out, const char *digits, int bits)
{
    uint32_t window = 0;
    int held = 0;
    size_t n = 0, group = bits == 6 ? 4 : 8;
    for (size_t i = 0; i < size; ++i) {
        window = window << 8 | in[i];
        for (held += 8; held >= bits; held -= bits)
            out[n++] = digits[window >> (held - bits) & ((1u << bits) - 1)];
    }
    if (held)
        out[n++] = digits[window << (bits - held) & ((1u << bits) - 1)];
    while (n % group)
        out[n++] = '=';
    out[n] = 0;
    return n;
}

/* Size of the result, or -1 with a bad digit, bits left over or a broken group. */
static int decode(const char *in, uint8_t *out, const char *digits, int bits)
{
    int8_t value[128];
    uint32_t window = 0;
    int held = 0, n = 0, length = 0, fill = 0;
    memset(value, -1, sizeof value);
    for (int i = 0; i < 1 << bits; ++i)
        value[(uint8_t)digits[i]] = (int8_t)i;
    for (; *in; ++in, ++length) {
        if (*in == '=') {
            ++fill;
            continue;
        }
        if (fill || (uint8_t)*in > 127 || value[(uint8_t)*in] < 0)
            return -1;
        window = window << bits | (uint32_t)value[(uint8_t)*in];
        held += bits;
        if (held >= 8) {
            held -= 8;
            out[n++] = (uint8_t)(window >> held);
        }
    }
    if (length % (bits == 6 ? 4 : 8) || held >= bits || window & ((1u << held) - 1))
        return -1;
    return n;
}

int main(void)
{
    static const char *const known[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const known64[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    static const char *const wrong[] = {"Zg=", "Zh==", "Z", "Zg=v", "Z!==", "\xC3\xA4==", "=", "===="};
    static uint8_t data[200], again[200];
    static char text[400];
    for (int i = 0; i < 7; ++i) {
        encode((const uint8_t *)known[i], strlen(known[i]), text, digits64, 6);
        EXPECT(strcmp(text, known64[i]) == 0);
        encode((const uint8_t *)known[i], strlen(known[i]), text, digits32, 5);
        say("%s\n", text);
    }
    for (size_t size = 0; size < 200; size += size < 20 ? 1 : 37) {
        for (size_t i = 0; i < size; ++i)
            data[i] = (uint8_t)random_word();
        size_t length = encode(data, size, text, digits64, 6);
        EXPECT(length == (size + 2) / 3 * 4 && length == strlen(text));
        EXPECT(decode(text, again, digits64, 6) == (int)size && memcmp(data, again, size) == 0);
        uint32_t hash = fold_bytes(0, text, length);
        length = encode(data, size, text, digits32, 5);
        EXPECT(decode(text, again, digits32, 5) == (int)size && memcmp(data, again, size) == 0);
        say("%u: %08x %08x\n", (unsigned)size, hash, fold_bytes(0, text, length));
    }
    for (int i = 0; i < 8; ++i)
        say("%d ", decode(wrong[i], again, digits64, 6));
    say("\n");
    return 0;
}
