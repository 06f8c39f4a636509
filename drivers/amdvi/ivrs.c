// SPDX-License-Identifier: Apache-2.0
// The parser of IVRS. The first pass finds the blocks, and chooses one for each unit; the second
// reads those blocks' device entries. Section numbers are those of the AMD I/O Virtualization
// Technology (IOMMU) Specification, 48882.
#include "drivers/amdvi/ivrs.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "drivers/console/console.h"

#define IVRS_FIRST_BLOCK 48u // after the ACPI header, IVinfo and a reserved field (5.2.1)

enum block_type { // 5.2.2
    IVHD_FIRST = 0x10,
    IVHD_EXTENDED = 0x11,
    IVHD_NEWEST = 0x40, // may name devices by their ACPI HID
    IVMD_ALL = 0x20,
    IVMD_ONE = 0x21,
    IVMD_RANGE = 0x22,
};

enum entry_type { // 5.2.2.1, table "IVHD Device Entry Type Codes"
    ENTRY_PAD = 0x00,
    ENTRY_ALL = 0x01,
    ENTRY_SELECT = 0x02,
    ENTRY_START = 0x03,
    ENTRY_END = 0x04,
    ENTRY_ALIAS_SELECT = 0x42,
    ENTRY_ALIAS_START = 0x43,
    ENTRY_EXTENDED_SELECT = 0x46,
    ENTRY_EXTENDED_START = 0x47,
    ENTRY_SPECIAL = 0x48,
    ENTRY_ACPI_HID = 0xf0,
};

struct block {
    uint8_t type;
    uint8_t flags;
    uint16_t length; // including this header
} __attribute__((packed));

struct ivhd { // the part that all types share
    struct block block;
    uint16_t device;
    uint16_t capability;
    uint64_t base;
    uint16_t segment;
    uint16_t info;
    uint32_t features; // types 0x11 and 0x40: attributes, followed by 16 bytes of features
} __attribute__((packed));
_Static_assert(sizeof(struct ivhd) == 24, "5.2.2.1");

#define IVHD_EXTENDED_SIZE 40u

struct ivmd {
    struct block block;
    uint16_t device;
    uint16_t last; // of a range
    uint64_t reserved;
    uint64_t base;
    uint64_t size;
} __attribute__((packed));
_Static_assert(sizeof(struct ivmd) == 32, "5.2.2.2");

#define IVMD_EXCLUSION 0x08u

struct entry { // the first 8 bytes; the first types have 4
    uint8_t type;
    uint16_t device;
    uint8_t setting; // the firmware's advice which interrupts to pass; not used
    uint8_t handle;  // of a special device
    uint16_t source; // alias, or the ID of a special device
    uint8_t kind;    // of a special device
} __attribute__((packed));
_Static_assert(sizeof(struct entry) == 8, "5.2.2.1");

#define HID_SIZE          22u // without the variable part, whose length is in the last of these bytes
#define HID_LENGTH_OFFSET 21u

struct parser {
    const struct acpi_table *table;
    struct ivrs *out;
    char *error;
    size_t error_size;
    // A range of device entries that has begun but not ended.
    bool open;
    struct ivrs_range range;
};

static enum status bad(const struct parser *p, enum status status, uint32_t offset, unsigned type,
                       const char *what)
{
    format(
        p->error, p->error_size,
        "ACPI: the IVRS entry at offset %u (type 0x%x) %s; update the firmware, or turn the IOMMU "
        "off there and do without devices",
        offset, type, what);
    return status;
}

static enum status full(const struct parser *p, uint32_t offset, unsigned type, const char *what)
{
    format(p->error, p->error_size,
           "ACPI: the IVRS entry at offset %u (type 0x%x) is one more than there is room for: %s; "
           "raise the limit in drivers/amdvi/ivrs.h",
           offset, type, what);
    return ERR_RANGE;
}

// ---- blocks --------------------------------------------------------------------------------

// The least length of a block; 0: the type is not read.
static uint32_t block_size(uint8_t type)
{
    switch (type) {
    case IVHD_FIRST:
        return sizeof(struct ivhd);
    case IVHD_EXTENDED:
    case IVHD_NEWEST:
        return IVHD_EXTENDED_SIZE;
    case IVMD_ALL:
    case IVMD_ONE:
    case IVMD_RANGE:
        return sizeof(struct ivmd);
    default:
        return 0;
    }
}

static enum status take_unit(struct parser *p, const struct ivhd *ivhd, uint32_t offset)
{
    struct ivrs *out = p->out;
    struct ivrs_unit unit = {
        .base = ivhd->base,
        .device = ivhd->device,
        .capability = ivhd->capability,
        .type = ivhd->block.type,
        .flags = ivhd->block.flags,
        .offset = offset,
        .end = offset + ivhd->block.length,
    };
    if (ivhd->segment != 0) {
        print(
            "ACPI: the IOMMU at 0x%lx serves PCI segment %u, which is not used, and is left as it "
            "is\n",
            unit.base, ivhd->segment);
        return STATUS_OK;
    }
    if (unit.base == 0 || !is_aligned(unit.base, KIB(16)) || unit.base >= BIT(52)) {
        return bad(p, ERR_INVALID, offset, unit.type,
                   "has no good address of the unit's registers");
    }
    for (unsigned i = 0; i < out->unit_count; i++) {
        struct ivrs_unit *other = &out->unit[i];
        if (other->device == unit.device) {
            if (unit.type > other->type) {
                *other = unit;
            }
            return STATUS_OK;
        }
    }
    if (out->unit_count == IVRS_MAX_UNITS) {
        return full(p, offset, unit.type, "units");
    }
    out->unit[out->unit_count++] = unit;
    return STATUS_OK;
}

static enum status take_reserved(struct parser *p, const struct ivmd *ivmd, uint32_t offset)
{
    struct ivrs *out = p->out;
    struct ivrs_reserved r = {
        .first = ivmd->block.type == IVMD_ALL ? 0 : ivmd->device,
        .last = ivmd->block.type == IVMD_ALL     ? UINT16_MAX
                : ivmd->block.type == IVMD_RANGE ? ivmd->last
                                                 : ivmd->device,
        .base = ivmd->base,
        .size = ivmd->size,
        .exclusion = (ivmd->block.flags & IVMD_EXCLUSION) != 0,
    };
    if (r.last < r.first) {
        return bad(p, ERR_INVALID, offset, ivmd->block.type,
                   "is a range that ends before it begins");
    }
    if (r.size == 0 || r.size > UINT64_MAX - r.base) {
        return bad(p, ERR_INVALID, offset, ivmd->block.type,
                   "reserves memory of a size that can't be");
    }
    if (out->reserved_count == IVRS_MAX_RESERVED) {
        return full(p, offset, ivmd->block.type, "ranges of reserved memory");
    }
    out->reserved[out->reserved_count++] = r;
    return STATUS_OK;
}

static enum status take_block(struct parser *p, const struct block *block, uint32_t offset)
{
    union {
        struct ivhd ivhd;
        struct ivmd ivmd;
    } whole = {0};
    uint32_t size = block_size(block->type);
    if (size == 0) {
        return STATUS_OK;
    }
    if (block->length < size) {
        return bad(p, ERR_INVALID, offset, block->type, "is shorter than its type has to be");
    }
    bool memory = block->type >= IVMD_ALL && block->type <= IVMD_RANGE;
    enum status s =
        acpi_read(p->table, offset, &whole, memory ? sizeof(whole.ivmd) : sizeof(whole.ivhd));
    if (s != STATUS_OK) {
        return bad(p, s, offset, block->type, "can't be read");
    }
    return memory ? take_reserved(p, &whole.ivmd, offset) : take_unit(p, &whole.ivhd, offset);
}

static enum status take_blocks(struct parser *p)
{
    uint32_t offset = IVRS_FIRST_BLOCK;
    while (offset < p->table->length) {
        struct block block = {0};
        enum status s = acpi_read(p->table, offset, &block, sizeof(block));
        if (s == STATUS_OK && block.length > p->table->length - offset) {
            s = ERR_TRUNCATED;
        }
        if (s == STATUS_OK && block.length < sizeof(block)) {
            s = ERR_INVALID;
        }
        if (s != STATUS_OK) {
            return bad(p, s, offset, block.type, "has a length that can't be");
        }
        s = take_block(p, &block, offset);
        if (s != STATUS_OK) {
            return s;
        }
        offset += block.length;
    }
    return STATUS_OK;
}

// ---- device entries ------------------------------------------------------------------------

static enum status add_range(struct parser *p, const struct ivrs_range *r, uint32_t offset,
                             unsigned type)
{
    struct ivrs *out = p->out;
    if (r->last < r->first) {
        return bad(p, ERR_INVALID, offset, type, "is a range that ends before it begins");
    }
    struct ivrs_range *before = out->range_count > 0 ? &out->range[out->range_count - 1] : NULL;
    // Joins neighbours, because firmware lists functions one by one.
    if (before != NULL && before->unit == r->unit && !before->all && !r->all && !before->aliased &&
        !r->aliased && before->last < UINT16_MAX && before->last + 1 == r->first) {
        before->last = r->last;
        return STATUS_OK;
    }
    if (out->range_count == IVRS_MAX_RANGES) {
        return full(p, offset, type, "ranges of devices");
    }
    out->range[out->range_count++] = *r;
    return STATUS_OK;
}

static enum status add_alias(struct parser *p, const struct ivrs_range *r, uint32_t offset,
                             unsigned type)
{
    struct ivrs_range target = {.first = r->alias, .last = r->alias, .unit = r->unit};
    enum status s = add_range(p, r, offset, type);
    return s == STATUS_OK ? add_range(p, &target, offset, type) : s;
}

static enum status add_special(struct parser *p, uint8_t unit, const struct entry *e,
                               uint32_t offset)
{
    struct ivrs *out = p->out;
    if (e->kind != IVRS_IOAPIC && e->kind != IVRS_HPET) {
        return STATUS_OK; // an unknown kind, which stays blocked
    }
    if (ivrs_find_special(out, e->kind, e->handle) != NULL) {
        return bad(p, ERR_INVALID, offset, e->type, "names an IOAPIC or HPET for the second time");
    }
    if (out->special_count == IVRS_MAX_SPECIALS) {
        return full(p, offset, e->type, "IOAPICs and HPETs");
    }
    out->special[out->special_count++] =
        (struct ivrs_special){.kind = e->kind, .id = e->handle, .unit = unit, .device = e->source};
    struct ivrs_range r = {.first = e->source, .last = e->source, .unit = unit};
    return add_range(p, &r, offset, e->type);
}

static enum status end_range(struct parser *p, const struct entry *e, uint32_t offset)
{
    if (!p->open) {
        return bad(p, ERR_INVALID, offset, e->type, "ends a range that has not begun");
    }
    p->open = false;
    p->range.last = e->device;
    return p->range.aliased ? add_alias(p, &p->range, offset, e->type)
                            : add_range(p, &p->range, offset, e->type);
}

static enum status take_entry(struct parser *p, uint8_t unit, const struct entry *e,
                              uint32_t offset)
{
    struct ivrs_range r = {.first = e->device, .last = e->device, .unit = unit};
    if (p->open && e->type != ENTRY_END && e->type != ENTRY_PAD) {
        return bad(p, ERR_INVALID, offset, e->type, "stands where a range's end should be");
    }
    switch (e->type) {
    case ENTRY_ALL:
        r = (struct ivrs_range){.last = UINT16_MAX, .unit = unit, .all = true};
        return add_range(p, &r, offset, e->type);
    case ENTRY_SELECT:
    case ENTRY_EXTENDED_SELECT:
    case ENTRY_ACPI_HID:
        return add_range(p, &r, offset, e->type);
    case ENTRY_ALIAS_SELECT:
        r.aliased = true;
        r.alias = e->source;
        return add_alias(p, &r, offset, e->type);
    case ENTRY_ALIAS_START:
        r.aliased = true;
        r.alias = e->source;
        p->range = r;
        p->open = true;
        return STATUS_OK;
    case ENTRY_START:
    case ENTRY_EXTENDED_START:
        p->range = r;
        p->open = true;
        return STATUS_OK;
    case ENTRY_END:
        return end_range(p, e, offset);
    case ENTRY_SPECIAL:
        return add_special(p, unit, e, offset);
    default:
        return STATUS_OK;
    }
}

// The top bits of an entry's type give its length, except for entries that hold a name.
static enum status entry_length(const struct parser *p, uint32_t offset, uint8_t type,
                                uint32_t *length)
{
    uint8_t name = 0;
    *length = 4u << (type >> 6);
    if (type != ENTRY_ACPI_HID) {
        return STATUS_OK;
    }
    enum status s = acpi_read(p->table, offset + HID_LENGTH_OFFSET, &name, sizeof(name));
    *length = HID_SIZE + name;
    return s;
}

static enum status take_entries(struct parser *p, uint8_t index)
{
    const struct ivrs_unit *unit = &p->out->unit[index];
    uint32_t offset = unit->offset + block_size(unit->type);
    p->open = false;
    while (offset < unit->end) {
        struct entry e = {0};
        uint32_t length = 0;
        enum status s = acpi_read(p->table, offset, &e.type, sizeof(e.type));
        if (s == STATUS_OK) {
            s = entry_length(p, offset, e.type, &length);
        }
        if (s == STATUS_OK && length > unit->end - offset) {
            s = ERR_TRUNCATED;
        }
        if (s == STATUS_OK) {
            s = acpi_read(p->table, offset, &e, min_u64(length, sizeof(e)));
        }
        if (s != STATUS_OK) {
            return bad(p, s, offset, e.type, "goes beyond the end of its unit's block");
        }
        s = take_entry(p, index, &e, offset);
        if (s != STATUS_OK) {
            return s;
        }
        offset += length;
    }
    return p->open ? bad(p, ERR_INVALID, unit->offset, unit->type,
                         "has a range of devices that does not end")
                   : STATUS_OK;
}

enum status ivrs_parse(const struct acpi_table *table, struct ivrs *out, char *error, size_t size)
{
    struct parser p = {.table = table, .out = out, .error = error, .error_size = size};
    memset(out, 0, sizeof(*out));
    if (table->length < IVRS_FIRST_BLOCK) {
        format(error, size, "ACPI: the IVRS has only %u bytes; update the firmware", table->length);
        return ERR_TRUNCATED;
    }
    enum status s = take_blocks(&p);
    for (uint8_t i = 0; s == STATUS_OK && i < out->unit_count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (out->unit[j].base == out->unit[i].base) {
                return bad(&p, ERR_INVALID, out->unit[i].offset, out->unit[i].type,
                           "has the address of another unit");
            }
        }
        s = take_entries(&p, i);
    }
    if (s == STATUS_OK && out->unit_count == 0) {
        format(error, size,
               "ACPI: the IVRS describes no IOMMU of PCI segment 0; update the firmware");
        s = ERR_NOT_FOUND;
    }
    return s;
}

// ---- searching -----------------------------------------------------------------------------

static unsigned exactness(const struct ivrs_range *r)
{
    return r->aliased ? 3 : r->all ? 1 : 2;
}

const struct ivrs_range *ivrs_find(const struct ivrs *ivrs, uint16_t device)
{
    const struct ivrs_range *found = NULL;
    for (unsigned i = 0; i < ivrs->range_count; i++) {
        const struct ivrs_range *r = &ivrs->range[i];
        if (device >= r->first && device <= r->last &&
            (found == NULL || exactness(r) > exactness(found))) {
            found = r;
        }
    }
    return found;
}

const struct ivrs_special *ivrs_find_special(const struct ivrs *ivrs, enum ivrs_special_kind kind,
                                             uint32_t id)
{
    for (unsigned i = 0; i < ivrs->special_count; i++) {
        if (ivrs->special[i].kind == kind && ivrs->special[i].id == id) {
            return &ivrs->special[i];
        }
    }
    return NULL;
}

const struct ivrs_reserved *ivrs_find_reserved(const struct ivrs *ivrs, uint16_t device)
{
    for (unsigned i = 0; i < ivrs->reserved_count; i++) {
        if (device >= ivrs->reserved[i].first && device <= ivrs->reserved[i].last) {
            return &ivrs->reserved[i];
        }
    }
    return NULL;
}
