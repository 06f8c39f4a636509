// SPDX-License-Identifier: Apache-2.0
// Memory that firmware calls usable and that its MTRRs do not let be cached: whoever had it would
// be slower by a hundred times, so nobody has it.
#ifndef HV_MEMORY_UNCACHED_H
#define HV_MEMORY_UNCACHED_H

#include "arch/cpu/mtrr.h"
#include "hv/memory/page_alloc.h"

// Takes it out of the allocator, with a line for each range. Boot CPU. ERR_NO_MEMORY: too many
// pieces.
enum status uncached_leave_out(struct page_alloc *alloc, const struct boot_info *info,
                               const struct mtrrs *m);

#endif
