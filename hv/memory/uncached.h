// SPDX-License-Identifier: Apache-2.0
// Memory that firmware reports as usable but that its MTRRs make uncacheable. Its owner would be a
// hundred times slower, so it is not used.
#ifndef HV_MEMORY_UNCACHED_H
#define HV_MEMORY_UNCACHED_H

#include "arch/cpu/mtrr.h"
#include "hv/memory/page_alloc.h"

// Removes this memory from the allocator and prints a line for each range. Boot CPU. ERR_NO_MEMORY:
// too many pieces.
enum status uncached_leave_out(struct page_alloc *alloc, const struct boot_info *info,
                               const struct mtrrs *m);

#endif
