// SPDX-License-Identifier: Apache-2.0
// The table of VT-x controls, and the control words that result on a processor. Relies on the
// capability values that the caller read.
#include "arch/vmx/controls.h"

#include "arch/cpu/msr.h"
#include "arch/lib/format.h"
#include "arch/vmx/vmcs.h"

static const char exitless[] = "runs without an exit";
static const char no_trace[] = "its MSRs are denied";
static const char own[] = "the guest's own, switched with the guest";

static const struct vmx_control_rule rules[] = {
    // First the controls that Bulkhead can't do without: a user is told these names.
    {WORD_PROC2, RULE_ON, PROC2_EPT, "EPT", "keeps a guest in its memory"},
    {WORD_PROC2, RULE_ON, PROC2_UNRESTRICTED_GUEST, "unrestricted guest",
     "real mode and unpaged mode run natively"},
    {WORD_PIN, RULE_ON, PIN_NMI, "NMI exiting", "NMI is the kick of another CPU"},
    {WORD_PIN, RULE_ON, PIN_VIRTUAL_NMIS, "virtual NMIs",
     "the guest's own NMIs are blocked and unblocked by the processor"},
    {WORD_PROC, RULE_ON, PROC_MSR_BITMAPS, "MSR bitmaps",
     "MSRs by the map of hv/policy/msr_policy.c"},
    {WORD_PROC, RULE_ON, PROC_IO_BITMAPS, "I/O bitmaps", "ports by the partition's map"},
    {WORD_PROC, RULE_ON, PROC_SECONDARY, "secondary controls", "EPT is one of them"},

    {WORD_PIN, RULE_OFF, PIN_EXTERNAL_INTERRUPT, "external-interrupt exiting", exitless},
    {WORD_PIN, RULE_MAY, PIN_PREEMPTION_TIMER, "preemption timer",
     "on while a timer of the guest has no other source"},
    {WORD_PIN, RULE_OFF, PIN_POSTED_INTERRUPTS, "posted interrupts",
     "interrupts are the physical APIC's"},
    {WORD_PIN, RULE_ONE, 0x16, "reserved", "default1"},

    {WORD_PROC, RULE_ON, PROC_MWAIT, "MWAIT exiting", "hidden: deep sleep states delay the kick"},
    {WORD_PROC, RULE_ON, PROC_MONITOR, "MONITOR exiting", "hidden, with MWAIT"},
    {WORD_PROC, RULE_ON, PROC_RDPMC, "RDPMC exiting", "performance counters are not the guest's"},
    {WORD_PROC, RULE_FREE, PROC_NMI_WINDOW, "NMI-window exiting",
     "on while an NMI waits until the guest takes one"},
    {WORD_PROC, RULE_FREE, PROC_INTERRUPT_WINDOW, "interrupt-window exiting",
     "on while an interrupt of the guest's 8259s waits for it to take it"},
    {WORD_PROC, RULE_OFF, PROC_TSC_OFFSETTING, "TSC offsetting", "the guest reads the TSC"},
    {WORD_PROC, RULE_FREE, PROC_HLT, "HLT exiting",
     "on with the interrupt window, which Bochs does not look at while a CPU is halted"},
    {WORD_PROC, RULE_OFF, PROC_INVLPG, "INVLPG exiting", exitless},
    {WORD_PROC, RULE_OFF, PROC_RDTSC, "RDTSC exiting", exitless},
    {WORD_PROC, RULE_OFF, PROC_CR3_LOAD, "CR3-load exiting", exitless},
    {WORD_PROC, RULE_OFF, PROC_CR3_STORE, "CR3-store exiting", exitless},
    {WORD_PROC, RULE_OFF, PROC_TERTIARY, "tertiary controls", "none is used"},
    {WORD_PROC, RULE_OFF, PROC_CR8_LOAD, "CR8-load exiting", "TPR is the physical APIC's"},
    {WORD_PROC, RULE_OFF, PROC_CR8_STORE, "CR8-store exiting", "TPR is the physical APIC's"},
    {WORD_PROC, RULE_OFF, PROC_TPR_SHADOW, "TPR shadow", "TPR is the physical APIC's"},
    {WORD_PROC, RULE_OFF, PROC_MOV_DR, "MOV-DR exiting", exitless},
    {WORD_PROC, RULE_OFF, PROC_ALL_IO, "unconditional I/O exiting", "the bitmaps decide"},
    {WORD_PROC, RULE_OFF, PROC_MONITOR_TRAP, "monitor trap flag", "nothing is stepped"},
    {WORD_PROC, RULE_OFF, PROC_PAUSE, "PAUSE exiting", exitless},
    {WORD_PROC, RULE_ONE, 0x04006172, "reserved", "default1"},

    {WORD_PROC2, RULE_ON, PROC2_WBINVD, "WBINVD exiting", "would stall everybody's caches"},
    {WORD_PROC2, RULE_USED, PROC2_VPID, "VPID", "keeps the TLB over exits"},
    {WORD_PROC2, RULE_USED, PROC2_RDTSCP, "RDTSCP", "else #UD, and hidden in CPUID"},
    {WORD_PROC2, RULE_USED, PROC2_INVPCID, "INVPCID", "else #UD, and hidden in CPUID"},
    {WORD_PROC2, RULE_USED, PROC2_XSAVES, "XSAVES", "else #UD, and hidden in CPUID"},
    {WORD_PROC2, RULE_USED, PROC2_ENCLS, "ENCLS exiting", "hidden: enclaves' memory is nobody's"},
    {WORD_PROC2, RULE_USED, PROC2_ENCLV, "ENCLV exiting", "hidden, with ENCLS"},
    {WORD_PROC2, RULE_OFF, PROC2_APIC_ACCESSES, "APIC-access page",
     "the second-level tables decide what of the APIC page is seen"},
    {WORD_PROC2, RULE_OFF, PROC2_DESCRIPTOR_TABLES, "descriptor-table exiting", exitless},
    {WORD_PROC2, RULE_OFF, PROC2_X2APIC, "virtual x2APIC", "the MSR bitmap decides"},
    {WORD_PROC2, RULE_OFF, PROC2_APIC_REGISTERS, "APIC-register virtualization",
     "the APIC is the physical one"},
    {WORD_PROC2, RULE_OFF, PROC2_INTERRUPT_DELIVERY, "virtual-interrupt delivery",
     "no interrupt is injected"},
    {WORD_PROC2, RULE_OFF, PROC2_PAUSE_LOOP, "PAUSE-loop exiting", "nothing is scheduled"},
    {WORD_PROC2, RULE_OFF, PROC2_RDRAND, "RDRAND exiting", exitless},
    {WORD_PROC2, RULE_OFF, PROC2_RDSEED, "RDSEED exiting", exitless},
    {WORD_PROC2, RULE_OFF, PROC2_VM_FUNCTIONS, "VM functions", "off means #UD"},
    {WORD_PROC2, RULE_OFF, PROC2_VMCS_SHADOWING, "VMCS shadowing", "VMREAD and VMWRITE exit"},
    {WORD_PROC2, RULE_OFF, PROC2_PML, "page-modification logging", "nothing is migrated"},
    {WORD_PROC2, RULE_OFF, PROC2_EPT_VE, "EPT-violation #VE", "the hypervisor sees them"},
    {WORD_PROC2, RULE_OFF, PROC2_CONCEAL_PT, "concealing VMX from processor trace", no_trace},
    {WORD_PROC2, RULE_OFF, PROC2_PASID, "PASID translation", "IA32_PASID is denied"},
    {WORD_PROC2, RULE_OFF, PROC2_MODE_EXECUTE, "mode-based execute control",
     "all of a guest's memory is executable for it"},
    {WORD_PROC2, RULE_OFF, PROC2_SUB_PAGE, "sub-page write permissions",
     "pages are a guest's or not"},
    {WORD_PROC2, RULE_OFF, PROC2_PT_GUEST_PHYSICAL, "processor trace to guest memory", no_trace},
    {WORD_PROC2, RULE_OFF, PROC2_TSC_SCALING, "TSC scaling", "the guest reads the TSC"},
    {WORD_PROC2, RULE_OFF, PROC2_USER_WAIT, "user wait and pause", "hidden; off means #UD"},
    {WORD_PROC2, RULE_OFF, PROC2_PCONFIG, "PCONFIG", "hidden; off means #UD"},
    {WORD_PROC2, RULE_OFF, PROC2_BUS_LOCK, "bus-lock detection",
     "not used: a bus lock slows every CPU, and only the newest processors find them"},
    {WORD_PROC2, RULE_OFF, PROC2_TIMEOUT, "instruction timeout",
     "#DB and #AC are intercepted; no other instruction goes on without end"},

    {WORD_EXIT, RULE_ON, EXIT_HOST_64BIT, "64-bit host", "that is what the hypervisor is"},
    {WORD_EXIT, RULE_ON, EXIT_SAVE_DEBUG, "saving debug controls", own},
    {WORD_EXIT, RULE_ON, EXIT_SAVE_PAT, "saving PAT", own},
    {WORD_EXIT, RULE_ON, EXIT_LOAD_PAT, "loading the host's PAT", "the hypervisor has its own"},
    {WORD_EXIT, RULE_ON, EXIT_SAVE_EFER, "saving EFER", "LMA follows the guest's CR0.PG"},
    {WORD_EXIT, RULE_ON, EXIT_LOAD_EFER, "loading the host's EFER", "the hypervisor has its own"},
    {WORD_EXIT, RULE_OFF, EXIT_ACK_INTERRUPT, "acknowledging interrupts", "no exit has one"},
    {WORD_EXIT, RULE_OFF, EXIT_LOAD_PERF_GLOBAL, "loading PERF_GLOBAL_CTRL", "counters are off"},
    {WORD_EXIT, RULE_MAY, EXIT_SAVE_PREEMPTION, "saving the preemption timer",
     "on with it: other exits don't start it over"},
    {WORD_EXIT, RULE_OFF, EXIT_CLEAR_BNDCFGS, "clearing BNDCFGS", "MPX is hidden"},
    {WORD_EXIT, RULE_ONE, 0x00036dfb, "reserved", "default1"},

    {WORD_ENTRY, RULE_ON, ENTRY_LOAD_DEBUG, "loading debug controls", own},
    {WORD_ENTRY, RULE_ON, ENTRY_LOAD_PAT, "loading PAT", own},
    {WORD_ENTRY, RULE_ON, ENTRY_LOAD_EFER, "loading EFER", own},
    {WORD_ENTRY, RULE_FREE, ENTRY_IA32E_GUEST, "IA-32e mode guest",
     "follows EFER.LMA; the processor writes it at exits"},
    {WORD_ENTRY, RULE_OFF, ENTRY_TO_SMM, "entry to SMM", "the firmware's"},
    {WORD_ENTRY, RULE_OFF, ENTRY_NO_DUAL_MONITOR, "deactivating dual-monitor treatment",
     "the firmware's"},
    {WORD_ENTRY, RULE_OFF, ENTRY_LOAD_PERF_GLOBAL, "loading PERF_GLOBAL_CTRL", "counters are off"},
    {WORD_ENTRY, RULE_OFF, ENTRY_LOAD_BNDCFGS, "loading BNDCFGS", "MPX is hidden"},
    {WORD_ENTRY, RULE_ONE, 0x000011fb, "reserved", "default1"},
};

static const char *const word_names[WORD_COUNT] = {
    [WORD_PIN] = "pin-based",
    [WORD_PROC] = "processor-based",
    [WORD_PROC2] = "second processor-based",
    [WORD_EXIT] = "VM-exit",
    [WORD_ENTRY] = "VM-entry",
};

// Features that this processor's EPT must have.
struct ept_need {
    uint64_t mask;
    const char *name;
};

static const struct ept_need ept_needs[] = {
    {EPT_CAP_WALK_4, "EPT of 4 levels"},
    {EPT_CAP_WRITE_BACK, "EPT tables in write-back memory"},
    {EPT_CAP_INVEPT, "INVEPT"},
    {EPT_CAP_INVEPT_ALL, "INVEPT of all contexts"},
};

const struct vmx_control_rule *vmx_control_rules(unsigned *count)
{
    *count = ARRAY_SIZE(rules);
    return rules;
}

bool vmx_locked_off(uint64_t feature_control)
{
    return (feature_control & FEATURE_CONTROL_LOCK) != 0 &&
           (feature_control & FEATURE_CONTROL_VMX_OUTSIDE) == 0;
}

// Collects the message's text.
struct complaint {
    char *text;
    size_t size;
    size_t used;
    bool any;
};

static void complain(struct complaint *c, const char *what, const char *name)
{
    if (c->used < c->size) {
        c->used +=
            format(c->text + c->used, c->size - c->used, "%s%s%s", c->any ? ", " : "", what, name);
    }
    c->any = true;
}

static void apply(const struct vmx_control_rule *r, const struct vmx_capabilities *c,
                  struct vmx_controls *out, struct complaint *complaint)
{
    uint32_t mask = (uint32_t)r->mask;
    bool forced = ((uint32_t)c->word[r->word] & mask) != 0;
    bool possible = ((uint32_t)(c->word[r->word] >> 32) & mask) != 0;
    switch (r->kind) {
    case RULE_ON:
        if (!possible) {
            complain(complaint, "no ", r->name);
        }
        out->word[r->word] |= mask;
        break;
    case RULE_USED:
        out->word[r->word] |= possible ? mask : 0;
        break;
    case RULE_OFF:
    case RULE_MAY:
        if (forced) {
            complain(complaint, "no way to turn off ", r->name);
        }
        break;
    case RULE_FREE:
        if (forced || !possible) {
            complain(complaint, "no choice of ", r->name);
        }
        break;
    case RULE_ONE:
        out->word[r->word] |= (uint32_t)c->word[r->word] & mask;
        break;
    }
}

// A bit that this processor requires to be set, but that has no row, could mean anything.
static void check_unknown(const struct vmx_capabilities *c, enum vmx_word word,
                          struct complaint *complaint)
{
    uint32_t known = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        known |= rules[i].word == word ? (uint32_t)rules[i].mask : 0;
    }
    uint32_t unknown = (uint32_t)c->word[word] & ~known;
    for (; unknown != 0; unknown &= unknown - 1) {
        char name[64];
        format(name, sizeof(name), "%s control bit %d", word_names[word], __builtin_ctz(unknown));
        complain(complaint, "no way to turn off ", name);
    }
}

static void check_ept(const struct vmx_capabilities *c, struct complaint *complaint)
{
    if ((c->word[WORD_PROC2] >> 32 & PROC2_EPT) == 0) {
        return; // already in the message
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ept_needs); i++) {
        if ((c->ept_vpid & ept_needs[i].mask) == 0) {
            complain(complaint, "no ", ept_needs[i].name);
        }
    }
}

enum status vmx_controls_decide(const struct vmx_capabilities *c, struct vmx_controls *out,
                                char *why, size_t size)
{
    static const char intro[] = "this processor's VT-x lacks what Bulkhead needs: ";
    struct complaint complaint = {.text = why, .size = size};
    complaint.used = format(why, size, "%s", intro);
    *out = (struct vmx_controls){0};
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        apply(&rules[i], c, out, &complaint);
    }
    for (enum vmx_word word = 0; word < WORD_COUNT; word++) {
        check_unknown(c, word, &complaint);
    }
    check_ept(c, &complaint);
    if (VMX_BASIC_TYPE(c->basic) != VMX_MEMORY_WRITE_BACK || (c->basic & VMX_BASIC_32BIT_ADDRESS)) {
        complain(&complaint, "no ", "VMCS anywhere in write-back memory");
    }
    if (complaint.any) {
        if (complaint.used < size) {
            format(why + complaint.used, size - complaint.used, "; use a newer one");
        }
        return ERR_UNSUPPORTED;
    }
    uint64_t flush_vpid = EPT_CAP_INVVPID | EPT_CAP_INVVPID_ALL;
    if ((c->ept_vpid & flush_vpid) != flush_vpid) {
        out->word[WORD_PROC2] &= ~(uint32_t)PROC2_VPID; // VPID could not be flushed
    }
    out->vpid = (out->word[WORD_PROC2] & PROC2_VPID) != 0;
    out->preemption = (c->word[WORD_PIN] >> 32 & PIN_PREEMPTION_TIMER) != 0 &&
                      (c->word[WORD_EXIT] >> 32 & EXIT_SAVE_PREEMPTION) != 0;
    out->ept_2m = (c->ept_vpid & EPT_CAP_2M) != 0;
    out->ept_1g = (c->ept_vpid & EPT_CAP_1G) != 0;
    out->ept_accessed_dirty = (c->ept_vpid & EPT_CAP_ACCESSED_DIRTY) != 0;
    return STATUS_OK;
}

bool vmx_controls_differ(const struct vmx_controls *c, const struct vmx_controls *first, char *text,
                         size_t size)
{
    struct complaint complaint = {.text = text, .size = size};
    for (enum vmx_word w = 0; w < WORD_COUNT; w++) {
        char name[64];
        if (c->word[w] != first->word[w]) {
            format(name, sizeof(name), "%s controls 0x%x, not 0x%x", word_names[w], c->word[w],
                   first->word[w]);
            complain(&complaint, "", name);
        }
    }
    if (c->vpid != first->vpid) {
        complain(&complaint, "VPID", "");
    }
    if (c->preemption != first->preemption) {
        complain(&complaint, "the preemption timer", "");
    }
    if (c->ept_1g != first->ept_1g || c->ept_2m != first->ept_2m ||
        c->ept_accessed_dirty != first->ept_accessed_dirty) {
        complain(&complaint, "EPT", "");
    }
    return complaint.any;
}
