// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own address space (arch/memory/layout.h): the image with W^X and NX, the heap,
// device registers. Guest memory is not in it; see arch/memory/window.h.
#ifndef ARCH_MEMORY_MMU_H
#define ARCH_MEMORY_MMU_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/paging.h"

// Says where in physical memory the image lies, 2 MiB aligned, and which page directory of the
// boot tables maps the top GiB: the first thing to be done.
void mmu_set_image(hpa_t base, uint64_t *boot_directory);

// Where the image lies in physical memory.
hpa_t image_start(void);
uint64_t image_size(void);

// Gives the heap the block from `base` (2 MiB aligned): maps it into the boot tables at its final
// address, so that pointers into it stay valid. On the boot CPU, on the boot tables.
void mmu_place_heap(hpa_t base, uint64_t size);

// Pointer to a byte of any physical memory while the boot tables are in use: below 4 GiB they map
// it one to one, above it through one of 2 slots of 2 MiB, until the slot's next use.
void *mmu_boot_window(unsigned slot, uint64_t address);

// Makes the shared part of the page tables: image and heap. On the boot CPU, on the boot tables.
enum status mmu_init(void);

// The page tables that hold the shared part; each CPU's tables refer to them.
const struct page_table *mmu_shared(void);

// Maps device registers uncached, for good. NULL when the range or the heap is used up.
volatile uint32_t *mmu_map_device(hpa_t base, uint64_t size);

// Maps a framebuffer write-combining, for good. NULL as above.
void *mmu_map_write_combining(hpa_t base, uint64_t size);

// Turns on write protection, NX, and SMEP/SMAP where this CPU has them, and gives the
// memory types of page-table entries their meaning (PAT).
void mmu_cpu_init(void);

#endif
