// SPDX-License-Identifier: Apache-2.0
// A partition's memory on the host, behind the functions of hv/memory/guest_mem.h: for tests of
// what loads guests and writes their tables. Modules are files in the test's own memory.
#ifndef TESTS_UNIT_FAKE_GUEST_RAM_H
#define TESTS_UNIT_FAKE_GUEST_RAM_H

#include "boot/boot_info.h"
#include "hv/memory/guest_layout.h"
#include "hv/memory/guest_mem.h"

struct fake_ram {
    struct guest_ram ram; // what callers have; empty
    uint8_t *bytes;       // all of it, that above 4 GiB right behind that below
    uint64_t memory;
    uint64_t dma_floor;  // set behind fake_ram_init; its RAM above the first MiB begins here
    uint64_t writes;     // how many there were
    uint64_t fail_after; // so many succeed and no more; 0: all do
};

// Takes address space, and memory only for what is touched.
void fake_ram_init(struct fake_ram *p, uint64_t memory);
void fake_ram_free(struct fake_ram *p);

// A pointer to guest-physical memory; ends the test if that is not RAM.
uint8_t *fake_ram_at(const struct fake_ram *p, uint64_t address, uint64_t size);
uint16_t fake_ram_u16(const struct fake_ram *p, uint64_t address);
uint32_t fake_ram_u32(const struct fake_ram *p, uint64_t address);
uint64_t fake_ram_u64(const struct fake_ram *p, uint64_t address);

// 00112233-4455-6677-8899-aabbccddeeff
extern const uint8_t fake_uuid[16];

// A module of `size` bytes at `data`, which stay the caller's.
struct boot_module fake_module(const char *name, const void *data, uint64_t size);

#endif
