/* Functions that call back into the guest (qsort, bsearch), and jumps out of them. The engine is not entered twice: a
 * function leaves a frame and goes to the guest's function, whose return brings the next step of the frame. */
#include <string.h>

#include "exports.h"

enum { RA = 1, SP = 2, T1 = 6, S0 = 8, S1 = 9, A0 = 10, A1 = 11, S2 = 18, SAVED = 12 };

/* Frames of calls that a longjmp left behind lie below the stack pointer. */
static void drop_dead(p4x *x)
{
    p4x_frames *frames = x->frames;
    while (frames->count && frames->frame[frames->count - 1].sp < x->x[SP])
        frames->count--;
}

static p4x_frame *begin(p4x *x, bool (*step)(p4x *, p4x_frame *, int32_t), uint32_t function)
{
    drop_dead(x);
    /* One with this very stack pointer is alive only if its comparison has jumped here. */
    while (x->frames->count && x->frames->frame[x->frames->count - 1].sp == x->x[SP] &&
           x->x[RA] != P4X_STUB(P4X_ANSWERED))
        x->frames->count--;
    if (x->frames->count == P4X_FRAMES) {
        p4x_fail(x, "p4kernel: qsort and bsearch called each other more than %d deep\n", P4X_FRAMES);
        return NULL;
    }
    p4x_frame *frame = &x->frames->frame[x->frames->count++];
    *frame = (p4x_frame){.sp = x->x[SP], .ra = x->x[RA], .step = step, .function = function};
    return frame;
}

bool p4x_ask(p4x *x, uint32_t function, uint32_t a, uint32_t b)
{
    x->x[A0] = a;
    x->x[A1] = b;
    x->x[T1] = function;
    x->x[RA] = P4S_CALL; /* where the stub's ret goes; it calls t1 */
    x->silent = true;
    return true;
}

static void go_on(p4x *x, p4x_frame *frame, int32_t result)
{
    if (frame->step(x, frame, result) || x->trapped)
        return;
    x->x[RA] = frame->ra;
    x->silent = true;
    x->frames->count--;
}

void p4x_answered(p4x *x)
{
    drop_dead(x);
    p4x_frame *frame = x->frames->count ? &x->frames->frame[x->frames->count - 1] : NULL;
    if (frame && frame->sp == x->x[SP])
        go_on(x, frame, (int32_t)x->x[A0]);
    else
        p4x_fail(x, "p4kernel: a comparison returned with another stack pointer than it was called with\n");
}

/* Heapsort: no memory of its own, and never quadratic. `start` elements are not yet in the heap; of a heap that is
 * whole, the largest goes to the end. */
enum { BASE, SIZE, START, END, ROOT, CHILD, STAGE };
enum { NEXT, COMPARED_CHILDREN, COMPARED_ROOT };

static uint32_t element(const p4x_frame *f, uint32_t i) { return f->v[BASE] + i * f->v[SIZE]; }

static void exchange(p4x *x, uint32_t a, uint32_t b, uint32_t size)
{
    uint8_t *p = p4x_store(x, a, size), *q = p ? p4x_store(x, b, size) : NULL;
    for (uint32_t i = 0; q && i < size; i++) {
        uint8_t byte = p[i];
        p[i] = q[i];
        q[i] = byte;
    }
}

/* Whether there is one more element to sift. */
static bool next_root(p4x *x, p4x_frame *f)
{
    f->v[ROOT] = 0;
    if (f->v[START]) {
        f->v[ROOT] = --f->v[START];
        return true;
    }
    if (f->v[END] <= 1)
        return false;
    exchange(x, element(f, 0), element(f, --f->v[END]), f->v[SIZE]);
    return true;
}

static bool sort(p4x *x, p4x_frame *f, int32_t result)
{
    uint32_t *v = f->v;
    if (v[STAGE] == COMPARED_CHILDREN) {
        v[CHILD] += result < 0;
        v[STAGE] = COMPARED_ROOT;
        return p4x_ask(x, f->function, element(f, v[ROOT]), element(f, v[CHILD]));
    }
    if (v[STAGE] == COMPARED_ROOT && result < 0) {
        exchange(x, element(f, v[ROOT]), element(f, v[CHILD]), v[SIZE]);
        v[ROOT] = v[CHILD];
    } else if (!next_root(x, f)) {
        return false;
    }
    while (!x->trapped) {
        v[CHILD] = 2 * v[ROOT] + 1;
        if (v[CHILD] + 1 < v[END]) {
            v[STAGE] = COMPARED_CHILDREN;
            return p4x_ask(x, f->function, element(f, v[CHILD]), element(f, v[CHILD] + 1));
        }
        if (v[CHILD] < v[END]) {
            v[STAGE] = COMPARED_ROOT;
            return p4x_ask(x, f->function, element(f, v[ROOT]), element(f, v[CHILD]));
        }
        if (!next_root(x, f))
            return false;
    }
    return true;
}

void p4x_qsort(p4x *x, uint32_t base, uint32_t count, uint32_t size, uint32_t compare)
{
    uint64_t bytes = (uint64_t)count * size;
    if (bytes > UINT32_MAX || (bytes && !p4x_store(x, base, (uint32_t)bytes))) {
        p4x_store_fault(x, base);
        return;
    }
    p4x_frame *f = count > 1 && size ? begin(x, sort, compare) : NULL;
    if (!f)
        return;
    f->v[BASE] = base;
    f->v[SIZE] = size;
    f->v[START] = count / 2;
    f->v[END] = count;
    f->v[STAGE] = NEXT;
    go_on(x, f, 0);
}

enum { KEY = 2, LOW, HIGH, MIDDLE };

static bool search(p4x *x, p4x_frame *f, int32_t result)
{
    uint32_t *v = f->v;
    if (v[MIDDLE] != UINT32_MAX) {
        if (result == 0) {
            x->x[A0] = element(f, v[MIDDLE]);
            return false;
        }
        if (result < 0)
            v[HIGH] = v[MIDDLE];
        else
            v[LOW] = v[MIDDLE] + 1;
    }
    x->x[A0] = 0;
    if (v[LOW] >= v[HIGH])
        return false;
    v[MIDDLE] = v[LOW] + (v[HIGH] - v[LOW]) / 2;
    return p4x_ask(x, f->function, v[KEY], element(f, v[MIDDLE]));
}

uint32_t p4x_bsearch(p4x *x, uint32_t key, uint32_t base, uint32_t count, uint32_t size, uint32_t compare)
{
    p4x_frame *f = count ? begin(x, search, compare) : NULL;
    if (!f)
        return 0;
    f->v[BASE] = base;
    f->v[SIZE] = size;
    f->v[KEY] = key;
    f->v[HIGH] = count;
    f->v[MIDDLE] = UINT32_MAX;
    go_on(x, f, 0);
    return 0; /* go_on has set the result, or will */
}

/* ra, s0 to s11, sp, fs0 to fs11: as newlib lays out jmp_buf. */
static uint32_t *saved_register(p4x *x, uint32_t i)
{
    uint32_t n = i <= SAVED ? i - 1 : i < SAVED + 2 ? 0 : i - SAVED - 2; /* of s or fs */
    uint32_t s = n < 2 ? S0 + n : S2 + n - 2;
    if (i == 0)
        return &x->x[RA];
    if (i == SAVED + 1)
        return &x->x[SP];
    return i <= SAVED ? &x->x[s] : &x->f[s];
}

enum { JMP_BUF_WORDS = 2 * SAVED + 2 };

int32_t p4x_setjmp(p4x *x, uint32_t place)
{
    uint32_t words[JMP_BUF_WORDS];
    for (uint32_t i = 0; i < JMP_BUF_WORDS; i++)
        words[i] = *saved_register(x, i);
    p4x_put(x, place, words, sizeof words);
    return 0;
}

void p4x_longjmp(p4x *x, uint32_t place, int32_t value)
{
    uint32_t words[JMP_BUF_WORDS];
    const uint8_t *from = p4x_load(x, place, sizeof words);
    if (!from)
        return;
    memcpy(words, from, sizeof words);
    for (uint32_t i = 0; i < JMP_BUF_WORDS; i++)
        *saved_register(x, i) = words[i];
    x->x[A0] = value ? (uint32_t)value : 1;
    drop_dead(x);
}

/* The host answers in the message, while the task that asks stands still. */
void p4x_p4k_callback(p4x *x, uint32_t id, uint32_t message, uint32_t size)
{
    if (!x->in_call) {
        p4x_fail(x, "p4kernel: a Python function was called from a task or timer while no kernel was running\n");
        return;
    }
    x->question = (p4x_question){true, id, message, size};
    x->stop = true;
}
