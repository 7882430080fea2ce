/* A generic sort and search over untyped elements of any size, ordered by callbacks. */
#include "runtime.h"

typedef int order(const void *a, const void *b);

static void exchange(uint8_t *a, uint8_t *b, size_t size)
{
    while (size--) {
        uint8_t t = *a;
        *a++ = *b;
        *b++ = t;
    }
}

static void sort(void *base, size_t count, size_t size, order *compare)
{
    uint8_t *v = base;
    while (count > 1) {
        exchange(v, v + count / 2 * size, size);
        size_t last = 0;
        for (size_t i = 1; i < count; ++i)
            if (compare(v + i * size, v) < 0)
                exchange(v + ++last * size, v + i * size, size);
        exchange(v, v + last * size, size);
        sort(v, last, size, compare);
        v += (last + 1) * size;
        count -= last + 1;
    }
}

static const void *search(const void *key, const void *base, size_t count, size_t size, order *compare)
{
    const uint8_t *low = base;
    while (count) {
        const uint8_t *middle = low + count / 2 * size;
        int side = compare(key, middle);
        if (side == 0)
            return middle;
        if (side > 0) {
            low = middle + size;
            --count;
        }
        count /= 2;
    }
    return NULL;
}

typedef struct {
    char name[11];
    int16_t age;
    float height;
} person;

static int calls;

static int by_int(const void *a, const void *b)
{
    const int *x = a, *y = b;
    ++calls;
    return (*x > *y) - (*x < *y);
}

static int by_byte_down(const void *a, const void *b)
{
    return *(const uint8_t *)b - *(const uint8_t *)a;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const person *)a)->name, ((const person *)b)->name);
}

static int by_age_then_height(const void *a, const void *b)
{
    const person *x = a, *y = b;
    if (x->age != y->age)
        return x->age - y->age;
    return (x->height > y->height) - (x->height < y->height);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int main(void)
{
    static int numbers[300];
    for (int i = 0; i < 300; ++i)
        numbers[i] = (int)random_below(10000) - 5000;
    sort(numbers, 300, sizeof *numbers, by_int);
    int found = 0;
    for (int key = -5000; key < 5000; key += 50)
        found += search(&key, numbers, 300, sizeof *numbers, by_int) != NULL;
    for (int i = 0; i < 300; ++i)
        EXPECT(*(const int *)search(&numbers[i], numbers, 300, sizeof *numbers, by_int) == numbers[i]);
    say("ints %08x, %d calls, %d found\n", fold_bytes(0, numbers, sizeof numbers), calls, found);

    char letters[] = "the quick brown fox jumps over the lazy dog";
    sort(letters, strlen(letters), 1, by_byte_down);
    say("bytes %s\n", letters);

    static person people[40];
    for (int i = 0; i < 40; ++i) {
        for (int k = 0; k < 7; ++k)
            people[i].name[k] = (char)('a' + random_below(26));
        people[i].age = (int16_t)(20 + random_below(9));
        people[i].height = 150.0f + (float)random_below(400) / 8.0f;
    }
    sort(people, 40, sizeof *people, by_age_then_height);
    for (int i = 1; i < 40; ++i)
        EXPECT(by_age_then_height(&people[i - 1], &people[i]) <= 0);
    for (int i = 0; i < 40; i += 13)
        say("%s %d %08x\n", people[i].name, people[i].age, float_bits(people[i].height));
    sort(people, 40, sizeof *people, by_name);
    say("first %s, last %s\n", people[0].name, people[39].name);

    const char *words[] = {"pear", "apple", "", "fig", "apples", "date", "cherry", "banana", "elder"};
    sort(words, 9, sizeof *words, by_text);
    for (int i = 0; i < 9; ++i)
        say("[%s]", words[i]);
    say("\n");
    return 0;
}
