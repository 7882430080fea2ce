/* Huffman codes: lengths by a heap, canonical codes, text packed into bits and read again. */
#include "runtime.h"

enum { SYMBOLS = 64, NODES = 2 * SYMBOLS };
static uint32_t weight[NODES], codes[SYMBOLS];
static int16_t parent[NODES], heap[SYMBOLS];
static uint8_t lengths[SYMBOLS], packed[3000];
static int heap_size;

static bool lighter(int a, int b)
{
    return weight[a] < weight[b] || (weight[a] == weight[b] && a < b);
}

static void push(int16_t node)
{
    int i = heap_size++;
    for (; i && lighter(node, heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = node;
}

static int16_t pop(void)
{
    int16_t top = heap[0], last = heap[--heap_size];
    int i = 0;
    for (int child; (child = 2 * i + 1) < heap_size; i = child) {
        child += child + 1 < heap_size && lighter(heap[child + 1], heap[child]);
        if (!lighter(heap[child], last))
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return top;
}

static void make_lengths(void)
{
    int16_t next = SYMBOLS;
    heap_size = 0;
    for (int16_t i = 0; i < SYMBOLS; ++i)
        if (weight[i])
            push(i);
    while (heap_size > 1) {
        int16_t a = pop(), b = pop();
        weight[next] = weight[a] + weight[b];
        parent[a] = parent[b] = next;
        push(next++);
    }
    for (int i = 0; i < SYMBOLS; ++i) {
        lengths[i] = 0;
        for (int n = i; weight[i] && n != next - 1; n = parent[n])
            ++lengths[i];
    }
}

/* Symbols of one length count upwards, and longer codes follow shorter ones. */
static int make_codes(void)
{
    uint32_t code = 0;
    int longest = 0;
    for (int length = 1; length < 32; ++length, code <<= 1)
        for (int i = 0; i < SYMBOLS; ++i)
            if (lengths[i] == length) {
                codes[i] = code++;
                longest = length;
            }
    return longest;
}

static size_t encode(const uint8_t *text, size_t size)
{
    size_t bits = 0;
    memset(packed, 0, sizeof packed);
    for (size_t i = 0; i < size; ++i)
        for (int k = lengths[text[i]]; k--; ++bits)
            packed[bits / 8] |= (uint8_t)((codes[text[i]] >> k & 1) << (7 - bits % 8));
    return bits;
}

static size_t decode(size_t bits, const uint8_t *expected)
{
    size_t n = 0;
    uint32_t code = 0;
    int length = 0;
    for (size_t at = 0; at < bits; ++at) {
        code = code << 1 | (packed[at / 8] >> (7 - at % 8) & 1);
        ++length;
        for (int i = 0; i < SYMBOLS; ++i)
            if (lengths[i] == length && codes[i] == code) {
                EXPECT(expected[n] == i);
                ++n;
                code = 0;
                length = 0;
                break;
            }
    }
    return n;
}

int main(void)
{
    static uint8_t text[300];
    for (int kind = 0; kind < 3; ++kind) {
        memset(weight, 0, sizeof weight);
        for (size_t i = 0; i < sizeof text; ++i) {
            uint32_t a = random_below(SYMBOLS), b = random_below(SYMBOLS), c = random_below(SYMBOLS);
            text[i] = (uint8_t)(kind == 0 ? a : kind == 1 ? a * b * c / (SYMBOLS * SYMBOLS) : (a & b & c));
            ++weight[text[i]];
        }
        make_lengths();
        int longest = make_codes();
        size_t bits = encode(text, sizeof text);
        EXPECT(decode(bits, text) == sizeof text);
        say("kind %d: %u bits, longest %d, lengths %08x, %08x\n", kind, (unsigned)bits, longest,
            fold_bytes(0, lengths, sizeof lengths), fold_bytes(0, packed, bits / 8));
    }
    return 0;
}
