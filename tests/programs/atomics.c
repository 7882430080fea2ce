/* Atomic operations: all of the words, compare and exchange, bytes by masks, a lock, a stack without locks. */
#include "runtime.h"

static uint32_t word, seen[64];

static void words(void)
{
    for (uint32_t i = 0; i < 64; ++i) {
        uint32_t *s = &seen[i];
        *s = __atomic_fetch_add(&word, i * 77, __ATOMIC_SEQ_CST);
        *s ^= __atomic_fetch_xor(&word, i << 20, __ATOMIC_RELAXED);
        *s += __atomic_fetch_or(&word, 1u << i % 32, __ATOMIC_ACQUIRE);
        *s ^= __atomic_fetch_and(&word, ~(5u << i % 29), __ATOMIC_RELEASE);
        *s += __atomic_fetch_sub(&word, i * i * i, __ATOMIC_ACQ_REL);
        *s ^= __atomic_exchange_n(&word, *s, __ATOMIC_SEQ_CST) >> 3;
        *s += __atomic_fetch_nand(&word, 0x00FF00FFu, __ATOMIC_SEQ_CST);
        uint32_t expected = i % 3 ? word : word + 1;
        bool done = __atomic_compare_exchange_n(&word, &expected, expected * 3 + 1, false, __ATOMIC_SEQ_CST,
                                                __ATOMIC_RELAXED);
        EXPECT(done == (i % 3 != 0));
        *s += expected;
    }
}

/* The four that C has no name for. */
static uint32_t extremes(void)
{
    static const uint32_t values[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 12345};
    uint32_t hash = 0;
    for (int i = 0; i < 6; ++i)
        for (int k = 0; k < 6; ++k) {
            uint32_t cell[4] = {values[i], values[i], values[i], values[i]}, old[4];
            __asm__ volatile("amomin.w %0, %1, (%2)" : "=&r"(old[0]) : "r"(values[k]), "r"(&cell[0]) : "memory");
            __asm__ volatile("amomax.w %0, %1, (%2)" : "=&r"(old[1]) : "r"(values[k]), "r"(&cell[1]) : "memory");
            __asm__ volatile("amominu.w %0, %1, (%2)" : "=&r"(old[2]) : "r"(values[k]), "r"(&cell[2]) : "memory");
            __asm__ volatile("amomaxu.w %0, %1, (%2)" : "=&r"(old[3]) : "r"(values[k]), "r"(&cell[3]) : "memory");
            int32_t a = (int32_t)values[i], b = (int32_t)values[k];
            EXPECT((int32_t)cell[0] == (a < b ? a : b) && (int32_t)cell[1] == (a > b ? a : b));
            EXPECT(cell[2] + cell[3] == values[i] + values[k] && cell[2] <= cell[3]);
            hash = fold(fold_bytes(hash, old, sizeof old), cell[0]);
        }
    return hash;
}

/* A store conditional without its reservation does nothing. */
static uint32_t reservation(void)
{
    uint32_t cell = 5, failed, again, value;
    __asm__ volatile("lr.w %0, (%3)\n"
                     "sc.w %1, %4, (%3)\n"
                     "sc.w %2, zero, (%3)\n"
                     : "=&r"(value), "=&r"(failed), "=&r"(again)
                     : "r"(&cell), "r"(9)
                     : "memory");
    EXPECT(value == 5 && !failed && again && cell == 9);
    return cell;
}

static uint8_t byte_add(uint32_t *cell, int index, uint8_t value)
{
    uint32_t old = __atomic_load_n(cell, __ATOMIC_RELAXED), next;
    do {
        uint8_t sum = (uint8_t)((old >> 8 * index) + value);
        next = (old & ~(0xFFu << 8 * index)) | (uint32_t)sum << 8 * index;
    } while (!__atomic_compare_exchange_n(cell, &old, next, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    return (uint8_t)(old >> 8 * index);
}

typedef struct node {
    struct node *next;
    uint32_t value;
} node;

static node *top, nodes[20];
static uint32_t lock;

static void push(node *n)
{
    n->next = __atomic_load_n(&top, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&top, &n->next, n, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

static node *pop(void)
{
    node *n = __atomic_load_n(&top, __ATOMIC_ACQUIRE);
    while (n && !__atomic_compare_exchange_n(&top, &n, n->next, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
    return n;
}

int main(void)
{
    words();
    say("%08x %08x\n", word, fold_bytes(0, seen, sizeof seen));
    say("%08x %u\n", extremes(), reservation());
    uint32_t bytes = 0x40302010, hash = 0;
    for (int i = 0; i < 100; ++i)
        hash = fold(hash, byte_add(&bytes, i % 4, (uint8_t)(i * 7)));
    say("%08x %08x\n", bytes, hash);
    for (uint32_t i = 0; i < 200; ++i) {
        while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
            EXPECT(false);
        node *n = i < 20 ? &nodes[i] : pop();
        n->value = fold(n->value, i);
        push(n);
        if (i % 7 == 0 && top->next) {
            node *a = pop(), *b = pop();
            push(a);
            push(b);
        }
        __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    }
    int count = 0;
    for (node *n; (n = pop()); ++count)
        hash = fold(hash, n->value);
    EXPECT(count == 20);
    say("%08x\n", hash);
    return 0;
}
