// SPDX-License-Identifier: Apache-2.0
// Chooses the way to control SSBD, from a processor's CPUID. Pure.
#include "arch/virt/ssbd.h"

#include "arch/cpu/cpuid.h"

// CPUID 1 EAX (APM vol. 3, appendix E.3.2).
#define BASE_FAMILY(signature)     ((signature) >> 8 & 0xfu)
#define EXTENDED_FAMILY(signature) ((signature) >> 20 & 0xffu)

// The SSBD bit of LS_CFG, by family. Hygon's first processors, family 18h, match family 17h.
static const struct {
    uint32_t family;
    uint64_t bit;
} ls_cfg_bits[] = {
    {0x15, BIT(54)},
    {0x16, BIT(33)},
    {0x17, BIT(10)},
    {0x18, BIT(10)},
};

static uint64_t ls_cfg_bit(uint32_t signature)
{
    uint32_t family = BASE_FAMILY(signature);
    if (family == 0xf) {
        family += EXTENDED_FAMILY(signature);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ls_cfg_bits); i++) {
        if (ls_cfg_bits[i].family == family) {
            return ls_cfg_bits[i].bit;
        }
    }
    return 0;
}

struct ssbd_choice ssbd_choose(const struct ssbd_identity *cpu)
{
    struct ssbd_choice choice = {SSBD_NOT_OFFERED, 0};
    // If SPEC_CTRL has SSBD, VIRT_SPEC_CTRL is not offered: operating systems would prefer it and
    // switch it with every process. Each switch costs an exit, and with SPEC_CTRL none.
    if (!cpu->amd || (cpu->sizes_ebx & (CPUID_80000008_EBX_SSB_NO | CPUID_80000008_EBX_SSBD))) {
        return choice;
    }
    if (cpu->sizes_ebx & CPUID_80000008_EBX_VIRT_SSBD) {
        choice.way = SSBD_BY_VIRT;
        return choice;
    }
    choice.bit = ls_cfg_bit(cpu->signature);
    if (choice.bit != 0 && cpu->ls_cfg) {
        choice.way = SSBD_BY_LS_CFG;
    }
    return choice;
}

bool ssbd_wanted_on_core(const struct ssbd_wish *wishes, unsigned count, unsigned thread_bits,
                         uint32_t apic_id)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t differ = wishes[i].apic_id ^ apic_id;
        if (differ >> thread_bits == 0 && __atomic_load_n(&wishes[i].wanted, __ATOMIC_SEQ_CST)) {
            return true;
        }
    }
    return false;
}
