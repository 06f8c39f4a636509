// SPDX-License-Identifier: Apache-2.0
// Creating, starting and stopping what partitions have of their PCI functions. Which those are is
// in hv/passthrough_assign.c.
#include "hv/passthrough.h"

#include "arch/apic.h"
#include "arch/heap.h"
#include "arch/mmu.h"
#include "arch/string.h"
#include "arch/tsc.h"
#include "drivers/console.h"
#include "drivers/format.h"
#include "drivers/ioapic.h"
#include "hv/assign.h"
#include "hv/guest_platform.h"
#include "hv/machine.h"
#include "hv/partition.h"
#include "hv/passthrough_machine.h"

// From the end of bus mastering to its return: a device without a reset, or with one that does not
// do what it should, has dropped by then what it was about to transfer.
#define SETTLE_US 120000u

#define SPARE_TABLES 16   // of the window, for a guest that moves its BARs
#define NO_LINE      0xff // interrupt line register: not connected

// ---- a partition's structures ---------------------------------------------------------------

// Memory for the MSI-X table that the guest sees, and access to the device's own.
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

// ---- pins -----------------------------------------------------------------------------------

// The partition whose device has this interrupt already, or NULL.
static const struct partition *pin_owner(uint32_t gsi)
{
    for (unsigned i = 0; i < partition_count; i++) {
        const struct passthrough *pt = partitions[i]->passthrough;
        for (unsigned n = 0; pt != NULL && n < GUEST_PCI_PINS; n++) {
            if ((pt->pins >> n & 1) && pt->pin[n].gsi == gsi) {
                return partitions[i];
            }
        }
    }
    return NULL;
}

const char *passthrough_take_pin(struct passthrough *pt, const struct vpci_function *f)
{
    unsigned n = guest_pci_pin(f->devfn / 8, f->host->interrupt_pin);
    uint32_t gsi = f->host->interrupt_line;
    if (gsi == 0 || gsi == NO_LINE || gsi >= 24) {
        return "the firmware connected it to no interrupt";
    }
    if (gsi == machine_console_gsi()) {
        return "it shares its interrupt with the serial port";
    }
    for (unsigned i = 0; i < GUEST_PCI_PINS; i++) {
        bool used = (pt->pins >> i & 1) != 0;
        if (used && (i == n) != (pt->pin[i].gsi == gsi)) {
            return "its interrupt is mixed up with another device's of the partition";
        }
    }
    if (ioapic_find_pci(&machine.acpi, gsi, &pt->pin[n]) != STATUS_OK) {
        return "no IOAPIC has its interrupt";
    }
    pt->pins |= 1u << n;
    return NULL;
}

// NULL, or why a device's interrupt can't be the partition's.
static const char *grant_pin(struct partition *p, const struct passthrough_device *d, char *text,
                             size_t size)
{
    const struct partition *other = pin_owner(d->pci->interrupt_line);
    if (other != NULL && other != p) {
        format(text, size, "it shares interrupt %u with a device of partition \"%s\"",
               d->pci->interrupt_line, other->name);
        return text;
    }
    return passthrough_take_pin(p->passthrough, d->virt);
}

static enum status create_pin(struct partition *p, struct passthrough_device *d)
{
    char text[ASSIGN_TEXT_SIZE], place[PCI_TEXT_SIZE];
    if (d->pci->interrupt_pin == 0) {
        return STATUS_OK;
    }
    const char *why = grant_pin(p, d, text, sizeof(text));
    vpci_set_intx(d->virt, why == NULL);
    if (why == NULL || d->virt->msi != 0 || d->virt->msix_vectors > 0) {
        return STATUS_OK; // it has better ones
    }
    print(
        "partition \"%s\": device %s has neither MSI nor MSI-X, and its INT%c can't be used: %s\n",
        p->name, pci_text(d->pci->address, place), 'A' + d->pci->interrupt_pin - 1, why);
    return ERR_DENIED;
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
    const struct pci_machine *pci = &passthrough_machine.pci;
    struct passthrough *pt = p->passthrough;
    struct vpci *bus = &p->devices.pci;
    for (unsigned i = 0; i < pci->count; i++) {
        if (passthrough_machine.owner[i] != (int)p->index) {
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
    pt->quiet_since = time_us(); // or earlier: passthrough_discover()
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
    if (p->config->device_count == 0) {
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
        return s;
    }
    for (unsigned i = 0; i < p->passthrough->count && s == STATUS_OK; i++) {
        s = create_pin(p, &p->passthrough->device[i]);
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
    enum status s = pci_reset_function(&passthrough_machine.pci, d->pci);
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

// A reset virtual IOAPIC has all its pins masked; so have the direct ones to be.
static void mask_pins(struct partition *p)
{
    vioapic_make_direct(&p->devices.ioapic, p->passthrough->pins << GUEST_PCI_PIN_FIRST);
    passthrough_pins(p);
}

// For all devices at once, and together with what their resets have taken.
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
    // Not before all are reset: what is reset by its bus takes its neighbours' setup with it.
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
        spin_lock(&passthrough_machine.iommu_lock);
        enum status s = iommu->attach(d->pci->requester, &pt->domain);
        spin_unlock(&passthrough_machine.iommu_lock);
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
            spin_lock(&passthrough_machine.iommu_lock);
            iommu->detach(d->pci->requester);
            spin_unlock(&passthrough_machine.iommu_lock);
        }
        passthrough_irq_stop(d);
    }
    pt->quiet_since = time_us();
    vioapic_reset(&p->devices.ioapic);
    mask_pins(p);
    passthrough_unmap_all(p);
}
