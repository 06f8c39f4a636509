// SPDX-License-Identifier: Apache-2.0
// The registers of a guest's local APIC, and how each is handled. The MSR map of x2APIC mode
// (msr_policy.c) and the handling of the APIC page (vapic.c) are made from these rows. A register
// without a row does not exist.
#include "hv/interrupt/vapic.h"

#define XAPIC  (1u << APIC_XAPIC)
#define X2APIC (1u << APIC_X2APIC)
#define BOTH   (XAPIC | X2APIC)

#define ROW(offset)        [(offset) / APIC_REGISTER_STEP]
#define ROWS(first, count) [(first) / APIC_REGISTER_STEP...(first) / APIC_REGISTER_STEP + (count)-1]

// clang-format off
static const struct apic_reg_rule rules[APIC_REGISTER_COUNT] = {
    ROW(APIC_ID) = {APIC_OWN, APIC_ABSENT, BOTH, 0, "ID",
        "a guest's processors are numbered from 0, whichever CPUs they are"},
    ROW(APIC_VERSION) = {APIC_OWN, APIC_ABSENT, BOTH, 0, "version",
        "announces neither CMCI nor AMD's extended registers nor EOI-broadcast suppression"},
    ROW(APIC_TPR) = {APIC_PASS, APIC_PASS, BOTH, 0xff, "TPR",
        "priority of this CPU alone"},
    ROW(APIC_APR) = {APIC_OWN, APIC_ABSENT, XAPIC, 0, "APR",
        "arbitration ended with the APIC bus; reads 0"},
    ROW(APIC_PPR) = {APIC_PASS, APIC_ABSENT, BOTH, 0, "PPR",
        "follows from TPR and ISR"},
    ROW(APIC_EOI) = {APIC_ABSENT, APIC_PASS, BOTH, 0, "EOI",
        "ends an interrupt of this CPU; all of them are the guest's"},
    ROW(APIC_RRD) = {APIC_OWN, APIC_ABSENT, XAPIC, 0, "RRD",
        "remote read is refused; reads 0"},
    ROW(APIC_LDR) = {APIC_OWN, APIC_OWN_XAPIC, BOTH, 0xff000000, "LDR",
        "logical IDs are resolved by the ICR check; in x2APIC mode it follows from the virtual ID"},
    ROW(APIC_DFR) = {APIC_OWN, APIC_OWN, XAPIC, 0xf0000000, "DFR",
        "the model of logical IDs, for the ICR check"},
    ROW(APIC_SVR) = {APIC_PASS, APIC_OWN, BOTH, 0x3ff, "SVR",
        "the ICR check must know who is enabled, and disabling masks the LVT shadows too"},
    ROWS(APIC_ISR, 8) = {APIC_PASS, APIC_ABSENT, BOTH, 0, "ISR",
        "interrupts of this CPU; all of them are the guest's"},
    ROWS(APIC_TMR, 8) = {APIC_PASS, APIC_ABSENT, BOTH, 0, "TMR",
        "interrupts of this CPU; all of them are the guest's"},
    ROWS(APIC_IRR, 8) = {APIC_PASS, APIC_ABSENT, BOTH, 0, "IRR",
        "interrupts of this CPU; all of them are the guest's"},
    ROW(APIC_ESR) = {APIC_OWN, APIC_OWN, BOTH, 0, "ESR",
        "the errors that the ICR check finds appear beside the hardware's"},
    ROW(APIC_ICR_LOW) = {APIC_OWN, APIC_OWN, BOTH, 0xffffffff, "ICR",
        "destinations are checked and translated; the shadow shows what was written"},
    ROW(APIC_ICR_HIGH) = {APIC_OWN, APIC_OWN, XAPIC, 0xff000000, "ICR high",
        "latched for the next ICR write"},
    ROW(APIC_LVT_TIMER) = {APIC_PASS, APIC_PASS, BOTH, 0x710ff, "LVT timer",
        "the CPU's own timer: vector, mask and mode, no delivery mode"},
    ROW(APIC_LVT_THERMAL) = {APIC_OWN, APIC_OWN, BOTH, 0x117ff, "LVT thermal",
        "delivery mode: SMI or INIT must not reach the hardware"},
    ROW(APIC_LVT_PERF) = {APIC_OWN, APIC_OWN, BOTH, 0x117ff, "LVT performance counters",
        "delivery mode: SMI or INIT must not reach the hardware"},
    ROW(APIC_LVT_LINT0) = {APIC_OWN, APIC_OWN, BOTH, 0x1f7ff, "LVT LINT0",
        "delivery mode: ExtINT would fetch a vector from the physical 8259"},
    ROW(APIC_LVT_LINT1) = {APIC_OWN, APIC_OWN, BOTH, 0x1f7ff, "LVT LINT1",
        "delivery mode: SMI or INIT must not reach the hardware"},
    ROW(APIC_LVT_ERROR) = {APIC_PASS, APIC_OWN, BOTH, 0x110ff, "LVT error",
        "AMD's has a delivery mode; a guest may have fixed delivery only"},
    ROW(APIC_TIMER_INITIAL) = {APIC_PASS, APIC_PASS, BOTH, 0xffffffff, "timer initial count",
        "the CPU's own timer"},
    ROW(APIC_TIMER_CURRENT) = {APIC_PASS, APIC_ABSENT, BOTH, 0, "timer current count",
        "the CPU's own timer"},
    ROW(APIC_TIMER_DIVIDE) = {APIC_PASS, APIC_PASS, BOTH, 0xb, "timer divide",
        "the CPU's own timer"},
    ROW(APIC_SELF_IPI) = {APIC_ABSENT, APIC_PASS, X2APIC, 0xff, "self IPI",
        "fixed delivery to this CPU and nobody else"},
};
// clang-format on

static const struct apic_reg_rule absent = {APIC_ABSENT, APIC_ABSENT,     0,
                                            0,           "(no register)", "default deny"};

const struct apic_reg_rule *vapic_rule(unsigned offset)
{
    unsigned index = offset / APIC_REGISTER_STEP;
    if (offset % APIC_REGISTER_STEP != 0 || index >= APIC_REGISTER_COUNT ||
        rules[index].name == NULL) {
        return &absent;
    }
    return &rules[index];
}

bool vapic_msr_passes(uint32_t msr, bool write)
{
    if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST) {
        return false;
    }
    const struct apic_reg_rule *rule = vapic_rule(X2APIC_OFFSET(msr));
    return (rule->modes & X2APIC) != 0 && (write ? rule->write : rule->read) == APIC_PASS;
}
