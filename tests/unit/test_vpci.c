// SPDX-License-Identifier: Apache-2.0
// hv/vpci/vpci.c: how an operating system looks for a PCI bus, and finds it empty.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vpci/vpci.h"

static struct vpci pci;

static int setup(void **state)
{
    (void)state;
    pci.address = 0x12345678;
    vpci_reset(&pci);
    return 0;
}

// Linux's pci_check_type1(), then a scan.
static void linux_probe(void **state)
{
    (void)state;
    vpci_write(&pci, 0xcfb, 1, 0x01);
    uint32_t before = vpci_read(&pci, 0xcf8, 4);
    assert_int_equal(before, 0);
    vpci_write(&pci, 0xcf8, 4, 0x80000000);
    assert_int_equal(vpci_read(&pci, 0xcf8, 4), 0x80000000);
    vpci_write(&pci, 0xcf8, 4, before);

    for (uint32_t function = 0; function < 256; function++) {
        vpci_write(&pci, 0xcf8, 4, 0x80000000 | function << 8);
        assert_int_equal(vpci_read(&pci, 0xcfc, 4), 0xffffffff);
        assert_int_equal(vpci_read(&pci, 0xcfc, 2), 0xffff);
        assert_int_equal(vpci_read(&pci, 0xcfe, 1), 0xff);
    }
}

static void writes_go_nowhere(void **state)
{
    (void)state;
    vpci_write(&pci, 0xcf8, 4, 0x80000004);
    vpci_write(&pci, 0xcfc, 4, 0x00000007);
    vpci_write(&pci, 0xcff, 1, 0x00);
    assert_int_equal(vpci_read(&pci, 0xcfc, 4), 0xffffffff);
    assert_int_equal(vpci_read(&pci, 0xcf8, 4), 0x80000004);
}

static void latch_is_32_bits_wide(void **state)
{
    (void)state;
    vpci_write(&pci, 0xcf8, 4, 0x80aabbcc);
    vpci_write(&pci, 0xcf8, 1, 0);
    vpci_write(&pci, 0xcf8, 2, 0);
    vpci_write(&pci, 0xcf9, 1, 0x06);
    vpci_write(&pci, 0xcf9, 4, 0);
    vpci_write(&pci, 0xcfa, 2, 0);
    assert_int_equal(vpci_read(&pci, 0xcf8, 4), 0x80aabbcc);
    assert_int_equal(vpci_read(&pci, 0xcf8, 1), 0xff);
    assert_int_equal(vpci_read(&pci, 0xcf8, 2), 0xffff);
    assert_int_equal(vpci_read(&pci, 0xcfa, 2), 0xffff);
    assert_int_equal(vpci_read(&pci, 0xffff, 4), 0xffffffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(linux_probe, setup),
        cmocka_unit_test_setup(writes_go_nowhere, setup),
        cmocka_unit_test_setup(latch_is_32_bits_wide, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
