// SPDX-License-Identifier: Apache-2.0
// Accesses to addresses where a partition has neither RAM nor a device, and writes to read-only
// memory. As on a PC, a read gives ones and a write is dropped. The partition's log has a line for
// each page (hv/partition/stray.h).
#ifndef HV_EXIT_STRAY_ACCESS_H
#define HV_EXIT_STRAY_ACCESS_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

struct vcpu;

// Call on the vCPU's CPU, the partition's device lock not held. `size` is 1 to 8 bytes. ERR_RANGE
// if the access is to stop the partition (on_stray_access).
enum status stray_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value);
enum status stray_write(struct vcpu *v, gpa_t address);

#endif
