// SPDX-License-Identifier: Apache-2.0
// hv/vpci/vmsix.c: the virtual MSI-X table.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vpci/vmsix.h"

#define VECTORS 5
#define TABLE   0x1ff0u // the first entry ends a page

static struct vmsix_entry entries[VECTORS + 1]; // one more, which nobody may touch
static struct vmsix m;

static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(entries); i++) {
        entries[i / 16].byte[i % 16] = 0xaa;
    }
    vmsix_init(&m, entries, VECTORS, TABLE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(entries[VECTORS].byte[i], 0xaa);
    }
    return 0;
}

static void expect(struct vmsix_change is, unsigned first, unsigned count)
{
    assert_int_equal(is.count, count);
    if (count != 0) {
        assert_int_equal(is.first, first);
    }
}

static void power_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VECTORS; i++) {
        assert_int_equal(vmsix_read(&m, TABLE + 16 * i, 8), 0);
        assert_int_equal(vmsix_read(&m, TABLE + 16 * i + 8, 8), 0x100000000);
        assert_false(vmsix_live(&m, i).live);
    }
}

static void a_vector(void **state)
{
    (void)state;
    expect(vmsix_write(&m, TABLE + 0x20, 4, 0xfee01000), 2, 1);
    expect(vmsix_write(&m, TABLE + 0x24, 4, 0), 0, 0);
    expect(vmsix_write(&m, TABLE + 0x28, 8, 0x41), 2, 1); // data, and unmasked
    struct vmsix_message message = vmsix_live(&m, 2);
    assert_true(message.address == 0xfee01000);
    assert_int_equal(message.data, 0x41);
    assert_false(message.live); // MSI-X is off
    expect(vmsix_set_control(&m, PCI_MSIX_ENABLE | 0x3fff), 0, VECTORS);
    assert_true(vmsix_live(&m, 2).live);
    assert_false(vmsix_live(&m, 1).live);
    expect(vmsix_set_control(&m, PCI_MSIX_ENABLE), 0, 0);
    expect(vmsix_set_control(&m, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL), 0, VECTORS);
    assert_false(vmsix_live(&m, 2).live);
    vmsix_set_control(&m, PCI_MSIX_ENABLE);
    expect(vmsix_write(&m, TABLE + 0x2c, 4, 0xffffffff), 2, 1);
    assert_int_equal(vmsix_read(&m, TABLE + 0x2c, 4), 1); // the rest is reserved
    assert_false(vmsix_live(&m, 2).live);
    expect(vmsix_write(&m, TABLE + 0x2c, 1, 0), 2, 1);
    assert_true(vmsix_live(&m, 2).live);
    expect(vmsix_write(&m, TABLE + 0x2d, 1, 0xff), 0, 0);
    vmsix_reset(&m);
    assert_false(vmsix_live(&m, 2).live);
    assert_int_equal(vmsix_read(&m, TABLE + 0x28, 8), 0x100000000);
}

static void widths(void **state)
{
    (void)state;
    expect(vmsix_write(&m, TABLE + 0x10, 8, 0x1122334455667788), 1, 1);
    assert_int_equal(vmsix_read(&m, TABLE + 0x10, 1), 0x88);
    assert_int_equal(vmsix_read(&m, TABLE + 0x11, 2), 0x6677);
    assert_int_equal(vmsix_read(&m, TABLE + 0x14, 4), 0x11223344);
    assert_true(vmsix_read(&m, TABLE + 0x10, 8) == 0x1122334455667788);
    expect(vmsix_write(&m, TABLE + 0x17, 2, 0xabcd), 1, 1);
    assert_true(vmsix_live(&m, 1).address == 0xcd22334455667788);
    assert_int_equal(vmsix_live(&m, 1).data, 0xab);
    // Over two entries.
    expect(vmsix_write(&m, TABLE + 0x1c, 8, 0x0000000900000000), 1, 2);
    assert_true(vmsix_live(&m, 2).address == 9);
}

static void edges(void **state)
{
    (void)state;
    unsigned end = TABLE + 16 * VECTORS;
    assert_false(vmsix_hits(&m, TABLE - 8, 8));
    assert_true(vmsix_hits(&m, TABLE - 7, 8));
    assert_true(vmsix_hits(&m, end - 1, 1));
    assert_false(vmsix_hits(&m, end, 8));
    assert_false(vmsix_hits(&m, UINT64_MAX - 3, 4));
    expect(vmsix_write(&m, TABLE - 4, 8, 0x1111111122222222), 0, 1);
    assert_true(vmsix_read(&m, TABLE - 4, 8) == 0x1111111100000000);
    assert_int_equal(vmsix_live(&m, 0).address, 0x11111111);
    expect(vmsix_write(&m, end - 4, 8, 0x1111111100000000), VECTORS - 1, 1);
    expect(vmsix_write(&m, end, 8, UINT64_MAX), 0, 0);
    expect(vmsix_write(&m, UINT64_MAX - 3, 8, UINT64_MAX), 0, 0);
    assert_int_equal(vmsix_read(&m, end, 8), 0);

    uint64_t first, last;
    vmsix_pages(&m, 0, &first, &last);
    assert_int_equal(first, 0x1000);
    assert_int_equal(last, 0x3000);
    vmsix_init(&m, entries, VECTORS, 0);
    expect(vmsix_write(&m, UINT64_MAX - 3, 8, UINT64_MAX), 0, 0);
    vmsix_init(&m, entries, VECTORS, 0x40);
    vmsix_pages(&m, 0x300, &first, &last); // a BAR that starts within a page
    assert_int_equal(first, 0);
    assert_int_equal(last, 0x1000);
}

static void none(void **state)
{
    (void)state;
    uint64_t first, end;
    vmsix_init(&m, NULL, 0, 0x2000);
    assert_false(vmsix_hits(&m, 0x2000, 4));
    assert_int_equal(vmsix_read(&m, 0x2000, 8), 0);
    expect(vmsix_write(&m, 0x2000, 8, 1), 0, 0);
    expect(vmsix_set_control(&m, PCI_MSIX_ENABLE), 0, 0);
    vmsix_pages(&m, 0, &first, &end);
    assert_int_equal(first, end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(power_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_vector, setup, teardown),
        cmocka_unit_test_setup_teardown(widths, setup, teardown),
        cmocka_unit_test_setup_teardown(edges, setup, teardown),
        cmocka_unit_test_setup_teardown(none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
