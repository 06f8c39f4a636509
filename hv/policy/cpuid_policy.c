// SPDX-License-Identifier: Apache-2.0
// Builds a vCPU's CPUID table: the host's leaves, filtered by the rows of cpuid_rules.c, and leaves
// that describe the partition instead of the machine. The partition has one socket, vcpu_count
// cores of one thread, and APIC IDs from 0.
#include "hv/policy/cpuid_policy.h"

#include "arch/cpu/register_bits.h"

#define EXTENDED_LIMIT (CPUID_EXTENDED_COUNT - 1)
#define BASIC_LIMIT    (CPUID_BASIC_COUNT - 1)
#define CACHE_LIMIT    8  // subleaves of the cache leaves
#define XSTATE_LIMIT   10 // components of XCR0 below this number may be shown

// What the builder knows about the host.
struct host {
    uint32_t last_basic;
    uint32_t last_extended; // including the bit 0x80000000
    bool intel;
};

// ---- helpers ----------------------------------------------------------------------------------

// Number of bits needed for the values 0 to count - 1.
static uint32_t width_of(uint32_t count)
{
    uint32_t width = 0;
    while (1u << width < count) {
        width++;
    }
    return width;
}

// The host's leaf, reduced to the bits that the rows allow. Zeros if the host lacks the leaf,
// because Intel's CPUs would return another leaf.
static struct cpuid_entry filtered(const struct host *host, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_entry e = {.leaf = leaf, .subleaf = subleaf};
    if (leaf > (leaf >= CPUID_EXT_BASE ? host->last_extended : host->last_basic)) {
        return e;
    }
    unsigned count;
    const struct cpuid_rule *rule = cpuid_rules(&count);
    uint32_t allowed[4] = {0};
    for (unsigned i = 0; i < count; i++) {
        if (rule[i].leaf == leaf && rule[i].first <= subleaf && subleaf <= rule[i].last) {
            allowed[rule[i].reg] |= rule[i].mask;
        }
    }
    uint32_t out[4];
    host_cpuid(leaf, subleaf, out);
    e.eax = out[CPUID_EAX] & allowed[CPUID_EAX];
    e.ebx = out[CPUID_EBX] & allowed[CPUID_EBX];
    e.ecx = out[CPUID_ECX] & allowed[CPUID_ECX];
    e.edx = out[CPUID_EDX] & allowed[CPUID_EDX];
    return e;
}

// Adds the next subleaf of `first`, starting with 1.
static void add_subleaf(struct cpuid_table *t, struct cpuid_entry *first, struct cpuid_entry e)
{
    if (t->more_used >= CPUID_MORE_COUNT) {
        return; // impossible: the limits above add up to less
    }
    if (first->count == 0) {
        first->next = (uint16_t)t->more_used;
    }
    first->flags |= CPUID_FLAG_INDEXED;
    first->count++;
    t->more[t->more_used++] = e;
}

// ---- leaves made for the partition --------------------------------------------------------------

static void build_features(struct cpuid_entry *e, const struct cpuid_params *p)
{
    e->ebx |= p->vcpu_id << 24 | p->vcpu_count << 16;
    e->ecx |= (uint32_t)CPUID_1_ECX_HYPERVISOR;
    if (!p->offer_x2apic) {
        e->ecx &= ~(uint32_t)CPUID_1_ECX_X2APIC;
    }
    if (p->vcpu_count > 1) {
        e->edx |= (uint32_t)CPUID_1_EDX_HTT; // the count in EBX is valid
    }
    e->flags |= CPUID_FLAG_OSXSAVE | CPUID_FLAG_APIC;
}

// Intel's leaf 4 and AMD's 0x8000001d. A cache of level 1 or 2 belongs to one core, deeper ones to
// all cores.
static void build_caches(struct cpuid_table *t, struct cpuid_entry *first, const struct host *host,
                         const struct cpuid_params *p)
{
    uint32_t leaf = first->leaf;
    uint32_t ids = 1u << width_of(p->vcpu_count);
    for (uint32_t sub = 0; sub < CACHE_LIMIT; sub++) {
        struct cpuid_entry e = filtered(host, leaf, sub);
        if ((e.eax & 0x1f) == 0) { // type 0: no more caches
            e = (struct cpuid_entry){.leaf = leaf, .subleaf = sub};
        } else {
            bool shared = (e.eax >> 5 & 7) >= 3;
            if (leaf == CPUID_CACHES_INTEL) {
                e.eax |= (shared ? ids - 1 : 0) << 14 | (ids - 1) << 26;
            } else {
                e.eax |= (shared ? p->vcpu_count - 1 : 0) << 14;
            }
        }
        if (sub == 0) {
            *first = e;
            first->flags |= CPUID_FLAG_INDEXED;
        } else {
            add_subleaf(t, first, e);
        }
        if (e.eax == 0) {
            return;
        }
    }
}

static void build_extended_features(struct cpuid_table *t, struct cpuid_entry *first,
                                    const struct host *host)
{
    uint32_t out[4];
    host_cpuid(CPUID_EXTENDED_FEATURES, 0, out);
    uint32_t last = out[CPUID_EAX] < 2 ? out[CPUID_EAX] : 2;
    first->eax = last;
    first->flags |= CPUID_FLAG_OSPKE | CPUID_FLAG_INDEXED;
    for (uint32_t sub = 1; sub <= last; sub++) {
        add_subleaf(t, first, filtered(host, CPUID_EXTENDED_FEATURES, sub));
    }
}

// Leaves 0xb and 0x1f (SDM vol. 2, "CPUID", "Extended Topology Enumeration Leaf").
static void build_topology(struct cpuid_table *t, struct cpuid_entry *first,
                           const struct cpuid_params *p)
{
    uint32_t leaf = first->leaf;
    *first = (struct cpuid_entry){.leaf = leaf, .ebx = 1, .ecx = 1 << 8, .edx = p->vcpu_id};
    struct cpuid_entry cores = {.leaf = leaf,
                                .subleaf = 1,
                                .eax = width_of(p->vcpu_count),
                                .ebx = p->vcpu_count,
                                .ecx = 2 << 8 | 1,
                                .edx = p->vcpu_id};
    add_subleaf(t, first, cores);
    t->topology_end =
        (struct cpuid_entry){.leaf = leaf, .edx = p->vcpu_id, .flags = CPUID_FLAG_SUBLEAF};
}

static void build_xsave(struct cpuid_table *t, struct cpuid_entry *first, const struct host *host)
{
    uint32_t components = first->eax;
    if (components == 0) {
        return; // no XSAVE
    }
    first->flags |= CPUID_FLAG_LIVE_EBX;
    first->ecx = 512 + 64; // legacy region and header; grows with the components shown below
    struct cpuid_entry formats = filtered(host, CPUID_XSAVE, 1);
    formats.flags |= CPUID_FLAG_LIVE_EBX;
    add_subleaf(t, first, formats);
    for (uint32_t sub = 2; sub < XSTATE_LIMIT; sub++) {
        struct cpuid_entry e = {.leaf = CPUID_XSAVE, .subleaf = sub};
        if ((components >> sub & 1) != 0) {
            e = filtered(host, CPUID_XSAVE, sub);
            if (e.ebx + e.eax > first->ecx) {
                first->ecx = e.ebx + e.eax;
            }
        }
        add_subleaf(t, first, e);
    }
}

// Leaf 0x15: TSC = crystal * EBX / EAX. Linux uses the crystal as the clock of the APIC timer, so
// the APIC timer's clock is given. Intel only: AMD's CPUs have no such leaf.
static void build_tsc_ratio(struct cpuid_entry *e, const struct host *host,
                            const struct cpuid_params *p)
{
    uint64_t crystal_hz = (uint64_t)p->apic_khz * 1000;
    if (host->intel && p->apic_khz != 0 && p->tsc_khz != 0 && crystal_hz <= 0xffffffff) {
        e->eax = p->apic_khz;
        e->ebx = p->tsc_khz;
        e->ecx = (uint32_t)crystal_hz;
    }
}

static void build_sizes(struct cpuid_entry *e, const struct host *host,
                        const struct cpuid_params *p)
{
    uint32_t linear = e->eax >> 8 & 0xff;
    if (linear > 48) {
        linear = 48; // LA57 is hidden
    }
    e->eax = (e->eax & 0xff) | linear << 8;
    if (p->offer_virt_ssbd) {
        e->ebx |= (uint32_t)CPUID_80000008_EBX_VIRT_SSBD;
    }
    if (!host->intel) {
        e->ecx = width_of(p->vcpu_count) << 12 | (p->vcpu_count - 1);
    }
}

static void build_basic(struct cpuid_table *t, const struct host *host,
                        const struct cpuid_params *p)
{
    t->last_basic = host->last_basic < BASIC_LIMIT ? host->last_basic : BASIC_LIMIT;
    for (uint32_t leaf = 0; leaf <= t->last_basic; leaf++) {
        struct cpuid_entry *e = &t->basic[leaf];
        *e = filtered(host, leaf, 0);
        switch (leaf) {
        case CPUID_VENDOR:
            e->eax = t->last_basic;
            break;
        case CPUID_FEATURES:
            build_features(e, p);
            break;
        case CPUID_CACHES_INTEL:
            build_caches(t, e, host, p);
            break;
        case CPUID_EXTENDED_FEATURES:
            build_extended_features(t, e, host);
            break;
        case CPUID_TOPOLOGY:
        case CPUID_TOPOLOGY_V2:
            build_topology(t, e, p);
            break;
        case CPUID_XSAVE:
            build_xsave(t, e, host);
            break;
        case CPUID_TSC_RATIO:
            build_tsc_ratio(e, host, p);
            break;
        }
    }
}

static void build_extended(struct cpuid_table *t, const struct host *host,
                           const struct cpuid_params *p)
{
    uint32_t last = host->last_extended - CPUID_EXT_BASE;
    t->last_extended = last < EXTENDED_LIMIT ? last : EXTENDED_LIMIT;
    bool topoext = false;
    for (uint32_t i = 0; i <= t->last_extended; i++) {
        uint32_t leaf = CPUID_EXT_BASE + i;
        struct cpuid_entry *e = &t->extended[i];
        *e = filtered(host, leaf, 0);
        switch (leaf) {
        case CPUID_EXT_BASE:
            e->eax = CPUID_EXT_BASE + t->last_extended;
            break;
        case CPUID_EXT_FEATURES:
            topoext = (e->ecx & CPUID_80000001_ECX_TOPOEXT) != 0;
            if (!host->intel) {
                e->flags |= CPUID_FLAG_APIC;
                if (p->vcpu_count > 1) {
                    e->ecx |= (uint32_t)CPUID_80000001_ECX_CMP_LEGACY; // cores, not threads
                }
            }
            break;
        case CPUID_EXT_SIZES:
            build_sizes(e, host, p);
            break;
        case CPUID_EXT_CACHES_AMD:
            *e = (struct cpuid_entry){.leaf = leaf};
            if (topoext) {
                build_caches(t, e, host, p);
            }
            break;
        case CPUID_EXT_TOPOLOGY_AMD:
            if (topoext) {
                e->eax = p->vcpu_id;
                e->ebx = p->vcpu_id; // the core; each has one thread, and there is one node
            }
            break;
        }
    }
}

static void build_hypervisor(struct cpuid_table *t, const struct cpuid_params *p)
{
    for (uint32_t i = 0; i < CPUID_HV_COUNT; i++) {
        t->hv[i].leaf = CPUID_HV_BASE + i;
    }
    for (uint32_t i = 0; i < CPUID_KVM_COUNT; i++) {
        t->kvm[i].leaf = CPUID_HV_KVM + i;
    }
    struct cpuid_entry *e = &t->hv[0];
    e->eax = CPUID_HV_FREQUENCY;
    e->ebx = CPUID_HV_SIGNATURE_EBX;
    e->ecx = CPUID_HV_SIGNATURE_ECX;
    e->edx = CPUID_HV_SIGNATURE_EDX;
    t->hv[1].eax = CPUID_HV_INTERFACE;
    t->hv[1].ebx = CPUID_HV_INTERFACE_VERSION;
    e = &t->hv[CPUID_HV_FREQUENCY - CPUID_HV_BASE];
    e->eax = p->tsc_khz;
    e->ebx = p->apic_khz;

    // Without interrupt remapping Linux uses x2APIC only under a hypervisor that it knows, so this
    // leaf has KVM's signature. The next leaf, KVM's features, is zero: no paravirtual features.
    e = &t->kvm[0];
    e->eax = CPUID_HV_KVM + 1;
    e->ebx = CPUID_KVM_SIGNATURE_EBX;
    e->ecx = CPUID_KVM_SIGNATURE_ECX;
    e->edx = CPUID_KVM_SIGNATURE_EDX;
}

void cpuid_build(struct cpuid_table *t, const struct cpuid_params *p)
{
    uint32_t basic[4], extended[4];
    host_cpuid(CPUID_VENDOR, 0, basic);
    host_cpuid(CPUID_EXT_BASE, 0, extended);
    struct host host = {.last_basic = basic[CPUID_EAX],
                        .last_extended = extended[CPUID_EAX],
                        .intel = basic[CPUID_EBX] == CPUID_INTEL_EBX};
    if (host.last_extended < CPUID_EXT_BASE) {
        // A CPU without extended leaves returns arbitrary values.
        host.last_extended = CPUID_EXT_BASE;
    }
    *t = (struct cpuid_table){.repeats_last = host.intel};
    build_basic(t, &host, p);
    build_extended(t, &host, p);
    build_hypervisor(t, p);
}

// ---- at an exit --------------------------------------------------------------------------------

static const struct cpuid_entry *at_subleaf(const struct cpuid_table *t,
                                            const struct cpuid_entry *e, uint32_t subleaf)
{
    if ((e->flags & CPUID_FLAG_INDEXED) == 0 || subleaf == 0) {
        return e;
    }
    if (subleaf - 1 < e->count) {
        return &t->more[e->next + subleaf - 1];
    }
    return e->leaf == CPUID_TOPOLOGY || e->leaf == CPUID_TOPOLOGY_V2 ? &t->topology_end : &t->none;
}

const struct cpuid_entry *cpuid_find(const struct cpuid_table *t, uint32_t leaf, uint32_t subleaf)
{
    if (leaf <= t->last_basic) {
        return at_subleaf(t, &t->basic[leaf], subleaf);
    }
    if (leaf - CPUID_EXT_BASE <= t->last_extended) {
        return at_subleaf(t, &t->extended[leaf - CPUID_EXT_BASE], subleaf);
    }
    if (leaf - CPUID_HV_BASE < CPUID_HV_COUNT) {
        return &t->hv[leaf - CPUID_HV_BASE];
    }
    if (leaf - CPUID_HV_KVM < CPUID_KVM_COUNT) {
        return &t->kvm[leaf - CPUID_HV_KVM];
    }
    if (t->repeats_last && leaf >> 28 != CPUID_HV_BASE >> 28) {
        return at_subleaf(t, &t->basic[t->last_basic], subleaf);
    }
    return &t->none;
}

void cpuid_patch(const struct cpuid_entry *e, uint32_t subleaf, uint64_t cr4, bool apic_enabled,
                 uint32_t out[4])
{
    out[CPUID_EAX] = e->eax;
    out[CPUID_EBX] = e->ebx;
    out[CPUID_ECX] = e->ecx;
    out[CPUID_EDX] = e->edx;
    if ((e->flags & CPUID_FLAG_OSXSAVE) != 0 && (cr4 & CR4_OSXSAVE) != 0) {
        out[CPUID_ECX] |= (uint32_t)CPUID_1_ECX_OSXSAVE;
    }
    if ((e->flags & CPUID_FLAG_APIC) != 0 && !apic_enabled) {
        out[CPUID_EDX] &= ~(uint32_t)CPUID_1_EDX_APIC;
    }
    if ((e->flags & CPUID_FLAG_OSPKE) != 0 && (cr4 & CR4_PKE) != 0) {
        out[CPUID_ECX] |= (uint32_t)CPUID_7_ECX_OSPKE;
    }
    if ((e->flags & CPUID_FLAG_SUBLEAF) != 0) {
        out[CPUID_ECX] |= subleaf & 0xff;
    }
    if ((e->flags & CPUID_FLAG_LIVE_EBX) != 0) {
        uint32_t live[4];
        host_cpuid(e->leaf, e->subleaf, live);
        out[CPUID_EBX] = live[CPUID_EBX];
    }
}
