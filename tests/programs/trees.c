/* A balanced tree (AVL) with deletion, and a treap that is split and merged. */
#include "runtime.h"

typedef struct node {
    struct node *side[2];
    int32_t key;
    int height; /* in the treap: the priority */
} node;

static node pool[400];
static int used;

static node *make(int32_t key, int height)
{
    pool[used] = (node){{NULL, NULL}, key, height};
    return &pool[used++];
}

static int height(const node *n)
{
    return n ? n->height : 0;
}

static void measure(node *n)
{
    int a = height(n->side[0]), b = height(n->side[1]);
    n->height = (a > b ? a : b) + 1;
}

/* The child on `side` becomes the root. */
static node *lift(node *n, int side)
{
    node *child = n->side[side];
    n->side[side] = child->side[!side];
    child->side[!side] = n;
    measure(n);
    measure(child);
    return child;
}

static node *balance(node *n)
{
    measure(n);
    for (int side = 0; side < 2; ++side) {
        node *high = n->side[side];
        if (height(high) > height(n->side[!side]) + 1) {
            if (height(high->side[!side]) > height(high->side[side]))
                n->side[side] = lift(high, !side);
            return lift(n, side);
        }
    }
    return n;
}

static node *insert(node *n, int32_t key)
{
    if (!n)
        return make(key, 1);
    if (key != n->key)
        n->side[key > n->key] = insert(n->side[key > n->key], key);
    return balance(n);
}

static node *take_least(node *n, node **least)
{
    if (!n->side[0]) {
        *least = n;
        return n->side[1];
    }
    n->side[0] = take_least(n->side[0], least);
    return balance(n);
}

static node *remove_key(node *n, int32_t key)
{
    if (!n)
        return NULL;
    if (key != n->key) {
        n->side[key > n->key] = remove_key(n->side[key > n->key], key);
        return balance(n);
    }
    if (!n->side[0] || !n->side[1])
        return n->side[0] ? n->side[0] : n->side[1];
    node *least, *right = take_least(n->side[1], &least);
    least->side[0] = n->side[0];
    least->side[1] = right;
    return balance(least);
}

/* Nodes below n; -1 when something is out of order. */
static int check(const node *n, int32_t low, int32_t high, bool balanced)
{
    if (!n)
        return 0;
    int difference = height(n->side[0]) - height(n->side[1]);
    if (n->key < low || n->key > high || (balanced && (difference < -1 || difference > 1)))
        return -1;
    int a = check(n->side[0], low, n->key - 1, balanced), b = check(n->side[1], n->key + 1, high, balanced);
    return a < 0 || b < 0 ? -1 : a + b + 1;
}

static void split(node *n, int32_t key, node **low, node **high)
{
    if (!n) {
        *low = *high = NULL;
    } else if (n->key < key) {
        *low = n;
        split(n->side[1], key, &n->side[1], high);
    } else {
        *high = n;
        split(n->side[0], key, low, &n->side[0]);
    }
}

static node *merge(node *low, node *high)
{
    if (!low || !high)
        return low ? low : high;
    if (low->height > high->height) {
        low->side[1] = merge(low->side[1], high);
        return low;
    }
    high->side[0] = merge(low, high->side[0]);
    return high;
}

static uint32_t walk(const node *n, uint32_t hash)
{
    return n ? walk(n->side[1], fold(walk(n->side[0], hash), (uint32_t)n->key)) : hash;
}

int main(void)
{
    node *root = NULL;
    for (int i = 0; i < 150; ++i)
        root = insert(root, i < 70 ? i * 3 : (int32_t)random_below(1000));
    int count = check(root, 0, 1000, true);
    EXPECT(count > 100);
    say("%d keys, height %d, %08x\n", count, height(root), walk(root, 0));
    for (int32_t key = 0; key < 1000; key += 2) {
        root = remove_key(root, key);
        if (key % 100 == 0)
            EXPECT(check(root, 0, 1000, true) >= 0);
    }
    say("%d odd keys, height %d, %08x\n", check(root, 0, 1000, true), height(root), walk(root, 0));

    root = NULL;
    used = 0;
    for (int i = 0; i < 200; ++i) {
        node *low, *high, *same, *n = make((int32_t)random_below(5000), (int)(random_word() >> 1));
        split(root, n->key, &low, &high);
        split(high, n->key + 1, &same, &high);
        root = merge(merge(low, n), high);
    }
    count = check(root, 0, 5000, false);
    node *low, *high;
    split(root, 2500, &low, &high);
    int below = check(low, 0, 2499, false), above = check(high, 2500, 5000, false);
    EXPECT(count > 150 && below + above == count);
    say("treap %d + %d, %08x %08x\n", below, above, walk(low, 0), walk(high, 0));
    return 0;
}
