/* An interpreter of the language with eight commands, its loops matched beforehand. */
#include "runtime.h"

static uint8_t cells[300];
static int16_t match[400];

static bool prepare(const char *code)
{
    int16_t open[20];
    int depth = 0;
    for (int16_t i = 0; code[i]; ++i) {
        if (code[i] == '[') {
            open[depth++] = i;
        } else if (code[i] == ']') {
            if (!depth)
                return false;
            match[i] = open[--depth];
            match[open[depth]] = i;
        }
    }
    return depth == 0;
}

static uint32_t run(const char *code, const char *input)
{
    uint32_t steps = 0;
    uint8_t *cell = cells;
    memset(cells, 0, sizeof cells);
    for (int i = 0; code[i]; ++i, ++steps) {
        switch (code[i]) {
        case '>': ++cell; break;
        case '<': --cell; break;
        case '+': ++*cell; break;
        case '-': --*cell; break;
        case '.': say("%c", *cell); break;
        case ',': *cell = (uint8_t)(*input ? *input++ : 0); break;
        case '[': i = *cell ? i : match[i]; break;
        case ']': i = *cell ? match[i] : i; break;
        default: break;
        }
    }
    return steps;
}

int main(void)
{
    static const char *const programs[][2] = {
        {"++++++++[>++++++++<-]>+.+.+.>++++++++++.", ""},
        {",[.,]", "echo this\n"},
        {">,[>,]<[.<]>>[>]++++++++++.", "backwards"},
        {"++++++++[>+++++++++>++++>+<<<-]>.>.<-------.>+.>++.", ""},
        /* 1000 by three nested loops, of which a byte keeps 232; half of it is a letter. */
        {"++++++++++[>++++++++++[>++++++++++[>+<-]<-]<-]>>>[>+<--]>.", ""},
        {"+[[-]", ""},
    };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; ++i) {
        if (!prepare(programs[i][0])) {
            say("unmatched\n");
            continue;
        }
        uint32_t steps = run(programs[i][0], programs[i][1]);
        say("program %u: %u steps, cells %08x\n", (unsigned)i, steps, fold_bytes(0, cells, sizeof cells));
    }
    EXPECT(!prepare("]["));
    return 0;
}
