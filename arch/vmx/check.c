// SPDX-License-Identifier: Apache-2.0
// The manual's checks on the guest state, in its order (SDM volume 3, 27.3.1.1 to 27.3.1.6). They
// assume entry with "unrestricted guest", "virtual NMIs" and the controls that load PAT, EFER and
// the debug registers.
#include "arch/vmx/check.h"

#include "arch/cpu/register_bits.h"

#define RFLAGS_RESERVED_ZERO (~0ull << 22 | BIT(15) | BIT(5) | BIT(3))

#define EFER_LME_BIT   BIT(8)
#define EFER_LMA_BIT   BIT(10)
#define EFER_KNOWN     (BIT(0) | EFER_LME_BIT | EFER_LMA_BIT | BIT(11))
#define DEBUGCTL_KNOWN 0xffc3ull
#define DEBUGCTL_BTF   BIT(1)

#define SELECTOR_TI BIT(2)
#define RIGHTS_V86  0xf3u

#define SEGMENT_TYPE_CODE     8u
#define SEGMENT_TYPE_READABLE 2u
#define SEGMENT_TYPE_ACCESSED 1u
#define SEGMENT_TYPE_LDT      2u
#define SEGMENT_TYPE_TSS16    3u
#define SEGMENT_TYPE_TSS32    11u

// Returns the name of a check that fails, and stores the value that it tested.
#define REQUIRE(condition, name, what)                                                             \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            *value = (what);                                                                       \
            return (name);                                                                         \
        }                                                                                          \
    } while (0)

// The same for a function that returns the name of the failed check.
#define REQUIRE_ALL(check)                                                                         \
    do {                                                                                           \
        const char *failed_ = (check);                                                             \
        if (failed_ != NULL) {                                                                     \
            return failed_;                                                                        \
        }                                                                                          \
    } while (0)

static bool canonical(uint64_t address)
{
    return (int64_t)(address << 16) >> 16 == (int64_t)address;
}

static bool ia32e(const struct vmx_guest_state *s)
{
    return (s->entry_controls & ENTRY_IA32E_GUEST) != 0;
}

static bool v86(const struct vmx_guest_state *s)
{
    return (s->rflags & RFLAGS_VM) != 0;
}

static const char *check_control_registers(const struct vmx_guest_state *s,
                                           const struct vmx_limits *l, uint64_t *value)
{
    uint64_t cr0_fixed0 = l->cr0_fixed0 & ~(CR0_PE | CR0_PG);
    REQUIRE((s->cr0 & cr0_fixed0) == cr0_fixed0, "CR0: a bit that VT-x demands is clear", s->cr0);
    REQUIRE((s->cr0 & ~l->cr0_fixed1) == 0, "CR0: a bit that VT-x forbids is set", s->cr0);
    REQUIRE((s->cr0 & CR0_PG) == 0 || (s->cr0 & CR0_PE) != 0, "CR0: PG without PE", s->cr0);
    REQUIRE((s->cr4 & l->cr4_fixed0) == l->cr4_fixed0, "CR4: a bit that VT-x demands is clear",
            s->cr4);
    REQUIRE((s->cr4 & ~l->cr4_fixed1) == 0, "CR4: a bit that this processor forbids is set",
            s->cr4);
    REQUIRE((s->debugctl & ~DEBUGCTL_KNOWN) == 0, "IA32_DEBUGCTL: reserved bit", s->debugctl);
    if (ia32e(s)) {
        REQUIRE((s->cr0 & CR0_PG) != 0, "IA-32e mode without CR0.PG", s->cr0);
        REQUIRE((s->cr4 & CR4_PAE) != 0, "IA-32e mode without CR4.PAE", s->cr4);
    } else {
        REQUIRE((s->cr4 & CR4_PCIDE) == 0, "CR4.PCIDE outside IA-32e mode", s->cr4);
    }
    REQUIRE(s->cr3 >> l->phys_bits == 0, "CR3: beyond the physical address width", s->cr3);
    REQUIRE(s->dr7 >> 32 == 0, "DR7: upper half", s->dr7);
    return NULL;
}

static const char *check_msrs(const struct vmx_guest_state *s, uint64_t *value)
{
    REQUIRE(canonical(s->sysenter_esp), "IA32_SYSENTER_ESP: not canonical", s->sysenter_esp);
    REQUIRE(canonical(s->sysenter_eip), "IA32_SYSENTER_EIP: not canonical", s->sysenter_eip);
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t type = s->pat >> i & 0xff;
        REQUIRE(type <= 7 && type != 2 && type != 3, "IA32_PAT: reserved memory type", s->pat);
    }
    REQUIRE((s->efer & ~EFER_KNOWN) == 0, "IA32_EFER: reserved bit", s->efer);
    bool lma = (s->efer & EFER_LMA_BIT) != 0;
    bool lme = (s->efer & EFER_LME_BIT) != 0;
    REQUIRE(lma == ia32e(s), "IA32_EFER.LMA: not as the entry control IA-32e mode", s->efer);
    REQUIRE((s->cr0 & CR0_PG) == 0 || lma == lme, "IA32_EFER: LME and LMA differ with paging on",
            s->efer);
    return NULL;
}

// ---- segments ------------------------------------------------------------------------------

static bool usable(const struct vmx_segment_state *g)
{
    return (g->rights & RIGHTS_UNUSABLE) == 0;
}

static const char *check_bases(const struct vmx_guest_state *s, uint64_t *value)
{
    const struct vmx_segment_state *g = s->segment;
    REQUIRE((g[VMCS_TR].selector & SELECTOR_TI) == 0, "TR: selector of an LDT",
            g[VMCS_TR].selector);
    REQUIRE(!usable(&g[VMCS_LDTR]) || (g[VMCS_LDTR].selector & SELECTOR_TI) == 0,
            "LDTR: selector of an LDT", g[VMCS_LDTR].selector);
    REQUIRE(canonical(g[VMCS_TR].base), "TR: base not canonical", g[VMCS_TR].base);
    REQUIRE(canonical(g[VMCS_FS].base), "FS: base not canonical", g[VMCS_FS].base);
    REQUIRE(canonical(g[VMCS_GS].base), "GS: base not canonical", g[VMCS_GS].base);
    REQUIRE(!usable(&g[VMCS_LDTR]) || canonical(g[VMCS_LDTR].base), "LDTR: base not canonical",
            g[VMCS_LDTR].base);
    REQUIRE(g[VMCS_CS].base >> 32 == 0, "CS: base above 4 GiB", g[VMCS_CS].base);
    for (enum vmcs_segment i = VMCS_ES; i <= VMCS_DS; i++) {
        REQUIRE(!usable(&g[i]) || g[i].base >> 32 == 0, "SS, DS or ES: base above 4 GiB",
                g[i].base);
    }
    return NULL;
}

static const char *check_v86_segment(const struct vmx_segment_state *g, uint64_t *value)
{
    REQUIRE(g->base == (uint64_t)g->selector << 4, "virtual-8086: base is not selector * 16",
            g->base);
    REQUIRE(g->limit == 0xffff, "virtual-8086: limit is not 0xffff", g->limit);
    REQUIRE(g->rights == RIGHTS_V86, "virtual-8086: access rights are not 0xf3", g->rights);
    return NULL;
}

// The limit must be one that a descriptor can express.
static bool granularity_fits(const struct vmx_segment_state *g)
{
    bool pages = (g->rights & RIGHTS_GRANULARITY) != 0;
    return pages ? (g->limit & 0xfff) == 0xfff : g->limit >> 20 == 0;
}

static const char *check_cs(const struct vmx_guest_state *s, uint64_t *value)
{
    const struct vmx_segment_state *cs = &s->segment[VMCS_CS];
    unsigned ss_dpl = RIGHTS_DPL(s->segment[VMCS_SS].rights);
    unsigned dpl = RIGHTS_DPL(cs->rights);
    unsigned type = RIGHTS_TYPE(cs->rights);
    REQUIRE(usable(cs), "CS: unusable", cs->rights);
    REQUIRE(type == 3 || ((type & SEGMENT_TYPE_CODE) && (type & SEGMENT_TYPE_ACCESSED)), "CS: type",
            cs->rights);
    if (type == 3) {
        REQUIRE(dpl == 0, "CS: a data segment with DPL above 0", cs->rights);
    } else if (type < 13) {
        REQUIRE(dpl == ss_dpl, "CS: DPL is not that of SS", cs->rights);
    } else {
        REQUIRE(dpl <= ss_dpl, "CS: conforming, DPL above that of SS", cs->rights);
    }
    if (ia32e(s) && (cs->rights & RIGHTS_LONG)) {
        REQUIRE((cs->rights & RIGHTS_BIG) == 0, "CS: both L and D", cs->rights);
    }
    return NULL;
}

static const char *check_segment_types(const struct vmx_guest_state *s, uint64_t *value)
{
    REQUIRE_ALL(check_cs(s, value));
    const struct vmx_segment_state *ss = &s->segment[VMCS_SS];
    unsigned ss_type = RIGHTS_TYPE(ss->rights);
    REQUIRE(!usable(ss) || ss_type == 3 || ss_type == 7, "SS: type", ss->rights);
    if (RIGHTS_TYPE(s->segment[VMCS_CS].rights) == 3 || (s->cr0 & CR0_PE) == 0) {
        REQUIRE(RIGHTS_DPL(ss->rights) == 0, "SS: DPL above 0 in real mode", ss->rights);
    }
    for (enum vmcs_segment i = VMCS_ES; i <= VMCS_GS; i++) {
        const struct vmx_segment_state *g = &s->segment[i];
        if (!usable(g)) {
            continue;
        }
        unsigned type = RIGHTS_TYPE(g->rights);
        if (i != VMCS_CS && i != VMCS_SS) {
            REQUIRE((type & SEGMENT_TYPE_ACCESSED) != 0, "DS, ES, FS or GS: not accessed",
                    g->rights);
            REQUIRE((type & SEGMENT_TYPE_CODE) == 0 || (type & SEGMENT_TYPE_READABLE) != 0,
                    "DS, ES, FS or GS: code that can't be read", g->rights);
        }
        REQUIRE((g->rights & RIGHTS_NOT_SYSTEM) != 0, "segment: a system descriptor", g->rights);
        REQUIRE((g->rights & RIGHTS_PRESENT) != 0, "segment: not present", g->rights);
        REQUIRE((g->rights & RIGHTS_RESERVED) == 0, "segment: reserved rights", g->rights);
        REQUIRE(granularity_fits(g), "segment: limit against granularity", g->limit);
    }
    return NULL;
}

static const char *check_system_segments(const struct vmx_guest_state *s, uint64_t *value)
{
    const struct vmx_segment_state *tr = &s->segment[VMCS_TR];
    unsigned type = RIGHTS_TYPE(tr->rights);
    REQUIRE(usable(tr), "TR: unusable", tr->rights);
    REQUIRE(type == SEGMENT_TYPE_TSS32 || (type == SEGMENT_TYPE_TSS16 && !ia32e(s)),
            "TR: type is not that of a busy TSS", tr->rights);
    REQUIRE((tr->rights & RIGHTS_NOT_SYSTEM) == 0, "TR: not a system descriptor", tr->rights);
    REQUIRE((tr->rights & RIGHTS_PRESENT) != 0, "TR: not present", tr->rights);
    REQUIRE((tr->rights & RIGHTS_RESERVED) == 0, "TR: reserved rights", tr->rights);
    REQUIRE(granularity_fits(tr), "TR: limit against granularity", tr->limit);
    const struct vmx_segment_state *ldtr = &s->segment[VMCS_LDTR];
    if (usable(ldtr)) {
        REQUIRE(RIGHTS_TYPE(ldtr->rights) == SEGMENT_TYPE_LDT, "LDTR: type", ldtr->rights);
        REQUIRE((ldtr->rights & RIGHTS_NOT_SYSTEM) == 0, "LDTR: not a system descriptor",
                ldtr->rights);
        REQUIRE((ldtr->rights & RIGHTS_PRESENT) != 0, "LDTR: not present", ldtr->rights);
        REQUIRE((ldtr->rights & RIGHTS_RESERVED) == 0, "LDTR: reserved rights", ldtr->rights);
        REQUIRE(granularity_fits(ldtr), "LDTR: limit against granularity", ldtr->limit);
    }
    REQUIRE(canonical(s->gdtr_base), "GDTR: base not canonical", s->gdtr_base);
    REQUIRE(canonical(s->idtr_base), "IDTR: base not canonical", s->idtr_base);
    REQUIRE(s->gdtr_limit <= 0xffff, "GDTR: limit", s->gdtr_limit);
    REQUIRE(s->idtr_limit <= 0xffff, "IDTR: limit", s->idtr_limit);
    return NULL;
}

static const char *check_segments(const struct vmx_guest_state *s, uint64_t *value)
{
    REQUIRE_ALL(check_bases(s, value));
    if (v86(s)) {
        for (enum vmcs_segment i = VMCS_ES; i <= VMCS_GS; i++) {
            REQUIRE_ALL(check_v86_segment(&s->segment[i], value));
        }
    } else {
        REQUIRE_ALL(check_segment_types(s, value));
    }
    return check_system_segments(s, value);
}

// ---- where the guest continues --------------------------------------------------------------

static bool event_is(const struct vmx_guest_state *s, unsigned type)
{
    return (s->entry_event & EVENT_VALID) != 0 && EVENT_TYPE(s->entry_event) == type;
}

static const char *check_rip(const struct vmx_guest_state *s, uint64_t *value)
{
    bool long64 = ia32e(s) && (s->segment[VMCS_CS].rights & RIGHTS_LONG) != 0;
    REQUIRE(long64 || s->rip >> 32 == 0, "RIP: above 4 GiB outside 64-bit mode", s->rip);
    REQUIRE(!long64 || canonical(s->rip), "RIP: not canonical", s->rip);
    REQUIRE((s->rflags & RFLAGS_RESERVED_ZERO) == 0, "RFLAGS: reserved bit set", s->rflags);
    REQUIRE((s->rflags & RFLAGS_FIXED) != 0, "RFLAGS: bit 1 clear", s->rflags);
    REQUIRE(!v86(s) || (!ia32e(s) && (s->cr0 & CR0_PE) != 0), "RFLAGS.VM: in IA-32e or real mode",
            s->rflags);
    REQUIRE(!event_is(s, EVENT_TYPE_EXTERNAL) || (s->rflags & RFLAGS_IF) != 0,
            "RFLAGS.IF: clear, with an interrupt to inject", s->rflags);
    return NULL;
}

// A halted processor accepts only events that wake it.
static bool wakes(const struct vmx_guest_state *s)
{
    unsigned vector = EVENT_VECTOR(s->entry_event);
    return event_is(s, EVENT_TYPE_EXTERNAL) || event_is(s, EVENT_TYPE_NMI) ||
           (event_is(s, EVENT_TYPE_EXCEPTION) && (vector == 1 || vector == 18));
}

static const char *check_activity(const struct vmx_guest_state *s, uint64_t *value)
{
    uint32_t blocked = s->interruptibility;
    REQUIRE(s->activity <= ACTIVITY_WAIT_SIPI, "activity state: unknown", s->activity);
    REQUIRE(s->activity != ACTIVITY_HLT || RIGHTS_DPL(s->segment[VMCS_SS].rights) == 0,
            "activity state: halted, not in ring 0", s->segment[VMCS_SS].rights);
    REQUIRE(s->activity == ACTIVITY_ACTIVE || (blocked & BLOCKED_BY_SHADOW) == 0,
            "activity state: not active, in the shadow of STI or MOV SS", s->activity);
    REQUIRE(s->activity != ACTIVITY_HLT || (s->entry_event & EVENT_VALID) == 0 || wakes(s),
            "activity state: halted, with an event that does not wake", s->entry_event);
    REQUIRE((blocked & BLOCKED_RESERVED) == 0, "interruptibility: reserved bit", blocked);
    REQUIRE((blocked & BLOCKED_BY_SHADOW) != BLOCKED_BY_SHADOW,
            "interruptibility: blocked by both STI and MOV SS", blocked);
    REQUIRE((blocked & BLOCKED_BY_STI) == 0 || (s->rflags & RFLAGS_IF) != 0,
            "interruptibility: blocked by STI with IF clear", blocked);
    REQUIRE(!event_is(s, EVENT_TYPE_EXTERNAL) || (blocked & BLOCKED_BY_SHADOW) == 0,
            "interruptibility: an interrupt in the shadow of STI or MOV SS", blocked);
    REQUIRE(!event_is(s, EVENT_TYPE_NMI) || (blocked & (BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI)) == 0,
            "interruptibility: an NMI while NMIs are blocked", blocked);
    REQUIRE((blocked & BLOCKED_BY_SMI) == 0, "interruptibility: blocked by SMI", blocked);
    return NULL;
}

static const char *check_pending_debug(const struct vmx_guest_state *s, uint64_t *value)
{
    REQUIRE((s->pending_debug & PENDING_DEBUG_RESERVED) == 0,
            "pending debug exceptions: reserved bit", s->pending_debug);
    if ((s->interruptibility & BLOCKED_BY_SHADOW) == 0 && s->activity != ACTIVITY_HLT) {
        return NULL;
    }
    bool stepping = (s->rflags & RFLAGS_TF) != 0 && (s->debugctl & DEBUGCTL_BTF) == 0;
    bool pending = (s->pending_debug & DR6_BS) != 0;
    REQUIRE(stepping == pending, "pending debug exceptions: BS is not as RFLAGS.TF wants",
            s->pending_debug);
    return NULL;
}

static const char *check_pdptes(const struct vmx_guest_state *s, const struct vmx_limits *l,
                                uint64_t *value)
{
    if ((s->cr0 & CR0_PG) == 0 || (s->cr4 & CR4_PAE) == 0 || ia32e(s)) {
        return NULL;
    }
    for (unsigned i = 0; i < 4; i++) {
        bool bad = (s->pdpte[i] & 0x1e6) != 0 || s->pdpte[i] >> l->phys_bits != 0;
        REQUIRE((s->pdpte[i] & 1) == 0 || !bad, "PDPTE: reserved bit", s->pdpte[i]);
    }
    return NULL;
}

const char *vmx_check_guest(const struct vmx_guest_state *s, const struct vmx_limits *limits,
                            uint64_t *value)
{
    REQUIRE_ALL(check_control_registers(s, limits, value));
    REQUIRE_ALL(check_msrs(s, value));
    REQUIRE_ALL(check_segments(s, value));
    REQUIRE_ALL(check_rip(s, value));
    REQUIRE_ALL(check_activity(s, value));
    REQUIRE_ALL(check_pending_debug(s, value));
    REQUIRE(s->link_pointer == ~0ull, "VMCS link pointer: not all ones", s->link_pointer);
    return check_pdptes(s, limits, value);
}

const char *vmx_instruction_error(uint32_t error)
{
    static const char *const names[] = {
        [2] = "VMCLEAR with an invalid address",
        [3] = "VMCLEAR of the VMXON region",
        [4] = "VMLAUNCH of a VMCS that is not clear",
        [5] = "VMRESUME of a VMCS that was not launched",
        [6] = "VMRESUME after VMXOFF",
        [7] = "entry with invalid control fields",
        [8] = "entry with invalid host state",
        [9] = "VMPTRLD with an invalid address",
        [10] = "VMPTRLD of the VMXON region",
        [11] = "VMPTRLD of another revision",
        [12] = "access to a VMCS field that does not exist",
        [13] = "write to a read-only VMCS field",
        [15] = "VMXON in VMX operation",
        [26] = "entry with events blocked by MOV SS",
    };
    return error < ARRAY_SIZE(names) && names[error] != NULL ? names[error] : "unknown error";
}
