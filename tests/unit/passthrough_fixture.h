// SPDX-License-Identifier: Apache-2.0
// A partition of two processors with one network adapter of its own, for tests of
// hv/device/*.c: configuration space in memory, an IOMMU and an IOAPIC that remember what they
// were told, the MSI-X table in a page of memory, a heap, and a console.
#ifndef TESTS_UNIT_PASSTHROUGH_FIXTURE_H
#define TESTS_UNIT_PASSTHROUGH_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "hv/device/assign.h"
#include "hv/device/passthrough.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/partition/partition.h"
#include "tests/unit/fake_pci_config.h"

#define FIX_HANDLES   64      // interrupts of the IOMMU
#define FIX_MESSAGE   0x10u   // what irq_message() says: this and the handle
#define FIX_TABLE     0x2000u // offset of the MSI-X table in BAR 3
#define FIX_VECTORS   5u
#define FIX_PIN       7u                // the adapter's pin at the IOAPIC
#define FIX_ID(vcpu)  (4u + 2 * (vcpu)) // APIC ID of the processor that runs it
#define FIX_BAR3_SIZE 0x4000u

struct fixture {
    struct partition partition;
    struct passthrough passthrough;
    struct vcpu vcpu[2];
    struct blob_partition config;
    struct fake_pci *device; // the adapter's registers
    struct vpci_function *virt;
    struct passthrough_device *d;
    struct assign_kept kept[8]; // what assign_devices() was told to keep
    unsigned kept_count;

    enum status map_status; // of pci_map_config()

    // the IOMMU
    enum status probe_status; // of VT-d's; ERR_NOT_FOUND: it isn't there
    enum status enable_status;
    struct irq_route route[FIX_HANDLES];
    bool routed[FIX_HANDLES];
    unsigned route_changes;
    unsigned attached, detached, domain_flushes;
    enum status attach_status;
    const struct iommu_fault *faults; // to be taken, `fault_count` of them
    unsigned fault_count;
    unsigned quieted;
    bool faults_held;

    // the IOAPIC: the entry of each pin
    uint64_t pin[24];

    // the rest
    enum status reset_status; // of pci_reset_function()
    unsigned resets, restores;
    unsigned flushes;    // of the CPU that acts
    uint64_t posted[2];  // to each vCPU
    uint16_t port;       // of the last access
    uint32_t port_value; // what a read gives, or was written
    unsigned port_accesses;
    uint64_t delayed;                             // microseconds
    uint64_t time;                                // of time_us()
    uint32_t nmi_to;                              // the last NMI's APIC ID
    _Alignas(8) uint32_t bar3[FIX_BAR3_SIZE / 4]; // the registers of BAR 3
};

extern struct fixture fix;

// Everything fresh; the partition's passthrough is made by hand, its bus reset, interrupts from
// handle 8 on. `remapping`: the machine has an IOMMU. MSI as `msi_control` offers it.
void fix_start(bool remapping, uint16_t msi_control);

// The same up to what passthrough_create() finds: the partition has no passthrough yet.
void fix_machine(bool remapping, uint16_t msi_control);

// A write by vCPU 0 to the adapter's configuration space, with all that follows from it.
void fix_config(unsigned offset, unsigned size, uint32_t value);
uint32_t fix_config_read(unsigned offset, unsigned size);

// A vector of the adapter's own MSI-X table: doubleword 0 to 3.
uint32_t fix_msix(unsigned vector, unsigned word);

#endif
