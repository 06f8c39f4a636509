// SPDX-License-Identifier: Apache-2.0
// The count of VM exits by what the guest did.
#ifndef HV_COUNTERS_H
#define HV_COUNTERS_H

struct partition;

// Prints one line for each vCPU. Any CPU: the numbers are read while they may change.
void counters_print(const struct partition *p);

#endif
