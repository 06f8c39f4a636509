// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vcrtc.c: what a text-mode kernel writes it reads back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vcrtc.h"

static struct vcrtc crtc;

static int setup(void **state)
{
    (void)state;
    crtc = (struct vcrtc){.index = 7, .registers = {1, 2, 3}};
    vcrtc_reset(&crtc);
    return 0;
}

// The cursor's place, as xv6 and others keep it.
static void keeps_the_cursor(void **state)
{
    (void)state;
    vcrtc_write(&crtc, 0x3d4, 1, 14);
    assert_int_equal(vcrtc_read(&crtc, 0x3d5, 1), 0); // at the screen's start at first
    vcrtc_write(&crtc, 0x3d5, 1, 0x07);
    vcrtc_write(&crtc, 0x3d4, 2, 0xcf0f); // index and data in one
    assert_int_equal(vcrtc_read(&crtc, 0x3d4, 2), 0xcf0f);
    vcrtc_write(&crtc, 0x3d4, 1, 14);
    assert_int_equal(vcrtc_read(&crtc, 0x3d5, 1), 0x07);
    vcrtc_write(&crtc, 0x3b4, 1, 15); // the monochrome ports are the same
    assert_int_equal(vcrtc_read(&crtc, 0x3b5, 1), 0xcf);
    assert_int_equal(vcrtc_read(&crtc, 0x3b4, 2), 0xcf0f);
}

static void every_register_is_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 32; i++)
        vcrtc_write(&crtc, 0x3d4, 2, i | (0xa0 + i) << 8);
    for (unsigned i = 0; i < 256; i++) { // the index has five bits
        vcrtc_write(&crtc, 0x3d4, 1, i);
        assert_int_equal(vcrtc_read(&crtc, 0x3d4, 1), i % 32);
        assert_int_equal(vcrtc_read(&crtc, 0x3d5, 1), 0xa0 + i % 32);
    }
}

static void bytes_beyond_are_nobody_s(void **state)
{
    (void)state;
    vcrtc_write(&crtc, 0x3d4, 4, 0x11223305);
    assert_int_equal(vcrtc_read(&crtc, 0x3d4, 4), 0xffff3305);
    vcrtc_write(&crtc, 0x3d5, 2, 0x4466);
    assert_int_equal(vcrtc_read(&crtc, 0x3d5, 2), 0xff66);
    assert_int_equal(vcrtc_read(&crtc, 0x3b5, 4), 0xffffff66);
    assert_int_equal(vcrtc_read(&crtc, 0x3b4, 1), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keeps_the_cursor, setup),
        cmocka_unit_test_setup(every_register_is_its_own, setup),
        cmocka_unit_test_setup(bytes_beyond_are_nobody_s, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
