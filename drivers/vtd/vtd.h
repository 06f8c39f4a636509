// SPDX-License-Identifier: Apache-2.0
// Shared by the parts of the VT-d driver: the units, and each part's functions. The rest of the
// hypervisor uses vtd_ops of drivers/iommu/iommu.h. The rule there of one caller at a time also
// holds here.
//
// All units of PCI segment 0 share one root table and one interrupt remapping table. A unit of
// another segment has empty ones: its devices stay blocked.
#ifndef DRIVERS_VTD_VTD_H
#define DRIVERS_VTD_VTD_H

#include "drivers/iommu/iommu.h"
#include "drivers/vtd/dmar.h"
#include "drivers/vtd/regs.h"

struct vtd_unit {
    volatile uint32_t *registers;
    uint64_t base; // host-physical
    uint16_t segment;
    uint64_t cap, ecap;
    struct vtd_descriptor *queue;
    unsigned tail;             // of the queue: place of the next descriptor
    volatile uint32_t *status; // where wait descriptors write
    uint32_t sequence;         // the number that the last one writes
};

struct vtd {
    struct dmar dmar;
    unsigned unit_count;
    struct vtd_unit units[DMAR_MAX_UNITS];
    const struct pt_format *format; // a format that all units can walk
    unsigned max_leaf_level;        // largest pages that all units support
    bool snoops;                    // all units' walks snoop; false: tables are written back
    bool wide_destinations;         // some CPUs have APIC IDs above 254
};

extern struct vtd vtd;

// ---- mmio.c: the hardware; host tests have a model of a unit instead ----------------------------

uint32_t vtd_read32(volatile uint32_t *registers, unsigned offset);
uint64_t vtd_read64(volatile uint32_t *registers, unsigned offset);
void vtd_write32(volatile uint32_t *registers, unsigned offset, uint32_t value);
void vtd_write64(volatile uint32_t *registers, unsigned offset, uint64_t value);
// Writes a range from the caches back to memory.
void vtd_write_back(const void *start, size_t size);

// ---- unit.c: one unit's commands ---------------------------------------------------------------

// Reads the unit's features. On an error `error` says what is missing or wrong.
enum status vtd_unit_probe(struct vtd_unit *u, char *error, size_t size);
// Turns a command's bit on or off, and waits for the unit to confirm. ERR_UNSUPPORTED: it does not.
enum status vtd_command(const struct vtd_unit *u, uint32_t bit, bool on);
// Flushes the write buffers, if the unit requires that (CAP.RWBF).
enum status vtd_flush_write_buffer(struct vtd_unit *u);
// Waits until the bits `mask` of a 32-bit register equal `value`. False: they don't in time.
bool vtd_wait(const struct vtd_unit *u, unsigned offset, uint32_t mask, uint32_t value);
// Makes what was written to a table visible to the units' walks.
void vtd_written(const void *start, size_t size);

// ---- describe.c: for the inventory -------------------------------------------------------------

void vtd_describe(void (*line)(const char *text));

// ---- queue.c: queued invalidation --------------------------------------------------------------

enum status vtd_queue_create(struct vtd_unit *u);
// Ends the firmware's queue, if any, and starts the hypervisor's. ERR_UNSUPPORTED: the unit does
// not obey.
enum status vtd_queue_enable(struct vtd_unit *u);
// Executes descriptors, and waits until they are done. ERR_UNSUPPORTED: they are not in time.
enum status vtd_queue_run(struct vtd_unit *u, const struct vtd_descriptor *d, unsigned count);
// The same on all units. Panics if one does not answer, because isolation is lost then.
void vtd_invalidate(const struct vtd_descriptor *d, unsigned count);

// ---- context.c: the memory that devices reach --------------------------------------------------

enum status vtd_context_create(void);
hpa_t vtd_root_table(uint16_t segment);
enum status vtd_domain_create(struct iommu_domain *d, uint16_t id);
void vtd_domain_flush(struct iommu_domain *d);
enum status vtd_attach(uint16_t requester, struct iommu_domain *d);
void vtd_detach(uint16_t requester);
void vtd_quiet(uint16_t requester);

// ---- interrupts.c: the interrupts that devices may send ----------------------------------------

enum status vtd_interrupts_create(void);
uint64_t vtd_interrupt_table(uint16_t segment); // in the register's format
enum status vtd_irq_alloc(uint16_t requester, unsigned count, unsigned *first);
void vtd_irq_set(uint16_t requester, unsigned handle, const struct irq_route *route);
void vtd_irq_message(uint16_t requester, unsigned first, struct msi_message *out);
enum status vtd_ioapic_entry(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                             bool active_low, uint64_t *entry);
// ---- fault.c -----------------------------------------------------------------------------------

// Drops all records, and reports nothing until vtd_fault_nmi().
void vtd_fault_reset(const struct vtd_unit *u);
void vtd_fault_nmi(uint32_t apic_id);
void vtd_fault_hold(bool hold);
bool vtd_take_fault(struct iommu_fault *out, bool *lost);

#endif
