// SPDX-License-Identifier: Apache-2.0
// I/O permission maps: what passes, what is refused, and that a refusal opens nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/machine/kept_ports.h"
#include "hv/policy/io_policy.h"

static uint8_t map[12288];
static struct io_refusal refusal;

static bool exits(unsigned port)
{
    return (map[port / 8] >> port % 8 & 1) != 0;
}

static enum status build(const struct io_range *passes, unsigned n, const struct io_range *kept,
                         unsigned kept_count)
{
    memset(map, 0, sizeof(map));
    return io_policy_build(map, sizeof(map), passes, n, kept, kept_count, &refusal);
}

static void expect_only(const struct io_range *passes, unsigned n)
{
    for (unsigned port = 0; port < sizeof(map) * 8; port++) {
        bool pass = false;
        for (unsigned i = 0; i < n; i++) {
            pass = pass || (port >= passes[i].first && port <= passes[i].last);
        }
        assert_int_equal(exits(port), !pass);
    }
}

static void default_is_deny(void **state)
{
    (void)state;
    assert_int_equal(build(NULL, 0, NULL, 0), STATUS_OK);
    expect_only(NULL, 0);
}

static void ranges_pass(void **state)
{
    (void)state;
    static const struct io_range passes[] = {
        {0xf4, 0xf7, "test"},         {0x608, 0x60b, "PM timer"}, {0x1003, 0x1003, "one"},
        {0xfff0, 0xffff, "the last"}, {0x2000, 0x2fff, "many"},
    };
    assert_int_equal(build(passes, 5, NULL, 0), STATUS_OK);
    expect_only(passes, 5); // the bits past port 0xffff too: an access there wraps
}

static void kept_ports(void **state)
{
    (void)state;
    unsigned count;
    const struct io_range *kept = io_policy_kept(&count);
    for (unsigned i = 0; i < count; i++) {
        assert_true(kept[i].first <= kept[i].last);
        assert_true(kept[i].reason != NULL && kept[i].reason[0] != 0);
        // Whole, one end, the other, and all around it.
        struct io_range tries[] = {
            kept[i],
            {kept[i].first, kept[i].first, "low end"},
            {kept[i].last, kept[i].last, "high end"},
            {(uint16_t)(kept[i].first > 8 ? kept[i].first - 8 : 0), (uint16_t)(kept[i].last + 8),
             "around"},
        };
        for (unsigned t = 0; t < ARRAY_SIZE(tries); t++) {
            assert_int_equal(build(&tries[t], 1, NULL, 0), ERR_DENIED);
            assert_ptr_equal(refusal.pass, &tries[t]);
            assert_non_null(refusal.kept);
            expect_only(NULL, 0);
        }
    }
    // By number: devices that reach memory, reset the machine, or are the console.
    static const uint16_t ports[] = {0x00,  0x0f,  0x20,  0x40,  0x43,  0x60,  0x61,
                                     0x64,  0x70,  0x81,  0x92,  0xa1,  0xb2,  0xd0,
                                     0x3f8, 0x3ff, 0x4d0, 0xcf8, 0xcf9, 0xcfc, 0xcff};
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        struct io_range pass = {ports[i], ports[i], "test"};
        assert_int_equal(io_policy_check(&pass, NULL, 0, &refusal), ERR_DENIED);
    }
    struct io_range beside[] = {{0x400 - 0x10, 0x3f7, ""}, {0xd00, 0xd00, ""}, {0x62, 0x63, ""}};
    for (unsigned i = 0; i < ARRAY_SIZE(beside); i++) {
        assert_int_equal(io_policy_check(&beside[i], NULL, 0, &refusal), STATUS_OK);
    }
}

static void the_machines_own(void **state)
{
    (void)state;
    static const struct io_range kept[] = {{0x600, 0x607, "PM1"}, {0x60c, 0x60c, "reset"}};
    struct io_range pass = {0x608, 0x60b, "PM timer"};
    assert_int_equal(build(&pass, 1, kept, 2), STATUS_OK);
    assert_false(exits(0x608));
    pass.last = 0x60c;
    assert_int_equal(build(&pass, 1, kept, 2), ERR_DENIED);
    assert_ptr_equal(refusal.kept, &kept[1]);
    expect_only(NULL, 0);
}

static void what_the_firmware_names_is_kept(void **state)
{
    (void)state;
    struct io_range kept[MACHINE_MAX_KEPT_PORTS];
    struct acpi_info acpi = {0};
    assert_int_equal(kept_ports_find(&acpi, kept), 0);
    acpi.pm1a_event_port = 0x1800;
    acpi.pm1b_control_port = 0x1814;
    acpi.smi_command_port = 0xe0;
    acpi.reset.kind = ACPI_RESET_IO;
    acpi.reset.address = 0x1ff9;
    static const uint16_t expected[][2] = {
        {0x1800, 0x1803}, {0x1814, 0x1815}, {0xe0, 0xe0}, {0x1ff9, 0x1ff9}};
    unsigned count = kept_ports_find(&acpi, kept);
    assert_int_equal(count, ARRAY_SIZE(expected));
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(kept[i].first, expected[i][0]);
        assert_int_equal(kept[i].last, expected[i][1]);
        struct io_range pass = {kept[i].last, kept[i].last, "test"};
        assert_int_equal(io_policy_check(&pass, kept, count, &refusal), ERR_DENIED);
    }
    acpi.reset.kind = ACPI_RESET_MEMORY;
    assert_int_equal(kept_ports_find(&acpi, kept), count - 1);
    acpi.pm1b_event_port = 0x1804;
    acpi.pm1a_control_port = 0x1810;
    acpi.reset.kind = ACPI_RESET_IO;
    assert_true(kept_ports_find(&acpi, kept) <= MACHINE_MAX_KEPT_PORTS);
}

static void one_bad_range_opens_nothing(void **state)
{
    (void)state;
    static const struct io_range passes[] = {{0xf4, 0xf7, "good"}, {0xcf8, 0xcff, "bad"}};
    assert_int_equal(build(passes, 2, NULL, 0), ERR_DENIED);
    assert_ptr_equal(refusal.pass, &passes[1]);
    expect_only(NULL, 0);
    static const struct io_range backwards[] = {{0xf7, 0xf4, "backwards"}};
    assert_int_equal(build(backwards, 1, NULL, 0), ERR_INVALID);
    assert_ptr_equal(refusal.pass, &backwards[0]);
    assert_null(refusal.kept);
    expect_only(NULL, 0);
}

static void map_sizes(void **state)
{
    (void)state;
    static const struct io_range pass = {0xffff, 0xffff, "the last"};
    memset(map, 0, sizeof(map));
    assert_int_equal(io_policy_build(map, 8192, &pass, 1, NULL, 0, &refusal), STATUS_OK);
    assert_int_equal(map[8191], 0x7f);
    assert_int_equal(map[8192], 0); // not ours
    assert_int_equal(io_policy_build(map, 8191, &pass, 1, NULL, 0, &refusal), ERR_RANGE);
    assert_int_equal(map[8190], 0xff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_is_deny),
        cmocka_unit_test(ranges_pass),
        cmocka_unit_test(kept_ports),
        cmocka_unit_test(the_machines_own),
        cmocka_unit_test(map_sizes),
        cmocka_unit_test(one_bad_range_opens_nothing),
        cmocka_unit_test(what_the_firmware_names_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
