// SPDX-License-Identifier: Apache-2.0
// Turns SSBD on and off on this CPU, in the way that arch/virt/ssbd.c chose.
#include "arch/virt/ssbd.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/cpuid.h"
#include "arch/cpu/msr.h"
#include "arch/cpu/msr_access.h"
#include "arch/cpu/topology.h"
#include "arch/memory/percpu.h"

// How many changes by the core's other threads a thread follows. After that it sets the bit,
// whatever the others want: that is safe, and a guest that changes its setting endlessly can't hold
// up another.
#define MOST_TRIES 4u

static struct ssbd_choice choice; // these three: written once, at boot
static unsigned thread_bits;
static unsigned wish_count;
static struct ssbd_wish wishes[MAX_CPUS]; // indexed by CPU number

static void read_leaf(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    cpuid(leaf, subleaf, out);
}

void ssbd_init(void)
{
    struct ssbd_identity cpu = {0};
    uint32_t leaf[4];
    uint64_t value;
    cpuid(CPUID_VENDOR, 0, leaf);
    cpu.amd = leaf[1] == CPUID_AMD_EBX || leaf[1] == CPUID_HYGON_EBX;
    cpuid(CPUID_FEATURES, 0, leaf);
    cpu.signature = leaf[0];
    cpuid(CPUID_EXT_BASE, 0, leaf);
    if (leaf[0] >= CPUID_EXT_SIZES) {
        cpuid(CPUID_EXT_SIZES, 0, leaf);
        cpu.sizes_ebx = leaf[1];
    }
    cpu.ls_cfg = msr_read_safe(MSR_LS_CFG, &value);
    for (unsigned i = 0; i < cpu_count; i++) {
        wishes[i].apic_id = cpus[i]->apic_id;
    }
    wish_count = cpu_count;
    thread_bits = topology_find(read_leaf).thread_bits;
    choice = ssbd_choose(&cpu);
}

bool ssbd_offered(void)
{
    return choice.way != SSBD_NOT_OFFERED;
}

bool ssbd_get(void)
{
    return wishes[this_cpu()->index].wanted != 0;
}

static bool wanted_on_core(void)
{
    return ssbd_wanted_on_core(wishes, wish_count, thread_bits, this_cpu()->apic_id);
}

static void write_ls_cfg(bool on)
{
    uint64_t value = rdmsr(MSR_LS_CFG);
    uint64_t next = on ? value | choice.bit : value & ~choice.bit;
    if (next != value) {
        wrmsr(MSR_LS_CFG, next);
    }
}

// A core's threads may belong to two partitions, and share one register: its bit is set while any
// thread wants it. Each thread first stores its wish, then writes the register, then checks that
// the wishes are still those that it wrote for. So the last writer has seen every wish stored
// before its write.
static void agree(void)
{
    for (unsigned i = 0; i < MOST_TRIES; i++) {
        bool on = wanted_on_core();
        write_ls_cfg(on);
        if (wanted_on_core() == on) {
            return;
        }
    }
    write_ls_cfg(true);
}

void ssbd_set(bool on)
{
    __atomic_store_n(&wishes[this_cpu()->index].wanted, on, __ATOMIC_SEQ_CST);
    if (choice.way == SSBD_BY_VIRT) {
        wrmsr(MSR_VIRT_SPEC_CTRL, on ? VIRT_SPEC_CTRL_SSBD : 0);
    } else if (choice.way == SSBD_BY_LS_CFG) {
        agree();
    }
}
