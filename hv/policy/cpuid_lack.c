// SPDX-License-Identifier: Apache-2.0
// Compares the CPUID registers that have feature bits, as far as a guest sees them.
#include "hv/policy/cpuid_lack.h"

#include "arch/lib/format.h"

static const struct {
    uint32_t leaf;
    uint8_t subleaf, reg;
} features[] = {
    {CPUID_FEATURES, 0, CPUID_ECX},
    {CPUID_FEATURES, 0, CPUID_EDX},
    {CPUID_EXTENDED_FEATURES, 0, CPUID_EBX},
    {CPUID_EXTENDED_FEATURES, 0, CPUID_ECX},
    {CPUID_EXTENDED_FEATURES, 0, CPUID_EDX},
    {CPUID_EXTENDED_FEATURES, 1, CPUID_EAX},
    {CPUID_EXTENDED_FEATURES, 1, CPUID_EDX},
    {CPUID_EXTENDED_FEATURES, 2, CPUID_EDX},
    {CPUID_XSAVE, 0, CPUID_EAX},
    {CPUID_XSAVE, 1, CPUID_EAX},
    {CPUID_EXT_FEATURES, 0, CPUID_ECX},
    {CPUID_EXT_FEATURES, 0, CPUID_EDX},
    {CPUID_EXT_SIZES, 0, CPUID_EBX},
};

// The bits that come from the processor. The others are made for the partition.
static uint32_t from_processor(unsigned index)
{
    unsigned count;
    const struct cpuid_rule *rule = cpuid_rules(&count);
    uint32_t mask = 0;
    for (unsigned i = 0; i < count; i++) {
        if (rule[i].leaf == features[index].leaf && rule[i].reg == features[index].reg &&
            rule[i].first <= features[index].subleaf && features[index].subleaf <= rule[i].last) {
            mask |= rule[i].mask;
        }
    }
    return mask;
}

static uint32_t shown_bits(const struct cpuid_table *shown, unsigned index)
{
    const struct cpuid_entry *e = cpuid_find(shown, features[index].leaf, features[index].subleaf);
    if (e->leaf != features[index].leaf || e->subleaf != features[index].subleaf) {
        return 0; // beyond the last leaf a guest of an Intel processor would see another leaf
    }
    const uint32_t out[4] = {e->eax, e->ebx, e->ecx, e->edx};
    return out[features[index].reg] & from_processor(index);
}

static uint32_t own_bits(unsigned index)
{
    uint32_t out[4];
    host_cpuid(features[index].leaf & CPUID_EXT_BASE, 0, out);
    if (out[CPUID_EAX] < features[index].leaf) {
        return 0; // an Intel processor would return another leaf
    }
    host_cpuid(features[index].leaf, features[index].subleaf, out);
    return out[features[index].reg];
}

bool cpuid_lacks(const struct cpuid_table *shown, char *text, size_t size)
{
    size_t used = 0;
    bool any = false;
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        uint32_t missing = shown_bits(shown, i) & ~own_bits(i);
        if (missing != 0 && used < size) {
            used += format(text + used, size - used, "%sCPUID 0x%x.%u E%cX 0x%x", any ? ", " : "",
                           features[i].leaf, features[i].subleaf, 'A' + features[i].reg, missing);
        }
        any |= missing != 0;
    }
    return any;
}
