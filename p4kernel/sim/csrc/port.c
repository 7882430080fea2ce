/* The core's port on a simulated chip: link, time, randomness, memory and facts. run.c runs its kernels. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "board.h"
#include "crc32.h"
#include "p4k_protocol.h"
#include "pie.h"

#ifndef P4V_FIRMWARE_SHA /* of the sources, by the build */
#error "P4V_FIRMWARE_SHA is not defined"
#endif

#define LIMIT_US 10000000u

int32_t p4k_rx(p4k_port *board, void *data, uint32_t size)
{
    uint32_t n = p4v_ring_get(board->rx, data, size);
    uint32_t direct = size - n < board->in_left ? size - n : board->in_left;
    if (direct) {
        memcpy((uint8_t *)data + n, board->in, direct);
        board->in += direct;
        board->in_left -= direct;
    }
    return (int32_t)(n + direct);
}

int32_t p4k_tx(p4k_port *board, const void *data, uint32_t size)
{
    uint32_t direct = 0;
    if (board->out_left && p4v_ring_used(board->tx) == 0) {
        direct = size < board->out_left ? size : board->out_left;
        memcpy(board->out, data, direct);
        board->out += direct;
        board->out_left -= direct;
    }
    return (int32_t)(direct + p4v_ring_put(board->tx, (const uint8_t *)data + direct, size - direct));
}

uint64_t p4k_now_us(p4k_port *board)
{
    struct timespec t;
    (void)board;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static uint32_t ready(p4k_port *board)
{
    return (p4v_ring_used(board->rx) || board->in_left ? P4K_WAIT_RX : 0u) |
           (p4v_ring_used(board->tx) < P4V_RING_SIZE ? P4K_WAIT_TX : 0u) |
           (board->exec.phase != P4V_IDLE && board->exec.phase != P4V_ASKED ? P4K_WAIT_EXEC : 0u);
}

static struct timespec in_us(uint32_t us)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t); /* of condition variables */
    uint64_t ns = (uint64_t)t.tv_nsec + (uint64_t)us * 1000u;
    return (struct timespec){.tv_sec = t.tv_sec + (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
}

/* Here other threads write to the board's link. */
uint32_t p4k_wait(p4k_port *board, uint32_t us)
{
    struct timespec end = in_us(us);
    bool late = false;
    uint32_t now;
    pthread_mutex_lock(&board->wake_lock);
    atomic_store(&board->waiting, true);
    while (!((now = ready(board)) & (P4K_WAIT_RX | P4K_WAIT_EXEC)) && !board->woken && !late)
        late = pthread_cond_timedwait(&board->wake, &board->wake_lock, &end) != 0;
    atomic_store(&board->waiting, false);
    board->woken = false;
    pthread_mutex_unlock(&board->wake_lock);
    return now | (late ? P4K_WAIT_TIME : 0u);
}

void p4v_notify(p4k_port *board)
{
    /* Pairs with the store to `waiting`: either this sees it, or the waiter sees the bytes that were written. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load(&board->waiting))
        return;
    pthread_mutex_lock(&board->wake_lock);
    board->woken = true;
    pthread_cond_signal(&board->wake);
    pthread_mutex_unlock(&board->wake_lock);
}

/* splitmix64, when the board was given a seed. */
static uint64_t next_random(p4k_port *board)
{
    uint64_t z = board->random += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

int p4k_random(p4k_port *board, void *data, uint32_t size)
{
    uint8_t *bytes = data;
    while (size) {
        uint64_t word;
        uint32_t n = size < sizeof word ? size : (uint32_t)sizeof word;
        if (board->config.seed)
            word = next_random(board);
        else if (getentropy(&word, sizeof word))
            return -1;
        memcpy(bytes, &word, n);
        bytes += n;
        size -= n;
    }
    return 0;
}

uint32_t p4k_crc32(p4k_port *board, uint32_t crc, const void *data, uint32_t size)
{
    (void)board;
    return p4v_crc(crc, data, size);
}

int p4k_get_info(p4k_port *board, p4k_info *info)
{
    static const uint8_t sha[] = P4V_FIRMWARE_SHA;
    const p4v_config *c = &board->config;
    _Static_assert(sizeof sha == sizeof info->firmware_sha, "a SHA-256");
    *info = (p4k_info){
        .chip = "ESP32-P4",
        .isa = "rv32imafc_zicsr_zifencei",
        .firmware = "p4kernel virtual board " P4V_VERSION,
        .flags = P4K_INFO_VIRTUAL | P4K_INFO_COUNTS | (c->reliable ? P4K_INFO_RELIABLE : 0u),
        .revision = (uint16_t)c->revision,
        .psram_base = P4S_PSRAM,
        .psram_size = c->psram_size,
        .sram_base = P4S_SRAM,
        .sram_size = c->sram_size,
        .generation = p4s_pie_generation(c->revision),
        .exports = p4x_count,
        .export_hash = p4x_hash,
        .window = P4K_MAX_WINDOW,
        .limit_us = LIMIT_US,
    };
    memcpy(info->firmware_sha, sha, sizeof sha);
    return 0;
}

const char *p4k_export(p4k_port *board, uint32_t i, p4k_addr *address)
{
    (void)board;
    if (i >= p4x_count)
        return NULL;
    *address = p4x_table[i].call ? P4S_ROM + 8 * (i + 1) : 0;
    return p4x_table[i].name;
}

int p4k_region_info(p4k_port *board, uint32_t i, p4k_region *info)
{
    const p4v_region *region = &board->heap.regions[i];
    p4v_usage usage;
    if (i >= board->heap.count)
        return -1;
    usage = p4v_heap_usage(region);
    *info = (p4k_region){
        .cap = region->cap, .base = region->base, .total = region->size, .free = usage.free, .largest = usage.largest};
    return 0;
}

p4k_addr p4k_alloc(p4k_port *board, uint32_t size, uint32_t align, uint32_t cap)
{
    return p4v_heap_alloc(&board->heap, size, align, cap);
}

void p4k_free(p4k_port *board, p4k_addr address)
{
    uint32_t span = p4v_heap_free(&board->heap, address);
    if (span) /* code that was translated there must not outlive it */
        p4s_touched(board->sim, address, span);
}

void *p4k_mem(p4k_port *board, p4k_addr address, uint32_t size) { return p4v_heap_at(&board->heap, address, size); }

int p4k_code_ready(p4k_port *board, p4k_addr address, uint32_t size)
{
    if (!p4v_heap_at(&board->heap, address, size))
        return -1;
    p4s_touched(board->sim, address, size);
    return 0;
}
