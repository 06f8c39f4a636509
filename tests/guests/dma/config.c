// SPDX-License-Identifier: Apache-2.0
// Attacks through configuration space: random values to every register of every function, in every
// width, aligned or not, by ports and by memory; and every way to reset a bus or a function.
// `where=own` leaves out what isn't the guest's own, for a bare machine.

#include "tests/guests/dma/dma.h"

enum {
    DEFAULT_COUNT = 20000,
    SAY_EVERY = 1 << 16,
    PM_CONTROL = 4, // in its capability
    PM_D3 = 3,
    PCIE_DEVICE_CONTROL = 8,
    PCIE_FLR = 1 << 15,
    PCIE_LINK_CONTROL = 0x10,
    PCIE_LINK_DISABLE = 1 << 4,
    AF_CONTROL = 4,
    CONFIG_ENABLE = 1u << 31,
};

static bool own_only;

// ---- at random

static pci_where_t random_function(void)
{
    if (own_only || random_less(2))
        return guest.edu[random_less(guest.edus)].where;
    pci_where_t where = (pci_where_t)random_number();
    return random_less(4) ? where & 0xff : where; // most on bus 0
}

static void by_ports(pci_where_t where, unsigned size, bool write, uint32_t value)
{
    uint64_t choice = random_number();
    uint32_t address = CONFIG_ENABLE | (uint32_t)where << 8 | (choice & 0xff);
    uint16_t port = (uint16_t)(PCI_PORT_DATA + (choice >> 8 & 3));
    if (!own_only && (choice >> 16 & 15) == 0)
        address = (uint32_t)random_number(); // reserved bits, not enabled
    if (own_only)
        size = port & (size - 1) ? 1 : size;
    outl(PCI_PORT_ADDRESS, address);
    if (!own_only && (choice >> 20 & 31) == 0)
        port = (uint16_t)(PCI_PORT_ADDRESS + (choice >> 8 & 3)); // of the address itself
    if (port == PCI_PORT_ADDRESS + 1)
        write = false; // the reset port of a PC is there
    if (size == 1)
        write ? outb(port, (uint8_t)value) : (void)inb(port);
    else if (size == 2)
        write ? outw(port, (uint16_t)value) : (void)inw(port);
    else
        write ? outl(port, value) : (void)inl(port);
}

// No register is so wide, and chipsets take it for two accesses, or one, or none.
static void wide_by_memory(pci_where_t where, unsigned offset, bool write, uint64_t value)
{
    volatile uint64_t *at = (volatile uint64_t *)pci_ecam(where, offset < 4088 ? offset : 4088);
    if (write)
        *at = value;
    else
        (void)*at;
}

static void by_memory(pci_where_t where, unsigned size, bool write, uint32_t value)
{
    uint64_t choice = random_number();
    unsigned offset = (unsigned)(choice & 0x300 ? choice & 0xff : (choice >> 16) % 4096);
    if (own_only)
        offset &= ~(size - 1);
    if (!pci_ecam(where, 0)) // behind the last bus there is no memory
        where &= 0xff;
    if (!own_only && (choice >> 28 & 7) == 0) {
        wide_by_memory(where, offset, write, value | choice << 32);
        return;
    }
    if (offset > 4096 - size)
        offset = 4096 - size;
    if (write)
        pci_ecam_write(where, offset, size, value);
    else
        (void)pci_ecam_read(where, offset, size);
}

void config_attack(void)
{
    struct saved_config saved[EDU_MAX];
    uint64_t count = option_number("count", DEFAULT_COUNT), start = rdtsc();
    bool ecam = pci_ecam(0, 0);
    own_only = option_is("where", "own");
    for (unsigned i = 0; i < guest.edus; i++)
        save_config(guest.edu[i].where, &saved[i]);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t choice = random_number();
        unsigned size = 1u << choice % 3;
        bool write = choice >> 8 & 7;
        uint32_t value = (uint32_t)random_kind(&guest.random);
        if (ecam && choice >> 16 & 1)
            by_memory(random_function(), size, write, value);
        else
            by_ports(random_function(), size, write, value);
        if (i % SAY_EVERY == SAY_EVERY - 1)
            print("config: %lu of %lu\n", i + 1, count);
    }
    print("config: %lu accesses, %lu us\n", count, (rdtsc() - start) * 1000 / tsc_khz());
    for (unsigned i = 0; i < guest.edus; i++)
        restore_config(guest.edu[i].where, &saved[i]);
    for (unsigned i = 0; i < guest.edus; i++)
        check_device(&guest.edu[i]);
}

// ---- resets

// Whether there is such a function or not: what isn't shown might still be reached.
static void reset_bridge(pci_where_t where)
{
    pci_port_write(where, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RST);
    pci_port_write(where, PCI_BRIDGE_CONTROL, 1, PCI_BRIDGE_CONTROL_RST);
    pci_port_write(where, PCI_BRIDGE_CONTROL, 2, 0);
    if (!pci_ecam(where, 0))
        return;
    pci_ecam_write(where, PCI_BRIDGE_CONTROL, 2, PCI_BRIDGE_CONTROL_RST);
    pci_ecam_write(where, PCI_BRIDGE_CONTROL & ~3u, 4, PCI_BRIDGE_CONTROL_RST << 16);
    pci_ecam_write(where, PCI_BRIDGE_CONTROL, 2, 0);
}

// By the capabilities that it shows, which are what this guest may use; the link never.
static unsigned reset_function(pci_where_t where)
{
    unsigned tried = 0;
    unsigned pm = pci_capability(where, PCI_CAP_PM), pcie = pci_capability(where, PCI_CAP_PCIE);
    unsigned af = pci_capability(where, PCI_CAP_AF);
    if (pcie) {
        pci_write(where, pcie + PCIE_LINK_CONTROL, 2, PCIE_LINK_DISABLE);
        pci_write(where, pcie + PCIE_DEVICE_CONTROL, 2, PCIE_FLR);
        tried += 2;
    }
    if (af) {
        pci_write(where, af + AF_CONTROL, 1, 1);
        tried++;
    }
    if (pm) {
        pci_write(where, pm + PM_CONTROL, 2, PM_D3);
        delay_us(10000);
        pci_write(where, pm + PM_CONTROL, 2, 0);
        delay_us(10000);
        tried++;
    }
    return tried;
}

static bool is_own(pci_where_t where)
{
    for (unsigned i = 0; i < guest.edus; i++) {
        if (guest.edu[i].where == where)
            return true;
    }
    return false;
}

void reset_attack(void)
{
    struct saved_config saved[EDU_MAX];
    unsigned bridges = 0, resets = 0;
    own_only = option_is("where", "own");
    for (unsigned i = 0; i < guest.edus; i++)
        save_config(guest.edu[i].where, &saved[i]);
    // All of bus 0, and of the others the first function of each device.
    for (unsigned w = 0; w < 256 * PCI_ALL_FUNCTIONS; w += w < PCI_ALL_FUNCTIONS ? 1 : 8) {
        pci_where_t where = (pci_where_t)w;
        if (own_only && !is_own(where))
            continue;
        reset_bridge(where);
        bridges++;
        if (pci_port_read(where, PCI_VENDOR, 2) != 0xffff)
            resets += reset_function(where);
    }
    print("reset: %u functions told to reset the bus behind them, %u resets of functions\n",
          bridges, resets);
    for (unsigned i = 0; i < guest.edus; i++)
        restore_config(guest.edu[i].where, &saved[i]);
    for (unsigned i = 0; i < guest.edus; i++)
        check_device(&guest.edu[i]);
}
