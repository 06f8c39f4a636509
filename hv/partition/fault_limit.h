// SPDX-License-Identifier: Apache-2.0
// A triple fault restarts a PC, and a partition too. A guest that does nothing else is stopped
// after too many triple faults in too short a time.
#ifndef HV_PARTITION_FAULT_LIMIT_H
#define HV_PARTITION_FAULT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_LIMIT    3u        // triple faults,
#define FAULT_LIMIT_US 10000000u // within this many microseconds

struct fault_limit {
    uint64_t at[FAULT_LIMIT - 1]; // times of the last faults, the oldest first
    unsigned count;
};

// Counts a triple fault at the time `now`, in microseconds. True if it is one too many.
static inline bool fault_limit_reached(struct fault_limit *f, uint64_t now)
{
    bool reached = f->count == FAULT_LIMIT - 1 && now - f->at[0] <= FAULT_LIMIT_US;
    if (f->count < FAULT_LIMIT - 1) {
        f->at[f->count++] = now;
        return false;
    }
    for (unsigned i = 0; i + 1 < FAULT_LIMIT - 1; i++) {
        f->at[i] = f->at[i + 1];
    }
    f->at[FAULT_LIMIT - 2] = now;
    return reached;
}

#endif
