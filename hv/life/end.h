// SPDX-License-Identifier: Apache-2.0
// The end of a partition, and its next start, if there is one.
#ifndef HV_LIFE_END_H
#define HV_LIFE_END_H

#include "hv/partition/partition.h"

struct guest_regs;

// Ends the partition of `v`. Call on that vCPU's CPU. `why` is one line without newline. Returns
// when the guest is to run again (after a restart); `regs` is then its new state.
void partition_end(struct vcpu *v, enum partition_end end, const char *why,
                   struct guest_regs *regs);

// Parks vCPU `v` because its partition is ending. Its state is VCPU_WAIT_SIPI afterwards.
void partition_park(struct vcpu *v);

// Call on vCPU 0 when all vCPUs are parked. Reports the end, and starts the guest again if it
// rebooted.
void partition_finish_end(struct vcpu *v, struct guest_regs *regs);

#endif
