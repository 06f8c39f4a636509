// SPDX-License-Identifier: Apache-2.0
// The PCI functions that a partition owns: their registers in its memory, their DMA, their
// interrupts. What the guest sees of them is hv/vpci/vpci.h; what it gets decides
// hv/device/assign.h.
//
// All functions run on a CPU of the partition with its device lock held, unless said otherwise.
#ifndef HV_DEVICE_PASSTHROUGH_H
#define HV_DEVICE_PASSTHROUGH_H

#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "drivers/ioapic/ioapic.h"
#include "drivers/iommu/iommu.h"
#include "drivers/pci/pci.h"
#include "hv/device/pci_pins.h"
#include "hv/machine/guest_platform.h"
#include "hv/vpci/vmsix.h"
#include "hv/vpci/vpci.h"
#include "partitions/blob.h"

struct partition;
struct vcpu;

struct passthrough_device {
    const struct pci_function *pci;
    struct vpci_function *virt;
    uint64_t mapped[PCI_BARS]; // where each memory BAR is in the guest now; 0: nowhere
    struct vmsix msix;
    volatile uint8_t *msix_pages;  // the pages of its BAR that are trapped; NULL: no MSI-X
    uint64_t msix_first, msix_end; // where they are, from the first page of the BAR
    unsigned irq_first, irq_count; // its block of interrupts, if there is an IOMMU
    uint32_t faults;               // since the last start; console CPU, cleared at a start
    bool lost;                     // it did not come back from a reset: it stays off
};

struct passthrough {
    unsigned count;
    struct passthrough_device device[VPCI_MAX_FUNCTIONS];
    struct iommu_domain domain;
    uint64_t quiet_since;    // microseconds: when its devices ceased to master the bus
    uint32_t tables_made[8]; // bit n: the table of the window's n-th 2 MiB exists
    unsigned tables_left;    // how many more may be made
    uint32_t pins; // bit n: the guest's pin n (of four) has one of the machine's, and which
    struct ioapic_input pin[GUEST_PCI_PINS];

    // Refused by the IOMMU. Written by the console CPU, read by any.
    uint64_t dma_faults;
};

// ---- boot CPU -------------------------------------------------------------------------------

// Finds the PCI functions. On the boot tables.
void passthrough_scan(void);

// Heap that the devices of this machine need: for each partition with some, and for the IOMMUs.
uint64_t passthrough_heap_size(void);

// Finds the IOMMUs, and stops what firmware left running. Behind mmu_init(). Prints
// what is wrong.
enum status passthrough_discover(void);

// Decides whose each function is, and turns the IOMMUs on with everything blocked. Behind
// config_load(). Prints what is wrong.
enum status passthrough_assign(void);

// Decides whose each function would be, by a configuration that has passed blob_check(), with the
// IOMMU `ops` or NULL; as assign_devices(). Changes nothing.
enum status passthrough_judge(const struct blob *config, const struct iommu_ops *ops,
                              int owner[PCI_MAX_FUNCTIONS], void (*tell)(const char *text));

// Turns the IOMMUs on with everything blocked. Prints what is wrong.
enum status passthrough_block_all(void);

// What there is to decide about the interrupt of a function that has a pin; whose it is is left
// out.
struct pci_pin passthrough_pin_of(const struct vpci_function *f);

// Gives the devices of all partitions their interrupt pins. After passthrough_create() of all.
// Prints what is wrong.
enum status passthrough_wire_pins(void);

// How many interrupts of the IOMMU a function takes for its MSI or MSI-X: 0, or a power of two.
unsigned passthrough_messages(const struct vpci_function *f);

// Whether the partition's devices use the addresses that its drivers give them as the host's,
// because it is trusted with some and there is no IOMMU (trust_dma). Behind passthrough_assign().
bool passthrough_is_direct(const struct partition *p);

// Makes the structures of a partition that owns devices; p->passthrough stays NULL for another.
enum status passthrough_create(struct partition *p);

// A line for each partition with devices.
void passthrough_print(const struct partition *p);

// ---- start and end --------------------------------------------------------------------------

// The devices as after power-on, their DMA open to the partition's memory. No vCPU of the partition
// runs. The guest's memory may not be handed out before.
void passthrough_start(struct partition *p);

// Stops DMA and interrupts of the devices. When it returns none is on its way any more. No vCPU of
// the partition runs.
void passthrough_stop(struct partition *p);

// ---- accesses of the guest ------------------------------------------------------------------

// Whether the address belongs to the guest's PCI bus: configuration space or the window of BARs.
bool passthrough_owns(const struct partition *p, gpa_t address);

uint64_t passthrough_mmio_read(struct vcpu *v, gpa_t address, unsigned size);
void passthrough_mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value);

// I/O BARs. False: the port is none of theirs.
bool passthrough_port_read(struct partition *p, uint16_t port, unsigned size, uint32_t *value);
bool passthrough_port_write(struct partition *p, uint16_t port, unsigned size, uint32_t value);

// Carries out what a write to the virtual bus asks for.
void passthrough_effect(struct vcpu *v, struct vpci_effect effect);

// ---- interrupts -----------------------------------------------------------------------------

// Programs the physical pins behind the direct pins of the virtual IOAPIC that have changed.
void passthrough_pins(struct partition *p);

// Brings what the physical pins say to the virtual IOAPIC, before it is read.
void passthrough_pins_read(struct partition *p);

// Programs all that changed: of one vector, and of a device as a whole.
void passthrough_msi(struct vcpu *v, struct passthrough_device *d);
void passthrough_msix(struct vcpu *v, struct passthrough_device *d, struct vmsix_change change);

// Takes away all interrupts of a device, in the IOMMU and in its own registers.
void passthrough_irq_stop(struct passthrough_device *d);

// ---- parts of what is above -----------------------------------------------------------------

// Resets a device, and gives it its BARs back; DMA and interrupts are off.
void passthrough_reset_device(struct partition *p, struct passthrough_device *d);
void passthrough_restore_device(struct passthrough_device *d);

// The pages of a BAR that the guest reaches directly: all but those with its MSI-X table. None for
// what is no memory BAR; two at most. Returns their number.
struct passthrough_pages {
    uint64_t offset; // from the first page of the BAR
    uint64_t hpa;
    uint64_t size;
};
unsigned passthrough_direct_pages(const struct passthrough_device *d, unsigned bar,
                                  struct passthrough_pages out[2]);

// The device's own registers at an offset in the BAR with its MSI-X table, which the guest does not
// reach directly. NULL: not all of the bytes are on such a page.
static inline volatile void *passthrough_trapped(const struct passthrough_device *d,
                                                 uint64_t offset, unsigned size)
{
    const struct pci_bar *bar = &d->pci->bar[d->virt->msix_bar];
    uint64_t at = offset + (bar->address & PAGE_MASK);
    bool inside = at >= d->msix_first && at + size <= d->msix_end && offset < bar->size &&
                  size <= bar->size - offset;
    return inside ? d->msix_pages + (at - d->msix_first) : NULL;
}

// Takes all BARs out of the guest's memory.
void passthrough_unmap_all(struct partition *p);

// ---- faults ---------------------------------------------------------------------------------

// Reports what the IOMMUs have refused since the last time. The console's CPU, after an NMI.
void passthrough_faults(void);

// A partition's devices have done more of it than is taken at once. A CPU of that partition waits,
// then lets the IOMMUs announce more.
void passthrough_fault_pause(void);

// How many of the partition's accesses were refused.
uint64_t passthrough_fault_count(const struct partition *p);

#endif
