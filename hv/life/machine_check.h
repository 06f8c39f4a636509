// SPDX-License-Identifier: Apache-2.0
// Machine checks. A hardware error stops the partition that it hit. It stops the machine only if no
// partition can be identified. The decision is made from the processor's error banks (SDM vol. 3,
// chapter 16; AMD APM vol. 2, chapter 9).
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
    MC_OWNER_NONE, // unowned memory, or no memory
    MC_OWNER_PARTITION,
    MC_OWNER_HYPERVISOR,
};

struct mc_verdict {
    const char *panic; // why the machine has to stop, or NULL
    bool stop_own;     // stop the partition of the CPU that took it
    uint64_t stop;     // bit n: stop partition n, because its memory is hit
    unsigned bank;     // the bank that decided, for the report
};

// Decides what has to stop. `in_guest`: it was taken while the CPU ran its guest, so the
// hypervisor's own state is intact.
void machine_check_judge(const struct machine_check *m, bool in_guest, struct mc_verdict *out);

// Handles an exit for #MC, on the vCPU's CPU. `can_go_on`: the guest's state is intact. It isn't if
// the processor shut down because the guest had not enabled machine checks.
void machine_check_exit(struct vcpu *v, struct guest_regs *regs, bool can_go_on);

// Ends the partition because its memory has failed (partition.machine_check). On its first vCPU.
void machine_check_end(struct vcpu *v, struct guest_regs *regs);

// Handles a #MC in the hypervisor itself. Returns if the CPU can continue. Any CPU, any state.
void machine_check_taken(uint64_t rip);

// The owner of a host-physical address. The machine's side provides this function.
enum mc_owner_kind machine_check_owner(hpa_t address, unsigned *partition);

#endif
