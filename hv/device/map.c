// SPDX-License-Identifier: Apache-2.0
// A partition's device registers: BARs in its memory, configuration space, I/O BARs, and the
// effects of writes to the virtual bus.
#include "hv/device/passthrough.h"

#include "arch/cpu/io_sized.h"
#include "arch/cpu/tsc.h"
#include "arch/virt/virt.h"
#include "hv/machine/guest_platform.h"
#include "hv/partition/log.h"
#include "hv/partition/partition.h"

#define TABLE_SPAN  MIB(2) // memory mapped by one last-level table
#define POWER_UP_US 10000  // from D3hot to D0 (PCI Power Management 1.2, table 5-6)

// ---- BARs in the guest's memory -------------------------------------------------------------

// Makes a table of the window when it is first used, and keeps it for good. Their number is
// limited, so a guest that moves its BARs about can't use up the hypervisor's memory.
static bool have_table(struct partition *p, uint64_t gpa)
{
    struct passthrough *pt = p->passthrough;
    unsigned n = (unsigned)((gpa - GUEST_PCI_WINDOW) / TABLE_SPAN);
    if (pt->tables_made[n / 32] >> n % 32 & 1) {
        return true;
    }
    if (pt->tables_left == 0 || pt_entry_4k(&p->second_level, align_down(gpa, PAGE_SIZE)) == NULL) {
        return false;
    }
    pt->tables_left--;
    pt->tables_made[n / 32] |= 1u << n % 32;
    return true;
}

unsigned passthrough_direct_pages(const struct passthrough_device *d, unsigned n,
                                  struct passthrough_pages out[2])
{
    const struct pci_bar *bar = &d->pci->bar[n];
    uint64_t phase = bar->address & PAGE_MASK;
    uint64_t size = align_up(phase + bar->size, PAGE_SIZE), first = size, end = size;
    uint64_t base = bar->address - phase;
    unsigned count = 0;
    if (!pci_bar_is_memory(bar->kind)) {
        return 0;
    }
    if (d->msix.count > 0 && d->virt->msix_bar == n) {
        vmsix_pages(&d->msix, (uint32_t)phase, &first, &end);
    }
    if (first > 0) {
        out[count++] = (struct passthrough_pages){0, base, first};
    }
    if (end < size) {
        out[count++] = (struct passthrough_pages){end, base + end, size - end};
    }
    return count;
}

static void unmap_bar(struct partition *p, struct passthrough_device *d, unsigned n)
{
    const struct pci_bar *bar = &d->pci->bar[n];
    uint64_t size = align_up((bar->address & PAGE_MASK) + bar->size, PAGE_SIZE);
    pt_unmap(&p->second_level, align_down(d->mapped[n], PAGE_SIZE), size);
    d->mapped[n] = 0;
}

static void map_bar(struct partition *p, struct passthrough_device *d, unsigned n, uint64_t at)
{
    struct passthrough_pages part[2];
    uint64_t base = align_down(at, PAGE_SIZE);
    d->mapped[n] = at;
    for (unsigned i = passthrough_direct_pages(d, n, part); i-- > 0;) {
        uint64_t gpa = base + part[i].offset, left = part[i].size;
        hpa_t to = hpa(part[i].hpa);
        while (left > 0) {
            uint64_t step = min_u64(left, align_down(gpa, TABLE_SPAN) + TABLE_SPAN - gpa);
            if (!have_table(p, gpa) ||
                pt_map(&p->second_level, gpa, to, step, PT_READ | PT_WRITE | PT_UC) != STATUS_OK) {
                unmap_bar(p, d, n); // unmapped addresses read as ones
                return;
            }
            gpa += step;
            to.v += step;
            left -= step;
        }
    }
}

// Flushes this CPU now and asks the others to. Until they do, they may reach the BAR's old place
// through cached translations. That does no harm: the device belongs to their partition for good.
static void flush_all(struct vcpu *v)
{
    struct partition *p = v->partition;
    virt->flush(v);
    for (unsigned i = 0; i < p->vcpu_count; i++) {
        if (p->vcpus[i] != v) {
            vcpu_post(p->vcpus[i], WORK_FLUSH);
        }
    }
}

// Unmaps BARs that have moved. True if there were any.
static bool unmap_moved(struct partition *p)
{
    struct passthrough *pt = p->passthrough;
    bool changed = false;
    for (unsigned i = 0; i < pt->count; i++) {
        struct passthrough_device *d = &pt->device[i];
        for (unsigned n = 0; n < PCI_BARS; n++) {
            gpa_t at = {0};
            if (d->mapped[n] != 0 &&
                (!vpci_bar_mapped(&p->devices.pci, d->virt, n, &at) || at.v != d->mapped[n])) {
                unmap_bar(p, d, n);
                changed = true;
            }
        }
    }
    return changed;
}

// Makes the second-level tables agree with the BARs.
static void update_bars(struct vcpu *v)
{
    struct partition *p = v->partition;
    struct passthrough *pt = p->passthrough;
    bool flush = unmap_moved(p);
    for (unsigned i = 0; i < pt->count; i++) {
        struct passthrough_device *d = &pt->device[i];
        for (unsigned n = 0; n < PCI_BARS; n++) {
            gpa_t at;
            if (!pci_bar_is_memory(d->pci->bar[n].kind) || d->mapped[n] != 0 || d->lost ||
                !vpci_bar_mapped(&p->devices.pci, d->virt, n, &at)) {
                continue;
            }
            map_bar(p, d, n, at.v);
            if (d->mapped[n] == 0) {
                log_guest(v, "BAR moved to 0x%lx: no room for its page tables", at.v);
            }
        }
    }
    if (flush) {
        flush_all(v);
    }
}

void passthrough_unmap_all(struct partition *p)
{
    struct passthrough *pt = p->passthrough;
    for (unsigned i = 0; i < pt->count; i++) {
        for (unsigned n = 0; n < PCI_BARS; n++) {
            if (pt->device[i].mapped[n] != 0) {
                unmap_bar(p, &pt->device[i], n);
            }
        }
    }
}

// ---- effects --------------------------------------------------------------------------------

static struct passthrough_device *device_of(struct partition *p, const struct vpci_function *f)
{
    for (unsigned i = 0; i < p->passthrough->count; i++) {
        if (p->passthrough->device[i].virt == f) {
            return &p->passthrough->device[i];
        }
    }
    return NULL;
}

// Finishes a reset that the guest asked for. The virtual registers were reset before; the device's
// command register must agree with them.
static void reset_registers(struct passthrough_device *d)
{
    vmsix_reset(&d->msix);
    if (!d->lost) {
        vpci_sync(d->virt);
    }
}

void passthrough_effect(struct vcpu *v, struct vpci_effect effect)
{
    struct partition *p = v->partition;
    struct passthrough_device *d =
        effect.what != 0 && p->passthrough != NULL ? device_of(p, effect.function) : NULL;
    if (d == NULL) {
        return;
    }
    if (effect.what & VPCI_EFFECT_FLR) {
        passthrough_reset_device(p, d);
        reset_registers(d);
    } else if ((effect.what & VPCI_EFFECT_POWER) && (effect.what & VPCI_EFFECT_BARS)) {
        delay_us(POWER_UP_US);
        passthrough_restore_device(d);
        reset_registers(d);
    }
    if (effect.what & VPCI_EFFECT_BARS) {
        update_bars(v);
    }
    if (effect.what & VPCI_EFFECT_MSIX) {
        passthrough_msix(v, d, vmsix_set_control(&d->msix, vpci_msix_control(d->virt)));
    }
    if (effect.what & VPCI_EFFECT_MSI) {
        passthrough_msi(v, d);
    }
}

// ---- memory accesses ------------------------------------------------------------------------

static bool in_ecam(gpa_t address)
{
    return address.v - GUEST_ECAM_ADDRESS < GUEST_ECAM_SIZE;
}

bool passthrough_owns(const struct partition *p, gpa_t address)
{
    return p->passthrough != NULL &&
           (in_ecam(address) || address.v - GUEST_PCI_WINDOW < GUEST_PCI_WINDOW_SIZE);
}

// Finds the device whose MSI-X BAR is mapped at the address. Only the BAR's trapped pages cause
// exits, so the address is on one of them.
static struct passthrough_device *find_msix(struct partition *p, gpa_t address, uint64_t *offset)
{
    struct passthrough *pt = p->passthrough;
    for (unsigned i = 0; i < pt->count; i++) {
        struct passthrough_device *d = &pt->device[i];
        unsigned n = d->msix.count > 0 ? d->virt->msix_bar : 0;
        uint64_t at = d->mapped[n];
        if (d->msix.count > 0 && at != 0 && address.v >= at &&
            address.v - at < d->pci->bar[n].size) {
            *offset = address.v - at;
            return d;
        }
    }
    return NULL;
}

// The other registers on the pages of the MSI-X table: the pending bits, and sometimes registers of
// the device itself. An aligned access that doesn't touch the table passes. NULL if it isn't
// aligned or not on these pages. The guest reaches the rest of the BAR directly, but an access to
// it can still get here: as the other operand of a string instruction, or if the BAR was moved to
// this address after the exit.
static volatile void *beside(const struct passthrough_device *d, uint64_t offset, unsigned size)
{
    bool passes = !d->lost && offset % size == 0;
    return passes ? passthrough_trapped(d, offset, size) : NULL;
}

static uint64_t read_beside(const struct passthrough_device *d, uint64_t offset, unsigned size)
{
    volatile void *at = beside(d, offset, size);
    if (at == NULL) {
        return UINT64_MAX;
    }
    switch (size) {
    case 1:
        return *(volatile uint8_t *)at;
    case 2:
        return *(volatile uint16_t *)at;
    case 4:
        return *(volatile uint32_t *)at;
    default:
        return *(volatile uint64_t *)at;
    }
}

static void write_beside(const struct passthrough_device *d, uint64_t offset, unsigned size,
                         uint64_t value)
{
    volatile void *at = beside(d, offset, size);
    if (at == NULL) {
        return;
    }
    switch (size) {
    case 1:
        *(volatile uint8_t *)at = (uint8_t)value;
        break;
    case 2:
        *(volatile uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(volatile uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(volatile uint64_t *)at = value;
        break;
    }
}

uint64_t passthrough_mmio_read(struct vcpu *v, gpa_t address, unsigned size)
{
    struct partition *p = v->partition;
    if (in_ecam(address)) {
        uint32_t offset = (uint32_t)(address.v - GUEST_ECAM_ADDRESS);
        if (size <= 4) {
            return vpci_ecam_read(&p->devices.pci, offset, size);
        }
        return (uint64_t)vpci_ecam_read(&p->devices.pci, offset + 4, 4) << 32 |
               vpci_ecam_read(&p->devices.pci, offset, 4);
    }
    uint64_t offset;
    struct passthrough_device *d = find_msix(p, address, &offset);
    if (d == NULL) {
        return UINT64_MAX; // no device answers
    }
    return vmsix_hits(&d->msix, offset, size) ? vmsix_read(&d->msix, offset, size)
                                              : read_beside(d, offset, size);
}

void passthrough_mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value)
{
    struct partition *p = v->partition;
    if (in_ecam(address)) {
        uint32_t offset = (uint32_t)(address.v - GUEST_ECAM_ADDRESS);
        passthrough_effect(
            v, vpci_ecam_write(&p->devices.pci, offset, size < 4 ? size : 4, (uint32_t)value));
        if (size == 8) {
            passthrough_effect(
                v, vpci_ecam_write(&p->devices.pci, offset + 4, 4, (uint32_t)(value >> 32)));
        }
        return;
    }
    uint64_t offset;
    struct passthrough_device *d = find_msix(p, address, &offset);
    if (d == NULL) {
        return;
    }
    if (vmsix_hits(&d->msix, offset, size)) {
        passthrough_msix(v, d, vmsix_write(&d->msix, offset, size, value));
    } else {
        write_beside(d, offset, size, value);
    }
}

// ---- I/O BARs -------------------------------------------------------------------------------

static bool find_port(struct partition *p, uint16_t port, unsigned size, uint16_t *host)
{
    unsigned bar;
    return p->passthrough != NULL &&
           vpci_find_port(&p->devices.pci, port, size, &bar, host) != NULL;
}

bool passthrough_port_read(struct partition *p, uint16_t port, unsigned size, uint32_t *value)
{
    uint16_t host;
    if (!find_port(p, port, size, &host)) {
        return false;
    }
    *value = io_read(host, size);
    return true;
}

bool passthrough_port_write(struct partition *p, uint16_t port, unsigned size, uint32_t value)
{
    uint16_t host;
    if (!find_port(p, port, size, &host)) {
        return false;
    }
    io_write(host, size, value);
    return true;
}
