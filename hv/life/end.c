// SPDX-License-Identifier: Apache-2.0
// How a partition ends, how its other vCPUs park, and what vCPU 0 does then.
#include "hv/life/end.h"

#include "arch/cpu/tsc.h"
#include "arch/virt/virt.h"
#include "drivers/console/console.h"
#include "hv/device/passthrough.h"
#include "hv/life/load.h"
#include "hv/life/vcpu_work.h"
#include "hv/partition/counters.h"
#include "hv/partition/guest_timer.h"
#include "hv/partition/log.h"

static const char *const end_names[] = {
    [PARTITION_POWER_OFF] = "power-off",
    [PARTITION_REBOOT] = "reboot",
    [PARTITION_TRIPLE_FAULT] = "triple fault",
    [PARTITION_FAULT] = "fault",
};

// A triple fault is a reset on a PC. After too many in a short time the partition stops.
static bool ends_for_good(struct partition *p, enum partition_end end)
{
    if (end == PARTITION_TRIPLE_FAULT) {
        return fault_limit_reached(&p->triple_faults, time_us());
    }
    return end != PARTITION_REBOOT;
}

void partition_end(struct vcpu *v, enum partition_end end, const char *why, struct guest_regs *regs)
{
    struct partition *p = v->partition;
    if (__atomic_exchange_n(&p->ending, 1, __ATOMIC_SEQ_CST) == 0) {
        p->end = end;
        guest_timers_stop(p); // before any vCPU clears the pending interrupts of its APIC
        p->stops = ends_for_good(p, end);
        // A restart logs this line, two more, and one for each vCPU's counters.
        p->reported = log_allows(p, 3 + p->vcpu_count) || p->stops;
        if (p->reported) {
            print("%s/%u: %s%s\n", p->name, v->index, why,
                  p->stops && end == PARTITION_TRIPLE_FAULT ? ", the third within 10 s: stopped"
                                                            : "");
        }
        for (unsigned i = 0; i < p->vcpu_count; i++) {
            if (p->vcpus[i] != v) {
                vcpu_post(p->vcpus[i], WORK_STOP);
            }
        }
    }
    partition_park(v);
    vcpu_wait_until_running(v, regs);
}

void partition_park(struct vcpu *v)
{
    struct partition *p = v->partition;
    if (!__atomic_load_n(&p->ending, __ATOMIC_ACQUIRE) || v->parked_at == p->generation + 1) {
        return; // a late order to stop: that end is already over
    }
    v->parked_at = p->generation + 1;
    vcpu_reset_apic(v);
    v->after_init = false;
    v->state = VCPU_WAIT_SIPI;
    if (__atomic_add_fetch(&p->parked, 1, __ATOMIC_SEQ_CST) == p->vcpu_count) {
        vcpu_post(p->vcpus[0], WORK_RESTART); // also when this is vCPU 0 itself
    }
}

static void start_again(struct vcpu *v, struct guest_regs *regs)
{
    struct partition *p = v->partition;
    char error[256];
    uint64_t begin = time_us();
    enum status s = partition_load(p, error, sizeof(error));
    if (s != STATUS_OK) {
        print("%s\n", error); // it was loaded before, so this is an error of the hypervisor
        v->state = VCPU_STOPPED;
        return;
    }
    vcpu_reset_apic(v);
    virt->vcpu_reset(v, &p->loaded.entry, regs);
    vcpu_boot_apic(v);
    if (p->reported) {
        print("%s: started again, %lu us\n", p->name, time_us() - begin);
    }
    __atomic_store_n(&p->parked, 0, __ATOMIC_RELAXED);
    // The order matters: see partition_park().
    __atomic_store_n(&p->ending, 0, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&p->generation, 1, __ATOMIC_SEQ_CST);
    v->state = VCPU_RUNNING;
}

void partition_finish_end(struct vcpu *v, struct guest_regs *regs)
{
    struct partition *p = v->partition;
    passthrough_stop(p); // before its memory is used for anything else
    if (p->reported) {
        print("%s: ended by %s\n", p->name, end_names[p->end]);
        counters_print(p);
    }
    if (!p->stops) {
        start_again(v, regs);
        return;
    }
    console_end(p->console);
    v->state = VCPU_STOPPED;
    if (__atomic_sub_fetch(&partitions_alive, 1, __ATOMIC_SEQ_CST) == 0) {
        print("all partitions have ended\n");
    }
}
