// SPDX-License-Identifier: Apache-2.0
// hv/machine/serial_choice.c: what console= means, and which ports, functions and interrupts it
// leads to.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "hv/machine/serial_choice.h"

static void words_of_the_command_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct serial_wish wish;
    } rows[] = {
        {"none", {.kind = SERIAL_NONE}},
        {"acpi", {.kind = SERIAL_ACPI}},
        {"com1", {.kind = SERIAL_PORT, .port = 0x3f8}},
        {"com2", {.kind = SERIAL_PORT, .port = 0x2f8}},
        {"com3,9600", {.kind = SERIAL_PORT, .port = 0x3e8, .has_divisor = true, .divisor = 12}},
        {"com4,115200", {.kind = SERIAL_PORT, .port = 0x2e8, .has_divisor = true, .divisor = 1}},
        {"0xe050,2", {.kind = SERIAL_PORT, .port = 0xe050, .has_divisor = true, .divisor = 57600}},
        {"0xfff8", {.kind = SERIAL_PORT, .port = 0xfff8}},
        {"acpi,57600", {.kind = SERIAL_ACPI, .has_divisor = true, .divisor = 2}},
        {"pci:00:05.0", {.kind = SERIAL_PCI, .function = {0x28}}},
        {"pci:Fe:1f.7,300", {SERIAL_PCI, 0, {0xfeff}, true, 384}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct serial_wish wish;

        assert_true(serial_parse(rows[i].text, &wish));
        assert_int_equal(wish.kind, rows[i].wish.kind);
        assert_int_equal(wish.port, rows[i].wish.port);
        assert_int_equal(wish.function.v, rows[i].wish.function.v);
        assert_int_equal(wish.has_divisor, rows[i].wish.has_divisor);
        assert_int_equal(wish.divisor, rows[i].wish.divisor);
    }
}

static void other_words(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",           "com",         "com0",         "com5",
        "com12",      "COM1",        "com1,",        "com1,0",
        "com1,1",     "com1,7000",   "com1,230400",  "com1 ",
        "com1,9600x", "ttyS0",       "0x",           "0x0",
        "0xfff9",     "0x10000",     "0x100000000",  "3f8",
        "acpi1",      "none,9600",   "pci",          "pci:",
        "pci:00:05",  "pci:00:20.0", "pci:100:05.0", "pci:00:05.8",
        "pci:0:5.",   "pci:g0:05.0", "pci:00.05.0",  "pci:00:05.0 ",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct serial_wish wish;

        assert_false(serial_parse(texts[i], &wish));
        assert_int_equal(wish.kind, SERIAL_DEFAULT);
        assert_false(wish.has_divisor);
    }
}

static void ports_have_their_interrupts(void **state)
{
    (void)state;
    assert_int_equal(serial_at_port(0x2e8).irq, 3);
    assert_int_equal(serial_at_port(0x3f8).irq, 4);
    assert_int_equal(serial_at_port(0x3f8).irq_kind, ACPI_SERIAL_ISA);
    assert_int_equal(serial_at_port(0x3f0).irq_kind, ACPI_SERIAL_NO_IRQ);
    struct acpi_serial dbg2 = {.found = true, .address = 0x2f8, .width = 1};

    assert_int_equal(serial_of_debug_port(&dbg2).irq, 3);
    assert_int_equal(serial_of_debug_port(&dbg2).divisor, 0); // as firmware left it
    dbg2.memory = true;
    assert_int_equal(serial_of_debug_port(&dbg2).irq_kind, ACPI_SERIAL_NO_IRQ);
}

static struct pci_function card(void)
{
    return (struct pci_function){.address = {0x28},
                                 .class_code = 0x070002,
                                 .interrupt_pin = 1,
                                 .interrupt_line = 10,
                                 .bar = {{PCI_BAR_MEMORY32, false, 0xfebf1000, 0x1000},
                                         {PCI_BAR_IO, false, 0, 8},
                                         {PCI_BAR_IO, false, 0xc060, 4},
                                         {PCI_BAR_IO, false, 0xc080, 8}}};
}

static void functions(void **state)
{
    (void)state;
    struct pci_function f = card();
    struct acpi_serial s;

    assert_null(serial_of_function(&f, &s));
    assert_true(s.found && s.pci && !s.memory);
    assert_int_equal(s.address, 0xc080); // the first of ports that is large enough
    assert_int_equal(s.irq_kind, ACPI_SERIAL_GSI);
    assert_int_equal(s.irq, 10);
    f.bar[3].kind = PCI_BAR_NONE;
    f.interrupt_line = 0xff;
    assert_null(serial_of_function(&f, &s));
    assert_true(s.memory);
    assert_int_equal(s.address, 0xfebf1000);
    assert_int_equal(s.irq_kind, ACPI_SERIAL_NO_IRQ);
    f.bar[0].address = 0;
    assert_non_null(strstr(serial_of_function(&f, &s), "no address"));
    f = card();
    for (uint32_t interface = 0; interface <= 0xff; interface++) {
        f.class_code = 0x070000 | interface;
        assert_int_equal(serial_of_function(&f, &s) == NULL, interface <= 6);
    }
    f.class_code = 0x070100; // a parallel port
    assert_non_null(strstr(serial_of_function(&f, &s), "no serial port"));
}

static void owners(void **state)
{
    (void)state;
    static struct pci_machine pci;
    struct acpi_serial s = {.found = true, .address = 0xc084, .width = 1};

    pci.count = 2;
    pci.function[0] = (struct pci_function){.bar = {{PCI_BAR_MEMORY64, false, 0xc000, 0x1000}}};
    pci.function[1] = card();
    assert_ptr_equal(serial_owner(&pci, &s), &pci.function[1]);
    s.address = 0xc088;
    assert_null(serial_owner(&pci, &s));
    s.address = 0xc07f; // reaches into it
    assert_ptr_equal(serial_owner(&pci, &s), &pci.function[1]);
    s.address = 0;
    assert_null(serial_owner(&pci, &s));
    s = (struct acpi_serial){.found = true, .memory = true, .shift = 2, .width = 4};
    s.address = 0xbff0;
    assert_ptr_equal(serial_owner(&pci, &s), &pci.function[0]);
    s.address = 0xbfe0;
    assert_null(serial_owner(&pci, &s));
}

static void inputs(void **state)
{
    (void)state;
    static struct acpi_info acpi;
    struct ioapic_input input;
    struct acpi_serial s = {.found = true, .irq_kind = ACPI_SERIAL_ISA, .irq = 3};

    acpi.ioapic_count = 1;
    acpi.override_count = 1;
    acpi.overrides[0] = (struct acpi_override){.irq = 3, .gsi = 13, .active_low = true};
    assert_true(serial_input(&acpi, &s, &input));
    assert_int_equal(input.gsi, 13);
    assert_true(input.active_low);
    s.irq = 4;
    assert_true(serial_input(&acpi, &s, &input));
    assert_int_equal(input.gsi, 4);
    assert_false(input.active_low || input.level);
    s.irq_kind = ACPI_SERIAL_GSI; // of a port of ISA's
    assert_true(serial_input(&acpi, &s, &input));
    assert_false(input.active_low || input.level);
    s.pci = true;
    assert_true(serial_input(&acpi, &s, &input));
    assert_true(input.active_low && input.level);
    s.pci = false;
    s.irq = 20;
    assert_true(serial_input(&acpi, &s, &input));
    assert_int_equal(input.pin, 20);
    assert_true(input.active_low);
    acpi.ioapics[0].gsi_base = 24;
    assert_false(serial_input(&acpi, &s, &input));
    acpi.ioapics[0].gsi_base = 0;
    s.irq_kind = ACPI_SERIAL_NO_IRQ;
    assert_false(serial_input(&acpi, &s, &input));
    s = (struct acpi_serial){.irq_kind = ACPI_SERIAL_ISA, .irq = 4};
    assert_false(serial_input(&acpi, &s, &input)); // there is no port
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_command_line),
        cmocka_unit_test(other_words),
        cmocka_unit_test(ports_have_their_interrupts),
        cmocka_unit_test(functions),
        cmocka_unit_test(owners),
        cmocka_unit_test(inputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
