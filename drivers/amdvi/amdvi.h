// SPDX-License-Identifier: Apache-2.0
// Shared by the parts of the AMD-Vi driver. The rest of the hypervisor uses only `amdvi_ops` of
// drivers/iommu/iommu.h. All units share one device table, because requester IDs are unique in the
// machine's PCI segment 0.
#ifndef DRIVERS_AMDVI_AMDVI_H
#define DRIVERS_AMDVI_AMDVI_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/amdvi/ivrs.h"
#include "drivers/amdvi/regs.h"
#include "drivers/iommu/iommu.h"

#define AMDVI_IRQS_32  512u // entries of a device's interrupt table: the hardware's maximum
#define AMDVI_IRQS_128 256u // as many as fill a page

struct amdvi_unit {
    const struct ivrs_unit *firmware;
    volatile uint32_t *registers;
    uint64_t features;
    uint64_t control; // as last written
    uint8_t msi;      // offset of the MSI capability in its own function; 0: none
    bool announces;   // reports its events by NMI, unless they are held back
    hpa_t commands;   // one page, as is the next
    hpa_t events;
    uint32_t command_tail, event_head; // bytes
    hpa_t wait;                        // where COMPLETION_WAIT stores
    uint64_t wait_count;               // the value that the last one stores
};

// A device's interrupts: its table as hardware reads it, and the owner of each entry.
struct amdvi_irq_table {
    hpa_t table;
    uint64_t used[AMDVI_IRQS_32 / 64];
    uint16_t owner[AMDVI_IRQS_32]; // requester ID, which an alias may hide from the unit
};

struct amdvi {
    unsigned unit_count;
    struct amdvi_unit unit[IVRS_MAX_UNITS];
    struct ivrs ivrs;
    hpa_t devices; // the device table
    uint32_t device_count;
    struct amdvi_irq_table **irqs; // indexed by the ID that the unit sees; NULL: none
    bool wide;                     // interrupt table entries of 128 bits
};

extern struct amdvi amdvi;

// ---- registers: the only access to hardware, faked by tests ----------------------------------

uint64_t amdvi_read(const struct amdvi_unit *u, unsigned offset);
void amdvi_write(const struct amdvi_unit *u, unsigned offset, uint64_t value);

// ---- a unit ----------------------------------------------------------------------------------

// Turns the unit off, whatever its state, and on with the tables of `amdvi`, with empty caches.
// ERR_UNSUPPORTED: it does not answer. ERR_NO_MEMORY.
enum status amdvi_unit_enable(struct amdvi_unit *u);

// Waits until the bits `mask` of the status register equal `value`. False: they don't in time.
bool amdvi_await_status(const struct amdvi_unit *u, uint64_t mask, uint64_t value);

// ---- commands --------------------------------------------------------------------------------

// Queues a command. False: the unit accepts no more.
bool amdvi_command(struct amdvi_unit *u, uint64_t first, uint64_t second);
// Waits until all queued commands are done, with all accesses that they affect. False: they are not
// in time.
bool amdvi_complete(struct amdvi_unit *u);
// The same for a unit that has worked so far. If it stops obeying, it continues with its cached
// translations, so isolation is lost and the machine stops.
void amdvi_must_complete(struct amdvi_unit *u);

// ---- device table ----------------------------------------------------------------------------

// Makes the table for IDs below `count`, with every ID blocked. ERR_NO_MEMORY.
enum status amdvi_devices_create(uint32_t count);
// The four quadwords of an ID; NULL: it lies beyond the table.
uint64_t *amdvi_device(uint16_t id);
// The ID under which the unit sees a requester, and the unit; NULL: no unit serves it.
uint16_t amdvi_alias(uint16_t requester);
struct amdvi_unit *amdvi_unit_of(uint16_t requester);
// The unit of a device that was checked; it must exist.
struct amdvi_unit *amdvi_serving_unit(uint16_t id);
// Makes the device's unit read its entry again, and its interrupts and the pages of `domain`.
void amdvi_device_changed(uint16_t id, uint16_t domain);
enum status amdvi_attach(uint16_t requester, struct iommu_domain *d);
void amdvi_detach(uint16_t requester);
void amdvi_quiet(uint16_t requester);

// ---- interrupts ------------------------------------------------------------------------------

enum status amdvi_irq_alloc(uint16_t requester, unsigned count, unsigned *first);
void amdvi_irq_set(uint16_t requester, unsigned handle, const struct irq_route *route);
void amdvi_irq_message(uint16_t requester, unsigned first, struct msi_message *out);
enum status amdvi_ioapic_entry(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                               bool active_low, uint64_t *entry);

// ---- events ----------------------------------------------------------------------------------

bool amdvi_take_fault(struct iommu_fault *out, bool *lost);
void amdvi_fault_nmi(uint32_t apic_id);
void amdvi_fault_hold(bool hold);

// ---- describe.c: for the inventory -----------------------------------------------------------

void amdvi_describe(void (*line)(const char *text));

#endif
