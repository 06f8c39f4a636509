// SPDX-License-Identifier: Apache-2.0
// The per-CPU window. Relies on arch/memory/percpu.c, which stores the slots' page-table entries in
// struct cpu.
#include "arch/memory/window.h"

#include "arch/lib/string.h"
#include "arch/memory/window_slot.h"

#define PTE_WINDOW_LARGE (PTE_WINDOW | BIT(7))

bool window_in_use;

void window_ready(void)
{
    window_in_use = true;
}

static bool reachable(hpa_t address, uint64_t size)
{
    return size <= BIT(52) && address.v <= BIT(52) - size;
}

static uint64_t chunk(uint64_t address, uint64_t left)
{
    return min_u64(left, PAGE_SIZE - (address & PAGE_MASK));
}

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if (!reachable(address, size)) {
        return ERR_RANGE;
    }
    for (uint8_t *to = buffer; size > 0;) {
        uint64_t n = chunk(address.v, size);
        memcpy(to, window_map(SLOT_FROM, address.v), n);
        window_unmap(SLOT_FROM);
        address.v += n;
        to += n;
        size -= n;
    }
    return STATUS_OK;
}

enum status phys_write(hpa_t address, const void *buffer, size_t size)
{
    if (!reachable(address, size)) {
        return ERR_RANGE;
    }
    for (const uint8_t *from = buffer; size > 0;) {
        uint64_t n = chunk(address.v, size);
        memcpy(window_map(SLOT_TO, address.v), from, n);
        window_unmap(SLOT_TO);
        address.v += n;
        from += n;
        size -= n;
    }
    return STATUS_OK;
}

enum status phys_copy(hpa_t to, hpa_t from, uint64_t size)
{
    if (!reachable(to, size) || !reachable(from, size)) {
        return ERR_RANGE;
    }
    while (size > 0) {
        uint64_t n = min_u64(chunk(to.v, size), chunk(from.v, size));
        memcpy(window_map(SLOT_TO, to.v), window_map(SLOT_FROM, from.v), n);
        window_unmap(SLOT_FROM);
        window_unmap(SLOT_TO);
        to.v += n;
        from.v += n;
        size -= n;
    }
    return STATUS_OK;
}

enum status phys_fill(hpa_t address, uint8_t value, uint64_t size)
{
    if (!reachable(address, size)) {
        return ERR_RANGE;
    }
    while (size > 0) {
        uint64_t n = chunk(address.v, size);
        if (window_in_use && is_aligned(address.v, MIB(2)) && size >= MIB(2)) {
            n = MIB(2);
            *this_cpu()->window_big = address.v | PTE_WINDOW_LARGE;
            memset((void *)PERCPU_WINDOW_BIG, value, n);
            *this_cpu()->window_big = 0;
            invlpg(PERCPU_WINDOW_BIG);
        } else {
            memset(window_map(SLOT_TO, address.v), value, n);
            window_unmap(SLOT_TO);
        }
        address.v += n;
        size -= n;
    }
    return STATUS_OK;
}

bool phys_replace(hpa_t address, unsigned size, uint64_t expected, uint64_t value)
{
    void *p = window_map(SLOT_TO, address.v);
    bool replaced;
    if (size == sizeof(uint32_t)) {
        uint32_t narrow = (uint32_t)expected;
        replaced = __atomic_compare_exchange_n((uint32_t *)p, &narrow, (uint32_t)value, false,
                                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
        replaced = __atomic_compare_exchange_n((uint64_t *)p, &expected, value, false,
                                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    window_unmap(SLOT_TO);
    return replaced;
}
