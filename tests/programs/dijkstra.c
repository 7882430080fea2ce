/* Shortest ways in a graph by three methods, its parts, an order of tasks, and a way through a maze. */
#include "runtime.h"

enum { NODES = 24, EDGES = 90, FAR = 1000000, SIDE = 21 };
typedef struct {
    int from, to, length;
} edge;

static edge edges[EDGES];
static int matrix[NODES][NODES], best[NODES], previous[NODES], heap[200], heap_size;

static void push(int distance, int node)
{
    int i = heap_size++, item = distance * NODES + node;
    for (; i && heap[(i - 1) / 2] > item; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = item;
}

static int pop(void)
{
    int top = heap[0], last = heap[--heap_size], i = 0;
    for (int child; (child = 2 * i + 1) < heap_size; i = child) {
        child += child + 1 < heap_size && heap[child + 1] < heap[child];
        if (heap[child] >= last)
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return top;
}

static void dijkstra(int start)
{
    for (int i = 0; i < NODES; ++i)
        best[i] = FAR, previous[i] = -1;
    best[start] = 0;
    push(0, start);
    while (heap_size) {
        int item = pop(), node = item % NODES;
        if (item / NODES > best[node])
            continue;
        for (const edge *e = edges; e < edges + EDGES; ++e)
            if (e->from == node && best[node] + e->length < best[e->to]) {
                best[e->to] = best[node] + e->length;
                previous[e->to] = node;
                push(best[e->to], e->to);
            }
    }
}

static void relax_all(int start, int *distance)
{
    for (int i = 0; i < NODES; ++i)
        distance[i] = i == start ? 0 : FAR;
    for (bool changed = true; changed;) {
        changed = false;
        for (const edge *e = edges; e < edges + EDGES; ++e)
            if (distance[e->from] + e->length < distance[e->to]) {
                distance[e->to] = distance[e->from] + e->length;
                changed = true;
            }
    }
}

static void all_pairs(void)
{
    for (int i = 0; i < NODES; ++i)
        for (int k = 0; k < NODES; ++k)
            matrix[i][k] = i == k ? 0 : FAR;
    for (const edge *e = edges; e < edges + EDGES; ++e)
        if (e->length < matrix[e->from][e->to])
            matrix[e->from][e->to] = e->length;
    for (int m = 0; m < NODES; ++m)
        for (int i = 0; i < NODES; ++i)
            for (int k = 0; k < NODES; ++k)
                if (matrix[i][m] + matrix[m][k] < matrix[i][k])
                    matrix[i][k] = matrix[i][m] + matrix[m][k];
}

static int root_of(int *up, int node)
{
    while (up[node] != node)
        node = up[node] = up[up[node]];
    return node;
}

static int parts(void)
{
    int up[NODES], count = NODES;
    for (int i = 0; i < NODES; ++i)
        up[i] = i;
    for (int i = 0; i < EDGES / 6; ++i) {
        int a = root_of(up, edges[i].from), b = root_of(up, edges[i].to);
        up[a] = b;
        count -= a != b;
    }
    return count;
}

/* Breadth first through a maze dug at random; -1 without a way. */
static int maze(void)
{
    static uint8_t wall[SIDE][SIDE];
    static int16_t steps[SIDE][SIDE], queue[SIDE * SIDE];
    static const int8_t dx[] = {1, 0, -1, 0}, dy[] = {0, 1, 0, -1};
    int head = 0, tail = 1;
    for (int i = 0; i < SIDE * SIDE; ++i)
        wall[i / SIDE][i % SIDE] = random_below(10) < 3;
    memset(steps, -1, sizeof steps);
    wall[0][0] = wall[SIDE - 1][SIDE - 1] = 0;
    steps[0][0] = queue[0] = 0;
    while (head < tail) {
        int y = queue[head] / SIDE, x = queue[head] % SIDE;
        ++head;
        for (int d = 0; d < 4; ++d) {
            int nx = x + dx[d], ny = y + dy[d];
            if (nx < 0 || ny < 0 || nx >= SIDE || ny >= SIDE || wall[ny][nx] || steps[ny][nx] >= 0)
                continue;
            steps[ny][nx] = (int16_t)(steps[y][x] + 1);
            queue[tail++] = (int16_t)(ny * SIDE + nx);
        }
    }
    return steps[SIDE - 1][SIDE - 1];
}

int main(void)
{
    for (int i = 0; i < EDGES; ++i)
        edges[i] = (edge){(int)random_below(NODES), (int)random_below(NODES), (int)random_below(90) + 1};
    all_pairs();
    for (int start = 0; start < NODES; start += 5) {
        int relaxed[NODES];
        dijkstra(start);
        relax_all(start, relaxed);
        EXPECT(memcmp(best, relaxed, sizeof best) == 0 && memcmp(best, matrix[start], sizeof best) == 0);
        int far = start;
        for (int i = 0; i < NODES; ++i)
            far = best[i] < FAR && best[i] > best[far] ? i : far;
        say("from %d, %d away:", start, best[far]);
        for (int node = far; node >= 0; node = previous[node])
            say(" %d", node);
        say("\n");
    }
    say("%d parts, mazes", parts());
    for (int i = 0; i < 4; ++i)
        say(" %d", maze());
    say("\n");
    return 0;
}
