// SPDX-License-Identifier: Apache-2.0
// hv/vpci/bar.c: sizing, power-on addresses, and which placements of a guest count.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/machine/guest_platform.h"
#include "hv/vpci/vpci.h"
#include "tests/unit/fake_pci_config.h"

#define DEVFN  0x18
#define WINDOW ((uint64_t)GUEST_PCI_WINDOW)

static struct vpci pci;

static int setup(void **state)
{
    (void)state;
    fake_pci_init();
    vpci_init(&pci);
    return 0;
}

static uint32_t get(unsigned bar)
{
    return vpci_ecam_read(&pci, DEVFN << 12 | (PCI_BAR0 + 4 * bar), 4);
}

static unsigned put(unsigned bar, uint32_t value)
{
    return vpci_ecam_write(&pci, DEVFN << 12 | (PCI_BAR0 + 4 * bar), 4, value).what;
}

static void decode(unsigned devfn, uint32_t command)
{
    vpci_ecam_write(&pci, devfn << 12 | PCI_COMMAND, 2, command);
}

static struct vpci_function *add(struct fake_pci *d)
{
    int devfn = vpci_add(&pci, &d->function, false);
    assert_true(devfn > 0);
    return vpci_find(&pci, (uint8_t)devfn);
}

static struct vpci_function *start(struct fake_pci *d)
{
    struct vpci_function *f = add(d);
    assert_int_equal(vpci_place_bars(&pci), STATUS_OK);
    vpci_reset(&pci);
    fake_pci_written = 0;
    return f;
}

static bool mapped(const struct vpci_function *f, unsigned bar, uint64_t *at)
{
    gpa_t where = gpa(0);
    bool is = vpci_bar_mapped(&pci, f, bar, &where);
    *at = where.v;
    return is;
}

static void sizing(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_add(0, 3, 0, 1, 1, 0x020000);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY32, 0xfeb80000, 0x20000);
    fake_pci_bar(d, 1, PCI_BAR_IO, 0xc040, 0x20);
    fake_pci_bar(d, 2, PCI_BAR_MEMORY64, 0x380000000000, GIB(8));
    fake_pci_bar(d, 4, PCI_BAR_MEMORY64, 0xfe000000, 0x4000);
    d->function.bar[4].prefetchable = true;
    struct vpci_function *f = add(d);
    assert_int_equal(vpci_place_bars(&pci), ERR_RANGE); // 8 GiB
    vpci_reset(&pci);
    fake_pci_written = 0;
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        put(bar, 0xffffffff);
    }
    assert_int_equal(get(0), 0xfffe0000);
    assert_int_equal(get(1), 0xffffffe1);
    assert_int_equal(get(2), 0x00000004);
    assert_int_equal(get(3), 0xfffffffe);
    assert_int_equal(get(4), 0xffffc00c);
    assert_int_equal(get(5), 0xffffffff);
    // Byte by byte as well.
    put(0, 0);
    vpci_ecam_write(&pci, DEVFN << 12 | (PCI_BAR0 + 3), 1, 0xd0);
    vpci_ecam_write(&pci, DEVFN << 12 | (PCI_BAR0 + 1), 2, 0x02ff);
    assert_int_equal(get(0), 0xd0020000);
    assert_int_equal(fake_pci_written, 0); // the device's own did not move
    assert_false(vpci_bar_mapped(&pci, f, 2, &(gpa_t){0}));
}

static void power_on_addresses(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_network();
    struct fake_pci *e = fake_pci_add(0, 4, 0, 1, 1, 0x010802);
    fake_pci_bar(e, 0, PCI_BAR_MEMORY64, 0xfe000000, 0x4000);
    fake_pci_bar(e, 2, PCI_BAR_MEMORY32, 0xfebd4300, 0x100); // within a page
    fake_pci_bar(e, 3, PCI_BAR_MEMORY32, 0xf0000000, MIB(256));
    fake_pci_bar(e, 5, PCI_BAR_IO, 0xc100, 0x100);
    add(d);
    struct vpci_function *g = add(e);
    assert_int_equal(vpci_place_bars(&pci), STATUS_OK);
    vpci_reset(&pci);
    struct vpci_function *f = vpci_find(&pci, DEVFN);
    assert_int_equal(g->placed[3], WINDOW); // the largest
    assert_int_equal(f->placed[0], WINDOW + MIB(256));
    assert_int_equal(f->placed[1], WINDOW + MIB(256) + 0x20000);
    assert_int_equal(f->placed[3], WINDOW + MIB(256) + 0x40000);
    assert_int_equal(g->placed[0], WINDOW + MIB(256) + 0x44000);
    assert_int_equal(g->placed[2], WINDOW + MIB(256) + 0x48300);
    assert_int_equal(g->placed[5], VPCI_PORT_FIRST);
    assert_int_equal(f->placed[2], VPCI_PORT_FIRST + 0x100);
    assert_int_equal(get(0), f->placed[0]);
    assert_int_equal(get(2), f->placed[2] | 1);
    // All count as soon as the guest decodes them.
    uint64_t at;
    assert_false(mapped(f, 0, &at));
    decode(DEVFN, PCI_COMMAND_MEMORY);
    decode(g->devfn, PCI_COMMAND_MEMORY);
    static const unsigned fs[] = {0, 1, 3}, gs[] = {0, 2, 3};
    for (unsigned i = 0; i < 3; i++) {
        assert_true(mapped(f, fs[i], &at));
        assert_int_equal(at, f->placed[fs[i]]);
        assert_true(mapped(g, gs[i], &at));
        assert_int_equal(at, g->placed[gs[i]]);
    }
    assert_false(mapped(f, 2, &at)); // ports
    assert_false(mapped(g, 1, &at)); // an upper half
    assert_false(mapped(g, 6, &at));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_add(0, 3, 0, 1, 1, 0x030000);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY32, 0xc0000000, MIB(512));
    add(d);
    assert_int_equal(vpci_place_bars(&pci), STATUS_OK);
    fake_pci_bar(d, 1, PCI_BAR_MEMORY32, 0xe0000000, 16);
    assert_int_equal(vpci_place_bars(&pci), ERR_RANGE);
    d->function.bar[1].kind = PCI_BAR_NONE;
    fake_pci_bar(d, 2, PCI_BAR_IO, 0x8000, 0x8000);
    assert_int_equal(vpci_place_bars(&pci), STATUS_OK);
    assert_int_equal(pci.function[0].placed[2], 0x8000);
    fake_pci_bar(d, 3, PCI_BAR_IO, 0x4000, 4);
    assert_int_equal(vpci_place_bars(&pci), ERR_RANGE); // behind it there is nothing
}

static void sizes_without_sense_are_no_bars(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_add(0, 3, 0, 1, 1, 0x020000);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY32, 0xfe000000, 0x3000);
    fake_pci_bar(d, 1, PCI_BAR_IO, 0xc000, 0x10000);
    fake_pci_bar(d, 2, PCI_BAR_MEMORY32, 0xfe000000, 0);
    fake_pci_bar(d, 5, PCI_BAR_MEMORY64, 0xfe000000, 0x1000);
    start(d);
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        put(bar, 0xffffffff);
        assert_int_equal(get(bar), 0);
    }
}

static void placements(void **state)
{
    (void)state;
    uint64_t at;
    struct fake_pci *d = fake_pci_add(0, 3, 0, 1, 1, 0x020000);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY64, 0xfe000000, 0x4000);
    fake_pci_bar(d, 2, PCI_BAR_MEMORY32, 0xfebd4300, 0x100);
    fake_pci_bar(d, 3, PCI_BAR_MEMORY32, 0, 0x1000); // firmware gave it no address
    struct vpci_function *f = start(d);
    assert_int_equal(put(0, 0xd0000000), 0); // not decoded: nothing changes
    decode(DEVFN, PCI_COMMAND_MEMORY);
    assert_int_equal(put(0, 0xd0004000), VPCI_EFFECT_BARS);
    assert_true(mapped(f, 0, &at));
    assert_int_equal(at, 0xd0004000);
    assert_false(mapped(f, 3, &at));

    // Over RAM, over the APIC's page, over the configuration space, past the end, above 4 GiB.
    static const uint32_t bad[] = {0,          0x00100000, 0xbfffc000, 0xe0000000,
                                   0xfec00000, 0xfee00000, 0xffffc000};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put(0, bad[i]);
        assert_false(mapped(f, 0, &at));
    }
    put(0, 0xdfffc000);
    assert_true(mapped(f, 0, &at)); // the last that fits
    put(1, 1);
    assert_false(mapped(f, 0, &at));
    put(1, 0);

    // A part of a page has to lie in its page as the device's does.
    put(2, 0xd0010200);
    assert_false(mapped(f, 2, &at));
    put(2, 0xd0010300);
    assert_true(mapped(f, 2, &at));
    // Neither of two that share a page counts.
    put(0, 0xd0010000);
    assert_false(mapped(f, 0, &at));
    assert_false(mapped(f, 2, &at));
    put(0, 0xd0014000);
    assert_true(mapped(f, 0, &at));
    assert_true(mapped(f, 2, &at));
    decode(DEVFN, 0);
    assert_false(mapped(f, 0, &at));
    assert_int_equal(fake_pci_get(d, PCI_BAR0, 4), 0xfe000000);
}

static void overlap_with_another_function(void **state)
{
    (void)state;
    uint64_t at;
    struct fake_pci *d = fake_pci_add(0, 3, 0, 1, 1, 0x020000);
    struct fake_pci *e = fake_pci_add(0, 4, 0, 1, 1, 0x020000);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY32, 0xfe000000, 0x4000);
    fake_pci_bar(e, 0, PCI_BAR_MEMORY32, 0xfe100000, 0x100000);
    add(e);
    struct vpci_function *f = start(d), *g = vpci_find(&pci, 0x20);
    decode(DEVFN, PCI_COMMAND_MEMORY);
    decode(0x20, PCI_COMMAND_MEMORY);
    put(0, (uint32_t)g->placed[0] + 0x8000);
    assert_false(mapped(f, 0, &at));
    assert_false(mapped(g, 0, &at));
    decode(0x20, 0);
    assert_true(mapped(f, 0, &at));
}

static void ports(void **state)
{
    (void)state;
    unsigned bar = 9;
    uint16_t port = 0;
    struct vpci_function *f = start(fake_pci_network());
    assert_int_equal(f->placed[2], 0x1000);
    assert_null(vpci_find_port(&pci, 0x1000, 1, &bar, &port)); // not decoded
    decode(DEVFN, PCI_COMMAND_IO);
    assert_ptr_equal(vpci_find_port(&pci, 0x1000, 1, &bar, &port), f);
    assert_int_equal(bar, 2);
    assert_int_equal(port, 0xc040);
    assert_ptr_equal(vpci_find_port(&pci, 0x101c, 4, &bar, &port), f);
    assert_int_equal(port, 0xc05c);
    assert_null(vpci_find_port(&pci, 0x101e, 4, &bar, &port)); // half of it
    assert_null(vpci_find_port(&pci, 0x0fff, 1, &bar, &port));
    assert_int_equal(put(2, 0x2000), VPCI_EFFECT_BARS);
    assert_null(vpci_find_port(&pci, 0x1000, 1, &bar, &port));
    assert_ptr_equal(vpci_find_port(&pci, 0x2001, 2, &bar, &port), f);
    assert_int_equal(port, 0xc041);
    put(2, 0x60); // over the platform's ports
    assert_null(vpci_find_port(&pci, 0x60, 1, &bar, &port));
    put(2, 0x00012000); // past the last
    assert_null(vpci_find_port(&pci, 0x2000, 1, &bar, &port));
    put(2, 0xffe0);
    assert_ptr_equal(vpci_find_port(&pci, 0xffff, 1, &bar, &port), f);
    assert_null(vpci_find_port(&pci, 0xffff, 2, &bar, &port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sizing, setup),
        cmocka_unit_test_setup(power_on_addresses, setup),
        cmocka_unit_test_setup(what_does_not_fit_is_refused, setup),
        cmocka_unit_test_setup(sizes_without_sense_are_no_bars, setup),
        cmocka_unit_test_setup(placements, setup),
        cmocka_unit_test_setup(overlap_with_another_function, setup),
        cmocka_unit_test_setup(ports, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
