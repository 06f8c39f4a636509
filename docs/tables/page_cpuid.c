// SPDX-License-Identifier: Apache-2.0
// docs/cpuid.md: the rows of hv/policy/cpuid_rules.c by leaf, with the names of their bits, what is
// made for the partition, and what is hidden.
#include "docs/tables/cpuid_notes.h"
#include "docs/tables/page.h"

static const char *const registers[] = {"EAX", "EBX", "ECX", "EDX"};

// The named bits of a mask, and the rest as a number.
static const char *bits(uint32_t leaf, uint32_t subleaf, uint32_t reg, uint32_t mask)
{
    if (mask == 0xffffffff) {
        return "all";
    }
    unsigned count;
    const struct cpuid_name *n = cpuid_names(&count);
    const char *list = "";
    uint32_t rest = mask;
    for (unsigned i = 0; i < count; i++) {
        bool here = n[i].leaf == leaf && n[i].subleaf == subleaf && n[i].reg == reg;
        if (here && (n[i].mask & mask) != 0) {
            list = cell("%s%s%s", list, *list != '\0' ? ", " : "", n[i].name);
            rest &= ~n[i].mask;
        }
    }
    return rest == 0 ? list : cell("%s%s0x%x", list, *list != '\0' ? ", " : "", rest);
}

static const char *subleaves(uint32_t first, uint32_t last)
{
    return first == last ? cell("%u", first) : cell("%u-%u", first, last);
}

static const char *register_list(uint8_t mask)
{
    const char *list = "";
    for (unsigned i = 0; i < 4; i++) {
        if ((mask >> i & 1) != 0) {
            list = cell("%s%s%s", list, *list != '\0' ? ", " : "", registers[i]);
        }
    }
    return list;
}

static bool same_row(const struct cpuid_rule *a, const struct cpuid_rule *b)
{
    return a->leaf == b->leaf && a->first == b->first && a->mask == b->mask &&
           a->mask == 0xffffffff && a->reason == b->reason;
}

static void write_shown(FILE *out)
{
    unsigned count;
    const struct cpuid_rule *r = cpuid_rules(&count);
    HEADER(out, "leaf", "subleaf", "register", "bits that show what the host has", "why");
    for (unsigned i = 0; i < count;) {
        const struct cpuid_rule *first = &r[i];
        uint8_t regs = 0;
        do {
            regs |= (uint8_t)(1u << r[i++].reg);
        } while (i < count && same_row(first, &r[i]));
        ROW(out, cell("0x%x", first->leaf), subleaves(first->first, first->last),
            register_list(regs), bits(first->leaf, first->first, first->reg, first->mask),
            first->reason);
    }
}

static void write_made(FILE *out)
{
    unsigned count;
    const struct cpuid_made *m = cpuid_made(&count);
    HEADER(out, "leaf", "register", "the guest sees", "why");
    for (unsigned i = 0; i < count; i++) {
        ROW(out, cell("0x%x", m[i].leaf), register_list(m[i].registers), m[i].what, m[i].reason);
    }
}

static void write_hidden(FILE *out)
{
    unsigned count;
    const struct cpuid_hidden *h = cpuid_hidden(&count);
    HEADER(out, "leaf", "subleaf", "register", "bits that read 0", "why");
    for (unsigned i = 0; i < count; i++) {
        ROW(out, cell("0x%x", h[i].leaf), cell("%u", h[i].subleaf), registers[h[i].reg],
            bits(h[i].leaf, h[i].subleaf, h[i].reg, h[i].mask), h[i].reason);
    }
}

void page_cpuid(FILE *out)
{
    page_begin(out, "CPUID",
               "What the CPUID instruction shows to a guest: the host's values through a table of "
               "allowed bits, and leaves that are made for the partition. A bit that is in neither "
               "table reads 0, and so does a whole leaf; that goes for what next year's processor "
               "has.");
    fprintf(out, "\n## Shown\n\n");
    write_text(out, 0, "A number in place of a name stands for bits without one.");
    write_shown(out);
    fprintf(out, "\n## Made\n");
    write_made(out);
    fprintf(out, "\n## Hidden, of what is known\n");
    write_hidden(out);
}
