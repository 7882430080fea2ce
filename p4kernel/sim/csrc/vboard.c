/* The virtual board as Python drives it. One thread pumps, one writes, one reads at a time; others wait for them. */
#include "vboard.h"

#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "crc32.h"
#include "p4k_protocol.h"

/* p4v is the core's port under the name that Python knows. */
struct p4v {
    struct p4k_port port;
};

static int add_memory(p4k_port *board, uint32_t base, uint32_t size, uint32_t cap)
{
    void *bytes = size ? p4s_mem(board->sim, base, size) : NULL;
    if (size == 0)
        return 0;
    if (!bytes)
        return -1;
    board->exports.memories[board->exports.memory_count++] = (p4x_memory){base, size, bytes};
    return p4v_heap_add(&board->heap, base, size, cap, bytes);
}

static int build(p4k_port *board)
{
    const p4v_config *c = &board->config;
    p4s_config chip = {c->psram_size, c->sram_size, c->tcm_size, c->revision};
    board->rx = calloc(1, sizeof *board->rx);
    board->tx = calloc(1, sizeof *board->tx);
    board->core = calloc(1, p4k_size());
    board->sim = p4s_new(&chip);
    if (!board->rx || !board->tx || !board->core || !board->sim)
        return -1;
    if (add_memory(board, P4S_PSRAM, c->psram_size, P4K_CAP_PSRAM | P4K_CAP_EXEC) ||
        add_memory(board, P4S_SRAM, c->sram_size, P4K_CAP_INTERNAL | P4K_CAP_EXEC) ||
        add_memory(board, P4S_TCM, c->tcm_size, P4K_CAP_INTERNAL | P4K_CAP_TCM | P4K_CAP_EXEC))
        return -1;
    board->exports.port = board;
    board->exports.heap = &board->heap;
    p4r_open(&board->rtos, &board->exports, c->revision < 300 ? 360 : 400);
    if (p4x_open(&board->exports, board->sim, &board->text))
        return -1;
    p4k_init(board->core, board);
    return 0;
}

p4v *p4v_new(const p4v_config *config)
{
    p4v *board = calloc(1, sizeof *board);
    if (!board)
        return NULL;
    board->port.config = *config;
    board->port.random = config->seed;
    pthread_mutex_init(&board->port.write_lock, NULL);
    pthread_mutex_init(&board->port.read_lock, NULL);
    pthread_mutex_init(&board->port.pump_lock, NULL);
    pthread_mutex_init(&board->port.wake_lock, NULL);
    pthread_cond_init(&board->port.wake, NULL);
    if (build(&board->port)) {
        p4v_delete(board);
        return NULL;
    }
    return board;
}

void p4v_delete(p4v *board)
{
    if (!board)
        return;
    p4x_close(&board->port.exports);
    p4v_heap_close(&board->port.heap);
    p4s_delete(board->port.sim);
    free(board->port.core);
    free(board->port.rx);
    free(board->port.tx);
    pthread_mutex_destroy(&board->port.write_lock);
    pthread_mutex_destroy(&board->port.read_lock);
    pthread_mutex_destroy(&board->port.pump_lock);
    pthread_mutex_destroy(&board->port.wake_lock);
    pthread_cond_destroy(&board->port.wake);
    free(board);
}

static void enter(p4k_port *board, pthread_mutex_t *lock)
{
    atomic_fetch_add(&board->users, 1);
    pthread_mutex_lock(lock);
}

static void leave(p4k_port *board, pthread_mutex_t *lock)
{
    pthread_mutex_unlock(lock);
    atomic_fetch_sub(&board->users, 1);
}

uint32_t p4v_write(p4v *board, const void *data, uint32_t size)
{
    uint32_t taken;
    enter(&board->port, &board->port.write_lock);
    taken = p4v_ring_put(board->port.rx, data, size);
    p4v_notify(&board->port);
    leave(&board->port, &board->port.write_lock);
    return taken;
}

uint32_t p4v_read(p4v *board, void *buffer, uint32_t size)
{
    uint32_t given;
    enter(&board->port, &board->port.read_lock);
    given = p4v_ring_get(board->port.tx, buffer, size);
    leave(&board->port, &board->port.read_lock);
    return given;
}

static uint32_t waiting_in(p4k_port *board) { return p4v_ring_used(board->rx) + board->in_left; }

/* A writer in another thread waits while a caller's buffer is read from, but not while a kernel runs afterwards: it
 * may want to cancel that. */
static void begin_writing(p4k_port *board, const void *data, uint32_t size)
{
    if (size == 0)
        return;
    pthread_mutex_lock(&board->write_lock);
    board->writing = true;
    board->in = data;
    board->in_left = size;
}

static void end_writing(p4k_port *board)
{
    if (!board->writing)
        return;
    board->writing = false;
    pthread_mutex_unlock(&board->write_lock);
}

static uint32_t poll_once(p4k_port *board, const uint8_t *out)
{
    uint32_t us = UINT32_MAX, wait = p4k_poll(board->core, &us), flags = 0;
    board->wait_us = us;
    if (board->in_left == 0)
        end_writing(board);
    if (board->out != out || p4v_ring_used(board->tx))
        flags |= P4V_READABLE;
    if (wait & P4K_WAIT_EXEC || us == 0)
        flags |= P4V_RUNNING;
    if (us != UINT32_MAX)
        flags |= P4V_TIMER;
    if (waiting_in(board))
        flags |= P4V_BACKLOG;
    return flags;
}

#define BACKGROUND_US 1000u /* tasks between calls are looked after so often, while somebody waits */

/* Polls the core until there is output and no more input that it takes, or time or work run out. */
static uint32_t work(p4k_port *board, uint32_t max_us, bool wait)
{
    const uint8_t *out = board->out;
    uint64_t end = p4k_now_us(board) + max_us, now;
    for (;;) {
        bool busy = p4v_background(board);
        uint32_t before = waiting_in(board), flags = poll_once(board, out);
        bool progress = flags & P4V_BACKLOG && waiting_in(board) < before;
        if (flags & P4V_READABLE && !progress)
            return flags;
        if (!(flags & P4V_RUNNING) && !progress && (!wait || flags & P4V_BACKLOG))
            return flags;
        now = p4k_now_us(board);
        if (now >= end)
            return flags;
        if (!(flags & P4V_RUNNING) && !progress) {
            uint32_t left = end - now < board->wait_us ? (uint32_t)(end - now) : board->wait_us;
            left = busy && left > BACKGROUND_US ? BACKGROUND_US : left;
            if (!(p4k_wait(board, left) & (P4K_WAIT_RX | P4K_WAIT_TIME)))
                return flags; /* woken */
        }
    }
}

uint32_t p4v_pump(p4v *board, uint32_t max_us)
{
    uint32_t flags;
    enter(&board->port, &board->port.pump_lock);
    flags = work(&board->port, max_us, false);
    leave(&board->port, &board->port.pump_lock);
    return flags;
}

uint32_t p4v_exchange(p4v *board, const void *data, uint32_t size, void *buffer, uint32_t room, uint32_t max_us,
                      int wait, uint32_t *moved)
{
    p4k_port *b = &board->port;
    uint32_t flags, given, left;
    enter(b, &b->read_lock); /* the locks are always taken in this order */
    pthread_mutex_lock(&b->pump_lock);
    begin_writing(b, data, size);
    given = p4v_ring_get(b->tx, buffer, room);
    b->out = (uint8_t *)buffer + given;
    b->out_left = room - given;
    flags = work(b, given ? 0 : max_us, wait);
    left = b->in_left - p4v_ring_put(b->rx, b->in, b->in_left);
    moved[0] = size - left;
    moved[1] = (uint32_t)(b->out - (uint8_t *)buffer);
    b->in_left = b->out_left = 0;
    end_writing(b);
    pthread_mutex_unlock(&b->pump_lock);
    leave(b, &b->read_lock);
    return flags;
}

void p4v_wake(p4v *board) { p4v_notify(&board->port); }

uint32_t p4v_wait_us(p4v *board) { return board->port.wait_us; }

void p4v_link_down(p4v *board)
{
    p4k_port *b = &board->port;
    enter(b, &b->read_lock);
    pthread_mutex_lock(&b->pump_lock);
    pthread_mutex_lock(&b->write_lock);
    p4v_ring_drop(b->rx);
    p4k_link_down(b->core);
    p4v_ring_drop(b->tx);
    pthread_mutex_unlock(&b->write_lock);
    pthread_mutex_unlock(&b->pump_lock);
    leave(b, &b->read_lock);
}

uint32_t p4v_users(p4v *board) { return atomic_load(&board->port.users); }

p4s *p4v_sim(p4v *board) { return board->port.sim; }

uint32_t p4v_heap_errors(p4v *board) { return board->port.heap.errors; }

uint32_t p4v_heap_used(p4v *board)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < board->port.heap.count; i++)
        used += p4v_heap_usage(&board->port.heap.regions[i]).used;
    return used;
}

uint32_t p4v_crc32(uint32_t crc, const void *data, uint32_t size) { return p4v_crc(crc, data, size); }

const char *p4v_export(uint32_t i)
{
    return i < p4x_count && p4x_table[i].call ? p4x_table[i].name : NULL;
}
