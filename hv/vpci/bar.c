// SPDX-License-Identifier: Apache-2.0
// BARs of the virtual functions: their registers, their addresses at power-on, and which of a
// guest's placements are valid. The devices' own BARs are never changed.
#include "hv/machine/guest_platform.h"
#include "hv/vpci/function.h"

#define PORT_END 0x10000u

enum pci_bar_kind vpci_bar_kind(const struct pci_function *host, unsigned bar)
{
    const struct pci_bar *b = &host->bar[bar];
    bool power_of_two = b->size != 0 && (b->size & (b->size - 1)) == 0;
    switch (b->kind) {
    case PCI_BAR_IO:
        return power_of_two && b->size >= 4 && b->size < PORT_END ? PCI_BAR_IO : PCI_BAR_NONE;
    case PCI_BAR_MEMORY32:
        return power_of_two && b->size >= 16 && b->size < GIB(4) ? PCI_BAR_MEMORY32 : PCI_BAR_NONE;
    case PCI_BAR_MEMORY64:
        return power_of_two && b->size >= 16 && bar + 1 < PCI_BARS ? PCI_BAR_MEMORY64
                                                                   : PCI_BAR_NONE;
    case PCI_BAR_NONE:
        break;
    }
    return PCI_BAR_NONE;
}

static bool is_upper_half(const struct pci_function *host, unsigned bar)
{
    return bar > 0 && vpci_bar_kind(host, bar - 1) == PCI_BAR_MEMORY64;
}

uint32_t vpci_bar_writable(const struct pci_function *host, unsigned offset)
{
    unsigned bar = (offset - PCI_BAR0) / 4;
    if (is_upper_half(host, bar)) {
        return (uint32_t)(~(host->bar[bar - 1].size - 1) >> 32);
    }
    uint32_t aligned = (uint32_t) ~(host->bar[bar].size - 1);
    switch (vpci_bar_kind(host, bar)) {
    case PCI_BAR_IO:
        return aligned & PCI_BAR_IO_MASK;
    case PCI_BAR_MEMORY32:
    case PCI_BAR_MEMORY64:
        return aligned & PCI_BAR_MEMORY_MASK;
    case PCI_BAR_NONE:
        break;
    }
    return 0;
}

// PCI 3.0, 6.2.5.1.
static uint32_t type_bits(const struct pci_function *host, unsigned bar)
{
    uint32_t prefetch = host->bar[bar].prefetchable ? PCI_BAR_PREFETCH : 0;
    switch (vpci_bar_kind(host, bar)) {
    case PCI_BAR_IO:
        return PCI_BAR_IS_IO;
    case PCI_BAR_MEMORY32:
        return prefetch;
    case PCI_BAR_MEMORY64:
        return prefetch | PCI_BAR_TYPE_64;
    case PCI_BAR_NONE:
        break;
    }
    return 0;
}

void vpci_bar_set(struct vpci_function *f, unsigned bar, uint64_t address)
{
    unsigned offset = PCI_BAR0 + 4 * bar;
    if (is_upper_half(f->host, bar)) {
        return;
    }
    uint32_t low = (uint32_t)address & vpci_bar_writable(f->host, offset);
    vpci_set_own(f, offset, 4, low | type_bits(f->host, bar));
    if (vpci_bar_kind(f->host, bar) == PCI_BAR_MEMORY64) {
        vpci_set_own(f, offset + 4, 4, (uint32_t)(address >> 32));
    }
}

// The address that is in the registers.
static uint64_t vpci_bar_get(const struct vpci_function *f, unsigned bar)
{
    unsigned offset = PCI_BAR0 + 4 * bar;
    uint64_t address = vpci_own(f, offset, 4) & vpci_bar_writable(f->host, offset);
    if (vpci_bar_kind(f->host, bar) == PCI_BAR_MEMORY64) {
        address |= (uint64_t)vpci_own(f, offset + 4, 4) << 32;
    }
    return address;
}

// ---- power-on addresses ------------------------------------------------------------------------

// Offset of the device's BAR in its page. A guest's BAR must have the same offset, because whole
// pages are mapped.
static uint64_t phase(const struct pci_function *host, unsigned bar)
{
    return host->bar[bar].address & PAGE_MASK;
}

static bool to_place(const struct pci_function *host, unsigned bar, bool memory)
{
    enum pci_bar_kind kind = vpci_bar_kind(host, bar);
    return memory ? pci_bar_is_memory(kind) : kind == PCI_BAR_IO;
}

// Finds the largest BAR that has no address yet.
static struct vpci_function *next_to_place(struct vpci *p, bool memory, unsigned *bar)
{
    struct vpci_function *found = NULL;
    for (unsigned i = 0; i < p->count; i++) {
        struct vpci_function *f = &p->function[i];
        for (unsigned b = 0; b < PCI_BARS; b++) {
            if (to_place(f->host, b, memory) && f->placed[b] == 0 &&
                (found == NULL || f->host->bar[b].size > found->host->bar[*bar].size)) {
                found = f;
                *bar = b;
            }
        }
    }
    return found;
}

// Places BARs from `at` up to `end`; `at` is not 0. Each BAR starts where the last one ended, which
// was no smaller, so there are no gaps except within pages.
static enum status place(struct vpci *p, bool memory, uint64_t at, uint64_t end)
{
    unsigned bar = 0;
    for (struct vpci_function *f; (f = next_to_place(p, memory, &bar)) != NULL;) {
        uint64_t size = f->host->bar[bar].size, in_page = 0;
        if (memory) {
            in_page = phase(f->host, bar);
            at = align_up(at, max_u64(size, PAGE_SIZE));
        } else {
            at = align_up(at, size);
        }
        if (size > end || at + in_page > end - size) {
            return ERR_RANGE;
        }
        f->placed[bar] = at + in_page;
        at += in_page + size;
    }
    return STATUS_OK;
}

enum status vpci_place_bars(struct vpci *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        for (unsigned b = 0; b < PCI_BARS; b++) {
            p->function[i].placed[b] = 0;
        }
    }
    enum status s =
        place(p, true, GUEST_PCI_WINDOW, (uint64_t)GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE);
    if (s == STATUS_OK) {
        s = place(p, false, VPCI_PORT_FIRST, PORT_END);
    }
    return s;
}

// ---- the guest's addresses ---------------------------------------------------------------------

struct pages {
    uint64_t first, end;
};

// Whether a BAR could be mapped if it were the only one, and its pages.
static bool decoded(const struct vpci_function *f, unsigned bar, struct pages *pages)
{
    const struct pci_bar *b = &f->host->bar[bar];
    uint64_t at = vpci_bar_get(f, bar);
    if (!pci_bar_is_memory(vpci_bar_kind(f->host, bar)) || b->address == 0 ||
        (vpci_own(f, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY) == 0) {
        return false;
    }
    if (at < GUEST_PCI_WINDOW || b->size > GUEST_PCI_WINDOW_SIZE ||
        at - GUEST_PCI_WINDOW > GUEST_PCI_WINDOW_SIZE - b->size ||
        (at & PAGE_MASK) != phase(f->host, bar)) {
        return false;
    }
    pages->first = align_down(at, PAGE_SIZE);
    pages->end = align_up(at + b->size, PAGE_SIZE);
    return true;
}

bool vpci_bar_mapped(const struct vpci *p, const struct vpci_function *f, unsigned bar, gpa_t *at)
{
    struct pages mine, other;
    if (bar >= PCI_BARS || !decoded(f, bar, &mine)) {
        return false;
    }
    for (unsigned i = 0; i < p->count; i++) {
        const struct vpci_function *g = &p->function[i];
        for (unsigned b = 0; b < PCI_BARS; b++) {
            if ((g != f || b != bar) && decoded(g, b, &other) && other.first < mine.end &&
                mine.first < other.end) {
                return false;
            }
        }
    }
    *at = gpa(vpci_bar_get(f, bar));
    return true;
}

static bool port_in_bar(const struct vpci_function *f, unsigned bar, uint16_t port, unsigned size)
{
    const struct pci_bar *b = &f->host->bar[bar];
    if (vpci_bar_kind(f->host, bar) != PCI_BAR_IO || b->address == 0 ||
        b->address > PORT_END - b->size || (vpci_own(f, PCI_COMMAND, 2) & PCI_COMMAND_IO) == 0) {
        return false;
    }
    uint64_t at = vpci_bar_get(f, bar);
    return at >= VPCI_PORT_FIRST && port >= at && (uint64_t)port + size <= at + b->size;
}

struct vpci_function *vpci_find_port(struct vpci *p, uint16_t port, unsigned size, unsigned *bar,
                                     uint16_t *host_port)
{
    for (unsigned i = 0; i < p->count; i++) {
        struct vpci_function *f = &p->function[i];
        for (unsigned b = 0; b < PCI_BARS; b++) {
            if (port_in_bar(f, b, port, size)) {
                *bar = b;
                *host_port = (uint16_t)(f->host->bar[b].address + (port - vpci_bar_get(f, b)));
                return f;
            }
        }
    }
    return NULL;
}
