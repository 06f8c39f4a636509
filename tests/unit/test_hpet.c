// SPDX-License-Identifier: Apache-2.0
// drivers/clock/hpet.c on a model of an HPET: the firmware's table, what firmware left running, and
// when comparators match, also where their registers are slow.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/lib/types.h"
#include "drivers/acpi/tables.h"
#include "drivers/clock/hpet.h"
#include "tests/unit/fake_hpet.h"

#define REGISTERS ((volatile uint32_t *)(void *)&fake_hpet)
#define ROUND     (1ull << 32)

// ---- the table ---------------------------------------------------------------------------------

static uint8_t table[56];
static uint32_t table_length; // 0: there is none

enum status acpi_find_table(const struct acpi_info *info, const char *signature, unsigned skip,
                            uint64_t *address, uint32_t *length)
{
    (void)info;
    if (table_length == 0 || skip != 0 || strcmp(signature, "HPET") != 0)
        return ERR_NOT_FOUND;
    *address = 0x1000;
    *length = table_length;
    return STATUS_OK;
}

enum status acpi_read(const struct acpi_table *t, uint32_t offset, void *buffer, size_t size)
{
    assert_int_equal(t->address, 0x1000);
    if (offset + size > t->length)
        return ERR_TRUNCATED;
    memcpy(buffer, table + offset, size);
    return STATUS_OK;
}

// IA-PC HPET specification 1.0a, 3.2.4: a generic address structure at 40.
static uint64_t address_in(uint8_t space, uint64_t address, uint32_t length)
{
    memset(table, 0xff, sizeof(table));
    table[40] = space;
    memcpy(table + 44, &address, sizeof(address));
    table_length = length;
    return hpet_address(NULL);
}

static void address(void **state)
{
    (void)state;
    assert_int_equal(address_in(ACPI_SPACE_MEMORY, 0xfed00000, 56), 0xfed00000);
    assert_int_equal(address_in(ACPI_SPACE_MEMORY, 0x12fed00400, 56), 0x12fed00400);
    assert_int_equal(address_in(ACPI_SPACE_IO, 0xfed00000, 56), 0);
    assert_int_equal(address_in(ACPI_SPACE_MEMORY, 0xfed00200, 56), 0);
    assert_int_equal(address_in(ACPI_SPACE_MEMORY, 0xfed00000, 52), 0xfed00000);
    assert_int_equal(address_in(ACPI_SPACE_MEMORY, 0xfed00000, 51), 0);
    assert_int_equal(address_in(ACPI_SPACE_MEMORY, 0xfed00000, 40), 0);
    assert_int_equal(address_in(ACPI_SPACE_MEMORY, 0xfed00000, 0), 0);
}

// ---- start -------------------------------------------------------------------------------------

static int setup(void **state)
{
    (void)state;
    fake_hpet_reset();
    return 0;
}

// The same, started.
static int start(void **state)
{
    setup(state);
    assert_int_equal(hpet_init(REGISTERS), 3);
    return 0;
}

static void what_cant_be_used(void **state)
{
    (void)state;
    fake_hpet.gone = true;
    assert_int_equal(hpet_init(REGISTERS), 0);
    fake_hpet.gone = false;
    fake_hpet.period = 0;
    assert_int_equal(hpet_init(REGISTERS), 0);
    fake_hpet.period = 100000001; // slower than any may be: no period at all
    assert_int_equal(hpet_init(REGISTERS), 0);
    fake_hpet.period = UINT32_MAX;
    assert_int_equal(hpet_init(REGISTERS), 0);
    assert_int_equal(fake_hpet.writes, 0);
    fake_hpet.period = 100000000;
    assert_int_equal(hpet_init(REGISTERS), 3);
    assert_int_equal(hpet_hz(), 10000000);
}

static void frequency(void **state)
{
    (void)state;
    assert_int_equal(hpet_hz(), 14318179);
}

static void number(void **state)
{
    (void)state;
    static const unsigned numbers[][2] = {{1, 1}, {2, 2}, {7, 7}, {8, 8}, {9, 8}, {32, 8}};
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        fake_hpet_reset();
        fake_hpet.timers = numbers[i][0];
        assert_int_equal(hpet_init(REGISTERS), numbers[i][1]);
    }
}

static void what_it_can(void **state)
{
    (void)state;
    fake_hpet.timer[0].gsis = 4;
    fake_hpet.timer[1].repeats = false;
    assert_int_equal(hpet_gsis(0), 4);
    assert_int_equal(hpet_gsis(2), 0xf00000);
    assert_true(hpet_is_periodic(0));
    assert_false(hpet_is_periodic(1));
}

// All timers run, also those beyond what is used, as level and by message, in the PIT's place.
static void firmware_left_it_running(void **state)
{
    (void)state;
    fake_hpet.timers = 10;
    fake_hpet.config = 3;
    fake_hpet.counter = 0x123456789a;
    fake_hpet.status = 0x3ff;
    for (unsigned n = 0; n < 10; n++) {
        fake_hpet.timer[n].config = 0x400e | 20u << 9;
        fake_hpet.timer[n].value = 0x12345678ff;
        fake_hpet.timer[n].period = 7;
    }
    assert_int_equal(hpet_init(REGISTERS), 8);
    assert_int_equal(fake_hpet.config, 1);
    assert_int_equal(fake_hpet.status, 0);
    assert_int_equal(fake_hpet.counter, 0);
    fake_hpet_pass(ROUND + 1000);
    assert_int_equal(fake_hpet.counter, ROUND + 1000);
    for (unsigned n = 0; n < 10; n++) {
        assert_int_equal(fake_hpet.timer[n].config, 0);
        assert_int_equal(fake_hpet.timer[n].came, 0);
    }
}

// ---- comparators -------------------------------------------------------------------------------

// From `begin` on, with nothing of it in the past.
static void begin_at(uint64_t counter)
{
    fake_hpet.counter = counter;
    for (unsigned n = 0; n < fake_hpet.timers; n++)
        fake_hpet.timer[n].value = (uint32_t)counter;
    fake_hpet_forget();
}

static void once(void **state)
{
    (void)state;
    static const uint64_t from[] = {0, 1000, 0x7fffff00, 0xffffff00, 0xffffffff, 0x5ffffff00};
    for (unsigned i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        begin_at(from[i]);
        hpet_arm(2, 21, 100000, 0);
        fake_hpet_pass(99990);
        assert_int_equal(fake_hpet.timer[2].came, 0);
        fake_hpet_pass(20);
        assert_int_equal(fake_hpet.timer[2].came, 1);
        assert_int_equal(fake_hpet_gsi(2), 21);
        // Not again, until a round of 32 bits is over, which is more than is waited for.
        fake_hpet_pass(ROUND - 100);
        assert_int_equal(fake_hpet.timer[2].came, 1);
        assert_int_equal(fake_hpet.timer[0].came + fake_hpet.timer[1].came, 0);
    }
}

static void far_away(void **state)
{
    (void)state;
    begin_at(0xfffffff0);
    hpet_arm(0, 20, 0x7fffffff, 0);
    fake_hpet_pass(0x7ffffff0);
    assert_int_equal(fake_hpet.timer[0].came, 0);
    fake_hpet_pass(0x10);
    assert_int_equal(fake_hpet.timer[0].came, 1);
}

static void periodic(void **state)
{
    (void)state;
    static const uint64_t from[] = {0, 0x7fffff00, 0xffffff00, 0xfffffffff00};
    for (unsigned i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        begin_at(from[i]);
        hpet_arm(1, 23, 5000, 300);
        fake_hpet_pass(4990);
        assert_int_equal(fake_hpet.timer[1].came, 0);
        fake_hpet_pass(20 + 99 * 300);
        assert_int_equal(fake_hpet.timer[1].came, 100);
        assert_int_equal(fake_hpet.timer[1].last - fake_hpet.timer[1].first, 99 * 300);
        assert_int_equal(fake_hpet_gsi(1), 23);
    }
}

// A comparator matches when the counter becomes equal: what it has passed comes after 300 s only.
static void slow_registers(void **state)
{
    (void)state;
    static const uint32_t takes[] = {1, 63, 64, 65, 1000, 100000, 1u << 20};
    for (unsigned i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
        for (uint32_t period = 0; period <= 1u << 22; period += 1u << 22) {
            begin_at(0xfffff000);
            fake_hpet.read_takes = takes[i];
            hpet_arm(0, 20, 1, period);
            fake_hpet_pass(4 * (uint64_t)takes[i] + 64);
            assert_in_range(fake_hpet.timer[0].came, 1, 2);
        }
    }
    // Those that are too slow for anything are given up.
    fake_hpet.read_takes = 1u << 30;
    hpet_arm(0, 20, 1, 0);
    hpet_arm(0, 20, 1, 1000);
}

static void soon(void **state)
{
    (void)state;
    begin_at(0);
    hpet_arm(0, 20, 0, 0);
    fake_hpet_pass(80);
    assert_int_equal(fake_hpet.timer[0].came, 1);
}

// Whatever it was set to before: nothing of that is left.
static void again(void **state)
{
    (void)state;
    fake_hpet.timer[0].gsis = 0xfffffff;
    hpet_arm(0, 21, 1000, 1000);
    fake_hpet.timer[0].config |= 0x4002;
    hpet_arm(0, 22, 2000, 0);
    assert_int_equal(fake_hpet_gsi(0), 22);
    fake_hpet_pass(100000);
    assert_int_equal(fake_hpet.timer[0].came, 1);
    hpet_arm(0, 9, 700, 700);
    assert_int_equal(fake_hpet_gsi(0), 9);
    fake_hpet_pass(7000 - 10);
    assert_int_equal(fake_hpet.timer[0].came, 10);
    assert_int_equal(fake_hpet.status, 0);
}

static void stopped(void **state)
{
    (void)state;
    hpet_arm(0, 20, 1000, 1000);
    hpet_arm(1, 21, 1000, 1000);
    fake_hpet.status = 3;
    hpet_stop(0);
    assert_int_equal(fake_hpet.status, 2);
    fake_hpet_pass(ROUND);
    assert_int_equal(fake_hpet.timer[0].came, 0);
    assert_int_equal(fake_hpet.timer[0].config & 0x7e0e, 0);
    assert_in_range(fake_hpet.timer[1].came, ROUND / 1000 - 1, ROUND / 1000 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address),
        cmocka_unit_test_setup(what_cant_be_used, setup),
        cmocka_unit_test_setup(frequency, start),
        cmocka_unit_test(number),
        cmocka_unit_test_setup(what_it_can, start),
        cmocka_unit_test_setup(firmware_left_it_running, setup),
        cmocka_unit_test_setup(once, start),
        cmocka_unit_test_setup(far_away, start),
        cmocka_unit_test_setup(periodic, start),
        cmocka_unit_test_setup(slow_registers, start),
        cmocka_unit_test_setup(soon, start),
        cmocka_unit_test_setup(again, start),
        cmocka_unit_test_setup(stopped, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
