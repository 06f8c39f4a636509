// SPDX-License-Identifier: Apache-2.0
// The machine's IOMMUs, VT-d or AMD-Vi, as one: the memory that each device reaches, and the
// interrupts that it may send. After iommu_init() no device reaches any memory and none may
// interrupt; each permission is given separately. Except for iommu_take_fault(), one CPU at a time
// calls these functions: the boot CPU, or one that holds `iommu_lock`, with interrupts off.
#ifndef DRIVERS_IOMMU_IOMMU_H
#define DRIVERS_IOMMU_IOMMU_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/paging.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/msi.h"
#include "drivers/pci/pci.h"

#define IOMMU_TEXT_SIZE 256

// The memory that devices may reach: one for each partition with devices.
struct iommu_domain {
    struct page_table tables; // for the guest's own physical addresses
    uint16_t id;              // 1 + the partition's index; tags the IOMMU's cache entries
    bool created;
};

// An interrupt, as the receiving local APIC sees it.
struct irq_route {
    uint32_t apic_id; // physical
    uint8_t vector;   // 16 to 255; ignored for an NMI
    bool nmi;
    bool level; // from an IOAPIC only
};

struct iommu_fault {
    uint16_t requester;
    uint64_t address; // requested address; for an interrupt, what the unit reports about it
    bool write;
    bool interrupt;  // a refused interrupt request, not a memory access
    const char *why; // text for the unit's reason code
};

#define IOMMU_MAX_UNITS 16

// A unit's state, read back from its registers, for the audit.
struct iommu_unit {
    uint64_t registers, registers_size; // host-physical
    bool on;                            // translation and interrupt remapping
    bool x2apic;                        // interrupt entries hold 32-bit APIC IDs
    bool wide;                          // AMD-Vi: interrupt entries of 128 bits
    unsigned levels;                    // bit n: page tables of n levels are supported
    uint64_t devices, devices_size;     // VT-d: root table, 0; AMD-Vi: device table
    uint64_t interrupts;                // VT-d: interrupt remapping table; AMD-Vi: 0
    unsigned interrupt_count;           // entries of that table
};

struct iommu_ops {
    const char *name; // "VT-d" or "AMD-Vi"

    // Finds the units in the firmware's tables, maps and checks them. Changes nothing in them.
    // ERR_NOT_FOUND: no table of this vendor. Otherwise `error` says what is wrong, with the unit's
    // address, and what to do: broken tables, or a unit that lacks a required feature.
    enum status (*probe)(const struct acpi_info *acpi, const struct pci_machine *pci, char *error,
                         size_t size);
    // Turns all units on: translation with every device blocked, interrupt remapping, fault
    // records. Replaces all settings of the firmware. ERR_UNSUPPORTED: a unit does not answer.
    enum status (*enable)(char *error, size_t size);

    // Whether a function can be assigned: it has a unit, and the firmware reserves no memory for it
    // that must stay reachable (RMRR, IVMD). `error` says why not, beginning with the function's
    // address.
    enum status (*check)(const struct pci_machine *pci, const struct pci_function *f, char *error,
                         size_t size);

    // Gives a line for each unit, with the devices that it serves, and for each memory range that
    // the firmware reserves for devices. After probe(); before or after enable().
    void (*describe)(void (*line)(const char *text));

    // Makes an empty tree in the units' format. ERR_NO_MEMORY.
    enum status (*domain_create)(struct iommu_domain *d, uint16_t id);
    // When this returns, all changes to the domain's tables are in force.
    void (*domain_flush)(struct iommu_domain *d);

    // attach: lets a requester reach the domain. ERR_NO_MEMORY. detach: blocks it; when it returns,
    // none of the requester's accesses is still in progress.
    enum status (*attach)(uint16_t requester, struct iommu_domain *d);
    void (*detach)(uint16_t requester);

    // Allocates interrupts that a requester may send: `count` consecutive ones, a power of two,
    // each absent at first. `*first` is the handle of the first. ERR_NO_MEMORY: all are used.
    enum status (*irq_alloc)(uint16_t requester, unsigned count, unsigned *first);
    // Sets an interrupt's route; NULL removes it. In force when this returns.
    void (*irq_set)(uint16_t requester, unsigned handle, const struct irq_route *route);
    // The message that causes the interrupt. For several interrupts the device adds 0 to count - 1
    // to the data.
    void (*irq_message)(uint16_t requester, unsigned first, struct msi_message *out);

    // The redirection entry, without the mask bit, that sends a pin's interrupt along its route.
    // `ioapic` is the IOAPIC's ACPI ID, `active_low` the pin's polarity. ERR_NOT_FOUND: no unit
    // serves this IOAPIC. ERR_NO_MEMORY.
    enum status (*ioapic_entry)(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                                bool active_low, uint64_t *entry);
    // After the first route of a pin that is not an NMI, the IOAPIC may send any interrupt.
    bool pins_open_all;

    // units: fills `out` with all units; returns their number. ioapics: the requester IDs of the
    // IOAPICs' requests.
    unsigned (*units)(struct iommu_unit out[IOMMU_MAX_UNITS]);
    unsigned (*ioapics)(uint16_t ids[ACPI_MAX_IOAPICS]);

    // From this call on, faults are reported to this CPU by NMI.
    void (*fault_nmi)(uint32_t apic_id);
    // Records no further refused memory accesses of a requester, until it is attached again.
    void (*quiet)(uint16_t requester);
    // Stops or resumes fault reports. Faults recorded while stopped must be taken before there are
    // new reports. Only the CPU that takes them.
    void (*fault_hold)(bool hold);
    // The next recorded fault; false if there is none. *lost becomes true if there were more than
    // could be recorded. One CPU at a time, any CPU.
    bool (*take_fault)(struct iommu_fault *out, bool *lost);
};

extern const struct iommu_ops vtd_ops;
extern const struct iommu_ops amdvi_ops;

// This machine's back end; NULL: it has none. Set once at boot.
extern const struct iommu_ops *iommu;

#endif
