// SPDX-License-Identifier: Apache-2.0
// Finds the ID that a function's DMA and messages carry, and the functions that can't be isolated
// from each other: an IOMMU can't distinguish functions with one ID, and functions that reach each
// other without passing the IOMMU could attack each other. Functions count as isolated only if a
// standard says so.
#include "drivers/pci/parts.h"

static const char shared_id[] = "the IOMMU sees them as one requester";
static const char pci_bus[] = "they share a PCI bus";
static const char no_port_acs[] = "the port above them has no access control services (ACS)";
static const char no_device_acs[] =
    "they are functions or ports of one device, not all with access control services (ACS)";

// ---- requester IDs ---------------------------------------------------------------------------

// The ID that requests carry above a bridge: the bridge replaces `id`, or leaves it.
static uint16_t id_above(const struct pci_function *bridge, uint16_t id)
{
    switch (pci_port_type(bridge)) {
    case PCI_PORT_ROOT:
    case PCI_PORT_UPSTREAM:
    case PCI_PORT_DOWNSTREAM:
        return id;
    case PCI_PORT_TO_PCI:
        // Its secondary bus, device and function 0 (PCI Express to PCI/PCI-X Bridge Specification
        // 1.0, section 2.3).
        return (uint16_t)(bridge->secondary << 8);
    default:
        // A conventional bridge can't pass IDs on: only its own appears on the bus above.
        return (uint16_t)bridge->address.v;
    }
}

static void find_requester(struct pci_machine *pci, struct pci_function *f)
{
    f->requester = (uint16_t)f->address.v;
    for (int p = f->parent; p != PCI_NO_PARENT; p = pci->function[p].parent) {
        f->requester = id_above(&pci->function[p], f->requester);
    }
}

// ---- groups ----------------------------------------------------------------------------------

// A group's number is the index of its first member.
static void join(struct pci_machine *pci, unsigned a, unsigned b, const char *why)
{
    unsigned from = pci->function[a].group, to = pci->function[b].group;
    if (from < to) {
        unsigned lower = from;
        from = to;
        to = lower;
    }
    for (unsigned i = 0; i < pci->count; i++) {
        if (pci->function[i].group == from) {
            pci->function[i].group = to;
        }
    }
    if (pci->function[a].group_why == NULL) {
        pci->function[a].group_why = why;
    }
    if (pci->function[b].group_why == NULL) {
        pci->function[b].group_why = why;
    }
}

static bool counts_in_device(const struct pci_function *f)
{
    // AMD's processors put a host bridge without registers in front of each set of root ports. It
    // does no DMA, stays unassigned and accepts no requests.
    return PCI_CLASS_SUB(f->class_code) != PCI_CLASS_HOST_BRIDGE;
}

static bool same_device(const struct pci_machine *pci, const struct pci_function *a,
                        const struct pci_function *b)
{
    if (a->address.v >> 8 != b->address.v >> 8) {
        return false;
    }
    if (a->address.v >> 3 == b->address.v >> 3) {
        return true;
    }
    // A PCI Express link has one device below it: other device numbers are alternative routing IDs.
    // The bus below an upstream port is inside a switch, which routes between any two of the ports
    // there.
    int type = a->parent == PCI_NO_PARENT ? -1 : pci_port_type(&pci->function[a->parent]);
    return type == PCI_PORT_ROOT || type == PCI_PORT_DOWNSTREAM || type == PCI_PORT_UPSTREAM;
}

// The index after the last function of this one's device.
static unsigned device_end(const struct pci_machine *pci, unsigned i)
{
    unsigned end = i + 1;
    while (end < pci->count && same_device(pci, &pci->function[i], &pci->function[end])) {
        end++;
    }
    return end;
}

// Functions of one device can talk to each other inside it. This counts for the chipset's functions
// too (SATA and SMBus next to the ISA bridge), because nothing says that they can't. Different
// devices of a root bus are isolated: their requests go through the root complex, where the IOMMU
// is. One function without access control spoils the device: it reaches the others, and everything
// below them.
static void find_isolation(const struct pci_machine *pci, bool *apart)
{
    unsigned end;
    for (unsigned i = 0; i < pci->count; i = end) {
        bool all = true;
        end = device_end(pci, i);
        for (unsigned j = i; j < end; j++) {
            all &= pci_isolate(&pci->function[j]) || !counts_in_device(&pci->function[j]);
        }
        for (unsigned j = i; j < end; j++) {
            apart[j] = all;
        }
    }
}

// Whether a bridge isolates what is below it from its neighbours.
static bool isolates(const struct pci_function *bridge, bool apart)
{
    switch (pci_port_type(bridge)) {
    case PCI_PORT_ROOT:
    case PCI_PORT_DOWNSTREAM:
        return apart;
    case PCI_PORT_UPSTREAM: // only routes, unless it has functions next to it
        return apart || !bridge->multi_function;
    default:
        return false;
    }
}

static const char *why_not_isolated(const struct pci_function *bridge)
{
    int type = pci_port_type(bridge);
    return type == PCI_PORT_ROOT || type == PCI_PORT_DOWNSTREAM || type == PCI_PORT_UPSTREAM
               ? no_port_acs
               : pci_bus;
}

// Joins a function to the bridge above it, unless all bridges on its path up isolate: what one
// sends up, the next might send down again.
static void join_behind_bridges(struct pci_machine *pci, const bool *apart)
{
    static bool open[PCI_MAX_FUNCTIONS]; // the path up from below this bridge isolates
    for (unsigned i = 0; i < pci->count; i++) {
        const struct pci_function *f = &pci->function[i];
        bool above = f->parent == PCI_NO_PARENT || open[f->parent];
        open[i] = above && isolates(f, apart[i]);
        if (!above) {
            unsigned p = (unsigned)f->parent;
            join(pci, i, p, why_not_isolated(&pci->function[p]));
        }
    }
}

static void join_devices(struct pci_machine *pci, const bool *apart)
{
    for (unsigned i = 0; i < pci->count; i++) {
        unsigned end = device_end(pci, i);
        for (unsigned j = i + 1; j < end && !apart[i]; j++) {
            if (counts_in_device(&pci->function[i]) && counts_in_device(&pci->function[j])) {
                join(pci, i, j, no_device_acs);
            }
        }
    }
}

static void join_requesters(struct pci_machine *pci)
{
    for (unsigned i = 0; i < pci->count; i++) {
        for (unsigned j = i + 1; j < pci->count; j++) {
            if (pci->function[i].requester == pci->function[j].requester) {
                join(pci, i, j, shared_id);
            }
        }
    }
}

void pci_find_groups(struct pci_machine *pci)
{
    static bool apart[PCI_MAX_FUNCTIONS];
    for (unsigned i = 0; i < pci->count; i++) {
        struct pci_function *f = &pci->function[i];
        f->group = i;
        f->group_why = NULL;
        find_requester(pci, f);
    }
    find_isolation(pci, apart);
    join_behind_bridges(pci, apart);
    join_devices(pci, apart);
    join_requesters(pci);
}
