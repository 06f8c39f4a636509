// SPDX-License-Identifier: Apache-2.0
// The IVRS table's description of the AMD-Vi units, as lines for the inventory.
#include "arch/lib/format.h"
#include "drivers/amdvi/amdvi.h"

#define LINE_SIZE  240
#define ENTRY_SIZE 40 // the longest entry of a list, including its separators

static void line_is_full(char text[LINE_SIZE], size_t used)
{
    if (used < LINE_SIZE) {
        format(text + used, LINE_SIZE - used, " ...");
    }
}

// A range of IDs: " 00:02.0", " 00:00.0-ff:1f.7".
static size_t put_range(char *text, size_t size, uint16_t first, uint16_t last)
{
    char a[PCI_TEXT_SIZE], b[PCI_TEXT_SIZE];
    pci_text((pci_address_t){first}, a);
    pci_text((pci_address_t){last}, b);
    return first == last ? format(text, size, " %s", a) : format(text, size, " %s-%s", a, b);
}

static size_t put_specials(char text[LINE_SIZE], size_t used, unsigned unit)
{
    for (unsigned i = 0; i < amdvi.ivrs.special_count && used <= LINE_SIZE - ENTRY_SIZE; i++) {
        const struct ivrs_special *s = &amdvi.ivrs.special[i];
        if (s->unit == unit) {
            used += format(text + used, LINE_SIZE - used, " %s %u",
                           s->kind == IVRS_IOAPIC ? "IOAPIC" : "HPET", s->id);
        }
    }
    return used;
}

static void put_ranges(char text[LINE_SIZE], size_t used, unsigned unit)
{
    for (unsigned i = 0; i < amdvi.ivrs.range_count; i++) {
        const struct ivrs_range *r = &amdvi.ivrs.range[i];
        if (r->unit != unit) {
            continue;
        }
        if (used > LINE_SIZE - ENTRY_SIZE) {
            line_is_full(text, used);
            return;
        }
        used += r->all ? format(text + used, LINE_SIZE - used, " all that no other unit names")
                       : put_range(text + used, LINE_SIZE - used, r->first, r->last);
    }
}

void amdvi_describe(void (*line)(const char *text))
{
    char text[LINE_SIZE];
    for (unsigned i = 0; i < amdvi.ivrs.unit_count; i++) {
        size_t used = format(text, sizeof(text), "unit at 0x%lx, interrupt remapping; serves",
                             amdvi.ivrs.unit[i].base);
        used = put_specials(text, used, i);
        put_ranges(text, used, i);
        line(text);
    }
    for (unsigned i = 0; i < amdvi.ivrs.reserved_count; i++) {
        const struct ivrs_reserved *r = &amdvi.ivrs.reserved[i];
        size_t used = format(text, sizeof(text), "firmware reserves memory 0x%lx-0x%lx (IVMD) for",
                             r->base, r->base + (r->size - 1));
        put_range(text + used, sizeof(text) - used, r->first, r->last);
        line(text);
    }
}
