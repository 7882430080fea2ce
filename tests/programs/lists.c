/* Linked lists: merge sort, reversal, a ring, a doubly linked list that keeps what was used last. */
#include "runtime.h"

typedef struct node {
    struct node *next, *before;
    int32_t value;
} node;

static node nodes[256];

static node *merge(node *a, node *b)
{
    node *first = NULL, **link = &first;
    while (a && b) {
        node **least = b->value < a->value ? &b : &a;
        *link = *least;
        link = &(*link)->next;
        *least = *link;
    }
    *link = a ? a : b;
    return first;
}

static node *sort(node *list)
{
    if (!list || !list->next)
        return list;
    node *slow = list;
    for (node *fast = list->next; fast && fast->next; fast = fast->next->next)
        slow = slow->next;
    node *second = slow->next;
    slow->next = NULL;
    return merge(sort(list), sort(second));
}

static node *reverse(node *list)
{
    node *done = NULL;
    while (list) {
        node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

/* Every third leaves the circle; who is last? */
static int survivor(int count)
{
    for (int i = 0; i < count; ++i) {
        nodes[i].value = i + 1;
        nodes[i].next = &nodes[(i + 1) % count];
    }
    node *at = &nodes[count - 1];
    while (at->next != at) {
        at = at->next->next;
        at->next = at->next->next;
    }
    return at->value;
}

static node ends; /* of the list: next is the newest, before the oldest */

static void take_out(node *n)
{
    n->before->next = n->next;
    n->next->before = n->before;
}

static void put_first(node *n)
{
    n->next = ends.next;
    n->before = &ends;
    n->next->before = n->before->next = n;
}

static int cache(int slots, int uses)
{
    int misses = 0;
    ends.next = ends.before = &ends;
    for (int i = 0; i < slots; ++i) {
        nodes[i].value = -1;
        put_first(&nodes[i]);
    }
    while (uses--) {
        uint32_t a = random_below(40), b = random_below(40);
        int32_t key = (int32_t)(a < b ? a : b);
        node *n = ends.next;
        while (n != &ends && n->value != key)
            n = n->next;
        if (n == &ends) {
            n = ends.before;
            n->value = key;
            ++misses;
        }
        take_out(n);
        put_first(n);
    }
    return misses;
}

int main(void)
{
    node *list = NULL;
    for (int i = 0; i < 256; ++i) {
        nodes[i].value = (int32_t)random_word() >> 8;
        nodes[i].next = list;
        list = &nodes[i];
    }
    list = sort(list);
    uint32_t hash = 0;
    int count = 0;
    for (const node *n = list; n; n = n->next, ++count) {
        EXPECT(!n->next || n->value <= n->next->value);
        hash = fold(hash, (uint32_t)n->value);
    }
    EXPECT(count == 256);
    say("sorted %08x\n", hash);
    list = reverse(list);
    for (const node *n = list; n; n = n->next, --count)
        EXPECT(!n->next || n->value >= n->next->value);
    EXPECT(count == 0);
    EXPECT(survivor(41) == 31);
    for (int n = 10; n < 250; n += 60)
        say("%d: %d\n", n, survivor(n));
    for (int slots = 4; slots <= 32; slots *= 2)
        say("%d slots: %d misses\n", slots, cache(slots, 400));
    return 0;
}
