// SPDX-License-Identifier: Apache-2.0
// Accesses of instructions where a partition has neither RAM nor a device, or memory that it may
// only read. As on a PC a read gives ones and a write is dropped; the partition's log has a line
// for each page (hv/partition/stray.h).
#ifndef HV_EXIT_STRAY_ACCESS_H
#define HV_EXIT_STRAY_ACCESS_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"

struct vcpu;

// On the vCPU's CPU, its partition's device lock not held. `size` is 1 to 8. ERR_RANGE: the
// partition is to be stopped for it (on_stray_access).
enum status stray_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value);
enum status stray_write(struct vcpu *v, gpa_t address);

#endif
