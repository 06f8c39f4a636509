// SPDX-License-Identifier: Apache-2.0
// Converts the memory map (UEFI specification 2.10, 7.2): boot/uefi/memory_map.h.
#include "boot/uefi/memory_map.h"

#include "arch/lib/string.h"
#include "arch/lib/types.h"

#define LOW_RAM_END KIB(640)

// The kind for a descriptor's type.
static uint32_t kind_of(const EFI_MEMORY_DESCRIPTOR *d)
{
    switch (d->Type) {
    case EfiLoaderCode:
    case EfiLoaderData:
    case EfiBootServicesCode:
    case EfiBootServicesData:
    case EfiConventionalMemory:
        // Memory that can't be cached is not fit to run a system in.
        return (d->Attribute & EFI_MEMORY_WB) != 0 ? BOOT_MEMORY_USABLE : BOOT_MEMORY_RESERVED;
    case EfiACPIReclaimMemory:
        return BOOT_MEMORY_ACPI;
    default:
        return BOOT_MEMORY_RESERVED;
    }
}

// The range that `new` overlaps; NULL if there is none. Only the neighbours of place `at` in the
// sorted list can overlap.
static const struct boot_memory *clash_at(const struct boot_info *info, unsigned at,
                                          const struct boot_memory *new)
{
    for (unsigned i = at > 0 ? at - 1 : 0; i <= at && i < info->memory_count; i++) {
        const struct boot_memory *m = &info->memory[i];
        if (ranges_overlap(m->base, m->size, new->base, new->size)) {
            return m;
        }
    }
    return NULL;
}

static uint64_t end_of(const struct boot_memory *m)
{
    return m->base + m->size;
}

static bool joins(const struct boot_memory *low, const struct boot_memory *high)
{
    return low->kind == high->kind && end_of(low) == high->base;
}

// Removes entry `at`.
static void drop(struct boot_info *info, unsigned at)
{
    info->memory_count--;
    memmove(&info->memory[at], &info->memory[at + 1],
            (info->memory_count - at) * sizeof(struct boot_memory));
}

static enum status insert(struct boot_info *info, const struct boot_memory *new,
                          const struct boot_error *error)
{
    struct boot_memory *m = info->memory;
    unsigned at = info->memory_count;
    while (at > 0 && m[at - 1].base > new->base) {
        at--;
    }
    const struct boot_memory *clash = clash_at(info, at, new);
    if (clash != NULL) {
        return boot_fail(error, ERR_EXISTS,
                         "memory map: 0x%lx bytes at 0x%lx overlap 0x%lx bytes at 0x%lx; update "
                         "the firmware",
                         new->size, new->base, clash->size, clash->base);
    }
    if (at > 0 && joins(&m[at - 1], new)) {
        m[at - 1].size += new->size;
        if (at < info->memory_count && joins(&m[at - 1], &m[at])) {
            m[at - 1].size += m[at].size;
            drop(info, at);
        }
        return STATUS_OK;
    }
    if (at < info->memory_count && joins(new, &m[at])) {
        m[at].base = new->base;
        m[at].size += new->size;
        return STATUS_OK;
    }
    if (info->memory_count == BOOT_MAX_MEMORY) {
        return boot_fail(error, ERR_RANGE,
                         "memory map: more than %d ranges, neighbours joined; raise "
                         "BOOT_MAX_MEMORY",
                         BOOT_MAX_MEMORY);
    }
    memmove(&m[at + 1], &m[at], (info->memory_count - at) * sizeof(struct boot_memory));
    m[at] = *new;
    info->memory_count++;
    return STATUS_OK;
}

static EFI_MEMORY_DESCRIPTOR descriptor(const struct uefi_map *map, uint64_t offset)
{
    EFI_MEMORY_DESCRIPTOR d;
    memcpy(&d, map->descriptors + offset, sizeof(d));
    return d;
}

static bool has_descriptor(const struct uefi_map *map, uint64_t offset)
{
    return offset < map->size && map->size - offset >= sizeof(EFI_MEMORY_DESCRIPTOR);
}

// Pages beyond the end of the address space, or an address that is not page aligned.
static bool is_senseless(const EFI_MEMORY_DESCRIPTOR *d)
{
    return !is_aligned(d->PhysicalStart, PAGE_SIZE) || d->NumberOfPages > UINT64_MAX / PAGE_SIZE ||
           d->NumberOfPages * PAGE_SIZE > UINT64_MAX - d->PhysicalStart;
}

enum status uefi_map_convert(const struct uefi_map *map, struct boot_info *info,
                             const struct boot_error *error)
{
    info->memory_count = 0;
    if (map->stride < sizeof(EFI_MEMORY_DESCRIPTOR)) {
        return boot_fail(error, ERR_INVALID, "memory map: descriptors of %lu bytes", map->stride);
    }
    for (uint64_t at = 0; has_descriptor(map, at); at += map->stride) {
        EFI_MEMORY_DESCRIPTOR d = descriptor(map, at);
        if (d.NumberOfPages == 0) {
            continue;
        }
        if (is_senseless(&d)) {
            return boot_fail(error, ERR_INVALID,
                             "memory map: 0x%lx pages at 0x%lx make no sense; update the firmware",
                             (uint64_t)d.NumberOfPages, (uint64_t)d.PhysicalStart);
        }
        struct boot_memory new = {d.PhysicalStart, d.NumberOfPages * PAGE_SIZE, kind_of(&d)};
        enum status s = insert(info, &new, error);
        if (s != STATUS_OK) {
            return s;
        }
    }
    return STATUS_OK;
}

uint64_t uefi_map_place(const struct uefi_map *map, uint64_t size, uint64_t limit)
{
    uint64_t best = 0;
    if (map->stride < sizeof(EFI_MEMORY_DESCRIPTOR)) {
        return 0;
    }
    for (uint64_t at = 0; has_descriptor(map, at); at += map->stride) {
        EFI_MEMORY_DESCRIPTOR d = descriptor(map, at);
        if (d.Type != EfiConventionalMemory || kind_of(&d) != BOOT_MEMORY_USABLE ||
            is_senseless(&d)) {
            continue;
        }
        uint64_t end = min_u64(d.PhysicalStart + d.NumberOfPages * PAGE_SIZE, limit);
        if (end < size) {
            continue;
        }
        uint64_t base = align_down(end - size, size);
        if (base >= d.PhysicalStart) {
            best = max_u64(best, base);
        }
    }
    return best;
}

bool uefi_map_has_low(const struct boot_info *info, unsigned count)
{
    uint64_t pages = 0;
    for (unsigned i = 0; i < info->memory_count; i++) {
        const struct boot_memory *m = &info->memory[i];
        uint64_t base = max_u64(m->base, PAGE_SIZE);
        uint64_t end = min_u64(end_of(m), LOW_RAM_END);
        if (m->kind == BOOT_MEMORY_USABLE && base < end) {
            pages += (end - base) / PAGE_SIZE;
        }
    }
    return pages >= count;
}
