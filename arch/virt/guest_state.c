// SPDX-License-Identifier: Apache-2.0
// The processor state that no VM entry swaps. hv/policy/msr_policy.c decides which MSRs pass; this
// file resets those that the vendor's own state area does not hold.
#include "arch/virt/guest_state.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr_access.h"
#include "arch/virt/reset_state.h"
#include "arch/virt/ssbd.h"
#include "arch/virt/vector_state.h"

static bool is_there(const struct reset_register *r)
{
    uint32_t max[4], out[4];
    if (r->mask == 0) {
        return true;
    }
    cpuid(r->leaf & 0x80000000, 0, max);
    if (r->leaf > max[0]) {
        return false;
    }
    cpuid(r->leaf, r->subleaf, out);
    return (out[r->reg] & r->mask) != 0;
}

static void reset_msrs(uint8_t held, bool init)
{
    unsigned count;
    const struct reset_register *registers = reset_registers(&count);
    for (unsigned i = 0; i < count; i++) {
        const struct reset_register *r = &registers[i];
        if (r->place != RESET_BY_MSR || (r->held & held) != 0 || (init && r->kept != 0) ||
            !is_there(r)) {
            continue;
        }
        for (uint32_t msr = r->first; msr <= r->last; msr++) {
            // May fail: some emulated CPUs show the CPUID bit but lack the register.
            msr_write_safe(msr, r->value);
        }
    }
}

void guest_debug_read(struct guest_debug *out, uint64_t dr7, uint64_t cr4)
{
    __asm__ volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3"
                     : "=r"(out->address[0]), "=r"(out->address[1]), "=r"(out->address[2]),
                       "=r"(out->address[3]));
    out->dr7 = dr7;
    out->ports = (cr4 & CR4_DE) != 0;
}

void guest_state_reset(uint8_t held, bool init)
{
    uint64_t address = reset_value(RESET_DR0);
    __asm__ volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3" : : "r"(address));
    write_cr2(reset_value(RESET_CR2));
    reset_msrs(held, init);
    if (!init) {
        vector_state_reset(); // INIT keeps this state, and SSBD
        ssbd_set((reset_value(RESET_VIRT_SPEC_CTRL) & VIRT_SPEC_CTRL_SSBD) != 0);
    }
}
