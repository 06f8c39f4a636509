// SPDX-License-Identifier: Apache-2.0
// The per-CPU window: the only access to memory that is not the hypervisor's own. A page is mapped
// for one copy and unmapped after it, so that a wild pointer does not find another owner's data.
// Each CPU has its own slots; nothing is shared. Not for the NMI handler.
#ifndef ARCH_MEMORY_WINDOW_H
#define ARCH_MEMORY_WINDOW_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

// Read or write any physical memory by CPU copies, write-back cached. ERR_RANGE: the range wraps or
// exceeds 52 bits.
enum status phys_read(hpa_t address, void *buffer, size_t size);
enum status phys_write(hpa_t address, const void *buffer, size_t size);

// Copies from one physical place to another.
enum status phys_copy(hpa_t to, hpa_t from, uint64_t size);

// Fills with one byte value; whole 2 MiB pages are mapped at once.
enum status phys_fill(hpa_t address, uint8_t value, uint64_t size);

// Atomically replaces `expected` by `value` in the aligned 4 or 8 bytes (`size`) at `address`.
// False: another value was there, and stays.
bool phys_replace(hpa_t address, unsigned size, uint64_t expected, uint64_t value);

// From this call on, this CPU and all that start later use their own page tables, which hold the
// window.
void window_ready(void);

#endif
