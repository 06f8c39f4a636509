// SPDX-License-Identifier: Apache-2.0
// The PCI functions that a partition owns: their registers in its memory, their DMA, their
// interrupts. hv/vpci/vpci.h is what the guest sees of them; hv/device/assign.h decides which
// partition gets which.
//
// All functions run on a CPU of the partition with its device lock held, unless stated otherwise.
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
    uint64_t mapped[PCI_BARS]; // where each memory BAR is mapped in the guest; 0: nowhere
    struct vmsix msix;
    volatile uint8_t *msix_pages;  // the trapped pages of its BAR; NULL without MSI-X
    uint64_t msix_first, msix_end; // their offsets from the first page of the BAR
    // Its block of the IOMMU's interrupt entries, if there is an IOMMU.
    unsigned irq_first, irq_count;
    uint32_t faults; // since the last start, which clears it; written by the console's CPU
    bool lost;       // did not come back from a reset; it stays off
};

struct passthrough {
    unsigned count;
    struct passthrough_device device[VPCI_MAX_FUNCTIONS];
    struct iommu_domain domain;
    uint64_t quiet_since;    // when its devices stopped mastering the bus, in microseconds
    uint32_t tables_made[8]; // bit n: the table of the window's n-th 2 MiB exists
    unsigned tables_left;    // how many more may be made
    uint32_t pins;           // bit n: the guest's pin n (of four) is connected to pin[n]
    struct ioapic_input pin[GUEST_PCI_PINS];

    // Accesses refused by the IOMMU. Written by the console's CPU, read by any.
    uint64_t dma_faults;
};

// ---- boot CPU -------------------------------------------------------------------------------

// Finds the PCI functions. On the boot tables.
void passthrough_scan(void);

// Bytes of heap that this machine's devices need, for partitions with devices and for the IOMMUs.
uint64_t passthrough_heap_size(void);

// Finds the IOMMUs, and stops DMA that firmware left running. Call after mmu_init(). Prints errors.
enum status passthrough_discover(void);

// Decides the owner of each function, and turns the IOMMUs on with everything blocked. Call after
// config_load(). Prints errors.
enum status passthrough_assign(void);

// Decides the owner each function would have by a configuration that has passed blob_check(), with
// the IOMMU `ops` or NULL; see assign_devices(). Changes nothing.
enum status passthrough_judge(const struct blob *config, const struct iommu_ops *ops,
                              int owner[PCI_MAX_FUNCTIONS], void (*tell)(const char *text));

// Turns the IOMMUs on with everything blocked. Prints errors.
enum status passthrough_block_all(void);

// Describes a function's interrupt pin for the choice of pins. Its partition is not filled in.
struct pci_pin passthrough_pin_of(const struct vpci_function *f);

// Connects the devices of all partitions to their interrupt pins. After passthrough_create() of
// all. Prints errors.
enum status passthrough_wire_pins(void);

// How many IOMMU interrupts a function takes for its MSI or MSI-X: 0, or a power of two.
unsigned passthrough_messages(const struct vpci_function *f);

// Whether the partition's devices use guest addresses as host addresses (trust_dma): there is no
// IOMMU, and the partition is trusted with devices all the same. Call after passthrough_assign().
bool passthrough_is_direct(const struct partition *p);

// Makes the structures of a partition that owns devices. Without devices p->passthrough stays NULL.
enum status passthrough_create(struct partition *p);

// Prints a line for a partition with devices.
void passthrough_print(const struct partition *p);

// ---- start and end --------------------------------------------------------------------------

// Puts the devices into their state after power-on, and opens their DMA to the partition's memory.
// No vCPU of the partition runs. The guest's memory must not be handed out before.
void passthrough_start(struct partition *p);

// Stops DMA and interrupts of the devices. When it returns, none is under way. No vCPU of the
// partition runs.
void passthrough_stop(struct partition *p);

// ---- accesses of the guest ------------------------------------------------------------------

// Whether the address belongs to the guest's PCI bus: configuration space or the window of BARs.
bool passthrough_owns(const struct partition *p, gpa_t address);

uint64_t passthrough_mmio_read(struct vcpu *v, gpa_t address, unsigned size);
void passthrough_mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value);

// Accesses I/O BARs. False if the port belongs to none of them.
bool passthrough_port_read(struct partition *p, uint16_t port, unsigned size, uint32_t *value);
bool passthrough_port_write(struct partition *p, uint16_t port, unsigned size, uint32_t value);

// Carries out what a write to the virtual bus asks for.
void passthrough_effect(struct vcpu *v, struct vpci_effect effect);

// ---- interrupts -----------------------------------------------------------------------------

// Programs the physical pins behind those direct pins of the virtual IOAPIC that have changed.
void passthrough_pins(struct partition *p);

// Copies the state of the physical pins to the virtual IOAPIC, before the guest reads it.
void passthrough_pins_read(struct partition *p);

// Programs all that has changed: MSI of a device; MSI-X of one vector or of a whole device.
void passthrough_msi(struct vcpu *v, struct passthrough_device *d);
void passthrough_msix(struct vcpu *v, struct passthrough_device *d, struct vmsix_change change);

// Removes all interrupts of a device, in the IOMMU and in its own registers.
void passthrough_irq_stop(struct passthrough_device *d);

// ---- building blocks of the above ------------------------------------------------------------

// Resets a device, or gives it its BARs back. DMA and interrupts are off.
void passthrough_reset_device(struct partition *p, struct passthrough_device *d);
void passthrough_restore_device(struct passthrough_device *d);

// The pages of a BAR that the guest reaches directly: all except those with its MSI-X table.
// Returns the number of ranges, at most two; 0 if it is no memory BAR.
struct passthrough_pages {
    uint64_t offset; // from the first page of the BAR
    uint64_t hpa;
    uint64_t size;
};
unsigned passthrough_direct_pages(const struct passthrough_device *d, unsigned bar,
                                  struct passthrough_pages out[2]);

// The device's registers at an offset in its MSI-X BAR, on the pages that the guest doesn't reach
// directly. NULL if not all bytes are on these pages.
static inline volatile void *passthrough_trapped(const struct passthrough_device *d,
                                                 uint64_t offset, unsigned size)
{
    const struct pci_bar *bar = &d->pci->bar[d->virt->msix_bar];
    uint64_t at = offset + (bar->address & PAGE_MASK);
    bool inside = at >= d->msix_first && at + size <= d->msix_end && offset < bar->size &&
                  size <= bar->size - offset;
    return inside ? d->msix_pages + (at - d->msix_first) : NULL;
}

// Unmaps all BARs from the guest's memory.
void passthrough_unmap_all(struct partition *p);

// ---- faults ---------------------------------------------------------------------------------

// Reports what the IOMMUs have refused since the last call. The console's CPU, after an NMI.
void passthrough_faults(void);

// A partition's devices caused more faults than are taken in a period. A CPU of that partition
// calls this: it waits, then lets the IOMMUs announce faults again.
void passthrough_fault_pause(void);

// How many accesses of the partition's devices were refused.
uint64_t passthrough_fault_count(const struct partition *p);

#endif
