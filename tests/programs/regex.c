/* Regular expressions: matched by going back, and by running all states at once. Both must agree. */
#include "runtime.h"

typedef struct {
    bool any, negated;
    char from[4], to[4]; /* ranges of characters */
    int ranges;
    char repeat; /* 0, '*', '+' or '?' */
} atom;

static atom atoms[20];
static int count;
static bool to_end;

static bool parse(const char *p)
{
    count = 0;
    to_end = false;
    for (; *p; ++p) {
        atom *a = &atoms[count];
        if (*p == '$' && !p[1]) {
            to_end = true;
            break;
        }
        if (count == 20 || *p == '*' || *p == '+' || *p == '?')
            return false;
        *a = (atom){.any = *p == '.'};
        if (*p == '[') {
            a->negated = *++p == '^';
            for (p += a->negated; *p && *p != ']'; ++p) {
                a->from[a->ranges] = a->to[a->ranges] = *p;
                if (p[1] == '-' && p[2] && p[2] != ']')
                    a->to[a->ranges] = *(p += 2);
                if (++a->ranges == 4)
                    return false;
            }
            if (!*p)
                return false;
        } else {
            p += *p == '\\' && p[1];
            a->from[0] = a->to[0] = *p;
            a->ranges = 1;
        }
        if (p[1] == '*' || p[1] == '+' || p[1] == '?')
            a->repeat = *++p;
        ++count;
    }
    return true;
}

static bool fits(const atom *a, char c)
{
    bool in = false;
    if (!c)
        return false;
    for (int i = 0; i < a->ranges; ++i)
        in |= c >= a->from[i] && c <= a->to[i];
    return a->any || in != a->negated;
}

/* The longest match at text, or -1: tries the greedy way and goes back. */
static int backtrack(int at, const char *text, int done)
{
    const atom *a = &atoms[at];
    int n = 0, most = a->repeat == '*' || a->repeat == '+' ? 1000 : 1, best = -1;
    if (at == count)
        return to_end && *text ? -1 : done;
    while (n < most && fits(a, text[n]))
        ++n;
    for (int least = a->repeat == '*' || a->repeat == '?' ? 0 : 1; n >= least; --n) {
        int end = backtrack(at + 1, text + n, done + n);
        best = end > best ? end : best;
    }
    return best;
}

/* A set of atoms that may come next, closed over those that may be left out. */
static uint32_t closure(uint32_t states)
{
    for (int i = 0; i < count; ++i)
        if (states >> i & 1 && (atoms[i].repeat == '*' || atoms[i].repeat == '?'))
            states |= 2u << i;
    return states;
}

static int simulate(const char *text)
{
    uint32_t states = closure(1);
    int best = -1;
    for (int n = 0;; ++n) {
        if (states >> count & 1 && (!to_end || !text[n]))
            best = n;
        if (!text[n] || !states)
            return best;
        uint32_t next = 0;
        for (int i = 0; i < count; ++i)
            if (states >> i & 1 && fits(&atoms[i], text[n]))
                next |= atoms[i].repeat == '*' || atoms[i].repeat == '+' ? 3u << i : 2u << i;
        states = closure(next);
    }
}

int main(void)
{
    static const char *const patterns[] = {"a*b", "[a-c]+d?", ".*x.y", "^", "[^0-9]*[0-9]+$", "a?a?a?aaa", "\\*\\.",
                                           "", "x*", "[a-", "*a", "a.c$", "[-+]?[0-9]+[.]?[0-9]*"};
    static const char *const texts[] = {"", "aaab", "abcabcd!", "xxayxyy", "abc123", "aaa", "*.c", "-12.50 V", "a1c"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; ++i) {
        say("%s:", patterns[i]);
        if (!parse(patterns[i])) {
            say(" no expression\n");
            continue;
        }
        for (size_t k = 0; k < sizeof texts / sizeof *texts; ++k) {
            int start = 0, length = -1;
            for (; length < 0 && start <= (int)strlen(texts[k]); ++start) {
                length = backtrack(0, texts[k] + start, 0);
                EXPECT(simulate(texts[k] + start) == length);
            }
            say(length < 0 ? " -" : " %d+", start - 1);
            if (length >= 0)
                say("%d", length);
        }
        say("\n");
    }
    return 0;
}
