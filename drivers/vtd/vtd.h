// SPDX-License-Identifier: Apache-2.0
// What the parts of the VT-d driver share: the units, and each part's functions. What the rest of
// the hypervisor uses is vtd_ops in drivers/iommu/iommu.h; its rule of one caller at a time holds
// here.
//
// All units of PCI segment 0 have one root table and one interrupt remapping table. A unit of
// another segment has empty ones: its devices are blocked for good.
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
    unsigned tail;             // of the queue: where the next descriptor goes
    volatile uint32_t *status; // what wait descriptors write,
    uint32_t sequence;         // and what the last one wrote
};

struct vtd {
    struct dmar dmar;
    unsigned unit_count;
    struct vtd_unit units[DMAR_MAX_UNITS];
    const struct pt_format *format; // that all units can walk
    unsigned max_leaf_level;        // largest pages that all units know
    bool snoops;                    // all units' walks do; else tables are written back
    bool wide_destinations;         // APIC IDs above 254 occur
};

extern struct vtd vtd;

// ---- vtd_mmio.c: the hardware; host tests have a model of a unit instead -----------------------

uint32_t vtd_read32(volatile uint32_t *registers, unsigned offset);
uint64_t vtd_read64(volatile uint32_t *registers, unsigned offset);
void vtd_write32(volatile uint32_t *registers, unsigned offset, uint32_t value);
void vtd_write64(volatile uint32_t *registers, unsigned offset, uint64_t value);
// Writes what the caches hold of a range back to memory.
void vtd_write_back(const void *start, size_t size);

// ---- vtd_unit.c: one unit's commands -----------------------------------------------------------

// Reads what the unit can do. Otherwise `error` says what is missing or wrong.
enum status vtd_unit_probe(struct vtd_unit *u, char *error, size_t size);
// Turns a command's bit on or off, and waits until the unit says so. ERR_UNSUPPORTED: it doesn't.
enum status vtd_command(const struct vtd_unit *u, uint32_t bit, bool on);
// The write buffers, where a unit has such that have to be flushed (CAP.RWBF).
enum status vtd_flush_write_buffer(struct vtd_unit *u);
// Waits for `mask` of a 32-bit register to be `value`; false: it does not come.
bool vtd_wait(const struct vtd_unit *u, unsigned offset, uint32_t mask, uint32_t value);
// What was written to a table must reach the units' walks.
void vtd_written(const void *start, size_t size);

// ---- vtd_describe.c: for the inventory ---------------------------------------------------------

void vtd_describe(void (*line)(const char *text));

// ---- vtd_queue.c: queued invalidation ----------------------------------------------------------

enum status vtd_queue_create(struct vtd_unit *u);
// Ends whatever queue firmware had, and starts ours. ERR_UNSUPPORTED: the unit does not follow.
enum status vtd_queue_enable(struct vtd_unit *u);
// Executes descriptors, and waits for their end. ERR_UNSUPPORTED: it does not come.
enum status vtd_queue_run(struct vtd_unit *u, const struct vtd_descriptor *d, unsigned count);
// The same on all units. One that does not answer is the end of all isolation: panics.
void vtd_invalidate(const struct vtd_descriptor *d, unsigned count);

// ---- vtd_context.c: who reaches what -----------------------------------------------------------

enum status vtd_context_create(void);
hpa_t vtd_root_table(uint16_t segment);
enum status vtd_domain_create(struct iommu_domain *d, uint16_t id);
void vtd_domain_flush(struct iommu_domain *d);
enum status vtd_attach(uint16_t requester, struct iommu_domain *d);
void vtd_detach(uint16_t requester);
void vtd_quiet(uint16_t requester);

// ---- vtd_interrupts.c: who may interrupt -------------------------------------------------------

enum status vtd_interrupts_create(void);
uint64_t vtd_interrupt_table(uint16_t segment); // as the register takes it
enum status vtd_irq_alloc(uint16_t requester, unsigned count, unsigned *first);
void vtd_irq_free(uint16_t requester);
void vtd_irq_set(uint16_t requester, unsigned handle, const struct irq_route *route);
void vtd_irq_message(uint16_t requester, unsigned first, struct msi_message *out);
enum status vtd_ioapic_entry(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                             bool active_low, uint64_t *entry);
// ---- vtd_fault.c -------------------------------------------------------------------------------

// Drops what is recorded, and announces nothing until vtd_fault_nmi().
void vtd_fault_reset(const struct vtd_unit *u);
void vtd_fault_nmi(uint32_t apic_id);
void vtd_fault_hold(bool hold);
bool vtd_take_fault(struct iommu_fault *out, bool *lost);

#endif
