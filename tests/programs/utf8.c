/* UTF-8 to code points and back: all code points at the edges, and all kinds of malformed text. */
#include "runtime.h"

/* Reads one code point; 0xFFFD for what is malformed, at least one byte of which is taken. */
static uint32_t read_point(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at;
    uint32_t c = *p++;
    int more = c < 0x80 ? 0 : c < 0xC2 ? -1 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : c < 0xF5 ? 3 : -1;
    uint32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0;
    *at = p;
    if (more < 0)
        return 0xFFFD;
    c = more ? c & (0x3Fu >> more) : c;
    for (; more; --more, ++p) {
        if (p == end || (*p & 0xC0) != 0x80)
            return 0xFFFD;
        c = c << 6 | (*p & 0x3F);
    }
    if (c < least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0xFFFD;
    *at = p;
    return c;
}

static int write_point(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    int size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = size - 1; i > 0; --i, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3F));
    out[0] = (uint8_t)(0xF00u >> size | c);
    return size;
}

static int utf16(uint32_t c, uint16_t *out)
{
    if (c < 0x10000) {
        out[0] = (uint16_t)c;
        return 1;
    }
    out[0] = (uint16_t)(0xD7C0 + (c >> 10));
    out[1] = (uint16_t)(0xDC00 | (c & 0x3FF));
    return 2;
}

int main(void)
{
    static const uint32_t edges[] = {0, 1, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF};
    static const char *const malformed[] = {
        "\x80", "a\xC0\x80z", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98",
        "\xFE\xFF", "\xC3\x28", "ok \xE2\x82\xAC ok", "\xF0\x9F\x98\x80!",
    };
    uint8_t bytes[8];
    for (int i = 0; i < 11; ++i) {
        uint16_t units[2] = {0, 0};
        int size = write_point(edges[i], bytes);
        const uint8_t *at = bytes;
        EXPECT(read_point(&at, bytes + size) == edges[i] && at == bytes + size);
        say("%06x: %d bytes, %d units %04x %04x, ", edges[i], size, utf16(edges[i], units), units[0], units[1]);
        say_bytes(bytes, (size_t)size);
    }
    for (uint32_t c = 0; c < 0x110000; c += c < 0x1000 ? 7 : 1009) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        int size = write_point(c, bytes);
        const uint8_t *at = bytes;
        EXPECT(read_point(&at, bytes + size) == c && at == bytes + size);
    }
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; ++i) {
        const uint8_t *at = (const uint8_t *)malformed[i], *end = at + strlen(malformed[i]);
        while (at < end)
            say("%x ", read_point(&at, end));
        say("\n");
    }
    static uint8_t noise[600];
    uint32_t hash = 0, good = 0;
    for (int i = 0; i < 600; ++i)
        noise[i] = (uint8_t)(random_word() >> (i % 3 ? 9 : 1) | (i % 3 ? 0x80 : 0xC0));
    for (const uint8_t *at = noise, *end = noise + sizeof noise; at < end;) {
        uint32_t c = read_point(&at, end);
        hash = fold(hash, c);
        good += c != 0xFFFD;
    }
    say("%u good, %08x\n", good, hash);
    return 0;
}
