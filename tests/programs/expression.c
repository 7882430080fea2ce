/* Arithmetic expressions: evaluated while they are read, and turned into postfix first. Both must agree. */
#include "runtime.h"

static const char *at;
static bool wrong;

static int64_t level(int lowest);

static int rank(char c)
{
    switch (c) {
    case '|': return 1;
    case '^': return 2;
    case '&': return 3;
    case '+': case '-': return 4;
    case '*': case '/': case '%': return 5;
    default: return 0;
    }
}

static int64_t apply(char c, int64_t a, int64_t b)
{
    switch (c) {
    case '|': return a | b;
    case '^': return a ^ b;
    case '&': return a & b;
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case '/': return b ? a / b : 0;
    case '%': return b ? a % b : a;
    default: wrong = true; return 0;
    }
}

static int64_t primary(void)
{
    int64_t value = 0;
    if (*at == '-') {
        ++at;
        return -primary();
    }
    if (*at == '~') {
        ++at;
        return ~primary();
    }
    if (*at == '(') {
        ++at;
        value = level(1);
        wrong |= *at != ')';
        at += *at == ')';
        return value;
    }
    wrong |= *at < '0' || *at > '9';
    for (; *at >= '0' && *at <= '9'; ++at)
        value = value * 10 + (*at - '0');
    return value;
}

static int64_t level(int lowest)
{
    int64_t left = primary();
    for (int r; (r = rank(*at)) >= lowest && r;) {
        char c = *at++;
        left = apply(c, left, level(r + 1));
    }
    return left;
}

/* Shunting yard. 'n' and '~' stand for the signs before a value. */
static int64_t by_stacks(const char *text)
{
    char operators[40];
    int64_t values[40];
    int o = 0, v = 0;
    bool operand = true;
    for (;; ++text) {
        char c = *text;
        if (c >= '0' && c <= '9') {
            int64_t value = 0;
            for (; *text >= '0' && *text <= '9'; ++text)
                value = value * 10 + (*text - '0');
            --text;
            values[v++] = value;
            operand = false;
        } else if (c == '(' || (operand && (c == '-' || c == '~'))) {
            operators[o++] = c == '-' ? 'n' : c;
        } else {
            int r = rank(c);
            while (o && operators[o - 1] != '(') {
                char top = operators[o - 1];
                if (top == 'n' || top == '~') {
                    values[v - 1] = top == 'n' ? -values[v - 1] : ~values[v - 1];
                } else {
                    if (rank(top) < r)
                        break;
                    --v;
                    values[v - 1] = apply(top, values[v - 1], values[v]);
                }
                --o;
            }
            if (!c)
                return values[0];
            if (c == ')')
                --o;
            else
                operators[o++] = c;
            operand = c != ')';
        }
    }
}

static char text[200];
static size_t length;

static void add(char c)
{
    text[length++] = c;
}

static void make(int depth)
{
    uint32_t pick = random_below(10);
    if (depth > 4 || pick < 2) {
        for (uint32_t n = random_below(3) + 1; n; --n)
            add((char)('1' + random_below(9)));
    } else if (pick < 3) {
        add("-~"[random_below(2)]);
        make(5);
    } else if (pick < 5) {
        add('(');
        make(depth + 1);
        add(')');
    } else {
        make(depth + 2);
        add("+-*/%&|^"[random_below(8)]);
        make(depth + 1);
    }
}

int main(void)
{
    static const char *const fixed[] = {"1+2*3", "(1+2)*3", "7-5-3", "100/7%5", "-3*-(2+~5)", "6&3|8^1", "((((9))))"};
    static const int64_t results[] = {7, 9, -1, 4, -12, 11, 9};
    for (int i = 0; i < 7; ++i) {
        at = fixed[i];
        EXPECT(level(1) == results[i] && !*at && by_stacks(fixed[i]) == results[i]);
    }
    for (int i = 0; i < 120; ++i) {
        length = 0;
        make(0);
        add(0);
        at = text;
        int64_t value = level(1);
        EXPECT(!wrong && !*at);
        EXPECT(by_stacks(text) == value);
        if (i % 10 == 0)
            say("%s = %lld\n", text, (long long)value);
    }
    at = "1+(2*";
    level(1);
    EXPECT(wrong);
    return 0;
}
