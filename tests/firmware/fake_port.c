#include "fake_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "p4k.h"
#include "p4k_protocol.h"

typedef struct block {
    struct block *next; /* by address */
    uint32_t address, size;
    uint8_t *data;
} block;

typedef struct {
    uint8_t *data;
    size_t start, end, room;
} bytes;

struct p4k_port {
    p4k *core;
    uint32_t knobs[FAKE_KNOBS], counters[FAKE_COUNTERS];
    block *blocks;
    bytes in, out;
    uint32_t random;
    p4k_exec exec;
    uint32_t at; /* of the next byte of the kernel's script */
    int running, killed, asks;
    char text[1 << 16];
};

static const p4k_region REGIONS[] = {
    {P4K_CAP_PSRAM | P4K_CAP_EXEC, 0x48000000, 4 << 20, 0, 0},
    {P4K_CAP_INTERNAL | P4K_CAP_EXEC, 0x4FF00000, 256 << 10, 0, 0},
    {P4K_CAP_TCM, 0x30100000, 8 << 10, 0, 0},
};
enum { REGION_COUNT = sizeof REGIONS / sizeof *REGIONS };

/* -- memory ------------------------------------------------------------------------------------------------------ */

static block *find(fake *f, uint32_t address, uint32_t len)
{
    for (block *b = f->blocks; b; b = b->next)
        if (address >= b->address && address - b->address <= b->size && len <= b->size - (address - b->address))
            return b;
    return NULL;
}

static uint64_t up(uint64_t value, uint32_t align) { return (value + align - 1) / align * align; }

/* First fit; every block begins on a line of its own. Returns 0 or the address, and *largest free block before it. */
static uint32_t fit(fake *f, const p4k_region *region, uint32_t size, uint32_t align, block ***link, uint32_t *largest)
{
    uint64_t at = region->base;
    uint64_t end = at + region->total;
    block **p = &f->blocks;
    while (*p && (*p)->address < region->base)
        p = &(*p)->next;
    for (;;) {
        uint64_t limit = *p && (*p)->address < end ? (*p)->address : end;
        uint64_t start = up(at, align);
        if (limit > at && limit - at > *largest)
            *largest = (uint32_t)(limit - at);
        if (size && start + size <= limit) {
            *link = p;
            return (uint32_t)start;
        }
        if (limit == end)
            return 0;
        at = up((uint64_t)(*p)->address + (*p)->size, 128);
        p = &(*p)->next;
    }
}

p4k_addr p4k_alloc(p4k_port *f, uint32_t size, uint32_t align, uint32_t cap)
{
    uint32_t places = cap & (P4K_CAP_PSRAM | P4K_CAP_INTERNAL | P4K_CAP_TCM), largest = 0;
    f->counters[FAKE_ALLOCS]++;
    if (size == 0 || align == 0 || align & (align - 1))
        abort();
    if (f->knobs[FAKE_FAIL_ALLOC] && --f->knobs[FAKE_FAIL_ALLOC] == 0) {
        f->knobs[FAKE_FAIL_ALLOC] = f->knobs[FAKE_FAIL_MORE] != 0;
        return 0;
    }
    for (uint32_t i = 0; i < REGION_COUNT; i++) {
        block **link;
        const p4k_region *region = &REGIONS[i];
        if ((places && !(region->cap & places)) || (cap & P4K_CAP_EXEC && !(region->cap & P4K_CAP_EXEC)))
            continue;
        uint32_t address = fit(f, region, size, align < 128 ? 128 : align, &link, &largest);
        if (!address)
            continue;
        block *b = malloc(sizeof *b);
        *b = (block){*link, address, size, malloc(size)};
        memset(b->data, 0xA5, size);
        *link = b;
        f->counters[FAKE_LIVE]++;
        return address;
    }
    return 0;
}

void p4k_free(p4k_port *f, p4k_addr address)
{
    for (block **p = &f->blocks; *p; p = &(*p)->next)
        if ((*p)->address == address) {
            block *b = *p;
            *p = b->next;
            free(b->data);
            free(b);
            f->counters[FAKE_LIVE]--;
            return;
        }
    f->counters[FAKE_BAD_FREES]++;
}

void *p4k_mem(p4k_port *f, p4k_addr address, uint32_t len)
{
    uint32_t *deny = &f->knobs[FAKE_NO_MEM];
    f->counters[FAKE_MEMS]++;
    if (*deny > 2)
        --*deny;
    else if (*deny) {
        *deny = *deny == 1;
        return NULL;
    }
    block *b = find(f, address, len);
    return b ? b->data + (address - b->address) : NULL;
}

int p4k_region_info(p4k_port *f, uint32_t i, p4k_region *region)
{
    block **link;
    if (i >= REGION_COUNT && i >= f->knobs[FAKE_REGIONS])
        return -1;
    *region = REGIONS[i % REGION_COUNT];
    fit(f, region, 0, 1, &link, &region->largest);
    region->free = region->total;
    for (block *b = f->blocks; b; b = b->next)
        if (b->address - region->base < region->total)
            region->free -= b->size;
    return 0;
}

int p4k_code_ready(p4k_port *f, p4k_addr address, uint32_t len)
{
    if (!find(f, address, len))
        abort();
    return f->knobs[FAKE_FAIL_READY] ? -1 : 0;
}

/* -- link -------------------------------------------------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void append(bytes *b, const void *data, uint32_t len)
{
    if (b->start == b->end)
        b->start = b->end = 0;
    if (b->end + len > b->room) {
        b->room = 2 * (b->end + len);
        b->data = realloc(b->data, b->room);
    }
    if (len)
        memcpy(b->data + b->end, data, len);
    b->end += len;
}

static uint32_t take(bytes *b, void *data, uint32_t len)
{
    len = (uint32_t)(b->end - b->start < len ? b->end - b->start : len);
    if (len)
        memcpy(data, b->data + b->start, len);
    b->start += len;
    return len;
}

int32_t p4k_rx(p4k_port *f, void *data, uint32_t len)
{
    if (f->knobs[FAKE_RX_DOWN])
        return -1;
    if (len == 0)
        abort();
    return (int32_t)take(&f->in, data, least(len, f->knobs[FAKE_RX_CHUNK]));
}

int32_t p4k_tx(p4k_port *f, const void *data, uint32_t len)
{
    if (f->knobs[FAKE_TX_DOWN])
        return -1;
    if (len == 0)
        abort();
    len = least(len, least(f->knobs[FAKE_TX_CHUNK], f->knobs[FAKE_TX_ROOM]));
    f->knobs[FAKE_TX_ROOM] -= len;
    append(&f->out, data, len);
    return (int32_t)len;
}

/* -- clock, chance, identity ------------------------------------------------------------------------------------- */

uint64_t p4k_now_us(p4k_port *f) { return f->knobs[FAKE_NOW]; }

uint32_t p4k_wait(p4k_port *f, uint32_t us)
{
    (void)f, (void)us;
    abort(); /* for the main loop of a board only */
}

int p4k_random(p4k_port *f, void *data, uint32_t len)
{
    uint8_t *to = data;
    if (f->knobs[FAKE_FAIL_RANDOM] == 1)
        return -1;
    if (f->knobs[FAKE_FAIL_RANDOM]) {
        memset(to, 0, len);
        return 0;
    }
    while (len--) {
        f->random = f->random * 1664525u + 1013904223u;
        *to++ = (uint8_t)(f->random >> 24);
    }
    return 0;
}

uint32_t p4k_crc32(p4k_port *f, uint32_t crc, const void *data, uint32_t len)
{
    static uint32_t table[256];
    const uint8_t *p = data;
    (void)f;
    for (uint32_t i = 0; !table[255] && i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
        table[i] = c;
    }
    crc = ~crc;
    while (len--)
        crc = crc >> 8 ^ table[(crc ^ *p++) & 0xFF];
    return ~crc;
}

int p4k_get_info(p4k_port *f, p4k_info *info)
{
    *info = (p4k_info){
        .chip = "FAKE", .isa = "rv32imafc", .firmware = "fake 1.0", .firmware_sha = {1, 2, 3}, .revision = 103,
        .flags = f->knobs[FAKE_FLAGS], .psram_base = 0x48000000, .psram_size = 4 << 20, .sram_base = 0x4FF00000,
        .sram_size = 256 << 10, .generation = 1, .exports = f->knobs[FAKE_EXPORTS], .export_hash = 0x1122334455667788,
        .window = f->knobs[FAKE_WINDOW], .limit_us = f->knobs[FAKE_LIMIT_US],
    };
    if (f->knobs[FAKE_ODD_NAMES]) {
        memset(f->text, 'x', 300);
        f->text[300] = 0;
        info->chip = NULL;
        info->isa = "";
        info->firmware = f->text;
    }
    return 0;
}

const char *p4k_export(p4k_port *f, uint32_t i, p4k_addr *address)
{
    if (i >= f->knobs[FAKE_EXPORTS])
        return NULL;
    *address = i == 1 ? 0 : 0x4FC00000 + 8 * i;
    snprintf(f->text, sizeof f->text, "function_with_a_longish_name_%u", i);
    return f->text;
}

/* -- executor: runs the letters of a script, which is the text of the image -------------------------------------- */

int p4k_exec_start(p4k_port *f, const p4k_exec *exec)
{
    f->counters[FAKE_STARTS]++;
    f->counters[FAKE_STACK] = exec->stack;
    f->counters[FAKE_STACK_SIZE] = exec->stack_size;
    f->counters[FAKE_BLOB] = exec->blob;
    f->counters[FAKE_INSTRUCTIONS] = (uint32_t)exec->max_instructions;
    if (f->knobs[FAKE_FAIL_START])
        return -1;
    if (f->running || !find(f, exec->stack, exec->stack_size))
        abort();
    f->exec = *exec;
    f->at = 0;
    f->running = 1;
    f->killed = f->asks = 0;
    return 0;
}

void p4k_exec_kill(p4k_port *f, int why)
{
    f->counters[FAKE_KILLS]++;
    f->counters[FAKE_WHY] = (uint32_t)why;
    f->killed = 1;
}

void p4k_exec_resume(p4k_port *f)
{
    if (!f->asks)
        abort();
    f->asks = 0;
    f->counters[FAKE_RESUMES]++;
}

int p4k_in_use(p4k_port *f, p4k_addr address, uint32_t len)
{
    if (!find(f, address, len))
        abort();
    return f->knobs[FAKE_IN_USE] != 0;
}

void p4k_session_over(p4k_port *f) { f->counters[FAKE_OVERS]++; }

/* A kernel's access to memory; one that is not allocated reads as zero, and a script of zeros is a fault. */
static uint8_t *bytes_at(fake *f, uint32_t address, uint32_t len)
{
    static uint8_t nowhere[4];
    block *b = find(f, address, len);
    memset(nowhere, 0, sizeof nowhere);
    return b ? b->data + (address - b->address) : nowhere;
}

static uint8_t *byte_at(fake *f, uint32_t address) { return bytes_at(f, address, 1); }

static uint32_t word_at(fake *f, uint32_t address) { return p4kw_get32(bytes_at(f, address, 4)); }

static uint8_t next(fake *f) { return *byte_at(f, f->exec.entry + f->at++); }

static int stopped(fake *f, p4k_event *event, p4k_event_kind kind)
{
    f->running = 0;
    event->kind = kind;
    event->instructions = 100 + f->at;
    event->cycles = 200;
    event->firmware_calls = 3;
    if (kind == P4K_EV_FAULT || kind == P4K_EV_KILLED) {
        event->cause = 5;
        event->tval = 0x1234;
        event->pc = f->exec.entry + f->at;
        for (uint32_t i = 0; i < 32; i++)
            event->x[i] = i;
        event->x[2] = f->exec.stack + f->exec.stack_size - 64;
    }
    return 0;
}

/* As far as there is memory. */
static void add_one(fake *f)
{
    uint32_t in = word_at(f, f->exec.blob), out = word_at(f, f->exec.blob + 4), n = word_at(f, f->exec.blob + 8);
    block *from = find(f, in, 1), *to = find(f, out, 1);
    for (uint32_t i = 0; i < n && from && to; i++) {
        if (in + i - from->address >= from->size)
            from = find(f, in + i, 1);
        if (out + i - to->address >= to->size)
            to = find(f, out + i, 1);
        if (from && to)
            to->data[out + i - to->address] = (uint8_t)(from->data[in + i - from->address] + 1);
    }
}

static void copy_byte(fake *f)
{
    uint32_t to = f->exec.blob + next(f), from = f->exec.entry + next(f);
    *byte_at(f, to) = *byte_at(f, from);
}

static void logged(fake *f, p4k_event *event)
{
    event->kind = P4K_EV_LOG;
    event->level = 2;
    event->text = f->text;
    event->text_size = 64u * next(f);
    for (uint32_t i = 0; i < event->text_size; i++)
        f->text[i] = (char)('a' + i % 26);
}

static void asked(fake *f, p4k_event *event)
{
    f->asks = 1;
    event->kind = P4K_EV_CALLBACK;
    event->id = 0x1000u + f->at;
    event->message = f->exec.stack;
    event->message_size = 8u * next(f);
}

int p4k_exec_poll(p4k_port *f, p4k_event *event)
{
    f->counters[FAKE_POLLS]++;
    if (!f->running || (f->asks && !f->killed))
        abort(); /* nobody asks while it waits for an answer */
    if (f->killed && !f->knobs[FAKE_DEAF])
        return stopped(f, event, P4K_EV_KILLED);
    event->kind = P4K_EV_NONE;
    if (f->asks) /* as long as the kill has no effect */
        return 0;
    for (;;) {
        uint8_t op = next(f);
        switch (op) {
        case 'a': add_one(f); continue;                             /* out[i] = in[i] + 1 */
        case 'i': ++*byte_at(f, f->exec.entry + next(f)); continue; /* a byte of the image */
        case 'r': copy_byte(f); continue;                           /* image to blob */
        case 's': memset(bytes_at(f, f->exec.stack, f->exec.stack_size), 0x5A, f->exec.stack_size); continue;
        case 'n': return 0;                                         /* nothing for one poll */
        case 'l': f->at--; return 0;                                /* nothing for ever */
        case 'd': return stopped(f, event, P4K_EV_DONE);
        case 'f': return stopped(f, event, P4K_EV_FAULT);
        case 'w': stopped(f, event, P4K_EV_FAULT); event->x[2] = 16; return 0;                   /* with a wild sp */
        case 'B': stopped(f, event, P4K_EV_FAULT); event->x[2] = f->exec.stack + 16; return 0;   /* deep in the stack */
        case 'k': stopped(f, event, P4K_EV_KILLED); event->limit = 1; return 0;                  /* by its own limit */
        case 'u': return stopped(f, event, P4K_EV_KILLED);                                       /* for no reason */
        case 'x': return stopped(f, event, P4K_EV_DEAD);
        case 'e': f->running = 0; return -1;
        case 'c': asked(f, event); return 0;                        /* a question of n bytes, at the stack's start */
        case 'C': asked(f, event); event->message = 8; return 0;    /* one that lies nowhere */
        case 'g': logged(f, event); return 0;                       /* n * 64 bytes */
        case 'G': logged(f, event); event->text_size = UINT32_MAX; return 0; /* a length that is not true */
        case 'z': event->kind = (p4k_event_kind)99; return 0;       /* what no port says */
        default: return stopped(f, event, P4K_EV_FAULT);
        }
    }
}

void p4k_reset(p4k_port *f, int why)
{
    f->counters[FAKE_RESETS]++;
    f->counters[FAKE_WHY] = (uint32_t)why;
    f->running = 0;
}

/* -- for the test ------------------------------------------------------------------------------------------------ */

fake *fake_new(void)
{
    fake *f = calloc(1, sizeof *f);
    f->knobs[FAKE_NOW] = 1000000;
    f->knobs[FAKE_WINDOW] = f->knobs[FAKE_RX_CHUNK] = f->knobs[FAKE_TX_CHUNK] = f->knobs[FAKE_TX_ROOM] = UINT32_MAX;
    f->knobs[FAKE_LIMIT_US] = 10000000;
    f->knobs[FAKE_EXPORTS] = 3;
    f->core = malloc(p4k_size());
    memset(f->core, 0x77, p4k_size());
    p4k_init(f->core, f);
    return f;
}

void fake_delete(fake *f)
{
    while (f->blocks)
        p4k_free(f, f->blocks->address);
    free(f->in.data);
    free(f->out.data);
    free(f->core);
    free(f);
}

p4k *fake_core(fake *f) { return f->core; }

void fake_set(fake *f, uint32_t knob, uint32_t value) { f->knobs[knob] = value; }

uint32_t fake_get(fake *f, uint32_t counter)
{
    if (counter == FAKE_UNREAD)
        return (uint32_t)(f->in.end - f->in.start);
    return counter == FAKE_CORE_SIZE ? p4k_size() : f->counters[counter];
}

void fake_write(fake *f, const void *data, uint32_t len) { append(&f->in, data, len); }

uint32_t fake_read(fake *f, void *data, uint32_t len) { return take(&f->out, data, len); }

uint32_t fake_poll(fake *f)
{
    f->knobs[FAKE_NOW] += f->knobs[FAKE_TICK];
    return p4k_poll(f->core, &f->counters[FAKE_WAIT_US]);
}

void fake_link_down(fake *f) { p4k_link_down(f->core); }

int fake_peek(fake *f, uint32_t address, void *data, uint32_t len)
{
    block *b = find(f, address, len);
    if (!b)
        return -1;
    memcpy(data, b->data + (address - b->address), len);
    return 0;
}

int fake_poke(fake *f, uint32_t address, const void *data, uint32_t len)
{
    block *b = find(f, address, len);
    if (!b)
        return -1;
    memcpy(b->data + (address - b->address), data, len);
    return 0;
}
