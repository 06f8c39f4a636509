// SPDX-License-Identifier: Apache-2.0
// The ICR check: finds which vCPUs of its own partition a guest's ICR write means. Every set of
// targets is limited to the partition's vCPUs here, whatever the destination field says.
#include "hv/interrupt/icr.h"

#include "arch/interrupt/apic_defs.h"

// Which delivery modes a shorthand may be combined with (SDM vol. 3, "Valid Combinations for the
// Pentium 4 and Intel Xeon Processors' Local xAPIC Interrupt Command Register"; APM vol. 2, table
// "Valid ICR Field Combinations"). Bit n: delivery mode n.
static const struct {
    uint8_t modes;
    const char *reason;
} shorthands[4] = {
    {0xff, ""}, // none: every mode that is legal
    {1 << APIC_MODE_FIXED, "the shorthand 'self' goes with fixed delivery only"},
    {1 << APIC_MODE_FIXED, "the shorthand 'all including self' goes with fixed delivery only"},
    {0xff, ""}, // all excluding self: every mode that is legal
};

// What is done for each delivery mode.
static const struct {
    uint8_t kind; // enum icr_kind
    const char *reason;
} modes[8] = {
    [APIC_MODE_FIXED] = {ICR_FIXED, NULL},
    [APIC_MODE_LOWEST] = {ICR_FIXED, NULL}, // to one of the destinations
    [APIC_MODE_SMI] = {ICR_DENIED, "SMI: system management mode belongs to the firmware"},
    [APIC_MODE_REMOTE] = {ICR_DENIED, "delivery mode 3 (remote read) is reserved"},
    [APIC_MODE_NMI] = {ICR_NMI, NULL},
    [APIC_MODE_INIT] = {ICR_INIT, NULL},
    [APIC_MODE_STARTUP] = {ICR_SIPI, NULL},
    [APIC_MODE_EXTINT] = {ICR_DENIED, "delivery mode 7 (ExtINT) can't be sent by an ICR"},
};

static uint32_t shared(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static bool receives(const struct icr_target *target)
{
    return shared(&target->mode) != APIC_DISABLED;
}

// Whether a logical destination addresses this vCPU. The receiver's mode decides which model
// applies. (SDM vol. 3, "Logical Destination Mode" of xAPIC and of x2APIC; APM vol. 2, 16.6.1)
static bool matches_logical(const struct icr_target *target, unsigned id, uint32_t dest)
{
    if (shared(&target->mode) == APIC_X2APIC) {
        // The logical ID is made from the ID: cluster id / 16, bit id % 16.
        return dest >> 16 == id >> 4 && (dest >> (id & 15) & 1) != 0;
    }
    if (dest > 0xff) {
        return false;
    }
    uint32_t ldr = shared(&target->ldr);
    if (shared(&target->cluster)) {
        return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf) != 0;
    }
    return (dest & ldr) != 0;
}

static uint64_t everyone(const struct icr_topology *t)
{
    return t->vcpu_count >= 64 ? ~0ull : BIT(t->vcpu_count) - 1;
}

static uint64_t all_receivers(const struct icr_topology *t, uint64_t candidates)
{
    uint64_t targets = 0;
    for (uint64_t rest = candidates & everyone(t); rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctzll(rest);
        if (receives(&t->vcpu[i])) {
            targets |= BIT(i);
        }
    }
    return targets;
}

static uint64_t addressed(const struct icr_topology *t, uint32_t dest, bool logical, bool x2apic)
{
    if (dest == (x2apic ? 0xffffffffu : 0xffu)) {
        return everyone(t);
    }
    if (!logical) {
        return dest < t->vcpu_count ? BIT(dest) : 0;
    }
    uint64_t targets = 0;
    for (unsigned i = 0; i < t->vcpu_count; i++) {
        if (matches_logical(&t->vcpu[i], i, dest)) {
            targets |= BIT(i);
        }
    }
    return targets;
}

// Picks one of the software-enabled targets for lowest priority delivery; a software-disabled APIC
// takes no part in the arbitration. 0 if there is none. The hypervisor doesn't see the priorities
// that hardware compares, so it spreads by the vector, as chipsets with vector hashing do.
static uint64_t pick_one(const struct icr_topology *t, uint64_t targets, uint32_t vector)
{
    uint64_t enabled = 0;
    for (uint64_t rest = targets; rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctzll(rest);
        if (shared(&t->vcpu[i].enabled)) {
            enabled |= BIT(i);
        }
    }
    if (enabled == 0) {
        return 0;
    }
    unsigned count = 0;
    for (uint64_t rest = enabled; rest != 0; rest &= rest - 1) {
        count++;
    }
    for (unsigned skip = vector % count; skip != 0; skip--) {
        enabled &= enabled - 1;
    }
    return enabled & -enabled;
}

// Out of line, so that the hot case doesn't pay for its registers.
__attribute__((noinline)) static void judge(const struct icr_topology *t, unsigned sender,
                                            uint64_t icr, bool x2apic, struct icr_verdict *out)
{
    uint32_t vector = (uint32_t)(icr & APIC_ICR_VECTOR);
    unsigned mode = (unsigned)((icr & APIC_ICR_MODE) >> APIC_ICR_MODE_POS);
    unsigned shorthand = (unsigned)((icr & APIC_ICR_SHORTHAND) >> APIC_ICR_SHORTHAND_POS);

    *out = (struct icr_verdict){.kind = ICR_NONE, .vector = vector};
    if (x2apic && (icr & APIC_ICR_RESERVED) != 0) {
        out->kind = ICR_RESERVED;
        out->reason = "reserved bits of the ICR are set";
        return;
    }
    if (modes[mode].kind == ICR_DENIED) {
        out->kind = ICR_DENIED;
        out->reason = modes[mode].reason;
        return;
    }
    // INIT level de-assert once set arbitration IDs. It goes to all CPUs whatever the shorthand;
    // old manuals recommend "all including self". Since the Pentium 4 processors ignore it (SDM
    // vol. 3, "Interrupt Command Register (ICR)").
    if (mode == APIC_MODE_INIT && (icr & APIC_ICR_LEVEL) != 0 && (icr & APIC_ICR_ASSERT) == 0) {
        return;
    }
    if ((shorthands[shorthand].modes >> mode & 1) == 0) {
        out->kind = ICR_DENIED;
        out->reason = shorthands[shorthand].reason;
        return;
    }
    if (modes[mode].kind == ICR_FIXED && vector < APIC_VECTOR_FIRST_LEGAL) {
        out->kind = ICR_BAD_VECTOR;
        return;
    }

    uint32_t dest = (uint32_t)(icr >> (x2apic ? APIC_ICR_DEST_POS : APIC_ICR_XAPIC_DEST_POS));
    uint64_t targets;
    switch (icr & APIC_ICR_SHORTHAND) {
    case APIC_ICR_TO_SELF:
        targets = BIT(sender);
        break;
    case APIC_ICR_TO_ALL:
        targets = everyone(t);
        break;
    case APIC_ICR_TO_OTHERS:
        targets = everyone(t) & ~BIT(sender);
        break;
    default:
        targets = addressed(t, dest, (icr & APIC_ICR_LOGICAL) != 0, x2apic);
        break;
    }
    targets = all_receivers(t, targets);
    if (mode == APIC_MODE_LOWEST) {
        targets = pick_one(t, targets, vector);
    }
    if (targets != 0) {
        out->kind = modes[mode].kind;
        out->targets = targets;
    }
}

void icr_check(const struct icr_topology *t, unsigned sender, uint64_t icr, bool x2apic,
               struct icr_verdict *out)
{
    // The hot case: x2APIC format, fixed, physical, no shorthand, nothing reserved, one vCPU that
    // listens. Level, trigger mode and delivery status don't matter for it.
    const uint64_t plain =
        APIC_ICR_RESERVED | APIC_ICR_MODE | APIC_ICR_LOGICAL | APIC_ICR_SHORTHAND;
    uint64_t dest = icr >> APIC_ICR_DEST_POS;
    if (x2apic && (icr & plain) == 0 && (icr & APIC_ICR_VECTOR) >= APIC_VECTOR_FIRST_LEGAL &&
        dest < t->vcpu_count && receives(&t->vcpu[dest])) {
        out->kind = ICR_FIXED;
        out->vector = (uint32_t)(icr & APIC_ICR_VECTOR);
        out->targets = BIT(dest);
        out->reason = NULL;
        return;
    }
    judge(t, sender, icr, x2apic, out);
}
