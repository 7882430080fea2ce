/* A table as comma-separated values: quotes, empty fields, sums by column and by group. */
#include "runtime.h"

typedef struct {
    char city[16], note[32];
    int32_t amount, cents;
} row;

static const char table[] = "city,amount,note\n"
                            "Bern,12.50,plain\n"
                            "\"Genf, Stadt\",7.05,\"with \"\"quotes\"\"\"\n"
                            "Bern,-3.75,\n"
                            "Zug,100,\"two\nlines\"\n"
                            "\"\",0.01,\",,\"\n"
                            "\"Genf, Stadt\",0.95,x\r\n"
                            "Zug,-99.999,truncated\n"
                            "Chur,4.2,last";

/* One field without its quotes; what ended it: ',' '\n' or 0. */
static char field(const char **at, char *out, int room)
{
    const char *p = *at;
    bool quoted = *p == '"';
    p += quoted;
    for (;; ++p) {
        char c = *p;
        if (quoted && c == '"') {
            if (p[1] != '"') {
                quoted = false;
                continue;
            }
            ++p;
        } else if (!c || (!quoted && (c == ',' || c == '\n'))) {
            *out = 0;
            *at = p + (c != 0);
            return c;
        } else if (!quoted && c == '\r') {
            continue;
        }
        if (room > 1) {
            *out++ = c;
            --room;
        }
    }
}

/* Hundredths. */
static int32_t money(const char *text)
{
    bool minus = *text == '-';
    int32_t value = 0;
    int behind = -1;
    for (text += minus; *text && behind < 2; ++text) {
        if (*text == '.') {
            behind = 0;
            continue;
        }
        value = value * 10 + (*text - '0');
        behind += behind >= 0;
    }
    for (behind = behind < 0 ? 0 : behind; behind < 2; ++behind)
        value *= 10;
    return minus ? -value : value;
}

int main(void)
{
    static row rows[16];
    const char *at = table;
    char text[32];
    int count = 0;
    for (int i = 0; i < 3; ++i)
        EXPECT(field(&at, text, sizeof text) == (i == 2 ? '\n' : ','));
    for (char end = '\n'; end; ++count) {
        row *r = &rows[count];
        EXPECT(field(&at, r->city, sizeof r->city) == ',');
        EXPECT(field(&at, text, sizeof text) == ',');
        r->cents = money(text);
        r->amount = r->cents / 100;
        end = field(&at, r->note, sizeof r->note);
    }
    EXPECT(count == 8);
    for (int i = 0; i < count; ++i)
        say("%d: [%s] %d [%s]\n", i, rows[i].city, rows[i].cents, rows[i].note);
    bool seen[16] = {false};
    for (int i = 0; i < count; ++i) {
        int32_t sum = 0;
        for (int k = i; k < count; ++k)
            if (!seen[k] && strcmp(rows[i].city, rows[k].city) == 0) {
                sum += rows[k].cents;
                seen[k] = k != i;
            }
        if (!seen[i])
            say("%16s %6d\n", rows[i].city, sum);
    }
    return 0;
}
