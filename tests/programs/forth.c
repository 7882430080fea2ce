/* A small Forth: words compiled from text into threaded code, with loops, conditions and recursion. */
#include "runtime.h"

typedef struct {
    char name[12];
    int start; /* in memory; negative: a word of the machine */
} entry;

enum { LITERAL = 100, BRANCH, BRANCH_ZERO, EXIT, DO, LOOP, INDEX, CALL = 1000 };
static const char *const primitives[] = {"+", "-", "*", "/", "mod", "dup", "drop", "swap", "over", "rot", "=", "<",
                                         "and", "or", "xor", ".", "cr", "@", "!", ">r", "r>", "i", "not", "emit"};
static entry words[40];
static int word_count, here, sp, rp;
static int32_t memory[600], cells[50], stack[50], returns[100];
static const char *at;

static bool next(char *out)
{
    int n = 0;
    while (*at == ' ')
        ++at;
    while (*at && *at != ' ')
        if (n < 11)
            out[n++] = *at++;
    out[n] = 0;
    return n;
}

static void primitive(int which)
{
    int32_t b = sp ? stack[sp - 1] : 0, a = sp > 1 ? stack[sp - 2] : 0;
    switch (which) {
    case 0: stack[--sp - 1] = a + b; break;
    case 1: stack[--sp - 1] = a - b; break;
    case 2: stack[--sp - 1] = a * b; break;
    case 3: stack[--sp - 1] = a / b; break;
    case 4: stack[--sp - 1] = a % b; break;
    case 5: stack[sp++] = b; break;
    case 6: --sp; break;
    case 7: stack[sp - 1] = a, stack[sp - 2] = b; break;
    case 8: stack[sp++] = a; break;
    case 9: {
        int32_t c = stack[sp - 3];
        stack[sp - 3] = a, stack[sp - 2] = b, stack[sp - 1] = c;
        break;
    }
    case 10: stack[--sp - 1] = -(a == b); break;
    case 11: stack[--sp - 1] = -(a < b); break;
    case 12: stack[--sp - 1] = a & b; break;
    case 13: stack[--sp - 1] = a | b; break;
    case 14: stack[--sp - 1] = a ^ b; break;
    case 15: say("%d ", (int)stack[--sp]); break;
    case 16: say("\n"); break;
    case 17: stack[sp - 1] = cells[b]; break;
    case 18: cells[b] = a, sp -= 2; break;
    case 19: returns[rp++] = stack[--sp]; break;
    case 20: stack[sp++] = returns[--rp]; break;
    case 21: stack[sp++] = returns[rp - 1]; break;
    case 22: stack[sp - 1] = -(b == 0); break;
    default: say("%c", (char)stack[--sp]);
    }
}

static void execute(int pc)
{
    int bottom = rp;
    for (;;) {
        int32_t code = memory[pc++];
        if (code >= CALL) {
            returns[rp++] = pc;
            pc = code - CALL;
        } else if (code < LITERAL) {
            primitive(code);
        } else if (code == LITERAL) {
            stack[sp++] = memory[pc++];
        } else if (code == BRANCH) {
            pc = memory[pc];
        } else if (code == BRANCH_ZERO) {
            pc = stack[--sp] ? pc + 1 : memory[pc];
        } else if (code == DO) {
            returns[rp++] = stack[sp - 2];
            returns[rp++] = stack[sp - 1];
            sp -= 2;
        } else if (code == LOOP) {
            if (++returns[rp - 1] < returns[rp - 2]) {
                pc = memory[pc];
            } else {
                ++pc;
                rp -= 2;
            }
        } else {
            if (rp == bottom)
                return;
            pc = returns[--rp];
        }
    }
}

static void compile(const char *source)
{
    char word[12];
    int marks[10], depth = 0, main_start = 0;
    bool inside = false;
    at = source;
    while (next(word)) {
        if (strcmp(word, ":") == 0) {
            next(words[word_count].name);
            words[word_count++].start = here;
            inside = true;
            continue;
        }
        if (!inside) {
            main_start = here;
            inside = true;
        }
        int found = -1;
        for (int i = word_count; i-- > 0 && found < 0;)
            found = strcmp(words[i].name, word) == 0 ? i : -1;
        if (strcmp(word, ";") == 0) {
            memory[here++] = EXIT;
            inside = false;
        } else if (strcmp(word, "if") == 0 || strcmp(word, "while") == 0) {
            memory[here++] = BRANCH_ZERO;
            marks[depth++] = here++;
        } else if (strcmp(word, "else") == 0) {
            memory[here++] = BRANCH;
            memory[marks[depth - 1]] = here + 1;
            marks[depth - 1] = here++;
        } else if (strcmp(word, "then") == 0) {
            memory[marks[--depth]] = here;
        } else if (strcmp(word, "begin") == 0 || strcmp(word, "do") == 0) {
            if (*word == 'd')
                memory[here++] = DO;
            marks[depth++] = here;
        } else if (strcmp(word, "repeat") == 0) {
            memory[here++] = BRANCH;
            memory[here++] = marks[depth - 2];
            memory[marks[depth - 1]] = here;
            depth -= 2;
        } else if (strcmp(word, "loop") == 0) {
            memory[here++] = LOOP;
            memory[here++] = marks[--depth];
        } else if (found >= 0) {
            memory[here++] = words[found].start < 0 ? -words[found].start - 1 : CALL + words[found].start;
        } else {
            int32_t value = 0;
            for (const char *p = word; *p; ++p)
                value = value * 10 + (*p - '0');
            memory[here++] = LITERAL;
            memory[here++] = value;
        }
    }
    memory[here++] = EXIT;
    execute(main_start);
}

int main(void)
{
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; ++i) {
        memcpy(words[word_count].name, primitives[i], strlen(primitives[i]) + 1);
        words[word_count++].start = -(int)i - 1;
    }
    compile(": square dup * ; : cubes 8 0 do i dup square * . loop cr ; cubes");
    compile(": gcd begin dup while swap over mod repeat drop ; 1071 462 gcd . 17 5 gcd . cr");
    compile(": fact dup 2 < if drop 1 else dup 1 - fact * then ; 11 0 do i fact . loop cr");
    compile(": fib dup 2 < not if dup 1 - fib swap 2 - fib + then ; 15 fib . cr");
    compile(": table 6 1 do 6 1 do i 9 + emit loop loop ; 65 0 ! 5 0 do 0 @ i + emit loop cr");
    compile(": sum 0 swap 0 do i + loop ; 1000 sum . 7 >r 5 r> - . 1 2 3 rot . . . 12 10 xor 1 or . cr");
    EXPECT(sp == 0);
    say("%d cells of code, %08x\n", here, fold_bytes(0, memory, sizeof memory));
    return 0;
}
