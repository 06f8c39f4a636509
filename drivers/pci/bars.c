// SPDX-License-Identifier: Apache-2.0
// Base address registers: their sizes, and the addresses that the firmware assigned (PCI Local Bus
// Specification 3.0, section 6.2.5.1).
#include "arch/lib/types.h"
#include "drivers/console/console.h"
#include "drivers/pci/parts.h"

#define DECODING      (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)
#define BAR_TYPE_BAD  0x6u // bits 2:1 are 3, reserved
#define PORT_SIZE_MAX 0x10000u

static unsigned bar_offset(unsigned index)
{
    return PCI_BAR0 + 4 * index;
}

// Writes ones and returns the bits that stay set. Restores the register's value.
static uint32_t measure(pci_address_t a, unsigned index, uint32_t *value)
{
    *value = pci_config_read(a, bar_offset(index), 4);
    pci_config_write(a, bar_offset(index), 4, UINT32_MAX);
    uint32_t sticks = pci_config_read(a, bar_offset(index), 4);
    pci_config_write(a, bar_offset(index), 4, *value);
    return sticks;
}

// The lowest bit that can be set gives the size.
static void fill(struct pci_bar *bar, enum pci_bar_kind kind, uint64_t mask, uint64_t address)
{
    if (mask == 0) {
        return;
    }
    bar->kind = kind;
    bar->size = mask & -mask;
    bar->address = align_down(address, bar->size);
    if (bar->address + bar->size < bar->address) { // it would reach the end of the address space
        bar->address = 0;
    }
}

static void measure_ports(struct pci_bar *bar, uint32_t value, uint32_t sticks)
{
    // The upper half may read as 0 on machines with 16-bit port numbers.
    uint32_t mask = sticks & PCI_BAR_IO_MASK & (PORT_SIZE_MAX - 1);
    fill(bar, PCI_BAR_IO, mask, value & PCI_BAR_IO_MASK);
}

// Returns how many registers the BAR takes up.
static unsigned measure_memory(struct pci_function *f, unsigned index, unsigned count,
                               uint32_t value, uint32_t sticks)
{
    struct pci_bar *bar = &f->bar[index];
    uint32_t type = value & PCI_BAR_TYPE;
    char text[PCI_TEXT_SIZE];
    if (type == BAR_TYPE_BAD || (type == PCI_BAR_TYPE_64 && index + 1 == count)) {
        print("device %s: BAR %u is of a kind that there is not: left out\n",
              pci_text(f->address, text), index);
        return 1;
    }
    bar->prefetchable = (value & PCI_BAR_PREFETCH) != 0;
    if (type != PCI_BAR_TYPE_64) {
        fill(bar, PCI_BAR_MEMORY32, sticks & PCI_BAR_MEMORY_MASK, value & PCI_BAR_MEMORY_MASK);
        return 1;
    }
    uint32_t high;
    uint32_t high_sticks = measure(f->address, index + 1, &high);
    fill(bar, PCI_BAR_MEMORY64, (uint64_t)high_sticks << 32 | (sticks & PCI_BAR_MEMORY_MASK),
         (uint64_t)high << 32 | (value & PCI_BAR_MEMORY_MASK));
    return 2;
}

static unsigned bar_count(const struct pci_function *f)
{
    // A host bridge's BARs are windows to memory. They stay unassigned, because turning their
    // decoding off may turn memory off.
    if (PCI_CLASS_SUB(f->class_code) == PCI_CLASS_HOST_BRIDGE) {
        return 0;
    }
    switch (f->header_type) {
    case PCI_HEADER_DEVICE:
        return PCI_BARS;
    case PCI_HEADER_BRIDGE:
        return 2;
    case PCI_HEADER_CARDBUS:
        return 1;
    default:
        return 0;
    }
}

void pci_measure_bars(struct pci_function *f)
{
    unsigned count = bar_count(f);
    uint32_t command = pci_config_read(f->address, PCI_COMMAND, 2);
    if (count == 0) {
        return;
    }
    pci_config_write(f->address, PCI_COMMAND, 2, command & ~DECODING);
    for (unsigned i = 0; i < count;) {
        uint32_t value;
        uint32_t sticks = measure(f->address, i, &value);
        if (value & PCI_BAR_IS_IO) {
            measure_ports(&f->bar[i], value, sticks);
            i++;
        } else {
            i += measure_memory(f, i, count, value, sticks);
        }
    }
    pci_config_write(f->address, PCI_COMMAND, 2, command);
}

static void restore_express(const struct pci_function *f)
{
    const struct pci_setup *setup = &f->setup;
    if (f->pcie == 0) {
        return;
    }
    pci_config_write(f->address, f->pcie + PCI_PCIE_DEVICE_CONTROL, 2, setup->device_control);
    if (f->bridge || pci_port_type(f) == PCI_PORT_INTEGRATED) {
        return;
    }
    pci_config_write(f->address, f->pcie + PCI_PCIE_LINK_CONTROL, 2, setup->link_control);
    if (setup->device_control2 != 0) {
        pci_config_write(f->address, f->pcie + PCI_PCIE_DEVICE_CONTROL2, 2, setup->device_control2);
    }
}

void pci_restore_bars(const struct pci_function *f)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &f->bar[i];
        if (bar->kind == PCI_BAR_NONE) {
            continue;
        }
        pci_config_write(f->address, bar_offset(i), 4, (uint32_t)bar->address);
        if (bar->kind == PCI_BAR_MEMORY64) {
            pci_config_write(f->address, bar_offset(i + 1), 4, (uint32_t)(bar->address >> 32));
        }
    }
    pci_config_write(f->address, PCI_CACHE_LINE, 1, f->setup.cache_line);
    pci_config_write(f->address, PCI_LATENCY, 1, f->setup.latency);
    pci_config_write(f->address, PCI_INTERRUPT_LINE, 1, f->interrupt_line);
    restore_express(f);
}
