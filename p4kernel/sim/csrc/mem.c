/* Guest memory: one reservation of host addresses, of which only the chip's memories are usable. */
#include "cpu.h"

#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
static void *_reserve(size_t size) { return VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS); }
static bool _commit(void *start, size_t size) { return VirtualAlloc(start, size, MEM_COMMIT, PAGE_READWRITE) != NULL; }
static void _release(void *start, size_t size)
{
    (void)size;
    VirtualFree(start, 0, MEM_RELEASE);
}
#else
#include <sys/mman.h>
static void *_reserve(size_t size)
{
    void *start = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}
static bool _commit(void *start, size_t size) { return mprotect(start, size, PROT_READ | PROT_WRITE) == 0; }
static void _release(void *start, size_t size) { munmap(start, size); }
#endif

#define ROM_SIZE (P4S_ROM_STUBS * 8u)
#define PAGE 4096u

static bool _add_region(p4s *sim, uint32_t index, uint32_t start, uint32_t size, uint8_t permission)
{
    sim->regions[index].start = start;
    sim->regions[index].size = size;
    if (size == 0)
        return true;
    memset(sim->permission + (start >> P4S_GRANULE_SHIFT), permission, size >> P4S_GRANULE_SHIFT);
    return _commit(p4s_host(sim, start), size);
}

static bool _sizes_fit(const p4s_config *config)
{
    uint32_t sizes = config->psram_size | config->sram_size | config->tcm_size;
    return sizes % PAGE == 0 && config->psram_size <= P4S_ROM - P4S_PSRAM &&
           config->sram_size <= P4S_WINDOW + P4S_WINDOW_SIZE - P4S_SRAM && config->tcm_size <= P4S_PSRAM - P4S_TCM;
}

static void _fill_rom(p4s *sim)
{
    uint32_t ret = p4s_specs[P4S_OP_JALR].match | 1u << 15;
    for (uint32_t i = 0; i < P4S_ROM_STUBS; ++i) {
        uint32_t words[2] = {p4s_specs[P4S_OP_HOST].match | i << 20, ret};
        memcpy(p4s_host(sim, P4S_ROM + 8 * i), words, 8);
    }
    uint32_t call = p4s_specs[P4S_OP_JALR].match | 1u << 7 | 6u << 15; /* jalr ra, 0(t1) */
    memcpy(p4s_host(sim, P4S_CALL), &call, 4);
}

bool p4s_memory_init(p4s *sim)
{
    const p4s_config *config = &sim->config;
    if (!_sizes_fit(config))
        return false;
    /* Large and zero: the host's C library takes them from the system untouched, so what is not used costs nothing. */
    sim->permission = calloc((size_t)1 << (32 - P4S_GRANULE_SHIFT), 1);
    sim->code = calloc(P4S_WINDOW_SIZE >> P4S_GRANULE_SHIFT, sizeof *sim->code);
    sim->loop_ends = calloc(P4S_WINDOW_SIZE >> P4S_GRANULE_SHIFT, sizeof *sim->loop_ends);
    sim->window = _reserve(P4S_WINDOW_SIZE);
    if (!sim->permission || !sim->code || !sim->loop_ends || !sim->window)
        return false;
    sim->base = (uintptr_t)sim->window - P4S_WINDOW;
    uint8_t ram = P4S_READ | P4S_WRITE_FAST | P4S_WRITE;
    if (!_add_region(sim, 0, P4S_PSRAM, config->psram_size, ram) ||
        !_add_region(sim, 1, P4S_SRAM, config->sram_size, ram) ||
        !_add_region(sim, 2, P4S_TCM, config->tcm_size, ram) || !_add_region(sim, 3, P4S_ROM, ROM_SIZE, P4S_READ))
        return false;
    _fill_rom(sim);
    return true;
}

void p4s_memory_free(p4s *sim)
{
    if (sim->window)
        _release(sim->window, P4S_WINDOW_SIZE);
    free(sim->permission);
    free(sim->code);
    free(sim->loop_ends);
}

/* Whether [address, address + size) allows it all; size is at most a granule. */
static bool _allowed(const p4s *sim, uint32_t address, uint32_t size, uint32_t permission, uint32_t *fault)
{
    uint32_t last = address + size - 1;
    *fault = address;
    if (!(p4s_permission(sim, address) & permission))
        return false;
    *fault = last & ~(P4S_GRANULE - 1);
    return p4s_permission(sim, last) & permission;
}

bool p4s_load(p4s *sim, uint32_t address, uint32_t size, uint32_t *value, uint32_t *fault)
{
    if (!_allowed(sim, address, size, P4S_READ, fault))
        return false;
    *value = 0;
    memcpy(value, p4s_host(sim, address), size);
    return true;
}

bool p4s_store(p4s *sim, uint32_t address, uint32_t size, uint32_t value, uint32_t *fault)
{
    if (!_allowed(sim, address, size, P4S_WRITE, fault))
        return false;
    memcpy(p4s_host(sim, address), &value, size);
    if (!(p4s_permission(sim, address) & p4s_permission(sim, address + size - 1) & P4S_WRITE_FAST))
        p4s_blocks_drop(sim, address, size);
    return true;
}

bool p4s_fetch(p4s *sim, uint32_t pc, uint32_t *bits, uint32_t *fault)
{
    uint32_t low, high = 0;
    if (!p4s_load(sim, pc, 2, &low, fault))
        return false;
    if ((low & 3) == 3 && !p4s_load(sim, pc + 2, 2, &high, fault))
        return false;
    *bits = low | high << 16;
    return true;
}

static bool _inside(const p4s *sim, uint32_t address, uint32_t size, bool write)
{
    for (uint32_t i = 0; i < 4; ++i) {
        uint32_t offset = address - sim->regions[i].start, length = sim->regions[i].size;
        if (offset < length && size <= length - offset)
            return !write || sim->regions[i].start != P4S_ROM;
    }
    return false;
}

int p4s_read(p4s *sim, uint32_t address, void *data, uint32_t size)
{
    if (!size)
        return 0;
    if (!_inside(sim, address, size, false))
        return -1;
    memcpy(data, p4s_host(sim, address), size);
    return 0;
}

int p4s_write(p4s *sim, uint32_t address, const void *data, uint32_t size)
{
    if (!size)
        return 0;
    if (!_inside(sim, address, size, true))
        return -1;
    memcpy(p4s_host(sim, address), data, size);
    p4s_touched(sim, address, size);
    return 0;
}

void *p4s_mem(p4s *sim, uint32_t address, uint32_t size)
{
    return _inside(sim, address, size ? size : 1, true) ? p4s_host(sim, address) : NULL;
}

void p4s_touched(p4s *sim, uint32_t address, uint32_t size)
{
    if (!size || !_inside(sim, address, size, true))
        return;
    p4s_blocks_drop(sim, address, size);
    /* A write by another agent takes a reservation away. */
    if (sim->reservation - address < size || address - sim->reservation < 4)
        sim->reserved = false;
}
