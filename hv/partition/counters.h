// SPDX-License-Identifier: Apache-2.0
// Counts VM exits by what the guest did.
#ifndef HV_PARTITION_COUNTERS_H
#define HV_PARTITION_COUNTERS_H

#include <stdint.h>

struct partition;
struct vcpu;

// Prints one line for each vCPU. Any CPU; the counters may change meanwhile.
void counters_print(const struct partition *p);

// All exits of a vCPU so far. Any CPU.
uint64_t counters_total(const struct vcpu *v);

#endif
