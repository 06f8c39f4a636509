// SPDX-License-Identifier: Apache-2.0
// How an APIC ID is divided, from the newest CPUID leaf that the processor has (SDM vol. 3, 10.9.3
// and vol. 2, CPUID 0x1f, 0xb, 4 and 1; APM vol. 3, appendix E.4.7 and E.4.17).
#include "arch/cpu/topology.h"

#include "arch/cpu/cpuid.h"

#define MOST_LEVELS      8u // six kinds of level are defined
#define LEVEL_KIND(ecx)  ((ecx) >> 8 & 0xffu)
#define LEVEL_THREAD     1u
#define LEVEL_SHIFT(eax) ((eax)&0x1fu)

#define HTT          BIT(28) // CPUID 1 EDX
#define TOPOLOGY_EXT BIT(22) // CPUID 0x80000001 ECX

enum { EAX, EBX, ECX, EDX };

// How many bits the numbers 0 to count - 1 need.
static unsigned bits_for(unsigned count)
{
    unsigned bits = 0;
    while (bits < 31 && 1u << bits < count) {
        bits++;
    }
    return bits;
}

// All levels between threads and the package (modules, tiles, dies) count as cores.
static bool by_levels(topology_cpuid *read, uint32_t leaf, struct topology *t)
{
    unsigned threads = 0, package = 0;
    bool any = false;
    for (unsigned level = 0; level < MOST_LEVELS; level++) {
        uint32_t r[4];
        read(leaf, level, r);
        if (LEVEL_KIND(r[ECX]) == 0 || r[EBX] == 0) {
            break;
        }
        any = true;
        package = LEVEL_SHIFT(r[EAX]);
        if (LEVEL_KIND(r[ECX]) == LEVEL_THREAD) {
            threads = package;
        }
    }
    if (!any || package < threads) {
        return false;
    }
    *t = (struct topology){threads, package - threads};
    return true;
}

static bool by_amd(topology_cpuid *read, uint32_t max_extended, struct topology *t)
{
    uint32_t r[4];
    if (max_extended < CPUID_EXT_SIZES) {
        return false;
    }
    read(CPUID_EXT_SIZES, 0, r);
    unsigned package = r[ECX] >> 12 & 0xf;
    if (package == 0) {
        package = bits_for((r[ECX] & 0xff) + 1);
    }
    unsigned threads = 0;
    read(CPUID_EXT_FEATURES, 0, r);
    if (max_extended >= CPUID_EXT_TOPOLOGY_AMD && (r[ECX] & TOPOLOGY_EXT)) {
        read(CPUID_EXT_TOPOLOGY_AMD, 0, r);
        threads = bits_for((r[EBX] >> 8 & 0xff) + 1);
    }
    *t = (struct topology){threads, package > threads ? package - threads : 0};
    return package > 0;
}

static struct topology by_counts(topology_cpuid *read, uint32_t max)
{
    uint32_t r[4];
    read(CPUID_FEATURES, 0, r);
    if ((r[EDX] & HTT) == 0) {
        return (struct topology){0, 0};
    }
    unsigned package = bits_for(r[EBX] >> 16 & 0xff);
    unsigned cores = 0;
    if (max >= CPUID_CACHES_INTEL) {
        read(CPUID_CACHES_INTEL, 0, r);
        cores = bits_for((r[EAX] >> 26) + 1);
    }
    return cores < package ? (struct topology){package - cores, cores}
                           : (struct topology){0, package};
}

struct topology topology_find(topology_cpuid *read)
{
    static const uint32_t level_leaves[] = {CPUID_TOPOLOGY_V2, CPUID_TOPOLOGY};
    struct topology t;
    uint32_t r[4];
    read(CPUID_VENDOR, 0, r);
    uint32_t max = r[EAX];
    bool amd = r[EBX] == CPUID_AMD_EBX;
    for (unsigned i = 0; i < ARRAY_SIZE(level_leaves); i++) {
        if (max >= level_leaves[i] && by_levels(read, level_leaves[i], &t)) {
            return t;
        }
    }
    read(CPUID_EXT_BASE, 0, r);
    return amd && by_amd(read, r[EAX], &t) ? t : by_counts(read, max);
}

struct topology_place topology_of(struct topology t, uint32_t apic_id)
{
    unsigned package = t.thread_bits + t.core_bits; // at most 31 + 31
    uint64_t id = apic_id;
    return (struct topology_place){
        .package = (uint32_t)(id >> package),
        .core = (uint32_t)((id & ((1ull << package) - 1)) >> t.thread_bits),
        .thread = (uint32_t)(id & ((1ull << t.thread_bits) - 1)),
    };
}
