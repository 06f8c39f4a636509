// SPDX-License-Identifier: Apache-2.0
// How a test guest ends: as its command line says.

#include "tests/guests/guest.h"

static void triple_fault(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } none = {0, 0};
    __asm__ volatile("lidt %0\n\tint3" : : "m"(none));
}

static void acpi_reset(void)
{
    uint64_t fadt = acpi_table("FACP");
    const uint8_t *reg = (const uint8_t *)(fadt + 116);
    uint16_t port;
    if (!fadt || reg[0] != 1) {
        print("FAIL no reset register in I/O space\n");
        return;
    }
    memcpy(&port, reg + 4, sizeof(port));
    outb(port, *(const uint8_t *)(fadt + 128));
}

static void power_off(void)
{
    uint16_t port = acpi_pm1a_control();
    int type = acpi_s5_type();
    if (!port || type < 0) {
        print("FAIL no way to power off: PM1a control 0x%x, S5 type %d\n", port, type);
        return;
    }
    outw(port, (uint16_t)((unsigned)type << 10 | 1u << 13));
}

void finish(void)
{
    uint64_t port = option_number("exit", 0);
    interrupts_off();
    if (port)
        outl((uint16_t)port, 0);
    if (option_is("end", "reboot")) {
        print("rebooting by port 0xcf9\n");
        outb(0xcf9, 0x06);
    } else if (option_is("end", "kbd")) {
        print("rebooting by the keyboard controller\n");
        outb(0x64, 0xfe);
    } else if (option_is("end", "acpireset")) {
        print("rebooting by the reset register\n");
        acpi_reset();
    } else if (option_is("end", "triple")) {
        print("triple fault\n");
        triple_fault();
    } else if (option_is("end", "fault")) {
        uint64_t address = option_number("address", 0x1c0000000);
        print("touching 0x%lx\n", address);
        (void)*(volatile uint32_t *)address;
        // Where a read is ignored, one that no emulator knows is not.
        __asm__ volatile("fxrstor (%0)" : : "r"(address) : "memory");
        print("FAIL still running\n");
    } else if (!option_is("end", "halt")) {
        print("powering off\n");
        power_off();
    }
    for (;;)
        __asm__ volatile("cli\n\thlt");
}
