/* State machines: a tokeniser by a table, comments taken out by a switch, a turnstile by pointers to functions. */
#include "runtime.h"

enum state { START, WORD, NUMBER, POINT, FRACTION, TEXT, DONE, STATES };
enum kind { LETTER, DIGIT, DOT, QUOTE, SPACE, OTHER, KINDS };

static const uint8_t next[STATES][KINDS] = {
    [START] = {WORD, NUMBER, DONE, TEXT, START, DONE},
    [WORD] = {WORD, WORD, DONE, DONE, DONE, DONE},
    [NUMBER] = {DONE, NUMBER, POINT, DONE, DONE, DONE},
    [POINT] = {DONE, FRACTION, DONE, DONE, DONE, DONE},
    [FRACTION] = {DONE, FRACTION, DONE, DONE, DONE, DONE},
    [TEXT] = {TEXT, TEXT, TEXT, DONE, TEXT, TEXT},
};
static const char *const names[] = {"sign", "word", "number", "broken", "fraction", "text"};

static enum kind kind_of(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
        return LETTER;
    if (c >= '0' && c <= '9')
        return DIGIT;
    return c == '.' ? DOT : c == '"' ? QUOTE : c == ' ' || c == '\n' ? SPACE : OTHER;
}

static int tokens(const char *text, bool show)
{
    int count = 0;
    while (*text) {
        enum state state = START, last = START;
        const char *begin = text;
        for (; *text; ++text) {
            last = state;
            state = (enum state)next[state][kind_of(*text)];
            if (state == DONE)
                break;
            begin += state == START;
        }
        last = state == DONE ? last : state;
        text += *text && (last == START || last == TEXT);
        if (text == begin)
            break;
        ++count;
        if (show) {
            say("%s:", names[last]);
            while (begin < text)
                say("%c", *begin++);
            say(" ");
        }
    }
    return count;
}

static int without_comments(const char *in, char *out)
{
    enum { CODE, SLASH, LINE, BLOCK, STAR, QUOTED, ESCAPE } state = CODE;
    char *start = out;
    for (; *in; ++in) {
        char c = *in;
        switch (state) {
        case CODE:
            state = c == '/' ? SLASH : c == '"' ? QUOTED : CODE;
            if (c != '/')
                *out++ = c;
            break;
        case SLASH:
            state = c == '/' ? LINE : c == '*' ? BLOCK : CODE;
            if (state == CODE) {
                *out++ = '/';
                *out++ = c;
            }
            break;
        case LINE:
            if (c == '\n') {
                *out++ = c;
                state = CODE;
            }
            break;
        case BLOCK: state = c == '*' ? STAR : BLOCK; break;
        case STAR: state = c == '/' ? CODE : c == '*' ? STAR : BLOCK; break;
        case QUOTED:
            *out++ = c;
            state = c == '\\' ? ESCAPE : c == '"' ? CODE : QUOTED;
            break;
        case ESCAPE:
            *out++ = c;
            state = QUOTED;
            break;
        }
    }
    *out = 0;
    return (int)(out - start);
}

typedef struct gate gate;
typedef void *handler(gate *g, char event);
struct gate {
    int coins, people, alarms;
};

static handler locked, open;

static void *alarmed(gate *g, char event)
{
    g->alarms += event == 'p';
    return event == 'r' ? (void *)locked : (void *)alarmed;
}

static void *locked(gate *g, char event)
{
    if (event == 'c')
        ++g->coins;
    return event == 'c' ? (void *)open : event == 'p' ? (void *)alarmed : (void *)locked;
}

static void *open(gate *g, char event)
{
    g->coins += event == 'c';
    g->people += event == 'p';
    return event == 'p' ? (void *)locked : (void *)open;
}

int main(void)
{
    char out[100];
    say("\n%d\n", tokens("let x1 = 3.25*(y+07) \"a b\" 1. .5 _z9z", true));
    say("\n%d\n", tokens("  ", true));
    static char text[500];
    for (int i = 0; i < 499; ++i)
        text[i] = "ab1 2.\"+"[random_below(8)];
    say("%d\n", tokens(text, false));
    say("%d [%s]\n", without_comments("a/b /* c * / **/d // e\n\"/*\\\"//\"f/**/", out), out);
    gate g = {0, 0, 0};
    handler *state = locked;
    for (int i = 0; i < 1000; ++i)
        state = (handler *)state(&g, "cpr"[random_below(3)]);
    EXPECT(g.people <= g.coins);
    say("%d coins, %d people, %d alarms\n", g.coins, g.people, g.alarms);
    return 0;
}
