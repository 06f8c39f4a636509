// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vreset.c: the ways in which Linux and others reboot a PC.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vreset.h"

static struct vreset reset;

static int setup(void **state)
{
    (void)state;
    reset.control = 0xff;
    vreset_reset(&reset);
    return 0;
}

// Linux's BOOT_CF9: choose the kind of reset first, then ask for it.
static void reset_control(void **state)
{
    (void)state;
    static const uint8_t codes[] = {0x06, 0x0e};
    for (unsigned i = 0; i < 2; i++) {
        vreset_reset(&reset);
        uint8_t value = (uint8_t)vreset_read(&reset, 0xcf9, 1) & (uint8_t)~codes[i];
        assert_int_equal(value, 0);
        assert_int_equal(vreset_write(&reset, 0xcf9, 1, value | 2), VDEV_NONE);
        assert_int_equal(vreset_read(&reset, 0xcf9, 1), 2);
        assert_int_equal(vreset_write(&reset, 0xcf9, 1, value | codes[i]), VDEV_RESET);
    }
    // At once, as the FADT's reset register is written; and a soft reset is one, too.
    vreset_reset(&reset);
    assert_int_equal(vreset_write(&reset, 0xcf9, 1, 0x06), VDEV_RESET);
    vreset_reset(&reset);
    assert_int_equal(vreset_write(&reset, 0xcf9, 1, 0x04), VDEV_RESET);
    // Only as the bit rises.
    assert_int_equal(vreset_write(&reset, 0xcf9, 1, 0x06), VDEV_NONE);
    assert_int_equal(vreset_write(&reset, 0xcf9, 1, 0xfb), VDEV_NONE);
    assert_int_equal(vreset_read(&reset, 0xcf9, 1), 0x0a);
    assert_int_equal(vreset_write(&reset, 0xcf9, 1, 0xff), VDEV_RESET);
}

static void keyboard_controller(void **state)
{
    (void)state;
    for (unsigned command = 0; command < 256; command++) {
        assert_int_equal(vreset_write(&reset, 0x64, 1, command),
                         command == 0xfe ? VDEV_RESET : VDEV_NONE);
        assert_int_equal(vreset_write(&reset, 0x60, 1, command), VDEV_NONE);
        // Nobody there, as far as a driver can see.
        assert_int_equal(vreset_read(&reset, 0x64, 1), 0xff);
        assert_int_equal(vreset_read(&reset, 0x60, 1), 0xff);
    }
}

static void system_control_a(void **state)
{
    (void)state;
    // A20 is on; Linux's boot code turns it on with care not to reset.
    uint8_t value = (uint8_t)vreset_read(&reset, 0x92, 1);
    assert_int_equal(value, 0x02);
    assert_int_equal(vreset_write(&reset, 0x92, 1, (value | 0x02) & 0xfe), VDEV_NONE);
    assert_int_equal(vreset_write(&reset, 0x92, 1, 0x00), VDEV_NONE);
    assert_int_equal(vreset_read(&reset, 0x92, 1), 0x02);
    assert_int_equal(vreset_write(&reset, 0x92, 1, 0x01), VDEV_RESET);
    assert_int_equal(vreset_read(&reset, 0x92, 1), 0x02);
}

static void other_accesses(void **state)
{
    (void)state;
    assert_int_equal(vreset_read(&reset, 0x92, 2), 0xff02);
    assert_int_equal(vreset_read(&reset, 0xcf9, 4), 0xffffff00);
    assert_int_equal(vreset_read(&reset, 0x60, 4), 0xffffffff);
    assert_int_equal(vreset_read(&reset, 0xffff, 4), 0xffffffff);
    assert_int_equal(vreset_write(&reset, 0x64, 2, 0x00fe), VDEV_RESET);
    // A byte that isn't the command port's is no command.
    assert_int_equal(vreset_write(&reset, 0x60, 4, 0xfefefefe), VDEV_NONE);
    assert_int_equal(vreset_write(&reset, 0xcfa, 4, 0xffffffff), VDEV_NONE);
    assert_int_equal(vreset_write(&reset, 0xffff, 4, 0xffffffff), VDEV_NONE);
    // Not lost because a wider access goes on.
    assert_int_equal(vreset_write(&reset, 0x92, 4, 0x00000001), VDEV_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reset_control, setup),
        cmocka_unit_test_setup(keyboard_controller, setup),
        cmocka_unit_test_setup(system_control_a, setup),
        cmocka_unit_test_setup(other_accesses, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
