// SPDX-License-Identifier: Apache-2.0
// Takes a machine check and does what machine_check_judge() decides.
#include "hv/life/machine_check.h"

#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"
#include "drivers/console/console.h"
#include "hv/life/end.h"
#include "hv/partition/partition.h"

enum mc_owner_kind machine_check_owner(hpa_t address, unsigned *partition)
{
    if (address.v - image_start().v < image_size() || heap_contains(address)) {
        return MC_OWNER_HYPERVISOR;
    }
    for (unsigned i = 0; i < partition_count; i++) {
        if (guest_ram_owns(&partitions[i]->ram, address)) {
            *partition = i;
            return MC_OWNER_PARTITION;
        }
    }
    return MC_OWNER_NONE;
}

static void panic_for(const struct machine_check *m, const struct mc_verdict *verdict)
{
    panic("machine check on CPU %u: %s: MCG_STATUS 0x%lx, bank %u: status 0x%lx, address 0x%lx",
          this_cpu()->index, verdict->panic, m->global, verdict->bank,
          m->bank[verdict->bank].status, m->bank[verdict->bank].address);
}

// Notifies the partitions whose memory is hit, each on one of its own CPUs.
static void tell(const struct machine_check *m, const struct mc_verdict *verdict)
{
    for (unsigned i = 0; i < partition_count; i++) {
        if (verdict->stop & BIT(i)) {
            struct mc_bank *note = &partitions[i]->machine_check;
            __atomic_store_n(&note->address, m->bank[verdict->bank].address, __ATOMIC_RELAXED);
            __atomic_store_n(&note->status, m->bank[verdict->bank].status, __ATOMIC_RELEASE);
            vcpu_post(partitions[i]->vcpus[0], WORK_MACHINE_CHECK);
        }
    }
}

void machine_check_end(struct vcpu *v, struct guest_regs *regs)
{
    const struct mc_bank *note = &v->partition->machine_check;
    uint64_t status = __atomic_load_n(&note->status, __ATOMIC_ACQUIRE);
    print("%s: machine check: status 0x%lx, at host-physical 0x%lx\n", v->partition->name, status,
          __atomic_load_n(&note->address, __ATOMIC_RELAXED));
    partition_end(v, PARTITION_FAULT, "stopped: its memory has failed", regs);
}

void machine_check_taken(uint64_t rip)
{
    struct machine_check m;
    struct mc_verdict verdict;
    mca_collect(&m);
    machine_check_judge(&m, false, &verdict);
    if (verdict.panic != NULL) {
        print("machine check in the hypervisor at rip 0x%lx\n", rip);
        panic_for(&m, &verdict);
    }
    tell(&m, &verdict);
}

void machine_check_exit(struct vcpu *v, struct guest_regs *regs, bool can_go_on)
{
    struct machine_check m;
    struct mc_verdict verdict;
    mca_collect(&m);
    machine_check_judge(&m, true, &verdict);
    verdict.stop_own |= !can_go_on;
    if (verdict.panic != NULL) {
        panic_for(&m, &verdict);
    }
    tell(&m, &verdict);
    if (verdict.stop_own) {
        print("%s/%u: machine check: MCG_STATUS 0x%lx, bank %u: status 0x%lx, address 0x%lx\n",
              v->partition->name, v->index, m.global, verdict.bank, m.bank[verdict.bank].status,
              m.bank[verdict.bank].address);
        partition_end(v, PARTITION_FAULT, "stopped: its CPU has failed", regs);
    }
}
