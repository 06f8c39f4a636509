// SPDX-License-Identifier: Apache-2.0
// PCI as a test guest uses it.

#include "tests/guests/pci.h"

#include "hv/machine/guest_platform.h"
#include "tests/guests/guest.h"

enum {
    CONFIG_ENABLE = 1u << 31,
    ECAM_BUS_SHIFT = 20,
    ECAM_FUNCTION_SHIFT = 12,
    MAX_CAPABILITIES = 48,
    MCFG_BASE = 44, // of the first entry
    MCFG_FIRST_BUS = 54,
    MCFG_LAST_BUS = 55,
};

// Of the first entry of MCFG. Found once: an attack may overwrite the tables.
static struct {
    bool looked;
    uint64_t base;
    unsigned first, last;
} ecam;

static void find_ecam(void)
{
    uint64_t mcfg = ecam.looked ? 0 : acpi_table("MCFG");
    ecam.looked = true;
    if (!mcfg)
        return;
    memcpy(&ecam.base, (const void *)(mcfg + MCFG_BASE), sizeof(ecam.base));
    ecam.first = *(const uint8_t *)(mcfg + MCFG_FIRST_BUS);
    ecam.last = *(const uint8_t *)(mcfg + MCFG_LAST_BUS);
}

unsigned pci_last_bus(void)
{
    find_ecam();
    return ecam.base ? ecam.last : 0;
}

// ---- configuration space

static uint16_t port_of(pci_where_t where, unsigned offset)
{
    outl(PCI_PORT_ADDRESS, CONFIG_ENABLE | (uint32_t)where << 8 | (offset & 0xfc));
    return (uint16_t)(PCI_PORT_DATA + (offset & 3));
}

uint32_t pci_port_read(pci_where_t where, unsigned offset, unsigned size)
{
    uint16_t port = port_of(where, offset);
    return size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
}

void pci_port_write(pci_where_t where, unsigned offset, unsigned size, uint32_t value)
{
    uint16_t port = port_of(where, offset);
    if (size == 1)
        outb(port, (uint8_t)value);
    else if (size == 2)
        outw(port, (uint16_t)value);
    else
        outl(port, value);
}

uint64_t pci_ecam(pci_where_t where, unsigned offset)
{
    find_ecam();
    unsigned bus = where >> 8;
    if (!ecam.base || bus < ecam.first || bus > ecam.last)
        return 0;
    return ecam.base + ((uint64_t)bus << ECAM_BUS_SHIFT) +
           ((uint64_t)(where & 0xff) << ECAM_FUNCTION_SHIFT) + offset;
}

uint32_t pci_ecam_read(pci_where_t where, unsigned offset, unsigned size)
{
    uint64_t at = pci_ecam(where, offset);
    uint32_t value = 0;
    // One MOV through EAX each, which is what chipsets ask for (PCI Firmware
    // Specification 3.0, 4.1).
    if (size == 1)
        __asm__ volatile("movb (%1), %b0" : "+a"(value) : "r"(at) : "memory");
    else if (size == 2)
        __asm__ volatile("movw (%1), %w0" : "+a"(value) : "r"(at) : "memory");
    else
        __asm__ volatile("movl (%1), %0" : "+a"(value) : "r"(at) : "memory");
    return value;
}

void pci_ecam_write(pci_where_t where, unsigned offset, unsigned size, uint32_t value)
{
    uint64_t at = pci_ecam(where, offset);
    if (size == 1)
        __asm__ volatile("movb %b0, (%1)" : : "a"(value), "r"(at) : "memory");
    else if (size == 2)
        __asm__ volatile("movw %w0, (%1)" : : "a"(value), "r"(at) : "memory");
    else
        __asm__ volatile("movl %0, (%1)" : : "a"(value), "r"(at) : "memory");
}

uint32_t pci_read(pci_where_t where, unsigned offset, unsigned size)
{
    return pci_ecam(where, offset) ? pci_ecam_read(where, offset, size)
                                   : pci_port_read(where, offset, size);
}

void pci_write(pci_where_t where, unsigned offset, unsigned size, uint32_t value)
{
    if (pci_ecam(where, offset))
        pci_ecam_write(where, offset, size, value);
    else
        pci_port_write(where, offset, size, value);
}

// ---- finding

unsigned pci_find(uint16_t vendor, uint16_t device, pci_where_t *found, unsigned max)
{
    unsigned n = 0, end = (pci_last_bus() + 1) * PCI_ALL_FUNCTIONS;
    for (unsigned w = 0; w < end && n < max; w++) {
        pci_where_t where = (pci_where_t)w;
        uint32_t ids = pci_read(where, PCI_VENDOR, 4);
        if ((ids & 0xffff) == 0xffff) {
            w |= (w & 7) == 0 ? 7 : 0; // without function 0 there are no others
            continue;
        }
        if ((vendor == PCI_ANY || vendor == (ids & 0xffff)) &&
            (device == PCI_ANY || device == ids >> 16))
            found[n++] = where;
        if ((w & 7) == 0 && !(pci_read(where, PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTI))
            w |= 7;
    }
    return n;
}

unsigned pci_capability(pci_where_t where, uint8_t id)
{
    if (!(pci_read(where, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
        return 0;
    unsigned at = pci_read(where, PCI_CAPABILITIES, 1) & 0xfc;
    for (unsigned i = 0; at && i < MAX_CAPABILITIES; i++) {
        if (pci_read(where, at, 1) == id)
            return at;
        at = pci_read(where, at + 1, 1) & 0xfc;
    }
    return 0;
}

void pci_command(pci_where_t where, uint32_t set, uint32_t clear)
{
    uint32_t command = pci_read(where, PCI_COMMAND, 2);
    pci_write(where, PCI_COMMAND, 2, (command & ~clear) | set);
}

// ---- BARs

static bool bar_is_64(pci_where_t where, unsigned bar)
{
    uint32_t low = pci_read(where, PCI_BAR0 + 4 * bar, 4);
    return !(low & PCI_BAR_IS_IO) && (low & PCI_BAR_TYPE) == PCI_BAR_TYPE_64;
}

uint64_t pci_bar(pci_where_t where, unsigned bar)
{
    uint64_t low = pci_read(where, PCI_BAR0 + 4 * bar, 4) & PCI_BAR_MEMORY_MASK;
    return bar_is_64(where, bar) ? low | (uint64_t)pci_read(where, PCI_BAR0 + 4 * bar + 4, 4) << 32
                                 : low;
}

static void put_bar(pci_where_t where, unsigned bar, uint64_t address)
{
    pci_write(where, PCI_BAR0 + 4 * bar, 4, (uint32_t)address);
    if (bar_is_64(where, bar))
        pci_write(where, PCI_BAR0 + 4 * bar + 4, 4, (uint32_t)(address >> 32));
}

uint64_t pci_bar_size(pci_where_t where, unsigned bar)
{
    uint64_t before = pci_bar(where, bar);
    uint32_t command = pci_read(where, PCI_COMMAND, 2);
    pci_command(where, 0, PCI_COMMAND_MEMORY);
    put_bar(where, bar, UINT64_MAX);
    uint64_t mask = pci_bar(where, bar);
    put_bar(where, bar, before);
    pci_write(where, PCI_COMMAND, 2, command);
    if (!mask)
        return 0;
    return mask >> 32 ? ~mask + 1 : (uint32_t)~mask + 1ull;
}

void pci_bar_move(pci_where_t where, unsigned bar, uint64_t address)
{
    uint32_t command = pci_read(where, PCI_COMMAND, 2);
    pci_command(where, 0, PCI_COMMAND_MEMORY);
    put_bar(where, bar, address);
    pci_write(where, PCI_COMMAND, 2, command);
}

// ---- interrupts

bool pci_msi_set(pci_where_t where, uint64_t address, uint32_t data)
{
    unsigned msi = pci_capability(where, PCI_CAP_MSI);
    if (!msi)
        return false;
    bool wide = pci_read(where, msi + PCI_MSI_CONTROL, 2) & PCI_MSI_64;
    pci_write(where, msi + PCI_MSI_ADDRESS, 4, (uint32_t)address);
    if (wide)
        pci_write(where, msi + PCI_MSI_ADDRESS + 4, 4, (uint32_t)(address >> 32));
    pci_write(where, msi + PCI_MSI_ADDRESS + (wide ? 8 : 4), 2, data);
    return true;
}

bool pci_msi_enable(pci_where_t where, bool on)
{
    unsigned msi = pci_capability(where, PCI_CAP_MSI);
    if (!msi)
        return false;
    uint32_t control = pci_read(where, msi + PCI_MSI_CONTROL, 2) & ~PCI_MSI_ENABLE;
    pci_write(where, msi + PCI_MSI_CONTROL, 2, control | (on ? PCI_MSI_ENABLE : 0));
    return true;
}

uint64_t pci_msi_address(uint32_t apic_id)
{
    return PCI_MSI_WINDOW | apic_id << 12;
}

unsigned pci_intx_pin(pci_where_t where)
{
    unsigned first = (unsigned)option_number("pin_first", GUEST_PCI_PIN_FIRST);
    unsigned pin = pci_read(where, PCI_INTERRUPT_PIN, 1);
    return first + ((where >> 3 & 31) + pin - 1) % GUEST_PCI_PINS;
}

static volatile uint32_t *const ioapic = (volatile uint32_t *)GUEST_IOAPIC_ADDRESS;

void ioapic_set(unsigned pin, uint8_t apic_id, uint32_t low)
{
    ioapic[0] = 0x10 + 2 * pin + 1;
    ioapic[4] = (uint32_t)apic_id << 24;
    ioapic[0] = 0x10 + 2 * pin;
    ioapic[4] = low | IOAPIC_LEVEL | IOAPIC_ACTIVE_LOW;
}

uint32_t ioapic_get(unsigned pin)
{
    ioapic[0] = 0x10 + 2 * pin;
    return ioapic[4];
}
