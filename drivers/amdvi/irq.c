// SPDX-License-Identifier: Apache-2.0
// Interrupt remapping of AMD-Vi (48882, 2.2.5): each ID has its own table, so a device can only
// name its own interrupts. The low 11 bits of the data that it writes are the index.
#include "arch/interrupt/apic_defs.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "drivers/amdvi/amdvi.h"
#include "drivers/ioapic/ioapic.h"

#define INTERRUPTS   2 // quadword of a device table entry
#define FIRST_VECTOR 16u
#define MAX_APIC_ID  254u // highest ID in 8 bits; 255 is broadcast

static unsigned table_size(void)
{
    return amdvi.wide ? AMDVI_IRQS_128 : AMDVI_IRQS_32;
}

static bool is_used(const struct amdvi_irq_table *t, unsigned i)
{
    return (t->used[i / 64] >> (i % 64)) & 1;
}

// ---- entries -------------------------------------------------------------------------------

// Whether an entry can express the route. The table can't deliver NMIs; such a route stays absent.
static bool route_valid(const struct irq_route *r)
{
    return !r->nmi && r->vector >= FIRST_VECTOR && (amdvi.wide || r->apic_id <= MAX_APIC_ID) &&
           r->apic_id != UINT32_MAX;
}

// Replaces an entry with one store, so that the unit never sees half of a change and loses no
// interrupt. An entry of 128 bits needs CMPXCHG16B, which every processor with an AMD-Vi has. Only
// this code writes the entry.
static void replace_128(uint64_t *entry, uint64_t low, uint64_t high)
{
    uint64_t old_low = entry[0], old_high = entry[1];
    bool done;
    __asm__ volatile("lock cmpxchg16b %[entry]"
                     : [entry] "+m"(*(unsigned __int128 *)entry), "+a"(old_low), "+d"(old_high),
                       "=@ccz"(done)
                     : "b"(low), "c"(high)
                     : "memory");
    ASSERT(done);
}

static void write_entry(const struct amdvi_irq_table *t, unsigned index, const struct irq_route *r)
{
    bool present = r != NULL && route_valid(r);
    if (!amdvi.wide) {
        uint32_t *entry = (uint32_t *)heap_ptr(t->table) + index;
        uint32_t value = !present ? 0
                                  : (uint32_t)AMDVI_IRTE_VALID |
                                        r->apic_id << AMDVI_IRTE_DESTINATION_SHIFT |
                                        (uint32_t)r->vector << AMDVI_IRTE_VECTOR_SHIFT;
        __atomic_store_n(entry, value, __ATOMIC_SEQ_CST);
        return;
    }
    uint64_t *entry = (uint64_t *)heap_ptr(t->table) + 2ull * index;
    uint64_t low = 0, high = 0;
    if (present) {
        uint64_t destination = r->apic_id;
        low = AMDVI_IRTE_VALID | (destination & 0xffffff) << AMDVI_IRTE_DESTINATION_SHIFT;
        high = r->vector | (destination >> 24) << AMDVI_IRTE_HIGH_DESTINATION_SHIFT;
    }
    replace_128(entry, low, high);
}

static void tables_changed(uint16_t id)
{
    struct amdvi_unit *u = amdvi_serving_unit(id);
    (void)amdvi_command(u, AMDVI_COMMAND_INVALIDATE_INTERRUPTS | id, 0);
    amdvi_must_complete(u);
}

// ---- a device's table ----------------------------------------------------------------------

static struct amdvi_irq_table *make_table(uint16_t id)
{
    uint64_t *e = amdvi_device(id);
    struct amdvi_irq_table *t = heap_alloc(sizeof(*t));
    if (t == NULL) {
        return NULL;
    }
    t->table = heap_page_alloc();
    if (t->table.v == 0) {
        return NULL; // the memory for `t` is not freed: the heap is full anyway
    }
    amdvi.irqs[id] = t;
    unsigned log = (unsigned)__builtin_ctz(table_size());
    __atomic_store_n(&e[INTERRUPTS],
                     AMDVI_DTE_INTERRUPTS_VALID | AMDVI_DTE_TABLE_LENGTH(log) | t->table.v |
                         AMDVI_DTE_FIXED_REMAPPED,
                     __ATOMIC_SEQ_CST);
    amdvi_device_changed(id, (uint16_t)(e[1] & AMDVI_DTE_DOMAIN_MASK));
    return t;
}

static struct amdvi_irq_table *table_of(uint16_t requester)
{
    uint16_t id = amdvi_alias(requester);
    return id < amdvi.device_count ? amdvi.irqs[id] : NULL;
}

static bool is_free(const struct amdvi_irq_table *t, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (is_used(t, first + i)) {
            return false;
        }
    }
    return true;
}

enum status amdvi_irq_alloc(uint16_t requester, unsigned count, unsigned *first)
{
    uint16_t id = amdvi_alias(requester);
    if (id >= amdvi.device_count || amdvi_unit_of(id) == NULL) {
        return ERR_NOT_FOUND;
    }
    if (count == 0 || (count & (count - 1)) != 0) {
        return ERR_INVALID;
    }
    struct amdvi_irq_table *t = amdvi.irqs[id] != NULL ? amdvi.irqs[id] : make_table(id);
    if (t == NULL) {
        return ERR_NO_MEMORY;
    }
    // Aligned, because a device with several messages may replace the lowest bits by their number.
    for (unsigned at = 0; at + count <= table_size(); at += count) {
        if (!is_free(t, at, count)) {
            continue;
        }
        for (unsigned i = at; i < at + count; i++) {
            t->used[i / 64] |= BIT(i % 64);
            t->owner[i] = requester;
        }
        *first = at;
        return STATUS_OK;
    }
    return ERR_NO_MEMORY;
}

void amdvi_irq_set(uint16_t requester, unsigned handle, const struct irq_route *route)
{
    struct amdvi_irq_table *t = table_of(requester);
    ASSERT(t != NULL && handle < table_size() && is_used(t, handle) &&
           t->owner[handle] == requester);
    write_entry(t, handle, route);
    tables_changed(amdvi_alias(requester));
}

// Bits 10:8 of the data would be the delivery mode. Only fixed (0) and lowest priority (1) go
// through the table, so no more than 512 entries are usable.
void amdvi_irq_message(uint16_t requester, unsigned first, struct msi_message *out)
{
    (void)requester;
    *out = (struct msi_message){.address = APIC_MSI_ADDRESS, .data = first};
}

// ---- IOAPIC --------------------------------------------------------------------------------

// An IOAPIC's interrupts pass unchanged. That is safe: only the hypervisor writes its entries and
// checks each one, and no function that carries the IOAPIC's ID is assigned (amdvi.c). With a
// table, the index would be in the vector's place, and the end of a level-triggered interrupt,
// which the local APIC sends by vector, would not be found. An IOAPIC that only needs NMIs (the
// console's) may send nothing else.
static uint64_t passing(uint64_t interrupts, const struct irq_route *route)
{
    if (!(interrupts & AMDVI_DTE_INTERRUPTS_VALID) || !route->nmi) {
        return 0; // not IntCtl = 1: QEMU delivers such interrupts to vector 0
    }
    return interrupts | AMDVI_DTE_NMI_PASS;
}

enum status amdvi_ioapic_entry(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                               bool active_low, uint64_t *entry)
{
    const struct ivrs_special *special = ivrs_find_special(&amdvi.ivrs, IVRS_IOAPIC, ioapic);
    (void)pin;
    if (special == NULL) {
        return ERR_NOT_FOUND;
    }
    uint16_t id = amdvi_alias(special->device);
    uint64_t *e = amdvi_device(id);
    if (e == NULL || amdvi_unit_of(id) == NULL) {
        return ERR_NOT_FOUND;
    }
    if (route->apic_id > MAX_APIC_ID) {
        return ERR_UNSUPPORTED; // the entry has only 8 bits for it
    }
    struct ioapic_route plain = {
        .vector = route->vector,
        .mode = route->nmi ? IOAPIC_MODE_NMI : IOAPIC_MODE_FIXED,
        .level = route->level && !route->nmi,
        .active_low = active_low,
        .apic_id = (uint8_t)route->apic_id,
    };
    uint64_t wanted = passing(e[INTERRUPTS], route);
    if (wanted != e[INTERRUPTS]) {
        __atomic_store_n(&e[INTERRUPTS], wanted, __ATOMIC_SEQ_CST);
        amdvi_device_changed(id, 0);
    }
    *entry = ioapic_encode(&plain);
    return STATUS_OK;
}
