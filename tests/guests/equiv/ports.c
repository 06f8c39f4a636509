// SPDX-License-Identifier: Apache-2.0
// The other ports of a PC: PCI configuration, 8259s, keyboard controller, reset ports, the POST
// code, and ports that nobody owns.

#include "tests/guests/equiv/device.h"

enum {
    PCI_ADDRESS = 0xcf8,
    PCI_DATA = 0xcfc,
    PCI_ENABLE = 1u << 31,
    NO_DEVICE = 31u << 11 | 7u << 8, // function 7 of device 31 on bus 0x55
    NO_BUS = 0x55u << 16,
};

static void pci(void)
{
    struct line line = {.used = 0};
    static const uint32_t addresses[] = {0, PCI_ENABLE, PCI_ENABLE | 0x00fffffc, 0x00123454};
    for (unsigned i = 0; i < COUNT(addresses); i++) {
        outl(PCI_ADDRESS, addresses[i]);
        line_hex(&line, inl(PCI_ADDRESS));
    }
    outcome("dev.pci.address", "%s", line.text);
    outl(PCI_ADDRESS, UINT32_MAX);
    outcome("dev.pci.address-ones", "0x%x", inl(PCI_ADDRESS));

    outl(PCI_ADDRESS, PCI_ENABLE | NO_BUS | NO_DEVICE);
    outb(PCI_ADDRESS, 0x12);
    outw(PCI_ADDRESS, 0x3456);
    outcome("dev.pci.address-narrow-write", "%s",
            inl(PCI_ADDRESS) == (PCI_ENABLE | NO_BUS | NO_DEVICE) ? "kept" : "changed");
    line.used = 0;
    line_hex(&line, inl(PCI_DATA));
    line_hex(&line, inw(PCI_DATA));
    line_hex(&line, inw(PCI_DATA + 2));
    for (uint16_t i = 0; i < 4; i++)
        line_hex(&line, inb((uint16_t)(PCI_DATA + i)));
    outcome("dev.pci.absent", "%s", line.text);
    outl(PCI_DATA, 0);
    outcome("dev.pci.absent-write", "0x%x", inl(PCI_DATA));
    outl(PCI_ADDRESS, NO_BUS | NO_DEVICE);
    outcome("dev.pci.disabled", "0x%x", inl(PCI_DATA));
    outl(PCI_ADDRESS, PCI_ENABLE);
    outcome("dev.pci.host-bridge", "%s", inl(PCI_DATA) == UINT32_MAX ? "absent" : "there");
    outl(PCI_ADDRESS, 0);
}

static void interrupt_controllers(void)
{
    struct line line = {.used = 0};
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    line_hex(&line, inb(0x21));
    line_hex(&line, inb(0xa1));
    outcome("dev.8259.masked", "%s", line.text);
    outb(0x21, 0xfb);
    uint8_t mask = inb(0x21);
    outb(0x21, 0xff);
    outcome("dev.8259.mask-write", "0x%x", mask);
}

static void keyboard_controller(void)
{
    outcome("dev.keyboard.status", "0x%x", inb(0x64));
    outcome("dev.keyboard.data", "0x%x", inb(0x60));
}

static void reset_ports(void)
{
    struct line line = {.used = 0};
    outcome("dev.port92.read", "A20 %u reset %u", inb(0x92) >> 1 & 1, inb(0x92) & 1);
    outb(0x92, 0x02);
    outcome("dev.port92.write", "0x%x", inb(0x92) & 3);
    // The reset type alone resets nothing.
    outb(0xcf9, 0x02);
    line_hex(&line, inb(0xcf9));
    outb(0xcf9, 0x00);
    line_hex(&line, inb(0xcf9));
    outcome("dev.portcf9.read", "%s", line.text);
}

static void nobody_owns(void)
{
    static const uint16_t ports[] = {0x2f8, 0x3e8, 0x300, 0x278, 0x5658, 0xe000, 0xfffc};
    for (unsigned i = 0; i < COUNT(ports); i++) {
        struct line line = {.used = 0};
        outb(ports[i], 0x12);
        outw(ports[i], 0x1234);
        outl(ports[i], 0x12345678);
        line_hex(&line, inb(ports[i]));
        line_hex(&line, inw(ports[i]));
        line_hex(&line, inl(ports[i]));
        outcome(name_number("dev.port-", ports[i], "absent"), "%s", line.text);
    }
    outb(0x80, 0x55);
    outcome("dev.port80.write", "goes on");
}

// Wider accesses to byte-wide devices.
static void widths(void)
{
    struct line line = {.used = 0};
    outb(0x3ff, 0xa5);
    line_hex(&line, inb(0x3ff));
    line_hex(&line, inw(0x3fe) >> 8);
    outcome("dev.width.uart-word", "%s", line.text);
    outb(0x70, 0x55);
    outb(0x71, 0x77);
    outcome("dev.width.rtc-word", "0x%x", inw(0x70) >> 8);
}

void dev_ports(void)
{
    pci();
    interrupt_controllers();
    keyboard_controller();
    reset_ports();
    nobody_owns();
    widths();
}
