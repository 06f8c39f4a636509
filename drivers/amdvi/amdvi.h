// SPDX-License-Identifier: Apache-2.0
// What the parts of the AMD-Vi driver share. Outside, only `amdvi_ops` of drivers/iommu/iommu.h is
// used. All units share one device table: requester IDs are unique in the machine's PCI segment 0.
#ifndef DRIVERS_AMDVI_AMDVI_H
#define DRIVERS_AMDVI_AMDVI_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/amdvi/ivrs.h"
#include "drivers/amdvi/regs.h"
#include "drivers/iommu/iommu.h"

#define AMDVI_IRQS_32  512u // entries of a device's interrupt table: hardware has no more
#define AMDVI_IRQS_128 256u // and so many make a page

struct amdvi_unit {
    const struct ivrs_unit *firmware;
    volatile uint32_t *registers;
    uint64_t features;
    uint64_t control; // as last written
    uint8_t msi;      // offset of its own function's MSI capability; 0: it has none
    bool announces;   // its events, by NMI, unless they are held back
    hpa_t commands;   // a page each
    hpa_t events;
    uint32_t command_tail, event_head; // bytes
    hpa_t wait;                        // where COMPLETION_WAIT stores
    uint64_t wait_count;               // what the last one stores
};

// The device's interrupts: its table as hardware reads it, and who has which.
struct amdvi_irq_table {
    hpa_t table;
    uint64_t used[AMDVI_IRQS_32 / 64];
    uint16_t owner[AMDVI_IRQS_32]; // requester ID, which aliases may hide from the unit
};

struct amdvi {
    unsigned unit_count;
    struct amdvi_unit unit[IVRS_MAX_UNITS];
    struct ivrs ivrs;
    hpa_t devices; // the device table
    uint32_t device_count;
    struct amdvi_irq_table **irqs; // by the ID that the unit sees; NULL: it has none
    bool wide;                     // interrupt table entries of 128 bits
};

extern struct amdvi amdvi;

// ---- registers: the only access to hardware, faked by tests ----------------------------------

uint64_t amdvi_read(const struct amdvi_unit *u, unsigned offset);
void amdvi_write(const struct amdvi_unit *u, unsigned offset, uint64_t value);

// ---- a unit ----------------------------------------------------------------------------------

// Turns it off, whatever firmware had it do, and on with the tables of `amdvi`, all of its caches
// empty. ERR_UNSUPPORTED: it does not answer. ERR_NO_MEMORY.
enum status amdvi_unit_enable(struct amdvi_unit *u);

// Waits until the bits of the status register are as they should be; false: they never are.
bool amdvi_await_status(const struct amdvi_unit *u, uint64_t mask, uint64_t value);

// ---- commands --------------------------------------------------------------------------------

// Queues one; false: the unit takes no more.
bool amdvi_command(struct amdvi_unit *u, uint64_t first, uint64_t second);
// Waits until all that was queued is done, and what it has overtaken too; false: it never is.
bool amdvi_complete(struct amdvi_unit *u);
// The same for a unit that has worked so far. One that stops obeying goes on with what it has
// cached, so isolation is lost and the machine stops.
void amdvi_must_complete(struct amdvi_unit *u);

// ---- device table ----------------------------------------------------------------------------

// Makes the table for IDs below `count`, everything in it blocked. ERR_NO_MEMORY.
enum status amdvi_devices_create(uint32_t count);
// The four quadwords of an ID; NULL: it lies beyond the table.
uint64_t *amdvi_device(uint16_t id);
// The ID under which the unit sees a requester, and the unit; NULL: none serves it.
uint16_t amdvi_alias(uint16_t requester);
struct amdvi_unit *amdvi_unit_of(uint16_t requester);
// The unit of a device that has been checked: there is one.
struct amdvi_unit *amdvi_serving_unit(uint16_t id);
// Lets its unit read the entry again, pages of `domain` and interrupts included.
void amdvi_device_changed(uint16_t id, uint16_t domain);
enum status amdvi_attach(uint16_t requester, struct iommu_domain *d);
void amdvi_detach(uint16_t requester);
void amdvi_quiet(uint16_t requester);

// ---- interrupts ------------------------------------------------------------------------------

enum status amdvi_irq_alloc(uint16_t requester, unsigned count, unsigned *first);
void amdvi_irq_free(uint16_t requester);
void amdvi_irq_set(uint16_t requester, unsigned handle, const struct irq_route *route);
void amdvi_irq_message(uint16_t requester, unsigned first, struct msi_message *out);
enum status amdvi_ioapic_entry(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                               bool active_low, uint64_t *entry);

// ---- events ----------------------------------------------------------------------------------

bool amdvi_take_fault(struct iommu_fault *out, bool *lost);
void amdvi_fault_nmi(uint32_t apic_id);
void amdvi_fault_hold(bool hold);

// ---- amdvi_describe.c: for the inventory -----------------------------------------------------

void amdvi_describe(void (*line)(const char *text));

#endif
