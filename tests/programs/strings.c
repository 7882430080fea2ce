/* Functions on text, a character at a time and a word at a time; search by three methods. */
#include "runtime.h"

static size_t length_by_words(const char *text)
{
    const char *p = text;
    for (; (uintptr_t)p % 4; ++p)
        if (!*p)
            return (size_t)(p - text);
    for (;; p += 4) {
        uint32_t word;
        memcpy(&word, __builtin_assume_aligned(p, 4), 4);
        if ((word - 0x01010101u) & ~word & 0x80808080u)
            break;
    }
    while (*p)
        ++p;
    return (size_t)(p - text);
}

static char *copy_limited(char *to, const char *from, size_t size)
{
    size_t i = 0;
    for (; i < size && from[i]; ++i)
        to[i] = from[i];
    for (; i < size; ++i)
        to[i] = 0;
    return to;
}

static int compare_ignoring_case(const char *a, const char *b)
{
    for (;; ++a, ++b) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a, y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;
        if (x != y || !x)
            return x - y;
    }
}

static int find_plain(const char *text, const char *word)
{
    for (int i = 0;; ++i) {
        int k = 0;
        while (word[k] && text[i + k] == word[k])
            ++k;
        if (!word[k])
            return i;
        if (!text[i])
            return -1;
    }
}

/* Knuth, Morris, Pratt. */
static int find_by_failures(const char *text, const char *word)
{
    int fail[32] = {0}, n = (int)strlen(word), matched = 0;
    for (int i = 1, k = 0; i < n; ++i) {
        while (k && word[i] != word[k])
            k = fail[k - 1];
        k += word[i] == word[k];
        fail[i] = k;
    }
    for (int i = 0; matched < n; ++i) {
        if (!text[i])
            return -1;
        while (matched && text[i] != word[matched])
            matched = fail[matched - 1];
        matched += text[i] == word[matched];
        if (matched == n)
            return i - n + 1;
    }
    return 0;
}

/* Horspool: skips by the last character of the window. */
static int find_by_skips(const char *text, const char *word)
{
    int skip[128], n = (int)strlen(word), size = (int)strlen(text);
    for (int i = 0; i < 128; ++i)
        skip[i] = n ? n : 1;
    for (int i = 0; i < n - 1; ++i)
        skip[(uint8_t)word[i] & 127] = n - 1 - i;
    for (int i = 0; i + n <= size; i += n ? skip[(uint8_t)text[i + n - 1] & 127] : 1)
        if (memcmp(text + i, word, (size_t)n) == 0)
            return i;
    return -1;
}

static char *next_word(char **rest, const char *separators)
{
    char *p = *rest;
    while (*p && find_plain(separators, (char[]){*p, 0}) >= 0)
        ++p;
    char *start = p;
    while (*p && find_plain(separators, (char[]){*p, 0}) < 0)
        ++p;
    *rest = *p ? p + 1 : p;
    *p = 0;
    return *start ? start : NULL;
}

int main(void)
{
    static _Alignas(4) char text[400];
    for (int i = 0; i < 40; ++i) {
        for (int k = 0; k < i; ++k)
            text[3 + k] = 'x';
        memset(text + 3 + i, 0, 4);
        for (int start = 0; start < 4 && start <= i; ++start)
            EXPECT(length_by_words(text + 3 + start) == (size_t)(i - start) && strlen(text + 3 + start) == (size_t)(i - start));
    }
    for (int i = 0; i < 380; ++i)
        text[i] = (char)('a' + random_below(3));
    text[380] = 0;
    uint32_t hash = 0;
    for (int i = 0; i < 60; ++i) {
        char word[12] = "";
        for (uint32_t k = 0, n = random_below(9); k < n; ++k)
            word[k] = (char)('a' + random_below(3));
        int at = find_plain(text, word);
        EXPECT(find_by_failures(text, word) == at && find_by_skips(text, word) == at);
        hash = fold(hash, (uint32_t)at);
    }
    say("found %08x\n", hash);
    char buffer[12];
    memset(buffer, '#', sizeof buffer);
    copy_limited(buffer, "abc", 6);
    EXPECT(memcmp(buffer, "abc\0\0\0####", 10) == 0);
    EXPECT(strcmp(copy_limited(buffer, "abcdefghijk", 12), "abcdefghijk") == 0);
    memmove(buffer + 2, buffer, 8);
    say("%s ", buffer);
    memmove(buffer, buffer + 3, 8);
    say("%s\n", buffer);
    say("%d %d %d\n", compare_ignoring_case("Hello", "hELLO"), compare_ignoring_case("a", "B"),
        compare_ignoring_case("abc", "ab"));
    char line[] = "  alpha,beta;; gamma\tdelta, ";
    char *rest = line;
    for (char *word; (word = next_word(&rest, " ,;\t"));)
        say("<%s>", word);
    say("\n");
    return 0;
}
