// SPDX-License-Identifier: Apache-2.0
// hv/device/pci_pins.c: tables of devices, and which interrupt each one gets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/pci/pci.h"
#include "hv/device/pci_pins.h"
#include "hv/machine/guest_platform.h"

#define CONSOLE 4u
#define NONE    UINT8_MAX

static const char *const names[] = {"alpha", "beta"};

// A function 00:device.0 and what becomes of it: the wire, or NONE.
struct row {
    unsigned partition;
    uint8_t device, pin, line;
    bool messages;
    uint8_t wire;
};

static struct pci_pin list[16];

static void choose(const struct row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        list[i] = (struct pci_pin){.partition = rows[i].partition,
                                   .partition_name = names[rows[i].partition],
                                   .address = (uint32_t)rows[i].device << 3,
                                   .device = rows[i].device,
                                   .pin = rows[i].pin,
                                   .line = rows[i].line,
                                   .has_input = true,
                                   .messages = rows[i].messages};
    pci_pins_choose(list, count, CONSOLE);
}

static void check(const struct row *rows, unsigned count)
{
    choose(rows, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(list[i].granted, rows[i].wire != NONE);
        if (list[i].granted) {
            assert_int_equal(list[i].wire, rows[i].wire);
            uint8_t pin = pci_pins_shown(&list[i]);
            assert_in_range(pin, 1, 4);
            assert_int_equal(guest_pci_pin(list[i].device, pin), rows[i].wire);
        }
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_natural(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {0, 3, 1, 10, false, 3}, {0, 4, 1, 11, false, 0}, {0, 5, 2, 16, true, 2}};
    CHECK(rows);
    assert_int_equal(pci_pins_shown(&list[2]), 2); // each keeps its own number
    assert_null(pci_pins_refused(list, 3));
}

// An NVMe stands first and has the e1000's input: both are on one wire, the e1000's.
static void test_shared(void **state)
{
    (void)state;
    static const struct row rows[] = {{0, 3, 1, 11, true, 0}, {0, 4, 1, 11, false, 0}};
    CHECK(rows);
    assert_int_equal(pci_pins_shown(&list[0]), 2);
    assert_int_equal(pci_pins_shown(&list[1]), 1);
    static const struct row both[] = {
        {0, 3, 1, 11, false, 3}, {0, 4, 1, 11, false, 3}, {0, 9, 4, 11, false, 3}};
    CHECK(both);
    assert_null(pci_pins_refused(list, 3));
}

// Two inputs that a bus without a router would have on one wire.
static void test_same_wire(void **state)
{
    (void)state;
    static const struct row rows[] = {{0, 3, 1, 10, false, 3}, {0, 7, 1, 11, false, 0}};
    CHECK(rows);
    static const struct row last[] = {{0, 3, 1, 10, true, 0}, {0, 7, 1, 11, false, 3}};
    CHECK(last); // who needs it has the choice
}

static void test_other_partition(void **state)
{
    (void)state;
    char text[PCI_PINS_TEXT_SIZE];
    static const struct row rows[] = {{0, 3, 1, 11, true, NONE}, {1, 4, 1, 11, false, 0}};
    CHECK(rows);
    assert_null(pci_pins_refused(list, 2));
    pci_pins_describe(list, &list[0], text);
    assert_string_equal(text, "it shares its interrupt 11 with device 00:04.0 of partition "
                              "\"beta\": give both to one partition");
    static const struct row both[] = {{0, 3, 1, 11, true, 3}, {1, 4, 1, 11, true, NONE}};
    CHECK(both); // neither needs it
    static const struct row bad[] = {{0, 3, 1, 11, false, 3}, {1, 4, 1, 11, false, NONE}};
    CHECK(bad);
    assert_ptr_equal(pci_pins_refused(list, 2), &list[1]);
    pci_pins_describe(list, &list[1], text);
    assert_non_null(strstr(text, "with device 00:03.0 of partition \"alpha\""));
}

// Wires are counted for each partition.
static void test_four_wires(void **state)
{
    (void)state;
    char text[PCI_PINS_TEXT_SIZE];
    static const struct row rows[] = {{0, 1, 1, 16, false, 1},    {0, 2, 1, 17, false, 2},
                                      {0, 3, 1, 18, false, 3},    {0, 4, 1, 19, false, 0},
                                      {0, 5, 1, 20, false, NONE}, {0, 6, 1, 16, false, 1},
                                      {0, 7, 1, 21, true, NONE},  {1, 5, 1, 22, false, 1}};
    CHECK(rows);
    assert_ptr_equal(pci_pins_refused(list, 8), &list[4]);
    pci_pins_describe(list, &list[4], text);
    assert_string_equal(text,
                        "the partition's bus has four interrupts, and other devices have them "
                        "all (one of them 00:01.0)");
}

static void test_no_use(void **state)
{
    (void)state;
    static const struct {
        uint8_t line;
        bool has_input;
        const char *why;
    } bad[] = {{0, true, "connected it to no interrupt"},
               {0xff, true, "connected it to no interrupt"},
               {24, true, "connected it to no interrupt"},
               {CONSOLE, true, "the serial port of the hypervisor's console"},
               {23, false, "no IOAPIC has its interrupt"}};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[PCI_PINS_TEXT_SIZE];
        list[0] = (struct pci_pin){
            .device = 3, .pin = 1, .line = bad[i].line, .has_input = bad[i].has_input};
        pci_pins_choose(list, 1, CONSOLE);
        assert_ptr_equal(pci_pins_refused(list, 1), &list[0]);
        pci_pins_describe(list, &list[0], text);
        assert_non_null(strstr(text, bad[i].why));
    }
    pci_pins_choose(list, 0, CONSOLE);
    assert_null(pci_pins_refused(list, 0));
}

// Whatever there is: no input has two partitions, and no wire of a partition has two inputs.
static void test_any(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (unsigned n = 0; n < 20000; n++) {
        struct row rows[16];
        for (unsigned i = 0; i < 16; i++) {
            seed = seed * 1664525 + 1013904223;
            rows[i] = (struct row){seed >> 31,
                                   (uint8_t)(seed >> 8 & 31),
                                   1 + (seed >> 13 & 3),
                                   (uint8_t)(16 + (seed >> 15 & 7)),
                                   (seed >> 18 & 1) != 0,
                                   0};
        }
        choose(rows, 16);
        for (unsigned a = 0; a < 16; a++) {
            for (unsigned b = 0; b < a && list[a].granted; b++) {
                if (!list[b].granted)
                    continue;
                bool same_line = list[a].line == list[b].line;
                if (list[a].partition != list[b].partition)
                    assert_false(same_line);
                else
                    assert_int_equal(same_line, list[a].wire == list[b].wire);
            }
            if (!list[a].granted && !list[a].messages) {
                assert_true(list[a].other >= 0);
                assert_false(list[list[a].other].messages); // only those that need it take it
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_natural),    cmocka_unit_test(test_shared),
        cmocka_unit_test(test_same_wire),  cmocka_unit_test(test_other_partition),
        cmocka_unit_test(test_four_wires), cmocka_unit_test(test_no_use),
        cmocka_unit_test(test_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
