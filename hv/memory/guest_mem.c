// SPDX-License-Identifier: Apache-2.0
// The memory of a partition. Relies on hv/memory/guest_layout.c for its place and on
// arch/memory/window.c for the copies.
#include "hv/memory/guest_mem.h"

#include "arch/memory/window.h"
#include "arch/memory/window_slot.h"
#include "hv/memory/guest_layout.h"

// Finds the first host-contiguous piece of a range. Returns its size; 0 if it is not RAM.
static uint64_t piece(const struct guest_ram *ram, gpa_t address, uint64_t size, hpa_t *host)
{
    uint64_t contiguous;
    if (!guest_ram_lookup(ram, address, host, &contiguous)) {
        return 0;
    }
    return min_u64(size, contiguous);
}

// The host address of data that does not cross a page. It is nearly always in the partition's first
// region, so that is tried first. Regions are whole pages, so the data doesn't cross a region.
static inline bool find_in_page(const struct guest_ram *ram, gpa_t address, hpa_t *host)
{
    const struct guest_ram_region *first = &ram->region[0];
    uint64_t offset = address.v - first->gpa;
    if (__builtin_expect(ram->count > 0 && offset < first->size, true)) {
        host->v = first->hpa + offset;
        return true;
    }
    uint64_t contiguous;
    return guest_ram_lookup(ram, address, host, &contiguous);
}

bool guest_ram_contains(const struct guest_ram *ram, gpa_t address, uint64_t size)
{
    while (size > 0) {
        hpa_t host;
        uint64_t n = piece(ram, address, size, &host);
        if (n == 0) {
            return false;
        }
        address.v += n;
        size -= n;
    }
    return true;
}

enum status guest_read(const struct guest_ram *ram, gpa_t address, void *buffer, size_t size)
{
    hpa_t host;
    if (piece(ram, address, size, &host) == size) {
        return phys_read(host, buffer, size); // nearly always contiguous
    }
    if (!guest_ram_contains(ram, address, size)) {
        return ERR_RANGE;
    }
    for (uint8_t *to = buffer; size > 0;) {
        uint64_t n = piece(ram, address, size, &host);
        phys_read(host, to, n);
        address.v += n;
        to += n;
        size -= n;
    }
    return STATUS_OK;
}

enum status guest_write(const struct guest_ram *ram, gpa_t address, const void *buffer, size_t size)
{
    if (!guest_ram_contains(ram, address, size)) {
        return ERR_RANGE;
    }
    for (const uint8_t *from = buffer; size > 0;) {
        hpa_t host;
        uint64_t n = piece(ram, address, size, &host);
        phys_write(host, from, n);
        address.v += n;
        from += n;
        size -= n;
    }
    return STATUS_OK;
}

enum status guest_fill(const struct guest_ram *ram, gpa_t address, uint8_t value, uint64_t size)
{
    if (!guest_ram_contains(ram, address, size)) {
        return ERR_RANGE;
    }
    while (size > 0) {
        hpa_t host;
        uint64_t n = piece(ram, address, size, &host);
        phys_fill(host, value, n);
        address.v += n;
        size -= n;
    }
    return STATUS_OK;
}

bool guest_read_u64(const struct guest_ram *ram, gpa_t address, uint64_t *value)
{
    hpa_t host;
    if (!find_in_page(ram, address, &host)) {
        return false;
    }
    *value = phys_read_u64(host);
    return true;
}

bool guest_read_code(const struct guest_ram *ram, gpa_t address, uint8_t bytes[GUEST_CODE_BYTES])
{
    hpa_t host;
    if (!find_in_page(ram, address, &host)) {
        return false;
    }
    phys_read_15(host, bytes);
    return true;
}

bool guest_descend(const struct guest_ram *ram, uint64_t table, uint64_t linear,
                   struct guest_descent *out)
{
    uint64_t all = ~0ull;
    uint64_t any = 0;
    for (uint32_t shift = PAGE_SHIFT + 27;; shift -= 9) {
        hpa_t host;
        if (!find_in_page(ram, gpa(table + (linear >> shift) % 512 * 8), &host)) {
            return false;
        }
        uint64_t entry = phys_read_u64(host);
        all &= entry;
        any |= entry;
        if (shift == PAGE_SHIFT || (entry & GUEST_ENTRY_LARGE)) {
            *out = (struct guest_descent){all, any, entry, shift};
            return true;
        }
        table = entry & GUEST_ENTRY_ADDRESS;
    }
}

enum status guest_replace(const struct guest_ram *ram, gpa_t address, unsigned size,
                          uint64_t expected, uint64_t value)
{
    hpa_t host;
    if (!is_aligned(address.v, size)) {
        return ERR_INVALID;
    }
    if (!find_in_page(ram, address, &host)) {
        return ERR_RANGE;
    }
    return phys_replace(host, size, expected, value) ? STATUS_OK : ERR_CHANGED;
}

enum status module_read(const struct boot_module *m, uint64_t offset, void *buffer, size_t size)
{
    if (offset > m->size || size > m->size - offset) {
        return ERR_TRUNCATED;
    }
    return phys_read(hpa(m->base + offset), buffer, size);
}

enum status guest_copy_module(const struct guest_ram *ram, gpa_t address,
                              const struct boot_module *m, uint64_t offset, uint64_t size)
{
    if (offset > m->size || size > m->size - offset) {
        return ERR_TRUNCATED;
    }
    if (!guest_ram_contains(ram, address, size)) {
        return ERR_RANGE;
    }
    uint64_t from = m->base + offset;
    while (size > 0) {
        hpa_t host;
        uint64_t n = piece(ram, address, size, &host);
        phys_copy(host, hpa(from), n);
        address.v += n;
        from += n;
        size -= n;
    }
    return STATUS_OK;
}

void guest_clear(const struct guest_ram *ram)
{
    for (unsigned i = 0; i < ram->count; i++) {
        phys_fill(hpa(ram->region[i].hpa), 0, ram->region[i].size);
    }
}
