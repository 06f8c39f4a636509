// SPDX-License-Identifier: Apache-2.0
// The virtual local APIC: register accesses of both modes by the rules of vapic_rules.c, the modes
// of IA32_APIC_BASE, and reset. All values are cut to the rule's valid bits first, so no write can
// cause #GP in the physical APIC's x2APIC mode.
#include "hv/interrupt/vapic.h"

#include "arch/cpu/msr.h"

static const uint16_t lvts[] = {APIC_LVT_TIMER, APIC_LVT_THERMAL, APIC_LVT_PERF,
                                APIC_LVT_LINT0, APIC_LVT_LINT1,   APIC_LVT_ERROR};

static struct icr_target *target_of(struct vapic *v)
{
    return &v->topology->vcpu[v->id];
}

// CPUs that send interrupts read these words; see struct icr_target.
static void publish(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static bool software_enabled(struct vapic *v)
{
    return target_of(v)->enabled != 0;
}

static enum vapic_action refuse(struct vapic *v, enum vapic_action action, const char *reason)
{
    v->reason = reason;
    return action;
}

// ---- registers that are checked or shadowed --------------------------------------------------

// Whether the physical APIC has this LVT entry. Older APICs lack the thermal entry, or thermal and
// perf.
static bool lvt_exists(unsigned offset)
{
    unsigned last = (apic_read(APIC_VERSION) & APIC_VERSION_MAXLVT) >> APIC_VERSION_MAXLVT_POS;
    return (offset != APIC_LVT_PERF || last >= 4) && (offset != APIC_LVT_THERMAL || last >= 5);
}

static uint32_t read_version(void)
{
    uint32_t version = apic_read(APIC_VERSION);
    uint32_t last = (version & APIC_VERSION_MAXLVT) >> APIC_VERSION_MAXLVT_POS;
    // The guest has no CMCI entry (there are no machine-check banks), no extended registers (their
    // LVTs could raise SMIs), and no EOI-broadcast suppression (its SVR bit is reserved for
    // guests).
    last = last > 5 ? 5 : last;
    return (version & APIC_VERSION_NUMBER) | last << APIC_VERSION_MAXLVT_POS;
}

// Whether a physical LVT entry is kept masked, with its value in the shadow.
static bool is_held(const struct vapic *v, unsigned slot)
{
    return (v->held_mask >> slot & 1) != 0;
}

static unsigned slot_of(unsigned offset)
{
    return (offset - APIC_LVT_THERMAL) / APIC_REGISTER_STEP;
}

static uint32_t read_lvt(const struct vapic *v, unsigned offset)
{
    unsigned slot = slot_of(offset);
    if (is_held(v, slot)) {
        return v->held[slot];
    }
    return lvt_exists(offset) ? apic_read(offset) : 0;
}

// Writes an LVT that has a delivery mode. SMI and INIT would bypass the hypervisor, ExtINT would
// request a vector from the physical 8259. For these modes the physical entry stays masked, and the
// guest reads what it wrote.
static enum vapic_action write_lvt(struct vapic *v, unsigned offset, uint32_t value)
{
    unsigned slot = slot_of(offset);
    uint32_t mode = value & APIC_LVT_MODE;
    value &= ~(APIC_LVT_STATUS | APIC_LVT_REMOTE_IRR);
    if (!software_enabled(v)) {
        // SDM vol. 3, "Local APIC State After It Has Been Software Disabled".
        value |= APIC_LVT_MASKED;
    }
    if (!lvt_exists(offset)) {
        return v->mode == APIC_X2APIC ? refuse(v, VAPIC_FAULT, "the CPU has no such LVT entry")
                                      : VAPIC_DONE;
    }
    if (mode == APIC_LVT_MODE_FIXED || mode == APIC_LVT_MODE_NMI) {
        v->held_mask &= ~(1u << slot);
        apic_write(offset, value);
        return VAPIC_DONE;
    }
    v->held[slot] = value;
    v->held_mask |= 1u << slot;
    if (mode == APIC_LVT_MODE_EXT) {
        // Usual for a boot processor's LINT0. The mode is written too, so that no vector is
        // illegal.
        apic_write(offset, APIC_LVT_MASKED | APIC_LVT_MODE_EXT);
        return vapic_takes_extint(v) ? VAPIC_EXTINT : VAPIC_DONE;
    }
    apic_write(offset, APIC_LVT_MASKED);
    if ((value & APIC_LVT_MASKED) != 0) {
        return VAPIC_DONE;
    }
    return refuse(v, VAPIC_REFUSED, "LVT with delivery mode SMI, INIT or reserved is kept masked");
}

bool vapic_takes_extint(const struct vapic *v)
{
    unsigned slot = slot_of(APIC_LVT_LINT0);
    uint32_t lint0 = v->held[slot] & (APIC_LVT_MODE | APIC_LVT_MASKED);
    return v->mode == APIC_DISABLED || (is_held(v, slot) && lint0 == APIC_LVT_MODE_EXT);
}

static void write_timer(struct vapic *v, uint32_t value)
{
    value &= ~APIC_LVT_STATUS;
    if (!v->tsc_deadline || (value & APIC_LVT_PERIODIC) != 0) {
        value &= ~APIC_LVT_DEADLINE; // setting both bits is reserved
    }
    if (!software_enabled(v)) {
        value |= APIC_LVT_MASKED;
    }
    apic_write(APIC_LVT_TIMER, value);
}

static void write_error(struct vapic *v, uint32_t value)
{
    value &= ~APIC_LVT_STATUS;
    apic_write(APIC_LVT_ERROR, software_enabled(v) ? value : value | APIC_LVT_MASKED);
}

// Software-disabling masks all LVTs, and enabling does not unmask them. The CPU does this for its
// own registers. It is done here for the shadows, and for emulators that don't do it.
static void write_svr(struct vapic *v, uint32_t value)
{
    bool enable = (value & APIC_SVR_ENABLE) != 0;
    apic_write(APIC_SVR, value & ~APIC_SVR_FOCUS);
    publish(&target_of(v)->enabled, enable);
    if (enable) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(lvts); i++) {
        if (lvt_exists(lvts[i])) {
            uint32_t lvt = apic_read(lvts[i]) & ~(APIC_LVT_STATUS | APIC_LVT_REMOTE_IRR);
            apic_write(lvts[i], lvt | APIC_LVT_MASKED);
        }
    }
    for (unsigned slot = 0; slot < VAPIC_HELD_LVTS; slot++) {
        v->held[slot] |= APIC_LVT_MASKED;
    }
}

static void write_ldr(struct vapic *v, uint32_t value)
{
    v->ldr = value;
    publish(&target_of(v)->ldr, value >> 24);
    if (!apic_is_x2apic()) {
        apic_write(APIC_LDR, value);
    }
}

static void write_dfr(struct vapic *v, uint32_t value)
{
    v->dfr = value | ~0xf0000000u;
    publish(&target_of(v)->cluster, v->dfr == APIC_DFR_CLUSTER);
    if (!apic_is_x2apic()) {
        apic_write(APIC_DFR, v->dfr);
    }
}

static void write_esr(struct vapic *v)
{
    apic_write(APIC_ESR, 0);
    v->esr = v->esr_pending;
    v->esr_pending = 0;
}

// Reports an error that the hypervisor found before the hardware could. It raises the error
// interrupt as the hardware does.
static enum vapic_action report_error(struct vapic *v, uint32_t error, struct icr_verdict *verdict)
{
    v->esr_pending |= error;
    uint32_t lvt = apic_read(APIC_LVT_ERROR);
    uint32_t vector = lvt & APIC_LVT_VECTOR;
    if ((lvt & APIC_LVT_MASKED) != 0 || vector < APIC_VECTOR_FIRST_LEGAL || !software_enabled(v)) {
        return VAPIC_DONE;
    }
    *verdict = (struct icr_verdict){.kind = ICR_FIXED, .vector = vector, .targets = BIT(v->id)};
    return VAPIC_IPI;
}

static enum vapic_action act_on(struct vapic *v, struct icr_verdict *verdict)
{
    switch (verdict->kind) {
    case ICR_FIXED:
    case ICR_NMI:
    case ICR_INIT:
    case ICR_SIPI:
        return VAPIC_IPI;
    case ICR_DENIED:
        return refuse(v, VAPIC_REFUSED, verdict->reason);
    case ICR_BAD_VECTOR:
        return report_error(v, APIC_ESR_SEND_VECTOR, verdict);
    case ICR_RESERVED:
        return refuse(v, VAPIC_FAULT, verdict->reason);
    default:
        return VAPIC_DONE;
    }
}

enum vapic_action vapic_icr_write(struct vapic *v, uint64_t value, struct icr_verdict *verdict)
{
    icr_check(v->topology, v->id, value, true, verdict);
    if (verdict->kind != ICR_RESERVED) {
        v->icr = value & ~APIC_ICR_BUSY;
    }
    return act_on(v, verdict);
}

static enum vapic_action write_icr_low(struct vapic *v, uint32_t value, struct icr_verdict *verdict)
{
    v->icr = (v->icr & ~0xffffffffull) | (value & (uint32_t)~APIC_ICR_BUSY);
    icr_check(v->topology, v->id, v->icr, false, verdict);
    return act_on(v, verdict);
}

// ---- register accesses of either mode ---------------------------------------------------------

static uint64_t read_own(const struct vapic *v, unsigned offset)
{
    bool x2apic = v->mode == APIC_X2APIC;
    switch (offset) {
    case APIC_ID:
        return x2apic ? v->id : v->id << 24;
    case APIC_VERSION:
        return read_version();
    case APIC_LDR:
        return x2apic ? (v->id >> 4) << 16 | 1u << (v->id & 15) : v->ldr;
    case APIC_DFR:
        return v->dfr;
    case APIC_ESR:
        return apic_read(APIC_ESR) | v->esr;
    case APIC_ICR_LOW:
        return x2apic ? v->icr : (uint32_t)v->icr;
    case APIC_ICR_HIGH:
        return v->icr >> 32;
    case APIC_LVT_THERMAL:
    case APIC_LVT_PERF:
    case APIC_LVT_LINT0:
    case APIC_LVT_LINT1:
        return read_lvt(v, offset);
    default: // arbitration priority, remote read: unused since the Pentium 4
        return 0;
    }
}

// `value` has only valid bits.
static enum vapic_action write_own(struct vapic *v, unsigned offset, uint32_t value,
                                   struct icr_verdict *verdict)
{
    switch (offset) {
    case APIC_LDR:
        write_ldr(v, value);
        return VAPIC_DONE;
    case APIC_DFR:
        write_dfr(v, value);
        return VAPIC_DONE;
    case APIC_SVR:
        write_svr(v, value);
        return VAPIC_DONE;
    case APIC_ESR:
        write_esr(v);
        return VAPIC_DONE;
    case APIC_ICR_LOW:
        return write_icr_low(v, value, verdict);
    case APIC_ICR_HIGH:
        v->icr = (uint64_t)value << 32 | (uint32_t)v->icr;
        return VAPIC_DONE;
    case APIC_LVT_ERROR:
        write_error(v, value);
        return VAPIC_DONE;
    case APIC_LVT_THERMAL:
    case APIC_LVT_PERF:
    case APIC_LVT_LINT0:
    case APIC_LVT_LINT1:
        return write_lvt(v, offset, value);
    default:
        return VAPIC_DONE;
    }
}

static enum vapic_action write_register(struct vapic *v, unsigned offset, uint8_t access,
                                        uint32_t value, struct icr_verdict *verdict)
{
    if (access != APIC_PASS) {
        return write_own(v, offset, value, verdict);
    }
    if (offset == APIC_LVT_TIMER) {
        write_timer(v, value);
    } else {
        apic_write(offset, value);
    }
    return VAPIC_DONE;
}

uint32_t vapic_mmio_read(struct vapic *v, unsigned offset)
{
    if (v->mode != APIC_XAPIC) {
        return ~0u;
    }
    if (offset % APIC_REGISTER_STEP != 0) {
        return 0;
    }
    const struct apic_reg_rule *rule = vapic_rule(offset);
    if ((rule->modes & 1u << APIC_XAPIC) == 0) {
        v->esr_pending |= APIC_ESR_REGISTER;
        return 0;
    }
    switch (rule->read) {
    case APIC_PASS:
        return apic_read(offset);
    case APIC_OWN:
        return (uint32_t)read_own(v, offset);
    default:
        return 0; // write-only
    }
}

// Out of line, so that the hot registers don't pay for its registers.
__attribute__((noinline)) static enum vapic_action
write_page(struct vapic *v, unsigned offset, uint32_t value, struct icr_verdict *verdict)
{
    if (v->mode != APIC_XAPIC || offset % APIC_REGISTER_STEP != 0) {
        return VAPIC_DONE;
    }
    const struct apic_reg_rule *rule = vapic_rule(offset);
    if ((rule->modes & 1u << APIC_XAPIC) == 0) {
        return report_error(v, APIC_ESR_REGISTER, verdict);
    }
    if (rule->write == APIC_ABSENT) {
        return VAPIC_DONE; // read-only
    }
    return write_register(v, offset, rule->write, value & rule->valid, verdict);
}

enum vapic_action vapic_mmio_write(struct vapic *v, unsigned offset, uint32_t value,
                                   struct icr_verdict *verdict)
{
    if (v->mode == APIC_XAPIC && (offset == APIC_EOI || offset == APIC_TPR)) {
        apic_write(offset, offset == APIC_EOI ? 0 : value & 0xff);
        return VAPIC_DONE;
    }
    return write_page(v, offset, value, verdict);
}

// ---- MSRs ---------------------------------------------------------------------------------------

// Mode changes that IA32_APIC_BASE allows, [from][to] (SDM vol. 3, "x2APIC State Transitions"; APM
// vol. 2, "Enabling x2APIC mode"). The way out of x2APIC mode leads through disabled.
static const bool step_is_legal[3][3] = {
    [APIC_DISABLED] = {[APIC_DISABLED] = true, [APIC_XAPIC] = true},
    [APIC_XAPIC] = {[APIC_DISABLED] = true, [APIC_XAPIC] = true, [APIC_X2APIC] = true},
    [APIC_X2APIC] = {[APIC_DISABLED] = true, [APIC_X2APIC] = true},
};

// Sets all virtual registers except IA32_APIC_BASE to their reset values.
static void reset_shadows(struct vapic *v)
{
    struct icr_target *target = target_of(v);
    publish(&target->enabled, 0);
    publish(&target->ldr, 0);
    publish(&target->cluster, 0);
    v->icr = 0;
    v->ldr = 0;
    v->dfr = APIC_DFR_FLAT;
    v->esr = 0;
    v->esr_pending = 0;
    v->held_mask = 0;
}

// Resets the physical APIC. It stays globally enabled whatever the guest does, because kicks need
// it: software-disabled it still takes NMIs.
static void reset_physical(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(lvts); i++) {
        if (lvt_exists(lvts[i])) {
            apic_write(lvts[i], APIC_LVT_MASKED);
        }
    }
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_TIMER_DIVIDE, 0);
    apic_write(APIC_TPR, 0);
    apic_write(APIC_SVR, APIC_SVR_RESET);
    if (!apic_is_x2apic()) {
        apic_write(APIC_DFR, APIC_DFR_FLAT);
        apic_write(APIC_LDR, 0);
    }
    apic_write(APIC_ESR, 0); // the first write latches, the second clears
    apic_write(APIC_ESR, 0);
}

static void set_mode(struct vapic *v, enum apic_mode mode)
{
    v->mode = mode;
    publish(&target_of(v)->mode, mode);
}

static enum vapic_action write_base(struct vapic *v, uint64_t value)
{
    const uint64_t known = APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_ENABLE | v->addresses;
    uint64_t page = value & APIC_BASE_ADDRESS;
    bool enable = (value & APIC_BASE_ENABLE) != 0;
    bool extended = (value & APIC_BASE_EXTD) != 0;

    if ((value & ~known) != 0) {
        return refuse(v, VAPIC_FAULT, "reserved bits of IA32_APIC_BASE are set");
    }
    if (extended && !v->offer_x2apic) {
        return refuse(v, VAPIC_FAULT, "x2APIC mode where CPUID does not show it");
    }
    if (extended && !enable) {
        return refuse(v, VAPIC_FAULT, "IA32_APIC_BASE with EXTD and without EN");
    }
    enum apic_mode mode = !enable ? APIC_DISABLED : extended ? APIC_X2APIC : APIC_XAPIC;
    enum apic_mode old = (enum apic_mode)v->mode;
    if (!step_is_legal[old][mode]) {
        return refuse(v, VAPIC_FAULT, "a step of APIC modes that has to go through disabled");
    }
    // Only xAPIC mode has a page (SDM vol. 3, 11.4.5). In the other modes any address is kept.
    if (mode == APIC_XAPIC && !v->page_is_free(v, page)) {
        return refuse(v, VAPIC_FAULT_TOLD, "the APIC page can't be moved over memory of the guest");
    }
    bool moved = page != v->page;
    v->base = (value & ~APIC_BASE_BSP) | (v->bsp ? APIC_BASE_BSP : 0); // the BSP bit is read-only
    v->page = page;
    if (mode == old) {
        return moved ? VAPIC_MOVED : VAPIC_DONE;
    }
    if (mode == APIC_X2APIC) {
        v->icr &= 0xffffffff; // registers are kept, except for the ICR's destination half
    } else {
        reset_shadows(v); // disabled, or enabled again: same state as after reset
        reset_physical();
    }
    set_mode(v, mode);
    return VAPIC_MODE;
}

enum status vapic_msr_read(struct vapic *v, uint32_t msr, uint64_t *value)
{
    if (msr == MSR_APIC_BASE) {
        *value = v->base;
        return STATUS_OK;
    }
    if (v->mode != APIC_X2APIC || msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST) {
        v->reason = "x2APIC register outside of x2APIC mode";
        return ERR_FAULT;
    }
    unsigned offset = X2APIC_OFFSET(msr);
    const struct apic_reg_rule *rule = vapic_rule(offset);
    if ((rule->modes & 1u << APIC_X2APIC) == 0 || rule->read == APIC_ABSENT) {
        v->reason = "no such x2APIC register, or write-only";
        return ERR_FAULT;
    }
    *value = rule->read == APIC_OWN ? read_own(v, offset) : apic_read(offset);
    return STATUS_OK;
}

enum vapic_action vapic_msr_write(struct vapic *v, uint32_t msr, uint64_t value,
                                  struct icr_verdict *verdict)
{
    if (msr == MSR_APIC_BASE) {
        return write_base(v, value);
    }
    if (v->mode != APIC_X2APIC || msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST) {
        return refuse(v, VAPIC_FAULT, "x2APIC register outside of x2APIC mode");
    }
    unsigned offset = X2APIC_OFFSET(msr);
    if (offset == APIC_ICR_LOW) {
        return vapic_icr_write(v, value, verdict);
    }
    const struct apic_reg_rule *rule = vapic_rule(offset);
    if ((rule->modes & 1u << APIC_X2APIC) == 0 || rule->write == APIC_ABSENT ||
        rule->write == APIC_OWN_XAPIC) {
        return refuse(v, VAPIC_FAULT, "no such x2APIC register, or read-only");
    }
    if ((value & ~(uint64_t)rule->valid) != 0) {
        return refuse(v, VAPIC_FAULT, "reserved bits of an x2APIC register are set");
    }
    return write_register(v, offset, rule->write, (uint32_t)value, verdict);
}

// ---- creation and reset -------------------------------------------------------------------------

static void power_up(struct vapic *v)
{
    reset_shadows(v);
    v->page = APIC_PAGE_BASE;
    v->base = APIC_PAGE_BASE | APIC_BASE_ENABLE | (v->bsp ? APIC_BASE_BSP : 0);
    set_mode(v, APIC_XAPIC);
}

void vapic_init(struct vapic *v, struct icr_topology *topology, uint32_t id, bool offer_x2apic,
                bool tsc_deadline, unsigned address_width,
                bool (*page_is_free)(const struct vapic *v, uint64_t page))
{
    *v = (struct vapic){.topology = topology,
                        .id = id,
                        .bsp = id == 0,
                        .offer_x2apic = offer_x2apic,
                        .tsc_deadline = tsc_deadline,
                        .page_is_free = page_is_free,
                        .addresses = APIC_BASE_ADDRESS & (BIT(address_width) - 1)};
    power_up(v);
}

void vapic_reset(struct vapic *v, bool init_only)
{
    if (init_only) {
        reset_shadows(v);
    } else {
        power_up(v);
    }
    reset_physical();
}
