// SPDX-License-Identifier: Apache-2.0
// Finds the functions, bus by bus in ascending order. A bridge leads only to buses with higher
// numbers than its own. So each bus's bridge is known when the bus is reached, and the search ends
// whatever the registers say.
#include "arch/lib/string.h"
#include "drivers/console/console.h"
#include "drivers/pci/parts.h"

#define BUSES     256u
#define SLOTS     32u
#define FUNCTIONS 8u

// What the scan knows about the buses.
struct scan {
    struct pci_machine *pci;
    int owner[BUSES];  // the innermost bridge whose range includes the bus, or PCI_NO_PARENT
    bool wired[BUSES]; // the bus is directly below its owner
};

static bool answers(pci_address_t a)
{
    uint32_t id = pci_config_read(a, PCI_VENDOR, 4);
    return (id & 0xffff) != 0xffff && (id & 0xffff) != 0;
}

// ---- one function ----------------------------------------------------------------------------

static void read_express_setup(struct pci_function *f)
{
    uint32_t flags = pci_config_read(f->address, f->pcie + PCI_PCIE_FLAGS, 2);
    f->setup.device_control =
        (uint16_t)(pci_config_read(f->address, f->pcie + PCI_PCIE_DEVICE_CONTROL, 2) &
                   ~PCI_PCIE_CONTROL_FLR);
    f->setup.link_control =
        (uint16_t)(pci_config_read(f->address, f->pcie + PCI_PCIE_LINK_CONTROL, 2) &
                   ~(PCI_PCIE_LINK_DISABLE | PCI_PCIE_LINK_RETRAIN));
    if (PCI_PCIE_VERSION(flags) >= 2 && f->pcie + PCI_PCIE_DEVICE_CONTROL2 + 2 <= 256) {
        f->setup.device_control2 =
            (uint16_t)pci_config_read(f->address, f->pcie + PCI_PCIE_DEVICE_CONTROL2, 2);
    }
}

static void read_setup(struct pci_function *f)
{
    f->setup.cache_line = (uint8_t)pci_config_read(f->address, PCI_CACHE_LINE, 1);
    f->setup.latency = (uint8_t)pci_config_read(f->address, PCI_LATENCY, 1);
    if (f->pcie != 0) {
        read_express_setup(f);
    }
}

static void read_header(struct pci_function *f)
{
    uint32_t header = pci_config_read(f->address, PCI_HEADER_TYPE, 1);
    f->vendor = (uint16_t)pci_config_read(f->address, PCI_VENDOR, 2);
    f->device = (uint16_t)pci_config_read(f->address, PCI_DEVICE, 2);
    f->class_code = pci_config_read(f->address, PCI_CLASS, 4) >> 8;
    f->header_type = (uint8_t)(header & ~PCI_HEADER_MULTI);
    f->bridge = f->header_type == PCI_HEADER_BRIDGE || f->header_type == PCI_HEADER_CARDBUS ||
                PCI_CLASS_SUB(f->class_code) == PCI_CLASS_HOST_BRIDGE;
    uint32_t pin = pci_config_read(f->address, PCI_INTERRUPT_PIN, 1);
    f->interrupt_pin = pin <= 4 ? (uint8_t)pin : 0;
    f->interrupt_line = (uint8_t)pci_config_read(f->address, PCI_INTERRUPT_LINE, 1);
}

static struct pci_function *add_function(struct scan *s, pci_address_t a, bool multi)
{
    struct pci_machine *pci = s->pci;
    char text[PCI_TEXT_SIZE];
    if (pci->count == PCI_MAX_FUNCTIONS) {
        pci->left_out++;
        return NULL;
    }
    struct pci_function *f = &pci->function[pci->count++];
    memset(f, 0, sizeof(*f));
    f->address = a;
    f->multi_function = multi;
    f->requester = (uint16_t)a.v;
    f->parent = s->owner[PCI_BUS(a)];
    read_header(f);
    if (f->header_type > PCI_HEADER_CARDBUS) {
        print("device %s: its header is of type 0x%02x, which there is not: it can't be used\n",
              pci_text(a, text), f->header_type);
    }
    pci_find_capabilities(f);
    pci_measure_bars(f);
    read_setup(f);
    return f;
}

// ---- buses -----------------------------------------------------------------------------------

// Whether all of the bridge's buses belong to the range of its own bus's owner, and to no other
// bridge. With two bridges for one bus, the bridge of the functions there would be unknown.
static bool range_is_free(const struct scan *s, const struct pci_function *f)
{
    unsigned bus = PCI_BUS(f->address);
    if (f->secondary <= bus || f->subordinate < f->secondary) {
        return false;
    }
    for (unsigned n = f->secondary; n <= f->subordinate; n++) {
        if (s->owner[n] != s->owner[bus]) {
            return false;
        }
    }
    return true;
}

static void follow_bridge(struct scan *s, struct pci_function *f)
{
    char text[PCI_TEXT_SIZE];
    f->secondary = (uint8_t)pci_config_read(f->address, PCI_SECONDARY_BUS, 1);
    f->subordinate = (uint8_t)pci_config_read(f->address, PCI_SUBORDINATE_BUS, 1);
    if (!range_is_free(s, f)) {
        print("bridge %s: its buses (%u to %u) are %s: what is behind it can't be used\n",
              pci_text(f->address, text), f->secondary, f->subordinate,
              f->secondary == 0 ? "not set up by the firmware" : "others' too or make no sense");
        f->secondary = 0;
        f->subordinate = 0;
        return;
    }
    for (unsigned n = f->secondary; n <= f->subordinate; n++) {
        s->owner[n] = (int)(f - s->pci->function);
        s->wired[n] = n == f->secondary;
    }
}

static void scan_slot(struct scan *s, unsigned bus, unsigned slot)
{
    if (!answers(pci_at(bus, slot, 0))) {
        return;
    }
    bool multi =
        (pci_config_read(pci_at(bus, slot, 0), PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTI) != 0;
    for (unsigned i = 0; i < (multi ? FUNCTIONS : 1); i++) {
        if (i > 0 && !answers(pci_at(bus, slot, i))) {
            continue;
        }
        struct pci_function *f = add_function(s, pci_at(bus, slot, i), multi);
        if (f != NULL &&
            (f->header_type == PCI_HEADER_BRIDGE || f->header_type == PCI_HEADER_CARDBUS)) {
            follow_bridge(s, f);
        }
    }
}

// Below a PCI Express link there is one device, with number 0. Some devices ignore the number and
// appear 32 times. With alternative routing IDs the number is a part of the function number.
static unsigned slot_count(const struct scan *s, unsigned bus)
{
    if (s->owner[bus] == PCI_NO_PARENT) {
        return SLOTS;
    }
    const struct pci_function *bridge = &s->pci->function[s->owner[bus]];
    int type = pci_port_type(bridge);
    if ((type == PCI_PORT_ROOT || type == PCI_PORT_DOWNSTREAM) &&
        !(bridge->setup.device_control2 & PCI_PCIE_CONTROL2_ARI)) {
        return 1;
    }
    return SLOTS;
}

// Buses in no bridge's range are scanned too, because a machine may have several root buses.
void pci_scan(struct pci_machine *pci)
{
    struct scan s = {.pci = pci};
    pci->count = 0;
    pci->left_out = 0;
    for (unsigned bus = 0; bus < BUSES; bus++) {
        s.owner[bus] = PCI_NO_PARENT;
    }
    for (unsigned bus = 0; bus < BUSES; bus++) {
        if (s.owner[bus] != PCI_NO_PARENT && !s.wired[bus]) {
            continue;
        }
        for (unsigned slot = 0; slot < slot_count(&s, bus); slot++) {
            scan_slot(&s, bus, slot);
        }
    }
    if (pci->left_out > 0) {
        print("PCI: %u functions beyond the first %u are left out\n", pci->left_out,
              PCI_MAX_FUNCTIONS);
    }
    pci_find_groups(pci);
}
