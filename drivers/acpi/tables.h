// SPDX-License-Identifier: Apache-2.0
// Layouts of the ACPI tables that are read (ACPI 6.5, chapter 5; MCFG: PCI Firmware 3.3, 4.1.2),
// and the parsers' access to a table: by copies, each checked against the table's length.
#ifndef DRIVERS_ACPI_TABLES_H
#define DRIVERS_ACPI_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "drivers/acpi/acpi.h"

struct acpi_rsdp {
    char signature[8]; // "RSD PTR "
    uint8_t checksum;  // the first 20 bytes sum up to 0
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    // From revision 2 on:
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum; // `length` bytes sum up to 0
    uint8_t reserved[3];
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 6.5, 5.2.5.3");

#define ACPI_RSDP_OLD_SIZE 20u

struct acpi_header {
    char signature[4];
    uint32_t length; // including this header
    uint8_t revision;
    uint8_t checksum; // `length` bytes sum up to 0
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    uint32_t creator_id;
    uint32_t creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5, 5.2.6");

// Generic address structure.
struct acpi_gas {
    uint8_t space;
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size;
    uint64_t address;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_gas) == 12, "ACPI 6.5, 5.2.3.2");

#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO     1
#define ACPI_SPACE_PCI    2

struct acpi_fadt {
    struct acpi_header header;
    uint32_t facs;
    uint32_t dsdt;
    uint8_t reserved1;
    uint8_t pm_profile;
    uint16_t sci_irq;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios, pstate_control;
    uint32_t pm1a_event, pm1b_event;
    uint32_t pm1a_control, pm1b_control;
    uint32_t pm2_control;
    uint32_t pm_timer;
    uint32_t gpe0, gpe1;
    uint8_t pm1_event_length, pm1_control_length, pm2_control_length, pm_timer_length;
    uint8_t gpe0_length, gpe1_length, gpe1_base, cst_control;
    uint16_t c2_latency, c3_latency, flush_size, flush_stride;
    uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
    uint16_t iapc_flags; // from revision 2 on
    uint8_t reserved2;
    uint32_t flags;
    // Revision 1 ends here.
    struct acpi_gas reset;
    uint8_t reset_value;
    uint16_t arm_flags;
    uint8_t minor;
    uint64_t x_facs;
    uint64_t x_dsdt;
    struct acpi_gas x_pm1a_event, x_pm1b_event;
    struct acpi_gas x_pm1a_control, x_pm1b_control;
    struct acpi_gas x_pm2_control;
    struct acpi_gas x_pm_timer;
    // General-purpose events, sleep registers and more follow; they are not read.
} __attribute__((packed));
_Static_assert(offsetof(struct acpi_fadt, century) == 108, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct acpi_fadt, reset) == 116, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct acpi_fadt, x_pm_timer) == 208, "ACPI 6.5, table 5.9");

#define ACPI_FADT_MIN_SIZE   116u
#define ACPI_FADT_TIMER_32   0x100u // flags: TMR_VAL_EXT
#define ACPI_FADT_RESET      0x400u // flags: RESET_REG_SUP
#define ACPI_FADT_HW_REDUCED 0x100000u

struct acpi_madt {
    struct acpi_header header;
    uint32_t lapic_address;
    uint32_t flags;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_madt) == 44, "ACPI 6.5, 5.2.12");

#define ACPI_MADT_PCAT_COMPAT 0x1u

enum {
    ACPI_MADT_LAPIC = 0,
    ACPI_MADT_IOAPIC = 1,
    ACPI_MADT_OVERRIDE = 2,
    ACPI_MADT_LAPIC_ADDRESS = 5,
    ACPI_MADT_X2APIC = 9,
};

struct acpi_madt_entry {
    uint8_t type;
    uint8_t length; // including this header
} __attribute__((packed));

struct acpi_madt_lapic {
    struct acpi_madt_entry entry;
    uint8_t acpi_id;
    uint8_t apic_id;
    uint32_t flags;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_madt_lapic) == 8, "ACPI 6.5, table 5.21");

#define ACPI_MADT_CPU_ENABLED 0x1u

struct acpi_madt_x2apic {
    struct acpi_madt_entry entry;
    uint16_t reserved;
    uint32_t apic_id;
    uint32_t flags;
    uint32_t acpi_id;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_madt_x2apic) == 16, "ACPI 6.5, table 5.34");

struct acpi_madt_ioapic {
    struct acpi_madt_entry entry;
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t gsi_base;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_madt_ioapic) == 12, "ACPI 6.5, table 5.23");

struct acpi_madt_override {
    struct acpi_madt_entry entry;
    uint8_t bus; // 0: ISA
    uint8_t irq;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_madt_override) == 10, "ACPI 6.5, table 5.25");

// MPS INTI flags. 0 in a field means the bus's standard: for ISA active high and edge.
#define ACPI_INTI_POLARITY   0x3u
#define ACPI_INTI_ACTIVE_LOW 0x3u
#define ACPI_INTI_TRIGGER    0xcu
#define ACPI_INTI_LEVEL      0xcu

struct acpi_madt_lapic_address {
    struct acpi_madt_entry entry;
    uint16_t reserved;
    uint64_t address;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_madt_lapic_address) == 12, "ACPI 6.5, table 5.28");

#define ACPI_MCFG_ENTRIES 44u // offset of the first entry

struct acpi_mcfg_entry {
    uint64_t base;
    uint16_t segment;
    uint8_t bus_first, bus_last;
    uint32_t reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_mcfg_entry) == 16, "PCI Firmware 3.3, table 4-3");

// SPCR (Microsoft, Serial Port Console Redirection Table).
struct acpi_spcr {
    struct acpi_header header;
    uint8_t kind; // revision 1 has the first two kinds only, with the same numbers
    uint8_t reserved1[3];
    struct acpi_gas base; // address 0: no console
    uint8_t interrupt_type;
    uint8_t irq;
    uint32_t gsi;
    uint8_t baud, parity, stop_bits, flow_control, terminal, language;
    uint16_t pci_device, pci_vendor; // 0xffff: not PCI
    uint8_t pci_bus, pci_slot, pci_function;
    uint32_t pci_flags;
    uint8_t pci_segment;
    uint32_t clock; // Hz, 0: not given; reserved before revision 3
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_spcr) == 80, "SPCR, revision 2");
_Static_assert(offsetof(struct acpi_spcr, pci_device) == 64, "SPCR, revision 2");

#define ACPI_SPCR_PIC    0x1u // interrupt_type
#define ACPI_SPCR_IOAPIC 0x2u

// Kinds of serial ports in the SPCR and the DBG2.
#define ACPI_UART_16550        0x00
#define ACPI_UART_16550_SUBSET 0x01
#define ACPI_UART_16550_GAS    0x12 // described by its generic address structure

struct acpi_dbg2 {
    struct acpi_header header;
    uint32_t devices; // offset of the first device
    uint32_t count;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_dbg2) == 44, "DBG2, table 1");

struct acpi_dbg2_device {
    uint8_t revision;
    uint16_t length; // of the whole device entry
    uint8_t address_count;
    uint16_t name_length, name;
    uint16_t oem_length, oem;
    uint16_t type, subtype;
    uint16_t reserved;
    uint16_t addresses; // offset, from the device entry's start, of its first acpi_gas
    uint16_t sizes;
} __attribute__((packed));
_Static_assert(sizeof(struct acpi_dbg2_device) == 22, "DBG2, table 2");

#define ACPI_DBG2_SERIAL 0x8000

// A table that exists and has a correct checksum.
struct acpi_table {
    uint64_t address; // host-physical
    uint32_t length;  // bytes, header included
};

// Copies a part of a table; ERR_TRUNCATED if the table ends before.
enum status acpi_read(const struct acpi_table *table, uint32_t offset, void *buffer, size_t size);

// The parts of acpi_parse(), one for each table. Only the MADT is required and can fail; the others
// skip what makes no sense, with a warning.
enum status acpi_parse_madt(const struct acpi_table *table, struct acpi_info *info, char *error,
                            size_t error_size);
void acpi_parse_fadt(const struct acpi_table *table, struct acpi_info *info);
void acpi_parse_mcfg(const struct acpi_table *table, struct acpi_info *info);
void acpi_parse_spcr(const struct acpi_table *table, struct acpi_info *info);
void acpi_parse_dbg2(const struct acpi_table *table, struct acpi_info *info);

#endif
