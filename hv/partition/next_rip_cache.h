// SPDX-License-Identifier: Apache-2.0
// Where a vCPU's code that has exited lies, for hv/exit/next_rip.h.
#ifndef HV_PARTITION_NEXT_RIP_CACHE_H
#define HV_PARTITION_NEXT_RIP_CACHE_H

#include <stdint.h>

#define NEXT_RIP_PAGES 32

// A page of code that has exited: where it was found under which CR3. A guest that maps another
// page there sees nothing of it until it exits from there with other bytes than expected: then the
// full way is taken, and the entry replaced.
struct next_rip_page {
    uint64_t linear; // with its low 12 bits 0
    uint64_t cr3;
    uint64_t window_entry; // what maps it into the window
};

struct next_rip_cache {
    struct next_rip_page page[NEXT_RIP_PAGES];
};

#endif
