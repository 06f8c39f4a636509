// SPDX-License-Identifier: Apache-2.0
// Creates, starts and stops what a partition has of its PCI functions. hv/device/give.c decides
// which functions those are.
#include "hv/device/passthrough.h"

#include "arch/cpu/tsc.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"
#include "drivers/console/console.h"
#include "hv/machine/guest_platform.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/partition/partition.h"

// From the end of bus mastering to its return. After this time a device without a working reset has
// dropped the transfers that it had under way.
#define SETTLE_US 120000u

#define SPARE_TABLES 16 // in the window, for a guest that moves its BARs

// ---- a partition's structures ---------------------------------------------------------------

// Memory for the MSI-X table that the guest sees, and access to the device's own table.
static enum status create_msix(struct passthrough_device *d)
{
    unsigned count = d->virt->msix_vectors;
    if (count == 0) {
        vmsix_init(&d->msix, NULL, 0, 0);
        return STATUS_OK;
    }
    struct vmsix_entry *entries = heap_alloc(count * sizeof(*entries));
    if (entries == NULL) {
        return ERR_NO_MEMORY;
    }
    vmsix_init(&d->msix, entries, count, d->virt->msix_table);
    const struct pci_bar *bar = &d->pci->bar[d->virt->msix_bar];
    uint64_t phase = bar->address & PAGE_MASK, first, end;
    vmsix_pages(&d->msix, (uint32_t)phase, &first, &end);
    volatile void *pages = mmu_map_device(hpa(bar->address - phase + first), end - first);
    d->msix_pages = pages;
    d->msix_first = first;
    d->msix_end = end;
    return pages != NULL ? STATUS_OK : ERR_NO_MEMORY;
}

unsigned passthrough_messages(const struct vpci_function *f)
{
    unsigned msi = 0;
    if (f->msi != 0) {
        uint32_t control = pci_config_read(f->host->address, f->msi + PCI_MSI_CONTROL, 2);
        msi = 1u << (control >> PCI_MSI_CAPABLE_SHIFT & 7);
    }
    unsigned wanted = msi > f->msix_vectors ? msi : f->msix_vectors;
    while ((wanted & (wanted - 1)) != 0) {
        wanted += wanted & -wanted;
    }
    return wanted;
}

static enum status create_interrupts(struct passthrough_device *d)
{
    unsigned wanted = passthrough_messages(d->virt);
    if (iommu == NULL || wanted == 0) {
        return STATUS_OK;
    }
    d->irq_count = wanted;
    return iommu->irq_alloc(d->pci->requester, wanted, &d->irq_first);
}

static enum status create_device(struct passthrough_device *d)
{
    enum status s = create_msix(d);
    return s == STATUS_OK ? create_interrupts(d) : s;
}

static enum status create_domain(struct partition *p)
{
    struct iommu_domain *domain = &p->passthrough->domain;
    if (iommu == NULL) {
        return STATUS_OK;
    }
    enum status s = iommu->domain_create(domain, (uint16_t)(p->index + 1));
    for (unsigned i = 0; s == STATUS_OK && i < p->ram.count; i++) {
        const struct guest_ram_region *r = &p->ram.region[i];
        s = pt_map(&domain->tables, r->gpa, hpa(r->hpa), r->size, PT_READ | PT_WRITE);
    }
    if (s == STATUS_OK) {
        iommu->domain_flush(domain);
    }
    return s;
}

// ---- making ---------------------------------------------------------------------------------

static unsigned window_tables(const struct vpci *bus)
{
    unsigned count = SPARE_TABLES;
    for (unsigned i = 0; i < bus->count; i++) {
        for (unsigned n = 0; n < PCI_BARS; n++) {
            const struct pci_bar *bar = &bus->function[i].host->bar[n];
            if (pci_bar_is_memory(bar->kind)) {
                count += (unsigned)(align_up(bar->size, MIB(2)) / MIB(2));
            }
        }
    }
    return count;
}

static enum status add_devices(struct partition *p)
{
    const struct pci_machine *pci = &machine_pci.pci;
    struct passthrough *pt = p->passthrough;
    struct vpci *bus = &p->devices.pci;
    for (unsigned i = 0; i < pci->count; i++) {
        if (machine_pci.owner[i] != (int)p->index) {
            continue;
        }
        struct passthrough_device *d = &pt->device[pt->count];
        int devfn = vpci_add(bus, &pci->function[i], false);
        if (devfn < 0) {
            return ERR_RANGE;
        }
        d->pci = &pci->function[i];
        d->virt = vpci_find(bus, (uint8_t)devfn);
        pci_open_bridges(pci, d->pci);
        pt->count++;
    }
    return STATUS_OK;
}

static enum status create(struct partition *p)
{
    struct passthrough *pt = p->passthrough;
    // An upper bound: passthrough_discover() stopped bus mastering before.
    pt->quiet_since = time_us();
    enum status s = add_devices(p);
    if (s == STATUS_OK) {
        s = vpci_place_bars(&p->devices.pci);
    }
    pt->tables_left = window_tables(&p->devices.pci);
    if (s == STATUS_OK) {
        s = create_domain(p);
    }
    for (unsigned i = 0; s == STATUS_OK && i < pt->count; i++) {
        s = create_device(&pt->device[i]);
    }
    return s;
}

enum status passthrough_create(struct partition *p)
{
    vpci_init(&p->devices.pci);
    if (p->config->devices.count == 0) {
        return STATUS_OK;
    }
    p->passthrough = heap_alloc(sizeof(*p->passthrough));
    if (p->passthrough == NULL) {
        return ERR_NO_MEMORY;
    }
    enum status s = create(p);
    if (s != STATUS_OK) {
        print("partition \"%s\": its devices can't be set up: %s\n", p->name,
              s == ERR_RANGE ? "their BARs are too large together (512 MiB is the most)"
                             : "no memory for their tables");
    }
    return s;
}

void passthrough_print(const struct partition *p)
{
    const struct passthrough *pt = p->passthrough;
    if (passthrough_is_direct(p)) {
        print(
            "partition %s: trusted with the machine's memory; its own begins at 0x%lx, behind the "
            "first MiB, which its devices don't reach\n",
            p->name, p->ram.dma_floor);
    }
    for (unsigned i = 0; pt != NULL && i < pt->count; i++) {
        const struct passthrough_device *d = &pt->device[i];
        char host[PCI_TEXT_SIZE], guest[PCI_TEXT_SIZE];
        print("partition %s: device %s (%s, %04x:%04x) as its %s, %u MSI-X vectors%s%s\n", p->name,
              pci_text(d->pci->address, host), pci_class_name(d->pci->class_code), d->pci->vendor,
              d->pci->device, pci_text((pci_address_t){d->virt->devfn}, guest), d->msix.count,
              d->virt->msi != 0 ? ", MSI" : "", d->virt->intx ? ", INTx" : "");
    }
}

// ---- start and end --------------------------------------------------------------------------

static void set_command(const struct passthrough_device *d, uint32_t clear, uint32_t set)
{
    uint32_t command = pci_config_read(d->pci->address, PCI_COMMAND, 2);
    pci_config_write(d->pci->address, PCI_COMMAND, 2, (command & ~clear) | set);
}

void passthrough_restore_device(struct passthrough_device *d)
{
    pci_restore_bars(d->pci);
    uint32_t decode = 0;
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const struct pci_bar *bar = &d->pci->bar[n];
        if (bar->kind != PCI_BAR_NONE && bar->address != 0) {
            decode |= bar->kind == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
        }
    }
    set_command(d, PCI_COMMAND_MASTER, decode | PCI_COMMAND_INTX_DISABLE);
}

static void reset(const struct partition *p, struct passthrough_device *d)
{
    char place[PCI_TEXT_SIZE];
    passthrough_irq_stop(d);
    enum status s = pci_reset_function(&machine_pci.pci, d->pci);
    d->lost = s == ERR_NOT_FOUND;
    if (d->lost) {
        print("%s: device %s does not answer any more after its reset: it stays off\n", p->name,
              pci_text(d->pci->address, place));
    }
}

void passthrough_reset_device(struct partition *p, struct passthrough_device *d)
{
    reset(p, d);
    if (!d->lost) {
        passthrough_restore_device(d);
    }
}

// A reset virtual IOAPIC has all pins masked, so the physical pins behind its direct pins are
// masked too.
static void mask_pins(struct partition *p)
{
    vioapic_make_direct(&p->devices.ioapic, p->passthrough->pins << GUEST_PCI_PIN_FIRST);
    passthrough_pins(p);
}

// Waits once for all devices. The time that their resets took counts.
static void wait_settled(const struct passthrough *pt)
{
    uint64_t passed = time_us() - pt->quiet_since;
    if (passed < SETTLE_US) {
        delay_us(SETTLE_US - passed);
    }
}

void passthrough_start(struct partition *p)
{
    struct passthrough *pt = p->passthrough;
    if (pt == NULL) {
        return;
    }
    for (unsigned i = 0; i < pt->count; i++) {
        struct passthrough_device *d = &pt->device[i];
        reset(p, d);
        vmsix_reset(&d->msix);
        __atomic_store_n(&d->faults, 0, __ATOMIC_RELAXED);
    }
    // Only after all are reset, because a bus reset also clears the registers of its neighbours.
    for (unsigned i = 0; i < pt->count; i++) {
        if (!pt->device[i].lost) {
            passthrough_restore_device(&pt->device[i]);
        }
    }
    vpci_reset(&p->devices.pci);
    wait_settled(pt);
    for (unsigned i = 0; i < pt->count && iommu != NULL; i++) {
        struct passthrough_device *d = &pt->device[i];
        if (d->lost) {
            continue;
        }
        spin_lock(&machine_pci.iommu_lock);
        enum status s = iommu->attach(d->pci->requester, &pt->domain);
        spin_unlock(&machine_pci.iommu_lock);
        d->lost |= s != STATUS_OK;
    }
    mask_pins(p);
}

void passthrough_stop(struct partition *p)
{
    struct passthrough *pt = p->passthrough;
    if (pt == NULL) {
        return;
    }
    for (unsigned i = 0; i < pt->count; i++) {
        struct passthrough_device *d = &pt->device[i];
        set_command(d, PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE);
        if (iommu != NULL) {
            spin_lock(&machine_pci.iommu_lock);
            iommu->detach(d->pci->requester);
            spin_unlock(&machine_pci.iommu_lock);
        }
        passthrough_irq_stop(d);
    }
    pt->quiet_since = time_us();
    vioapic_reset(&p->devices.ioapic);
    mask_pins(p);
    passthrough_unmap_all(p);
}
