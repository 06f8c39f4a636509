// SPDX-License-Identifier: Apache-2.0
// docs/msrs.md: the rows of hv/policy/msr_rules.c and hv/interrupt/vapic_rules.c.
#include "arch/interrupt/apic_defs.h"
#include "docs/tables/page.h"
#include "hv/interrupt/vapic.h"
#include "hv/policy/msr_policy.h"

static const char *access(const struct msr_rule *r, uint8_t action, bool write)
{
    switch (action) {
    case MSR_PASS:
        return "passes";
    case MSR_EMULATE:
        return write ? "checked" : "made";
    case MSR_VALUE:
        return write ? cell("0x%lx only", r->value) : cell("0x%lx", r->value);
    case MSR_IGNORE:
        return "dropped";
    case MSR_DENY:
    default:
        return "#GP(0)";
    }
}

static const char *numbers(uint32_t first, uint32_t last)
{
    return first == last ? cell("0x%x", first) : cell("0x%x-0x%x", first, last);
}

// The column "met unguarded?".
static const char *gate(const struct msr_rule *r)
{
    static const char *const registers[] = {"EAX", "EBX", "ECX", "EDX"};
    const struct msr_gate *g = &r->gate;
    switch (g->guard) {
    case MSR_CPUID:
        return cell("no: CPUID 0x%x %s & 0x%lx is hidden", g->number, registers[g->reg], g->mask);
    case MSR_BY_MSR:
        return cell("no: MSR 0x%x & 0x%lx reads 0", g->number, g->mask);
    case MSR_ONE_WAY:
        return r->read == MSR_DENY ? "no: write-only" : "no: read-only";
    case MSR_PROBED:
        return "no: tried with a handler for #GP";
    case MSR_BARE:
        return "no: left alone under a hypervisor, and CPUID shows one";
    case MSR_FIRMWARE:
        return "no: the firmware's";
    case MSR_OPEN:
    default:
        return "no #GP";
    }
}

static void write_msrs(FILE *out)
{
    unsigned count;
    const struct msr_rule *r = msr_policy_rules(&count);
    HEADER(out, "number", "name", "read", "write", "why it is safe", "is #GP met unguarded?");
    for (unsigned i = 0; i < count; i++) {
        ROW(out, numbers(r[i].first, r[i].last), r[i].name, access(&r[i], r[i].read, false),
            access(&r[i], r[i].write, true), r[i].reason, gate(&r[i]));
    }
}

static const char *apic_access(uint8_t access_kind, bool write)
{
    switch (access_kind) {
    case APIC_PASS:
        return "passes";
    case APIC_OWN:
        return write ? "checked" : "made";
    case APIC_OWN_XAPIC:
        return "checked; none in x2APIC mode";
    case APIC_ABSENT:
    default:
        return "none";
    }
}

static bool same_rule(const struct apic_reg_rule *a, const struct apic_reg_rule *b)
{
    return a->name == b->name && a->read == b->read && a->write == b->write;
}

static void write_apic(FILE *out)
{
    HEADER(out, "MSR", "offset", "register", "modes", "read", "write", "bits", "why it is safe");
    for (unsigned i = 0; i < APIC_REGISTER_COUNT;) {
        const struct apic_reg_rule *r = vapic_rule(i * APIC_REGISTER_STEP);
        unsigned last = i;
        while (last + 1 < APIC_REGISTER_COUNT &&
               same_rule(r, vapic_rule((last + 1) * APIC_REGISTER_STEP))) {
            last++;
        }
        bool x2apic = (r->modes & 1u << APIC_X2APIC) != 0;
        bool xapic = (r->modes & 1u << APIC_XAPIC) != 0;
        if (r->modes != 0) {
            ROW(out, x2apic ? numbers(MSR_X2APIC_FIRST + i, MSR_X2APIC_FIRST + last) : "–",
                xapic ? numbers(i * APIC_REGISTER_STEP, last * APIC_REGISTER_STEP) : "–", r->name,
                x2apic && xapic ? "both"
                : x2apic        ? "x2APIC"
                                : "xAPIC",
                apic_access(r->read, false), apic_access(r->write, true),
                r->write == APIC_ABSENT ? "–" : cell("0x%x", r->valid), r->reason);
        }
        i = last + 1;
    }
}

void page_msrs(FILE *out)
{
    page_begin(
        out, "Model-specific registers",
        "What RDMSR and WRMSR do in a guest. Both vendors' permission maps are built from "
        "this table. A register that is not in it gives #GP(0), as one that does not exist. "
        "\"Passes\" is without an exit, and where the processor lacks the register it gives "
        "#GP(0) by itself; a number is what the guest reads; \"dropped\" writes nothing. "
        "VT-x has no bits for 0xc0010000 and up: what passes there passes on AMD-V alone. The "
        "last column says why no guest that does what CPUID says meets a #GP without a "
        "handler for it.");
    fprintf(out, "\n## All but the local APIC's\n");
    write_msrs(out);
    fprintf(out, "\n## The local APIC's\n\n");
    write_text(out, 0,
               "One table for both modes: MSRs in x2APIC mode, offsets in the APIC page in xAPIC "
               "mode. \"Bits\" are those that a guest may set; others give #GP(0) in x2APIC mode "
               "and are dropped in xAPIC mode. A register that is not here gives #GP(0), or an "
               "error in the ESR.");
    write_apic(out);
}
