// SPDX-License-Identifier: Apache-2.0
// The interrupt remapping table (VT-d specification, 5.1, 9.9). Each entry belongs to one requester
// and is checked against its whole ID, so a handle is useless to any other device. The high half of
// an entry, which holds the ID, is written while the entry is absent; setting a route is one store
// to the low half.
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "drivers/ioapic/ioapic.h"
#include "drivers/vtd/vtd.h"

// Enough for all interrupts of all assigned devices and for the IOAPICs' pins: an NVMe disk or a
// network card has one for each processor and a few more.
#define ENTRIES     1024u
#define TABLE_PAGES (ENTRIES * sizeof(struct vtd_entry) / PAGE_SIZE)
#define TABLE_SIZE  9u // the register's encoding: 2^(n + 1) entries
#define EMPTY_SIZE  7u // one page

_Static_assert(ENTRIES == 2u << TABLE_SIZE, "table and register agree");

enum owner_kind { OWNER_NONE, OWNER_DEVICE, OWNER_PIN };

static struct owner {
    uint8_t kind;       // enum owner_kind
    uint8_t pin;        // of an IOAPIC
    uint16_t requester; // or, for a pin, the IOAPIC's ACPI ID
} * owners;             // of each entry

static struct vtd_entry *table;       // of segment 0
static struct vtd_entry *empty_table; // of all other segments: no entry is ever present

enum status vtd_interrupts_create(void)
{
    hpa_t pages = heap_pages_alloc(TABLE_PAGES);
    hpa_t empty = heap_page_alloc();
    owners = heap_alloc(ENTRIES * sizeof(*owners)); // all OWNER_NONE
    if (pages.v == 0 || empty.v == 0 || owners == NULL) {
        return ERR_NO_MEMORY;
    }
    table = heap_ptr(pages);
    empty_table = heap_ptr(empty);
    vtd_written(table, TABLE_PAGES * PAGE_SIZE);
    vtd_written(empty_table, PAGE_SIZE);
    return STATUS_OK;
}

uint64_t vtd_interrupt_table(uint16_t segment)
{
    uint64_t mode = vtd.wide_destinations ? VTD_IRTA_EIME : 0;
    return segment == 0 ? heap_pa(table).v | mode | TABLE_SIZE
                        : heap_pa(empty_table).v | mode | EMPTY_SIZE;
}

// ---- entries -------------------------------------------------------------------------------

static uint64_t route_bits(const struct irq_route *r)
{
    uint64_t low =
        vtd.wide_destinations ? VTD_IRTE_X2APIC(r->apic_id) : VTD_IRTE_XAPIC(r->apic_id & 0xff);
    low |= r->nmi ? VTD_IRTE_NMI : VTD_IRTE_VECTOR(r->vector);
    return low | (r->level ? VTD_IRTE_LEVEL : 0) | VTD_IRTE_PRESENT;
}

static void set_entry(unsigned handle, const struct irq_route *route)
{
    __atomic_store_n(&table[handle].low, route == NULL ? 0 : route_bits(route), __ATOMIC_RELEASE);
    vtd_written(&table[handle], sizeof(table[handle]));
    const struct vtd_descriptor d = {VTD_INV_IEC | VTD_IEC_INDEX | VTD_IEC_OF(handle), 0};
    vtd_invalidate(&d, 1);
}

static bool is_free(unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (owners[first + i].kind != OWNER_NONE) {
            return false;
        }
    }
    return true;
}

// Takes a block that is aligned to its size, so that a device that puts numbers into the low bits
// of its data stays within it.
static enum status take_block(unsigned count, uint16_t sid, unsigned *first)
{
    for (unsigned i = 0; count <= ENTRIES && i < ENTRIES; i += count) {
        if (is_free(i, count)) {
            for (unsigned n = 0; n < count; n++) {
                table[i + n].high = VTD_IRTE_SVT_SID | VTD_IRTE_SID(sid);
            }
            vtd_written(&table[i], count * sizeof(table[i]));
            *first = i;
            return STATUS_OK;
        }
    }
    return ERR_NO_MEMORY;
}

// ---- messages ------------------------------------------------------------------------------

enum status vtd_irq_alloc(uint16_t requester, unsigned count, unsigned *first)
{
    ASSERT(count > 0 && (count & (count - 1)) == 0);
    enum status s = take_block(count, requester, first);
    for (unsigned i = 0; s == STATUS_OK && i < count; i++) {
        owners[*first + i].kind = OWNER_DEVICE;
        owners[*first + i].requester = requester;
    }
    return s;
}

static bool is_owned(uint16_t requester, unsigned handle)
{
    return handle < ENTRIES && owners[handle].kind == OWNER_DEVICE &&
           owners[handle].requester == requester;
}

void vtd_irq_set(uint16_t requester, unsigned handle, const struct irq_route *route)
{
    ASSERT(is_owned(requester, handle));
    set_entry(handle, route);
}

// Remappable format with a subhandle (5.1.2.2, 5.1.5.2): the data is added to the handle, and the
// device increments it for further messages.
void vtd_irq_message(uint16_t requester, unsigned first, struct msi_message *out)
{
    ASSERT(is_owned(requester, first));
    out->address = APIC_MSI_ADDRESS | (uint64_t)(first & 0x7fff) << 5 | VTD_MSI_REMAPPABLE |
                   VTD_MSI_SUBHANDLE | (uint64_t)(first >> 15) << 2;
    out->data = 0;
}

// ---- IOAPICs -------------------------------------------------------------------------------

// Finds or takes the pin's entry. The pin keeps it for ever.
static enum status find_pin(uint32_t ioapic, unsigned pin, uint16_t sid, unsigned *handle)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (owners[i].kind == OWNER_PIN && owners[i].requester == ioapic && owners[i].pin == pin) {
            *handle = i;
            return STATUS_OK;
        }
    }
    enum status s = take_block(1, sid, handle);
    if (s == STATUS_OK) {
        owners[*handle].kind = OWNER_PIN;
        owners[*handle].requester = (uint16_t)ioapic;
        owners[*handle].pin = (uint8_t)pin;
    }
    return s;
}

// The redirection entry in remappable format (5.1.5.1). An end of interrupt finds a level-triggered
// pin by its vector, so the entry repeats the route's vector.
enum status vtd_ioapic_entry(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                             bool active_low, uint64_t *entry)
{
    uint16_t sid;
    unsigned handle;
    ASSERT(pin < IOAPIC_MAX_PINS);
    enum status s = dmar_find_ioapic(&vtd.dmar, ioapic, &sid);
    if (s == STATUS_OK) {
        s = find_pin(ioapic, pin, sid, &handle);
    }
    if (s != STATUS_OK) {
        return s;
    }
    set_entry(handle, route);
    *entry = (uint64_t)(handle & 0x7fff) << 49 | VTD_RTE_REMAPPABLE |
             (uint64_t)(handle >> 15) << 11 | (route->level ? VTD_RTE_LEVEL : 0) |
             (active_low ? VTD_RTE_ACTIVE_LOW : 0) | (route->nmi ? 0 : route->vector);
    return STATUS_OK;
}
