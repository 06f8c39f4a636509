// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vpm.c: ACPI mode, and the power-off that ends a guest.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vpm.h"

#define SLP_EN     0x2000u
#define SLP_TYP(n) ((unsigned)(n) << 10)

static struct vpm pm;

static int setup(void **state)
{
    (void)state;
    pm = (struct vpm){0xffff, 0xffff, 0xffff};
    vpm_reset(&pm);
    return 0;
}

static void after_reset(void **state)
{
    (void)state;
    // ACPI mode is on, so no SMI is needed to turn it on.
    assert_int_equal(vpm_read(&pm, VPM_CONTROL, 2), 0x0001);
    assert_int_equal(vpm_read(&pm, VPM_STATUS, 4), 0);
    assert_int_equal(vpm_write(&pm, VPM_CONTROL, 2, 0), VDEV_NONE);
    assert_int_equal(vpm_read(&pm, VPM_CONTROL, 2), 0x0001);
}

// As ACPICA does it: events off and cleared, the sleep type alone, then with the enable bit.
static void acpi_power_off(void **state)
{
    (void)state;
    assert_int_equal(vpm_write(&pm, VPM_STATUS, 2, 0x8731), VDEV_NONE);
    assert_int_equal(vpm_write(&pm, VPM_ENABLE, 2, 0), VDEV_NONE);
    unsigned control = vpm_read(&pm, VPM_CONTROL, 2) & ~(SLP_TYP(7) | SLP_EN);
    control |= SLP_TYP(5);
    assert_int_equal(vpm_write(&pm, VPM_CONTROL, 2, control), VDEV_NONE);
    assert_int_equal(vpm_write(&pm, VPM_CONTROL, 2, control | SLP_EN), VDEV_POWER_OFF);
    // The enable bit is for writing only.
    assert_int_equal(vpm_read(&pm, VPM_CONTROL, 2), 0x0001 | SLP_TYP(5));
}

static void other_sleep_types(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 8; type++) {
        enum vdev_event expected = type == 5 ? VDEV_POWER_OFF : VDEV_NONE;
        assert_int_equal(vpm_write(&pm, VPM_CONTROL, 2, SLP_TYP(type) | SLP_EN), expected);
        assert_int_equal(vpm_write(&pm, VPM_CONTROL, 2, SLP_TYP(type)), VDEV_NONE);
    }
}

static void power_off_in_any_width(void **state)
{
    (void)state;
    assert_int_equal(vpm_write(&pm, VPM_CONTROL + 1, 1, (SLP_TYP(5) | SLP_EN) >> 8),
                     VDEV_POWER_OFF);
    assert_int_equal(vpm_write(&pm, VPM_CONTROL, 4, SLP_TYP(5) | SLP_EN), VDEV_POWER_OFF);
    assert_int_equal(vpm_write(&pm, VPM_ENABLE, 4, (SLP_TYP(5) | SLP_EN) << 16), VDEV_POWER_OFF);
    // These bits in other registers mean something else.
    assert_int_equal(vpm_write(&pm, VPM_CONTROL, 1, 0xff), VDEV_NONE);
    assert_int_equal(vpm_write(&pm, VPM_STATUS, 4, 0xffffffff), VDEV_NONE);
    assert_int_equal(vpm_write(&pm, VPM_CONTROL + 2, 4, 0xffffffff), VDEV_NONE);
}

static void enables_read_back(void **state)
{
    (void)state;
    static const unsigned events[] = {0x0001, 0x0020, 0x0100, 0x0200, 0x0400, 0x4000};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        vpm_write(&pm, VPM_ENABLE, 2, events[i]);
        assert_int_equal(vpm_read(&pm, VPM_ENABLE, 2), events[i]);
        assert_int_equal(vpm_read(&pm, VPM_STATUS, 4), events[i] << 16);
    }
    vpm_write(&pm, VPM_ENABLE, 2, 0xffff);
    assert_int_equal(vpm_read(&pm, VPM_ENABLE, 2), 0x4721);
    vpm_write(&pm, VPM_ENABLE + 1, 1, 0);
    assert_int_equal(vpm_read(&pm, VPM_ENABLE, 2), 0x0021);
    vpm_write(&pm, VPM_STATUS, 4, 0x0100ffff);
    assert_int_equal(vpm_read(&pm, VPM_STATUS, 4), 0x01000000);
}

// The status latches until it is cleared; the SCI's level is what is enabled of it.
static void power_button(void **state)
{
    (void)state;
    assert_false(vpm_sci(&pm));
    assert_false(vpm_press_power_button(&pm)); // its event is not enabled
    assert_false(vpm_sci(&pm));
    assert_int_equal(vpm_read(&pm, VPM_STATUS, 2), 0x0100);
    vpm_write(&pm, VPM_ENABLE, 2, 0xfeff); // all others
    assert_false(vpm_sci(&pm));
    vpm_write(&pm, VPM_ENABLE, 2, 0x0100);
    assert_true(vpm_sci(&pm));
    vpm_write(&pm, VPM_STATUS, 2, 0xfeff); // clears all others
    vpm_write(&pm, VPM_STATUS, 1, 0xff);
    assert_int_equal(vpm_read(&pm, VPM_STATUS, 2), 0x0100);
    vpm_write(&pm, VPM_STATUS + 1, 1, 0x01);
    assert_int_equal(vpm_read(&pm, VPM_STATUS, 4), 0x01000000);
    assert_false(vpm_sci(&pm));
    assert_true(vpm_press_power_button(&pm));
    assert_true(vpm_sci(&pm));
    vpm_write(&pm, VPM_STATUS, 4, 0x01000100); // clears, and leaves it enabled
    assert_false(vpm_sci(&pm));
    assert_true(vpm_press_power_button(&pm));
    vpm_reset(&pm);
    assert_false(vpm_sci(&pm));
    assert_int_equal(vpm_read(&pm, VPM_STATUS, 4), 0);
}

static void beyond_the_end(void **state)
{
    (void)state;
    assert_int_equal(vpm_read(&pm, VPM_CONTROL, 4), 0xffff0001);
    assert_int_equal(vpm_read(&pm, VPM_BYTES, 1), 0xff);
    assert_int_equal(vpm_read(&pm, 0xfffffffe, 4), 0x0000ffff); // goes round to the status
    assert_int_equal(vpm_write(&pm, 0x1000, 4, 0xffffffff), VDEV_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(after_reset, setup),
        cmocka_unit_test_setup(acpi_power_off, setup),
        cmocka_unit_test_setup(other_sleep_types, setup),
        cmocka_unit_test_setup(power_off_in_any_width, setup),
        cmocka_unit_test_setup(enables_read_back, setup),
        cmocka_unit_test_setup(power_button, setup),
        cmocka_unit_test_setup(beyond_the_end, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
