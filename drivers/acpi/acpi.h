// SPDX-License-Identifier: Apache-2.0
// Reads from the host's ACPI tables (RSDP, RSDT/XSDT, MADT, FADT, MCFG, SPCR, DBG2) what the
// hypervisor must know about the machine. Firmware is not trusted: all lengths, checksums and
// limits are checked. Relies on phys_read() by link-time name, and on print() for warnings.
#ifndef DRIVERS_ACPI_ACPI_H
#define DRIVERS_ACPI_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "arch/lib/types.h"

#define ACPI_MAX_IOAPICS   8
#define ACPI_MAX_OVERRIDES 16
#define ACPI_MAX_MCFG      4

struct acpi_cpu {
    uint32_t apic_id; // of the local APIC or x2APIC
    uint32_t acpi_id; // ACPI processor UID
};

struct acpi_ioapic {
    uint32_t id;
    uint32_t gsi_base; // global system interrupt of its pin 0
    uint64_t address;  // host-physical
};

// An ISA interrupt that is not wired to the GSI of the same number, or not in ISA's usual way.
struct acpi_override {
    uint8_t irq; // ISA
    uint32_t gsi;
    bool active_low;
    bool level;
};

// A range of PCI buses whose configuration space is memory-mapped.
struct acpi_mcfg {
    uint64_t base; // host-physical address of the segment's bus 0, whatever bus_first is
    uint16_t segment;
    uint8_t bus_first, bus_last;
};

enum acpi_reset_kind {
    ACPI_RESET_NONE,
    ACPI_RESET_IO,
    ACPI_RESET_MEMORY,
    ACPI_RESET_PCI, // configuration space, segment 0, bus 0
};

// The FADT's way to reset the machine: write the byte `value` to `address`.
struct acpi_reset {
    enum acpi_reset_kind kind;
    uint8_t value;
    uint64_t
        address; // port, host-physical address, or for PCI device << 32 | function << 16 | offset
};

enum acpi_serial_irq {
    ACPI_SERIAL_NO_IRQ, // also if the table does not say
    ACPI_SERIAL_ISA,
    ACPI_SERIAL_GSI, // global system interrupt
};

// A 16550 that a table describes.
struct acpi_serial {
    bool found;
    bool memory;      // false: I/O ports
    bool pci;         // it belongs to a PCI function
    uint8_t shift;    // log2 of the register stride, in bytes or ports
    uint8_t width;    // bytes per memory access: 1, 2 or 4
    uint16_t divisor; // of its speed; 0: keep the firmware's
    uint64_t address; // first register: host-physical address or port
    enum acpi_serial_irq irq_kind;
    uint32_t irq;
};

struct acpi_info {
    uint64_t rsdp;    // may lie in the loader's memory: don't read it after acpi_parse()
    uint8_t revision; // of the RSDP
    uint64_t root;    // host-physical address of the XSDT or RSDT
    bool root_is_xsdt;
    uint32_t cpu_count;     // usable CPUs, in table order
    uint32_t cpus_ignored;  // usable CPUs that are not used: beyond MAX_CPUS, or not reachable
    uint32_t cpus_disabled; // entries of CPUs that are disabled or absent
    struct acpi_cpu cpus[MAX_CPUS];
    uint32_t ioapic_count;
    struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
    uint32_t override_count;
    struct acpi_override overrides[ACPI_MAX_OVERRIDES];
    uint64_t lapic_address; // host-physical
    bool pcat_compat;       // the machine has a pair of 8259s

    bool has_fadt;                                 // false: the fields down to `century` are 0
    uint16_t pm_timer_port;                        // 0: none
    bool pm_timer_32bit;                           // false: 24 bits
    uint16_t pm1a_event_port, pm1b_event_port;     // 0: none
    uint16_t pm1a_control_port, pm1b_control_port; // 0: none
    uint16_t smi_command_port;                     // 0: none
    uint16_t sci_irq;
    uint16_t iapc_flags; // IAPC_BOOT_ARCH
    uint8_t century;     // RTC register of the century; 0: none
    uint64_t dsdt;       // host-physical; 0: none
    struct acpi_reset reset;

    uint32_t mcfg_count;
    struct acpi_mcfg mcfg[ACPI_MAX_MCFG];

    struct acpi_serial spcr; // the firmware's own console
    struct acpi_serial dbg2; // the first serial port for a debugger
};

// Parses the tables into `info`. `rsdp` is the RSDP's host-physical address, or 0 to search where a
// PC's firmware leaves it. On an error writes a text for the user to `error` (what, where, what to
// do) and returns ERR_NOT_FOUND (no RSDP or no MADT), ERR_CHECKSUM, ERR_INVALID, ERR_TRUNCATED or
// phys_read()'s error. Other tables that are damaged are skipped with a warning. Boot CPU.
enum status acpi_parse(uint64_t rsdp, struct acpi_info *info, char *error, size_t error_size);

// Removes the CPUs whose APIC IDs are above `highest`, and prints a line for each.
void acpi_leave_out_above(struct acpi_info *info, uint32_t highest);

// Finds a table by its four-letter signature (DMAR, IVRS, ...) and verifies its checksum. `index`
// counts the tables of one name from 0. On success `address` is host-physical, `length` in bytes.
// ERR_NOT_FOUND: there is none. ERR_CHECKSUM: it is damaged.
enum status acpi_find_table(const struct acpi_info *info, const char *signature, unsigned index,
                            uint64_t *address, uint32_t *length);

#endif
