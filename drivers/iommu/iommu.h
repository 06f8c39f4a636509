// SPDX-License-Identifier: Apache-2.0
// The IOMMUs of the machine, VT-d or AMD-Vi, as one: which memory each device reaches and which
// interrupts it may send. After iommu_init() no device reaches anything and none may interrupt;
// each permission is given one by one. Everything but iommu_take_fault() is called by one CPU at a
// time: the boot CPU, or with `iommu_lock` held, interrupts off.
#ifndef DRIVERS_IOMMU_IOMMU_H
#define DRIVERS_IOMMU_IOMMU_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/memory/paging.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/msi.h"
#include "drivers/pci/pci.h"

#define IOMMU_TEXT_SIZE 256

// What a device may reach: one for each partition that has any.
struct iommu_domain {
    struct page_table tables; // at the guest's own physical addresses
    uint16_t id;              // 1 + the partition's index; tags what the IOMMU caches
    bool created;
};

// An interrupt as the local APIC that receives it sees it.
struct irq_route {
    uint32_t apic_id; // physical
    uint8_t vector;   // 16 to 255; ignored for an NMI
    bool nmi;
    bool level; // from an IOAPIC only
};

struct iommu_fault {
    uint16_t requester;
    uint64_t address; // that it asked for; of an interrupt, what the unit knows of it
    bool write;
    bool interrupt;  // a refused interrupt request, not a memory access
    const char *why; // by the unit's reason code, for a message
};

#define IOMMU_MAX_UNITS 16

// A unit as its registers say when they are read back, for the audit.
struct iommu_unit {
    uint64_t registers, registers_size; // host-physical
    bool on;                            // translation and interrupt remapping
    bool x2apic;                        // interrupt entries hold 32-bit APIC IDs
    bool wide;                          // AMD-Vi: interrupt entries of 128 bits
    unsigned levels;                    // bit n: page tables of n levels are supported
    uint64_t devices, devices_size;     // VT-d: root table, 0; AMD-Vi: device table
    uint64_t interrupts;                // VT-d: interrupt remapping table; AMD-Vi: 0
    unsigned interrupt_count;           // and its entries
};

struct iommu_ops {
    const char *name; // "VT-d" or "AMD-Vi"

    // Finds the units in the firmware's tables, maps and checks them. Changes nothing in them.
    // ERR_NOT_FOUND: no table of this vendor. Otherwise `error` says what is wrong, with the unit's
    // address, and what to do: broken tables, a unit that can't do what is needed.
    enum status (*probe)(const struct acpi_info *acpi, const struct pci_machine *pci, char *error,
                         size_t size);
    // Turns all units on: translation with every device blocked, interrupt remapping, fault
    // records. Whatever firmware had set up is gone. ERR_UNSUPPORTED: a unit does not answer.
    enum status (*enable)(char *error, size_t size);

    // Whether a function can be given away: it has a unit, and no memory that the firmware reserves
    // for it (RMRR, IVMD) has to stay reachable. `error` says why not,
    // beginning with the function's address.
    enum status (*check)(const struct pci_machine *pci, const struct pci_function *f, char *error,
                         size_t size);

    // A line for each unit, with what it serves, and for each range of memory that the firmware
    // reserves for devices. After probe(), on or off.
    void (*describe)(void (*line)(const char *text));

    // An empty tree, in the format of the units. ERR_NO_MEMORY.
    enum status (*domain_create)(struct iommu_domain *d, uint16_t id);
    // Whatever has changed in the domain's tables holds when this returns.
    void (*domain_flush)(struct iommu_domain *d);

    // Lets a requester reach the domain; blocks it. When detach returns nothing of it is on its way
    // any more. ERR_NO_MEMORY.
    enum status (*attach)(uint16_t requester, struct iommu_domain *d);
    void (*detach)(uint16_t requester);

    // Interrupts that a requester may send: `count` consecutive ones, a power of two, each absent
    // at first. `*first` is the handle of the first. ERR_NO_MEMORY: all are used up. Freed all
    // together.
    enum status (*irq_alloc)(uint16_t requester, unsigned count, unsigned *first);
    void (*irq_free)(uint16_t requester);
    // Gives one its route, NULL: takes it away. In force when this returns.
    void (*irq_set)(uint16_t requester, unsigned handle, const struct irq_route *route);
    // The message that makes it. The device adds 0 to count - 1 to the data of several.
    void (*irq_message)(uint16_t requester, unsigned first, struct msi_message *out);

    // The redirection entry, without the mask bit, that brings a pin's interrupt to its route.
    // `ioapic` is the IOAPIC's ACPI ID, `active_low` the pin's polarity. ERR_NOT_FOUND: no unit
    // serves this IOAPIC; ERR_NO_MEMORY.
    enum status (*ioapic_entry)(uint32_t ioapic, unsigned pin, const struct irq_route *route,
                                bool active_low, uint64_t *entry);
    // The first route of a pin that is no NMI lets the IOAPIC send any interrupt from then on.
    bool pins_open_all;

    // Fills `out` with all units; returns their number. What IOAPICs' requests carry as their ID is
    // in `ioapics`.
    unsigned (*units)(struct iommu_unit out[IOMMU_MAX_UNITS]);
    unsigned (*ioapics)(uint16_t ids[ACPI_MAX_IOAPICS]);

    // Faults are announced to this CPU by NMI from now on.
    void (*fault_nmi)(uint32_t apic_id);
    // Records no more refused memory accesses of a requester until it is attached again.
    void (*quiet)(uint16_t requester);
    // Announces none, or again: what was recorded meanwhile has to be taken to hear of more. The
    // CPU that takes them.
    void (*fault_hold)(bool hold);
    // The next recorded fault; false if there is none. *lost becomes true if there were more than
    // could be recorded. Any one CPU at a time.
    bool (*take_fault)(struct iommu_fault *out, bool *lost);
};

extern const struct iommu_ops vtd_ops;
extern const struct iommu_ops amdvi_ops;

// The back end of this machine, NULL: it has none. Set once at boot.
extern const struct iommu_ops *iommu;

#endif
