// SPDX-License-Identifier: Apache-2.0
// The IOAPIC's registers (Intel 82093AA data sheet, section 3; the EOI register as in Intel's ICH),
// and the decision when a pin sends a message. Relies on nothing.
#include "hv/vdev/vioapic.h"

#include "arch/lib/string.h"
#include "hv/vdev/vdev.h"

#define OFFSET_INDEX 0x00
#define OFFSET_DATA  0x10
#define OFFSET_EOI   0x40

#define REG_ID          0x00
#define REG_VERSION     0x01
#define REG_ARBITRATION 0x02
#define REG_ENTRIES     0x10 // two registers for each pin, low half first

#define ID_WRITABLE 0x0f000000u

#define VERSION_WITH_EOI        0x20u
#define VERSION_MAX_ENTRY_SHIFT 16

#define ENTRY_VECTOR            0xffull
#define ENTRY_DELIVERY_SHIFT    8
#define ENTRY_DELIVERY_MASK     7
#define ENTRY_LOGICAL           (1ull << 11)
#define ENTRY_REMOTE_IRR        (1ull << 14)
#define ENTRY_LEVEL             (1ull << 15)
#define ENTRY_MASKED            (1ull << 16)
#define ENTRY_DESTINATION_SHIFT 56
// Excludes delivery status (bit 12), remote IRR (bit 14) and reserved bits.
#define ENTRY_WRITABLE 0xff0000000001afffull

// Vectors below are reserved for exceptions; a local APIC refuses them.
#define FIRST_VECTOR 16

void vioapic_reset(struct vioapic *a)
{
    memset(a, 0, sizeof(*a));
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++)
        a->entry[pin] = ENTRY_MASKED;
}

// The message that an entry sends. False if it may not send one: SMI, INIT and ExtINT are refused.
// A partition has no SMM, its 8259s are wired to the boot processor, and an INIT must never reach
// the bus.
static bool entry_message(uint64_t entry, struct vioapic_message *out)
{
    unsigned delivery = entry >> ENTRY_DELIVERY_SHIFT & ENTRY_DELIVERY_MASK;
    uint8_t vector = entry & ENTRY_VECTOR;

    if (entry & ENTRY_MASKED)
        return false;
    switch (delivery) {
    case VIOAPIC_FIXED:
    case VIOAPIC_LOWEST:
        if (vector < FIRST_VECTOR)
            return false;
        break;
    case VIOAPIC_NMI:
        break;
    default:
        return false;
    }
    out->vector = vector;
    out->delivery = (enum vioapic_delivery)delivery;
    out->logical = (entry & ENTRY_LOGICAL) != 0;
    out->destination = (uint8_t)(entry >> ENTRY_DESTINATION_SHIFT);
    // An NMI is always edge-triggered.
    out->level = (entry & ENTRY_LEVEL) && delivery != VIOAPIC_NMI;
    return true;
}

// The message that a pin sends because of its line's level, without a new edge.
static bool level_message(const struct vioapic *a, unsigned pin, struct vioapic_message *out)
{
    struct vioapic_message m;

    if (!(a->lines >> pin & 1) || !entry_message(a->entry[pin], &m) || !m.level)
        return false;
    *out = m;
    return true;
}

static bool write_entry(struct vioapic *a, unsigned half, uint32_t value,
                        struct vioapic_message *out)
{
    unsigned pin = half / 2;
    unsigned shift = half % 2 * 32;
    uint64_t old = a->entry[pin];
    uint64_t entry = (old & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;

    entry &= ENTRY_WRITABLE;
    a->entry[pin] = entry;
    a->changed |= a->direct & 1u << pin;
    return entry != old && level_message(a, pin, out);
}

// Handles an EOI for this vector. If several pins share the vector, one message is enough: its EOI
// comes back here.
static bool write_eoi(const struct vioapic *a, uint8_t vector, struct vioapic_message *out)
{
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
        if ((a->entry[pin] & ENTRY_VECTOR) == vector && level_message(a, pin, out))
            return true;
    }
    return false;
}

static uint64_t shown_entry(const struct vioapic *a, unsigned pin)
{
    bool waits = a->direct & a->remote_irr & 1u << pin;

    return a->entry[pin] | (waits ? ENTRY_REMOTE_IRR : 0);
}

static uint32_t read_data(const struct vioapic *a)
{
    unsigned half = a->index - (unsigned)REG_ENTRIES;

    switch (a->index) {
    case REG_ID:
    case REG_ARBITRATION: // loaded from the ID; there is no arbitration
        return a->id;
    case REG_VERSION:
        return VERSION_WITH_EOI | (VIOAPIC_PINS - 1) << VERSION_MAX_ENTRY_SHIFT;
    default:
        if (half >= 2 * VIOAPIC_PINS)
            return vdev_all_ones(4);
        return (uint32_t)(shown_entry(a, half / 2) >> (half % 2 * 32));
    }
}

static bool write_data(struct vioapic *a, uint32_t value, struct vioapic_message *out)
{
    unsigned half = a->index - (unsigned)REG_ENTRIES;

    if (a->index == REG_ID)
        a->id = value & ID_WRITABLE;
    else if (half < 2 * VIOAPIC_PINS)
        return write_entry(a, half, value, out);
    return false;
}

uint32_t vioapic_read(const struct vioapic *a, uint32_t offset)
{
    switch (offset) {
    case OFFSET_INDEX:
        return a->index;
    case OFFSET_DATA:
        return read_data(a);
    default:
        return vdev_all_ones(4);
    }
}

bool vioapic_write(struct vioapic *a, uint32_t offset, uint32_t value, struct vioapic_message *out)
{
    switch (offset) {
    case OFFSET_INDEX:
        a->index = (uint8_t)value;
        return false;
    case OFFSET_DATA:
        return write_data(a, value, out);
    case OFFSET_EOI:
        return write_eoi(a, (uint8_t)value, out);
    default:
        return false;
    }
}

void vioapic_make_direct(struct vioapic *a, uint32_t pins)
{
    a->direct = a->changed = pins;
}

bool vioapic_pin_message(const struct vioapic *a, unsigned pin, struct vioapic_message *out)
{
    return pin < VIOAPIC_PINS && entry_message(a->entry[pin], out);
}

bool vioapic_direct_message(const struct vioapic *a, unsigned pin, struct vioapic_message *out)
{
    return pin < VIOAPIC_PINS && (a->direct & 1u << pin) && entry_message(a->entry[pin], out);
}

bool vioapic_set_line(struct vioapic *a, unsigned pin, bool asserted, struct vioapic_message *out)
{
    if (pin >= VIOAPIC_PINS)
        return false;

    uint32_t line = 1u << pin;
    bool rises = asserted && !(a->lines & line);
    if (asserted)
        a->lines |= line;
    else
        a->lines &= ~line;
    // A level-triggered pin also sends when its line rises. While the pin is masked, an edge is
    // lost, and a level waits until the entry changes.
    return rises && entry_message(a->entry[pin], out);
}
