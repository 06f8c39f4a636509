// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own address space (arch/memory/layout.h): the image with W^X and NX, the heap,
// device registers. Guest memory is not in it; see arch/memory/window.h.
#ifndef ARCH_MEMORY_MMU_H
#define ARCH_MEMORY_MMU_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/paging.h"

// Sets where the image lies in physical memory (2 MiB aligned), and which page directory of the
// boot tables maps the top GiB. Must be called first.
void mmu_set_image(hpa_t base, uint64_t *boot_directory);

// The image's physical address, and its size in bytes.
hpa_t image_start(void);
uint64_t image_size(void);

// Gives the heap the block from `base` (2 MiB aligned): maps it into the boot tables at its final
// address, so that pointers into it stay valid. On the boot CPU, on the boot tables.
void mmu_place_heap(hpa_t base, uint64_t size);

// Pointer to a byte of any physical memory while the boot tables are in use. Below 4 GiB they map
// it one to one; above, one of 2 slots of 2 MiB maps it until the slot's next use.
void *mmu_boot_window(unsigned slot, uint64_t address);

// Makes the shared part of the page tables: image and heap. Boot CPU, on the boot tables.
enum status mmu_init(void);

// The page tables that hold the shared part; each CPU's tables refer to them.
const struct page_table *mmu_shared(void);

// Maps device registers uncached; they stay mapped. NULL when the range or the heap is used up.
volatile uint32_t *mmu_map_device(hpa_t base, uint64_t size);

// Maps a framebuffer write-combining; it stays mapped. NULL as above.
void *mmu_map_write_combining(hpa_t base, uint64_t size);

// Turns on write protection, NX, and SMEP and SMAP if this CPU has them. Sets the PAT, which gives
// the memory types of page-table entries their meaning.
void mmu_cpu_init(void);

#endif
