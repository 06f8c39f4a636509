// SPDX-License-Identifier: Apache-2.0
// The pages of a vCPU's code that has exited, for hv/exit/next_rip.h.
#ifndef HV_PARTITION_NEXT_RIP_CACHE_H
#define HV_PARTITION_NEXT_RIP_CACHE_H

#include <stdint.h>

#define NEXT_RIP_PAGES 32

// A page of code that has exited: where it was found, under which CR3. If the guest maps another
// page there, the entry is stale until an exit finds other bytes than expected. Then the full walk
// is done, and the entry is replaced.
struct next_rip_page {
    uint64_t linear; // its low 12 bits are 0
    uint64_t cr3;
    uint64_t window_entry; // the page-table entry that maps it into the window
};

struct next_rip_cache {
    struct next_rip_page page[NEXT_RIP_PAGES];
};

#endif
