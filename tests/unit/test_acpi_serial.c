// SPDX-License-Identifier: Apache-2.0
// drivers/acpi/serial.c: what SPCR and DBG2 say of a serial port, good and malformed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/lib/types.h"
#include "arch/memory/window.h"
#include "drivers/acpi/acpi.h"
#include "drivers/acpi/tables.h"
#include "tests/unit/fake_print.h"

static uint8_t memory[512]; // from address 0 on
static struct acpi_info info;

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if (address.v > sizeof(memory) || size > sizeof(memory) - address.v)
        return ERR_RANGE;
    memcpy(buffer, memory + address.v, size);
    return STATUS_OK;
}

static int start(void **state)
{
    (void)state;
    memset(memory, 0, sizeof(memory));
    memset(&info, 0, sizeof(info));
    fake_print_clear();
    return 0;
}

// ---- SPCR ------------------------------------------------------------------------------------

static struct acpi_spcr com2(void)
{
    return (struct acpi_spcr){
        .header = {.revision = 2},
        .base = {ACPI_SPACE_IO, 8, 0, 1, 0x2f8},
        .interrupt_type = ACPI_SPCR_PIC | ACPI_SPCR_IOAPIC,
        .irq = 3,
        .gsi = 19,
        .baud = 7,
        .pci_device = 0xffff,
        .pci_vendor = 0xffff,
    };
}

static const struct acpi_serial *parse_spcr(const struct acpi_spcr *spcr)
{
    memset(&info, 0, sizeof(info));
    fake_print_clear();
    memcpy(memory, spcr, sizeof(*spcr));
    acpi_parse_spcr(&(struct acpi_table){0, sizeof(*spcr)}, &info);
    return &info.spcr;
}

static void refused(const struct acpi_spcr *spcr, const char *why)
{
    assert_false(parse_spcr(spcr)->found);
    if (why == NULL)
        assert_int_equal(fake_print_count(), 0);
    else
        assert_true(fake_printed(why));
}

static void spcr_of_a_port(void **state)
{
    (void)state;
    struct acpi_spcr spcr = com2();
    const struct acpi_serial *s = parse_spcr(&spcr);

    assert_true(s->found && !s->memory && !s->pci);
    assert_int_equal(s->address, 0x2f8);
    assert_int_equal(s->shift, 0);
    assert_int_equal(s->divisor, 1);
    assert_int_equal(s->irq_kind, ACPI_SERIAL_GSI);
    assert_int_equal(s->irq, 19);
    spcr.interrupt_type = ACPI_SPCR_PIC;
    spcr.base.bit_width = 32; // an old description: side by side all the same
    assert_int_equal(parse_spcr(&spcr)->irq_kind, ACPI_SERIAL_ISA);
    assert_int_equal(info.spcr.irq, 3);
    assert_int_equal(info.spcr.shift, 0);
    spcr.irq = 16;
    assert_int_equal(parse_spcr(&spcr)->irq_kind, ACPI_SERIAL_NO_IRQ);
    spcr.interrupt_type = 8;
    assert_int_equal(parse_spcr(&spcr)->irq_kind, ACPI_SERIAL_NO_IRQ);
    spcr.kind = ACPI_UART_16550_GAS;
    assert_int_equal(parse_spcr(&spcr)->shift, 2);
    assert_int_equal(fake_print_count(), 0);
}

static void spcr_of_memory(void **state)
{
    (void)state;
    static const struct {
        uint8_t bits, access, shift, width;
    } rows[] = {
        {8, 1, 0, 1},  {8, 0, 0, 1},   {32, 1, 2, 1}, {32, 3, 2, 4},
        {16, 2, 1, 2}, {64, 3, 3, 4},  {0, 3, 2, 4},  {8, 3, 2, 4}, // a width that can't be
        {24, 2, 1, 2}, {255, 1, 0, 1},
    };
    struct acpi_spcr spcr = com2();

    spcr.kind = ACPI_UART_16550_GAS;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        spcr.base =
            (struct acpi_gas){ACPI_SPACE_MEMORY, rows[i].bits, 0, rows[i].access, 0xfedc9000};
        const struct acpi_serial *s = parse_spcr(&spcr);

        assert_true(s->found && s->memory);
        assert_int_equal(s->address, 0xfedc9000);
        assert_int_equal(s->shift, rows[i].shift);
        assert_int_equal(s->width, rows[i].width);
    }
}

static void spcr_speed(void **state)
{
    (void)state;
    static const struct {
        uint8_t revision, code;
        uint32_t clock;
        bool memory, pci;
        uint16_t divisor;
    } rows[] = {
        {2, 7, 0, false, false, 1},        {2, 6, 0, false, false, 2},
        {2, 4, 0, false, false, 6},        {2, 3, 0, false, false, 12},
        {2, 0, 0, false, false, 0},                                           // as it is
        {2, 5, 0, false, false, 0},        {2, 7, 24000000, false, false, 1}, // reserved there
        {3, 7, 24000000, true, false, 13}, {4, 3, 14745600, false, true, 96},
        {3, 7, 0, true, false, 0}, // its clock is not known
        {2, 7, 0, false, true, 0},         {3, 3, UINT32_MAX, true, false, 27962},
    };
    struct acpi_spcr spcr = com2();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        spcr.header.revision = rows[i].revision;
        spcr.baud = rows[i].code;
        spcr.clock = rows[i].clock;
        spcr.base.space = rows[i].memory ? ACPI_SPACE_MEMORY : ACPI_SPACE_IO;
        spcr.pci_vendor = spcr.pci_device = rows[i].pci ? 0x8086 : 0xffff;
        assert_int_equal(parse_spcr(&spcr)->pci, rows[i].pci);
        assert_int_equal(info.spcr.divisor, rows[i].divisor);
    }
    spcr.pci_vendor = 0; // not filled in
    assert_false(parse_spcr(&spcr)->pci);
}

static void spcr_that_is_none(void **state)
{
    (void)state;
    struct acpi_spcr spcr = com2();

    spcr.base.address = 0;
    refused(&spcr, NULL); // firmware has no console there
    spcr.base.address = 0xfffa;
    refused(&spcr, "SPCR's serial port at 0xfffa in space 1");
    spcr.base.address = 0xfff8;
    assert_true(parse_spcr(&spcr)->found);
    spcr.kind = ACPI_UART_16550_GAS;
    spcr.base.bit_width = 64;
    refused(&spcr, "makes no sense");
    spcr = com2();
    spcr.kind = 3;
    refused(&spcr, "of kind 0x3, not a 16550");
    spcr = com2();
    spcr.base.space = 2;
    refused(&spcr, "in space 2");
    spcr.base = (struct acpi_gas){ACPI_SPACE_MEMORY, 32, 0, 4, 0xfedc9000};
    refused(&spcr, "access 4");
    spcr.base.access_size = 3;
    spcr.base.address++;
    refused(&spcr, "0xfedc9001");
    spcr.base.address = 1ull << 52;
    refused(&spcr, "makes no sense");
    acpi_parse_spcr(&(struct acpi_table){0, sizeof(spcr) - 1}, &info);
    assert_true(fake_printed("only 79 bytes"));
}

// ---- DBG2 ------------------------------------------------------------------------------------

static uint32_t dbg2_length;

static struct acpi_dbg2_device *add(uint16_t type, uint16_t subtype, uint64_t port)
{
    struct acpi_dbg2 *dbg2 = (struct acpi_dbg2 *)memory;
    struct acpi_dbg2_device *device = (struct acpi_dbg2_device *)(memory + dbg2_length);
    const struct acpi_gas gas = {ACPI_SPACE_IO, 8, 0, 1, port};

    dbg2->devices = sizeof(*dbg2);
    dbg2->count++;
    *device = (struct acpi_dbg2_device){.length = sizeof(*device) + sizeof(gas),
                                        .address_count = 1,
                                        .type = type,
                                        .subtype = subtype,
                                        .addresses = sizeof(*device)};
    memcpy(device + 1, &gas, sizeof(gas));
    dbg2_length += device->length;
    return device;
}

static int start_dbg2(void **state)
{
    dbg2_length = sizeof(struct acpi_dbg2);
    return start(state);
}

static const struct acpi_serial *parse_dbg2(void)
{
    acpi_parse_dbg2(&(struct acpi_table){0, dbg2_length}, &info);
    return &info.dbg2;
}

static void dbg2_first_that_can_be_driven(void **state)
{
    (void)state;
    add(0x8001, 0, 0x100);             // IEEE 1394
    add(ACPI_DBG2_SERIAL, 3, 0x200);   // a PL011
    add(ACPI_DBG2_SERIAL, 0, 0x10000); // no port
    add(ACPI_DBG2_SERIAL, 0, 0x3f8)->address_count = 0;
    add(ACPI_DBG2_SERIAL, 1, 0x2e8);
    add(ACPI_DBG2_SERIAL, 0, 0x2f8);
    const struct acpi_serial *s = parse_dbg2();

    assert_true(s->found);
    assert_int_equal(s->address, 0x2e8);
    assert_int_equal(s->divisor, 0);
    assert_int_equal(s->irq_kind, ACPI_SERIAL_NO_IRQ);
    assert_true(fake_printed("DBG2's serial port at 0x10000"));
}

static void dbg2_malformed(void **state)
{
    (void)state;
    struct acpi_dbg2_device *device = add(ACPI_DBG2_SERIAL, 0, 0x2f8);

    device->addresses = (uint16_t)(device->length - sizeof(struct acpi_gas) + 1);
    assert_false(parse_dbg2()->found);
    assert_true(fake_printed("device at 44 has no address"));
    device->length = sizeof(*device) - 1;
    assert_false(parse_dbg2()->found);
    assert_true(fake_printed("has 21 bytes"));
    device->length = (uint16_t)(dbg2_length - sizeof(struct acpi_dbg2) + 1);
    assert_false(parse_dbg2()->found);
    ((struct acpi_dbg2 *)memory)->devices = UINT32_MAX;
    assert_false(parse_dbg2()->found);
    dbg2_length = sizeof(struct acpi_dbg2) - 1;
    assert_false(parse_dbg2()->found);
    assert_true(fake_printed("DBG2 has only 43 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(spcr_of_a_port, start),
        cmocka_unit_test_setup(spcr_of_memory, start),
        cmocka_unit_test_setup(spcr_speed, start),
        cmocka_unit_test_setup(spcr_that_is_none, start),
        cmocka_unit_test_setup(dbg2_first_that_can_be_driven, start_dbg2),
        cmocka_unit_test_setup(dbg2_malformed, start_dbg2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
