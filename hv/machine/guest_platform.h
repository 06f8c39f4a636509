// SPDX-License-Identifier: Apache-2.0
// What the firmware tables tell a guest about its virtual machine. The numbers are defined by the
// virtual devices. The ACPI and MP tables only repeat them, so both say the same.
#ifndef HV_MACHINE_GUEST_PLATFORM_H
#define HV_MACHINE_GUEST_PLATFORM_H

#include "arch/lib/types.h"

// The part of a PC that every partition has, at the same addresses.
#define GUEST_LAPIC_ADDRESS  0xfee00000u
#define GUEST_IOAPIC_ADDRESS 0xfec00000u
#define GUEST_PM1_BASE       0x600u // event block 0x600-0x603, control block 0x604-0x605
#define GUEST_RESET_PORT     0xcf9u
#define GUEST_RESET_VALUE    6u
#define GUEST_SCI_IRQ        9u
#define GUEST_HPET_ADDRESS   0xfed00000u // if the partition has one
#define GUEST_PIT_PIN        2u          // the IOAPIC's pin of the PIT's interrupt 0 on every PC
#define GUEST_RESET_PAGE     0xfffff000u // where processors start; read-only (hv/guest/bios.h)

// The PCI bus of a partition that has devices. RAM ends below these addresses
// (hv/memory/guest_layout.h).
#define GUEST_PCI_WINDOW      0xc0000000u // BARs of the guest's bus lie here
#define GUEST_PCI_WINDOW_SIZE 0x20000000u
#define GUEST_ECAM_ADDRESS    0xe0000000u // configuration space of bus 0, memory-mapped
#define GUEST_ECAM_SIZE       0x00100000u
#define GUEST_PCI_PIN_FIRST   16u // IOAPIC pins connected to the interrupt pins of its functions
#define GUEST_PCI_PINS        4u

// Which of these pins, from 0, a function's INTA to INTD (`pin` 1 to 4) uses. _PRT in
// hv/guest/pci.asl says the same.
static inline unsigned guest_pci_pin(unsigned device, unsigned pin)
{
    return (device + pin - 1) % GUEST_PCI_PINS;
}

// A partition's framebuffer begins within 2 MiB from here.
#define GUEST_SCREEN_ADDRESS 0xf0000000u
#define GUEST_SCREEN_MAX     MIB(128) // bytes, in whole pages

struct guest_platform {
    unsigned cpu_count;      // 1 to MAX_CPUS; their APIC IDs are 0, 1, 2, ...
    uint32_t cpu_signature;  // CPUID.1:EAX as the guest sees it; for information, 0 if unknown
    uint32_t cpu_features;   // CPUID.1:EDX as the guest sees it; for information, 0 if unknown
    uint32_t lapic_address;  // guest-physical
    uint32_t ioapic_address; // guest-physical
    uint8_t ioapic_id;
    uint8_t sci_irq;        // IOAPIC pin of the ACPI interrupt, 1 to 15; level, active high
    uint16_t pm1_base;      // I/O port: 4 bytes event block, then 2 bytes control block
    uint16_t pm_timer_port; // I/O port; 0: no PM timer
    bool pm_timer_32bit;    // it has 32 bits, not 24
    uint16_t reset_port;    // I/O port, one byte wide; 0: no reset register
    uint8_t reset_value;    // what to write there
    bool has_hpet;          // at GUEST_HPET_ADDRESS
    bool has_pci; // it owns devices, so there is a PCI bus, described by MCFG and the DSDT
};

#endif
