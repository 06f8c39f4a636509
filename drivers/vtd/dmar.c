// SPDX-License-Identifier: Apache-2.0
// The parser of the DMAR table, and the search in device scopes. Layouts: VT-d specification, 8.1
// to 8.4.
#include "drivers/vtd/dmar.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "drivers/console/console.h"

struct table_dmar {
    struct acpi_header header;
    uint8_t address_width; // bits - 1
    uint8_t flags;
    uint8_t reserved[10];
} __attribute__((packed));
_Static_assert(sizeof(struct table_dmar) == 48, "VT-d specification, 8.1");

#define FLAG_INTERRUPT_REMAPPING 0x1u

enum { ENTRY_DRHD = 0, ENTRY_RMRR = 1 }; // other entries are not needed

struct table_entry {
    uint16_t type;
    uint16_t length; // including this header
} __attribute__((packed));

struct table_drhd {
    struct table_entry entry;
    uint8_t flags;
    uint8_t register_pages; // log2; 0 in older tables
    uint16_t segment;
    uint64_t base;
} __attribute__((packed));
_Static_assert(sizeof(struct table_drhd) == 16, "VT-d specification, 8.3");

#define DRHD_INCLUDE_ALL 0x1u

struct table_rmrr {
    struct table_entry entry;
    uint16_t reserved;
    uint16_t segment;
    uint64_t base;
    uint64_t limit;
} __attribute__((packed));
_Static_assert(sizeof(struct table_rmrr) == 24, "VT-d specification, 8.4");

struct table_scope {
    uint8_t type;
    uint8_t length; // includes this header and the pairs of device and function after it
    uint16_t reserved;
    uint8_t id;
    uint8_t bus; // where the path starts
} __attribute__((packed));
_Static_assert(sizeof(struct table_scope) == 6, "VT-d specification, 8.3.1");

struct path_step {
    uint8_t device, function;
} __attribute__((packed));

struct parser {
    const struct acpi_table *table;
    const struct pci_machine *pci;
    struct dmar *out;
    char *error;
    size_t size;
};

static enum status malformed(struct parser *p, uint32_t offset, const char *what)
{
    format(p->error, p->size, "ACPI: the DMAR table at offset %u: %s; update the firmware", offset,
           what);
    return ERR_INVALID;
}

static enum status too_many(struct parser *p, uint32_t offset, const char *what, int limit)
{
    format(p->error, p->size,
           "ACPI: the DMAR table at offset %u has more than %d %s, which is the limit of this "
           "version: run without devices of partitions",
           offset, limit, what);
    return ERR_UNSUPPORTED;
}

// ---- device scopes -------------------------------------------------------------------------

static const struct pci_function *function_at(const struct pci_machine *pci, uint16_t requester)
{
    int i = pci_find(pci, (pci_address_t){requester});
    return i < 0 ? NULL : &pci->function[i];
}

// Whether this is a bridge to another bus. A path can't continue through a host bridge.
static bool is_bus_bridge(const struct pci_function *f)
{
    return f != NULL && f->bridge && f->secondary != 0 && f->subordinate >= f->secondary;
}

// Follows the path from the scope's first bus. ERR_NOT_FOUND: a bridge on the path does not exist.
static enum status follow_path(struct parser *p, uint32_t offset, const struct table_scope *scope,
                               uint16_t *requester)
{
    unsigned steps = (unsigned)(scope->length - sizeof(*scope)) / sizeof(struct path_step);
    uint8_t bus = scope->bus;
    for (unsigned i = 0; i < steps; i++) {
        struct path_step step;
        enum status s = acpi_read(p->table, offset + (uint32_t)(sizeof(*scope) + i * sizeof(step)),
                                  &step, sizeof(step));
        if (s != STATUS_OK || step.device > 31 || step.function > 7) {
            return malformed(p, offset, "a path with a device or function that can't be");
        }
        *requester = (uint16_t)(bus << 8 | step.device << 3 | step.function);
        if (i + 1 < steps) {
            const struct pci_function *bridge = function_at(p->pci, *requester);
            if (!is_bus_bridge(bridge)) {
                return ERR_NOT_FOUND;
            }
            bus = bridge->secondary;
        }
    }
    return STATUS_OK;
}

static bool is_known(uint8_t type)
{
    return type >= DMAR_SCOPE_ENDPOINT && type <= DMAR_SCOPE_HPET;
}

static enum status add_scope(struct parser *p, uint32_t offset, const struct table_scope *scope,
                             const struct dmar_scope *owner)
{
    struct dmar *out = p->out;
    struct dmar_scope s = *owner;
    enum status status = follow_path(p, offset, scope, &s.requester);
    if (status == ERR_NOT_FOUND) {
        print("ACPI: the DMAR table at offset %u names a device behind a bridge that isn't there\n",
              offset);
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (out->scope_count == DMAR_MAX_SCOPES) {
        return too_many(p, offset, "device scopes", DMAR_MAX_SCOPES);
    }
    s.kind = (enum dmar_scope_kind)scope->type;
    s.id = scope->id;
    s.bus_first = 1;
    const struct pci_function *f = function_at(p->pci, s.requester);
    if (s.kind == DMAR_SCOPE_BRIDGE && is_bus_bridge(f)) {
        s.bus_first = f->secondary;
        s.bus_last = f->subordinate;
    }
    out->scopes[out->scope_count++] = s;
    return STATUS_OK;
}

// Takes the scopes in [offset, end) of the table.
static enum status take_scopes(struct parser *p, uint32_t offset, uint32_t end,
                               const struct dmar_scope *owner)
{
    while (offset < end) {
        struct table_scope scope;
        if (end - offset < sizeof(scope) ||
            acpi_read(p->table, offset, &scope, sizeof(scope)) != STATUS_OK ||
            scope.length < sizeof(scope) + sizeof(struct path_step) ||
            scope.length > end - offset || scope.length % sizeof(struct path_step) != 0) {
            return malformed(p, offset, "a device scope of impossible length");
        }
        if (is_known(scope.type)) {
            enum status s = add_scope(p, offset, &scope, owner);
            if (s != STATUS_OK) {
                return s;
            }
        }
        offset += scope.length;
    }
    return STATUS_OK;
}

// ---- the table's entries -------------------------------------------------------------------

static enum status take_drhd(struct parser *p, uint32_t offset, uint32_t end)
{
    struct dmar *out = p->out;
    struct table_drhd drhd;
    if (end - offset < sizeof(drhd) ||
        acpi_read(p->table, offset, &drhd, sizeof(drhd)) != STATUS_OK) {
        return malformed(p, offset, "an entry of a unit that is too short");
    }
    if (drhd.base == 0 || !is_aligned(drhd.base, PAGE_SIZE) || drhd.base >= BIT(52)) {
        return malformed(p, offset, "a unit whose address can't be");
    }
    for (unsigned i = 0; i < out->unit_count; i++) {
        if (out->units[i].base == drhd.base) {
            return malformed(p, offset, "a unit that was there already");
        }
    }
    if (out->unit_count == DMAR_MAX_UNITS) {
        return too_many(p, offset, "units", DMAR_MAX_UNITS);
    }
    struct dmar_scope owner = {.owner = out->unit_count};
    out->units[out->unit_count++] =
        (struct dmar_unit){drhd.base, drhd.segment, (drhd.flags & DRHD_INCLUDE_ALL) != 0};
    return take_scopes(p, offset + (uint32_t)sizeof(drhd), end, &owner);
}

static enum status take_rmrr(struct parser *p, uint32_t offset, uint32_t end)
{
    struct dmar *out = p->out;
    struct table_rmrr rmrr;
    if (end - offset < sizeof(rmrr) ||
        acpi_read(p->table, offset, &rmrr, sizeof(rmrr)) != STATUS_OK) {
        return malformed(p, offset, "an entry of reserved memory that is too short");
    }
    if (rmrr.limit < rmrr.base) {
        return malformed(p, offset, "reserved memory that ends before it begins");
    }
    if (out->rmrr_count == DMAR_MAX_RMRRS) {
        return too_many(p, offset, "ranges of reserved memory", DMAR_MAX_RMRRS);
    }
    struct dmar_scope owner = {.of_rmrr = true, .owner = out->rmrr_count};
    out->rmrrs[out->rmrr_count++] = (struct dmar_rmrr){rmrr.base, rmrr.limit, rmrr.segment};
    return take_scopes(p, offset + (uint32_t)sizeof(rmrr), end, &owner);
}

static enum status take_entries(struct parser *p)
{
    uint32_t offset = sizeof(struct table_dmar);
    while (offset < p->table->length) {
        struct table_entry entry;
        if (acpi_read(p->table, offset, &entry, sizeof(entry)) != STATUS_OK ||
            entry.length < sizeof(entry) || entry.length > p->table->length - offset) {
            return malformed(p, offset, "an entry of impossible length");
        }
        enum status s = STATUS_OK;
        if (entry.type == ENTRY_DRHD) {
            s = take_drhd(p, offset, offset + entry.length);
        } else if (entry.type == ENTRY_RMRR) {
            s = take_rmrr(p, offset, offset + entry.length);
        }
        if (s != STATUS_OK) {
            return s;
        }
        offset += entry.length;
    }
    return STATUS_OK;
}

enum status dmar_parse(const struct acpi_table *table, const struct pci_machine *pci,
                       struct dmar *out, char *error, size_t size)
{
    struct parser p = {table, pci, out, error, size};
    struct table_dmar head;
    memset(out, 0, sizeof(*out));
    if (acpi_read(table, 0, &head, sizeof(head)) != STATUS_OK) {
        return malformed(&p, 0, "ends before its first entry");
    }
    out->address_bits = head.address_width + 1u;
    out->interrupt_remapping = (head.flags & FLAG_INTERRUPT_REMAPPING) != 0;
    enum status s = take_entries(&p);
    if (s == STATUS_OK && out->unit_count == 0) {
        return malformed(&p, sizeof(head), "it has no unit");
    }
    return s;
}

// ---- searching in scopes -------------------------------------------------------------------

static bool covers(const struct dmar_scope *s, uint16_t requester)
{
    uint8_t bus = (uint8_t)(requester >> 8);
    if (s->kind == DMAR_SCOPE_BRIDGE && bus >= s->bus_first && bus <= s->bus_last) {
        return true;
    }
    return s->requester == requester &&
           (s->kind == DMAR_SCOPE_ENDPOINT || s->kind == DMAR_SCOPE_BRIDGE);
}

const struct dmar_unit *dmar_unit_of(const struct dmar *dmar, uint16_t requester)
{
    for (unsigned i = 0; i < dmar->scope_count; i++) {
        const struct dmar_scope *s = &dmar->scopes[i];
        if (!s->of_rmrr && dmar->units[s->owner].segment == 0 && covers(s, requester)) {
            return &dmar->units[s->owner];
        }
    }
    for (unsigned i = 0; i < dmar->unit_count; i++) {
        if (dmar->units[i].segment == 0 && dmar->units[i].include_all) {
            return &dmar->units[i];
        }
    }
    return NULL;
}

const struct dmar_rmrr *dmar_rmrr_of(const struct dmar *dmar, uint16_t requester)
{
    for (unsigned i = 0; i < dmar->scope_count; i++) {
        const struct dmar_scope *s = &dmar->scopes[i];
        if (s->of_rmrr && dmar->rmrrs[s->owner].segment == 0 && covers(s, requester)) {
            return &dmar->rmrrs[s->owner];
        }
    }
    return NULL;
}

enum status dmar_find_ioapic(const struct dmar *dmar, uint32_t id, uint16_t *requester)
{
    for (unsigned i = 0; i < dmar->scope_count; i++) {
        const struct dmar_scope *s = &dmar->scopes[i];
        if (!s->of_rmrr && s->kind == DMAR_SCOPE_IOAPIC && s->id == id &&
            dmar->units[s->owner].segment == 0) {
            *requester = s->requester;
            return STATUS_OK;
        }
    }
    return ERR_NOT_FOUND;
}
