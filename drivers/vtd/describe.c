// SPDX-License-Identifier: Apache-2.0
// The DMAR table's description of the VT-d units, as lines for the inventory.
#include "arch/lib/format.h"
#include "drivers/vtd/vtd.h"

#define LINE_SIZE  240
#define ENTRY_SIZE 40 // the longest entry of a list, including its separators

static void line_is_full(char text[LINE_SIZE], size_t used)
{
    if (used < LINE_SIZE) {
        format(text + used, LINE_SIZE - used, " ...");
    }
}

// One scope of a unit or of reserved memory: " 00:02.0", " IOAPIC 0".
static size_t put_scope(char *text, size_t size, const struct dmar_scope *s)
{
    char place[PCI_TEXT_SIZE];
    pci_text((pci_address_t){s->requester}, place);
    switch (s->kind) {
    case DMAR_SCOPE_IOAPIC:
        return format(text, size, " IOAPIC %u", s->id);
    case DMAR_SCOPE_HPET:
        return format(text, size, " HPET %u", s->id);
    case DMAR_SCOPE_BRIDGE:
        return format(text, size, " %s with buses %02x-%02x", place, s->bus_first, s->bus_last);
    case DMAR_SCOPE_ENDPOINT:
        break;
    }
    return format(text, size, " %s", place);
}

// Appends all scopes of one owner to `text`, as far as there is room.
static void put_scopes(char text[LINE_SIZE], size_t used, bool of_rmrr, unsigned owner)
{
    for (unsigned i = 0; i < vtd.dmar.scope_count; i++) {
        const struct dmar_scope *s = &vtd.dmar.scopes[i];
        if (s->of_rmrr != of_rmrr || s->owner != owner) {
            continue;
        }
        if (used > LINE_SIZE - ENTRY_SIZE) {
            line_is_full(text, used);
            return;
        }
        used += put_scope(text + used, LINE_SIZE - used, s);
    }
}

void vtd_describe(void (*line)(const char *text))
{
    char text[LINE_SIZE];
    for (unsigned i = 0; i < vtd.dmar.unit_count; i++) {
        const struct dmar_unit *u = &vtd.dmar.units[i];
        size_t used =
            format(text, sizeof(text), "unit at 0x%lx, segment %u, interrupt remapping; serves%s",
                   u->base, u->segment, u->include_all ? " all that no other unit names," : "");
        put_scopes(text, used, false, i);
        line(text);
    }
    for (unsigned i = 0; i < vtd.dmar.rmrr_count; i++) {
        const struct dmar_rmrr *r = &vtd.dmar.rmrrs[i];
        size_t used = format(text, sizeof(text), "firmware reserves memory 0x%lx-0x%lx (RMRR) for",
                             r->base, r->limit);
        put_scopes(text, used, true, i);
        line(text);
    }
}
