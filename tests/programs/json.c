/* Reads JSON into a tree of nodes, writes it again, and finds mistakes at their places. */
#include "runtime.h"

typedef enum { NUL, FALSE_, TRUE_, NUMBER, STRING, ARRAY, OBJECT } kind;

typedef struct node {
    kind kind;
    int32_t number, exponent; /* number * 10^exponent */
    char text[24], key[12];
    struct node *child, *next;
} node;

static node pool[120];
static int used;
static const char *at, *start;
static const char *problem;

static node *value(int depth);

static node *fail(const char *what)
{
    if (!problem)
        problem = what;
    return NULL;
}

static void blanks(void)
{
    while (*at == ' ' || *at == '\n' || *at == '\t')
        ++at;
}

static bool take(char c)
{
    blanks();
    if (*at != c)
        return false;
    ++at;
    return true;
}

static bool string(char *out, int room)
{
    for (++at; *at != '"'; ++at) {
        char c = *at;
        if (!c || --room < 1)
            return fail("string") != NULL;
        if (c == '\\') {
            c = *++at;
            if (c == 'u') {
                uint32_t code = 0;
                for (int i = 0; i < 4; ++i) {
                    char d = *++at;
                    if (!((d >= '0' && d <= '9') || (d >= 'a' && d <= 'f')))
                        return fail("escape") != NULL;
                    code = code << 4 | (uint32_t)(d <= '9' ? d - '0' : d - 'a' + 10);
                }
                c = code < 128 ? (char)code : '?';
            } else if (c == 'n') {
                c = '\n';
            } else if (c != '"' && c != '\\' && c != '/') {
                return fail("escape") != NULL;
            }
        }
        *out++ = c;
    }
    ++at;
    *out = 0;
    return true;
}

static node *number(node *n)
{
    bool minus = *at == '-';
    at += minus;
    if (*at < '0' || *at > '9')
        return fail("number");
    for (bool point = false; (*at >= '0' && *at <= '9') || (*at == '.' && !point); ++at) {
        if (*at == '.') {
            point = true;
            continue;
        }
        n->number = n->number * 10 + (*at - '0');
        n->exponent -= point;
    }
    if (*at == 'e' || *at == 'E') {
        bool down = *++at == '-';
        int e = 0;
        for (at += down || *at == '+'; *at >= '0' && *at <= '9'; ++at)
            e = e * 10 + (*at - '0');
        n->exponent += down ? -e : e;
    }
    n->number = minus ? -n->number : n->number;
    n->kind = NUMBER;
    return n;
}

static node *list(node *n, bool keys, int depth)
{
    char end = keys ? '}' : ']';
    node **link = &n->child;
    ++at;
    n->kind = keys ? OBJECT : ARRAY;
    if (take(end))
        return n;
    do {
        char key[12] = "";
        if (keys) {
            blanks();
            if (*at != '"' || !string(key, sizeof key) || !take(':'))
                return fail("key");
        }
        node *child = value(depth + 1);
        if (!child)
            return NULL;
        memcpy(child->key, key, sizeof key);
        *link = child;
        link = &child->next;
    } while (take(','));
    return take(end) ? n : fail("end of list");
}

static node *value(int depth)
{
    static const char *const words[] = {"null", "false", "true"};
    blanks();
    if (used == 120 || depth > 20)
        return fail("too much");
    node *n = &pool[used++];
    *n = (node){.kind = NUL};
    if (*at == '{' || *at == '[')
        return list(n, *at == '{', depth);
    if (*at == '"') {
        n->kind = STRING;
        return string(n->text, sizeof n->text) ? n : NULL;
    }
    for (int i = 0; i < 3; ++i)
        if (memcmp(at, words[i], strlen(words[i])) == 0) {
            at += strlen(words[i]);
            n->kind = (kind)i;
            return n;
        }
    return number(n);
}

static void show(const node *n)
{
    static const char *const words[] = {"null", "false", "true"};
    if (n->kind <= TRUE_)
        say("%s", words[n->kind]);
    else if (n->kind == NUMBER)
        say(n->exponent ? "%de%d" : "%d", n->number, n->exponent);
    else if (n->kind == STRING)
        say("\"%s\"", n->text);
    else {
        say(n->kind == OBJECT ? "{" : "[");
        for (const node *child = n->child; child; child = child->next) {
            if (n->kind == OBJECT)
                say("%s:", child->key);
            show(child);
            say(child->next ? "," : "");
        }
        say(n->kind == OBJECT ? "}" : "]");
    }
}

static int depth_of(const node *n)
{
    int most = 0;
    for (const node *child = n->child; child; child = child->next) {
        int depth = depth_of(child);
        most = depth > most ? depth : most;
    }
    return most + 1;
}

int main(void)
{
    static const char *const texts[] = {
        "[]", " { } ", "[1, -2.50, 3e5, 4.25E-3, true, false, null]",
        "{\"name\": \"bo\\u0061rd\", \"cores\": [0, 1], \"flags\": {\"psram\": true, \"note\": \"a\\n\\\"b\\\"\"}}",
        "[[[[[[1]]]], [2, [3, [4, {\"x\": [5]}]]]]]", "[1, 2", "{\"a\" 1}", "[1,]", "\"open", "[\"\\q\"]", "{1:2}",
        "[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]", "truth", "- 1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        used = 0;
        problem = NULL;
        at = start = texts[i];
        const node *tree = value(0);
        blanks();
        if (tree && !*at) {
            show(tree);
            say(" (depth %d, %d nodes)\n", depth_of(tree), used);
        } else {
            say("%s at %d\n", problem ? problem : "more behind it", (int)(at - start));
        }
    }
    return 0;
}
