/* A small machine with a stack, and three programs for it: one by switch, one by a table of functions. */
#include "runtime.h"

enum op { PUSH, LOAD, STORE, ADD, SUB, MUL, DIV, LESS, EQUAL, JUMP, JUMP_IF_NOT, CALL, RETURN, DUP, PRINT, HALT, OPS };

typedef struct {
    const int32_t *code;
    int32_t stack[64], variables[8];
    int pc, sp, frames[64], depth;
    uint32_t steps, printed;
    bool halted;
} machine;

static int32_t pop(machine *m)
{
    return m->stack[--m->sp];
}

static void push(machine *m, int32_t value)
{
    m->stack[m->sp++] = value;
}

static int32_t arithmetic(enum op op, int32_t a, int32_t b)
{
    switch (op) {
    case ADD: return (int32_t)((uint32_t)a + (uint32_t)b);
    case SUB: return (int32_t)((uint32_t)a - (uint32_t)b);
    case MUL: return (int32_t)((uint32_t)a * (uint32_t)b);
    case DIV: return a / b;
    case LESS: return a < b;
    default: return a == b;
    }
}

static void run_by_switch(machine *m)
{
    for (;; ++m->steps) {
        enum op op = (enum op)m->code[m->pc++];
        switch (op) {
        case PUSH: push(m, m->code[m->pc++]); break;
        case LOAD: push(m, m->variables[m->code[m->pc++]]); break;
        case STORE: m->variables[m->code[m->pc++]] = pop(m); break;
        case JUMP: m->pc = m->code[m->pc]; break;
        case JUMP_IF_NOT: m->pc = pop(m) ? m->pc + 1 : m->code[m->pc]; break;
        case CALL:
            m->frames[m->depth++] = m->pc + 1;
            m->pc = m->code[m->pc];
            break;
        case RETURN: m->pc = m->frames[--m->depth]; break;
        case DUP: push(m, m->stack[m->sp - 1]); break;
        case PRINT: m->printed = fold(m->printed, (uint32_t)pop(m)); break;
        case HALT: return;
        default: {
            int32_t b = pop(m), a = pop(m);
            push(m, arithmetic(op, a, b));
        }
        }
    }
}

static void do_push(machine *m) { push(m, m->code[m->pc++]); }
static void do_load(machine *m) { push(m, m->variables[m->code[m->pc++]]); }
static void do_store(machine *m) { m->variables[m->code[m->pc++]] = pop(m); }
static void do_jump(machine *m) { m->pc = m->code[m->pc]; }
static void do_jump_if_not(machine *m) { m->pc = pop(m) ? m->pc + 1 : m->code[m->pc]; }
static void do_return(machine *m) { m->pc = m->frames[--m->depth]; }
static void do_dup(machine *m) { push(m, m->stack[m->sp - 1]); }
static void do_print(machine *m) { m->printed = fold(m->printed, (uint32_t)pop(m)); }
static void do_halt(machine *m) { m->halted = true; }

static void do_call(machine *m)
{
    m->frames[m->depth++] = m->pc + 1;
    m->pc = m->code[m->pc];
}

static void do_arithmetic(machine *m)
{
    enum op op = (enum op)m->code[m->pc - 1];
    int32_t b = pop(m), a = pop(m);
    push(m, arithmetic(op, a, b));
}

static void run_by_table(machine *m)
{
    static void (*const table[OPS])(machine *) = {
        do_push, do_load, do_store, do_arithmetic, do_arithmetic, do_arithmetic, do_arithmetic, do_arithmetic,
        do_arithmetic, do_jump, do_jump_if_not, do_call, do_return, do_dup, do_print, do_halt,
    };
    for (;; ++m->steps) {
        table[m->code[m->pc++]](m);
        if (m->halted)
            return;
    }
}

/* Sum of squares below 300; printed as it grows. */
static const int32_t squares[] = {PUSH, 0, STORE, 0, PUSH, 0, STORE, 1, LOAD, 0, PUSH, 300, LESS, JUMP_IF_NOT, 35,
                                  LOAD, 0, DUP, MUL, LOAD, 1, ADD, DUP, PRINT, STORE, 1, LOAD, 0, PUSH, 1, ADD,
                                  STORE, 0, JUMP, 8, HALT};
/* Fibonacci by recursion: n on the stack, fib(n) instead of it. */
static const int32_t fibonacci[] = {PUSH, 13, CALL, 6, PRINT, HALT, /* 6: */ DUP, PUSH, 2, LESS, JUMP_IF_NOT, 13, RETURN,
                                    /* 13: */ DUP, PUSH, 1, SUB, CALL, 6, STORE, 2, PUSH, 2, SUB, STORE, 3, LOAD, 2,
                                    LOAD, 3, CALL, 6, ADD, RETURN};
/* Steps of 3n + 1 to one, for each start below 20. */
static const int32_t collatz[] = {PUSH, 1, STORE, 0, /* 4: */ LOAD, 0, STORE, 1, PUSH, 0, STORE, 2,
                                  /* 12: */ LOAD, 1, PUSH, 1, EQUAL, PUSH, 0, EQUAL, JUMP_IF_NOT, 61,
                                  LOAD, 2, PUSH, 1, ADD, STORE, 2,
                                  LOAD, 1, PUSH, 2, DIV, PUSH, 2, MUL, LOAD, 1, EQUAL, JUMP_IF_NOT, 49,
                                  LOAD, 1, PUSH, 2, DIV, JUMP, 57, /* 49: */ LOAD, 1, PUSH, 3, MUL, PUSH, 1, ADD,
                                  /* 57: */ STORE, 1, JUMP, 12, /* 61: */ LOAD, 2, PRINT, LOAD, 0, PUSH, 1, ADD,
                                  STORE, 0, LOAD, 0, PUSH, 20, LESS, JUMP_IF_NOT, 80, JUMP, 4, /* 80: */ HALT};

int main(void)
{
    static const int32_t *const programs[] = {squares, fibonacci, collatz};
    for (int i = 0; i < 3; ++i) {
        static machine m[2];
        memset(m, 0, sizeof m);
        m[0].code = m[1].code = programs[i];
        run_by_switch(&m[0]);
        run_by_table(&m[1]);
        EXPECT(m[0].printed == m[1].printed && m[0].steps == m[1].steps && m[0].sp == 0 && m[1].sp == 0);
        say("program %d: %u steps, %08x\n", i, m[0].steps, m[0].printed);
    }
    return 0;
}
