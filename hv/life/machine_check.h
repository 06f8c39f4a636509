// SPDX-License-Identifier: Apache-2.0
// Machine checks: an error of the hardware stops the partition that it hit, and the machine only
// where it can't be pinned on one. Which it is, is decided from the processor's error banks
// (SDM vol. 3, chapter 16; AMD APM vol. 2, chapter 9).
#ifndef HV_LIFE_MACHINE_CHECK_H
#define HV_LIFE_MACHINE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/cpu/mca.h"
#include "arch/lib/types.h"

struct guest_regs;
struct partition;
struct vcpu;

enum mc_owner_kind {
    MC_OWNER_NONE, // memory of nobody's, or no memory
    MC_OWNER_PARTITION,
    MC_OWNER_HYPERVISOR,
};

struct mc_verdict {
    const char *panic; // why the machine has to stop, or NULL
    bool stop_own;     // the partition of the CPU that took it
    uint64_t stop;     // by number, the partitions whose memory is hit
    unsigned bank;     // the one that decided, for the report
};

// What has to stop. `in_guest`: it was taken while the CPU ran its guest, so that the hypervisor's
// own state is whole.
void machine_check_judge(const struct machine_check *m, bool in_guest, struct mc_verdict *out);

// On the vCPU's CPU, after an exit for #MC. `can_go_on`: the guest's state is whole; it is not
// where the processor has shut down because the guest has not turned machine checks on.
void machine_check_exit(struct vcpu *v, struct guest_regs *regs, bool can_go_on);

// Ends the partition, on its first vCPU, because its memory has failed (partition.machine_check).
void machine_check_end(struct vcpu *v, struct guest_regs *regs);

// In the hypervisor's own #MC: returns if it can go on. Any CPU, any state.
void machine_check_taken(uint64_t rip);

// Provided by the caller's side: whose memory a host-physical address is.
enum mc_owner_kind machine_check_owner(hpa_t address, unsigned *partition);

#endif
