// SPDX-License-Identifier: Apache-2.0
// hv/vpci/caps.c and what the capabilities' registers do: which are shown, the list over them,
// power states, MSI and MSI-X, PCI Express, virtio.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vpci/vpci.h"
#include "tests/unit/fake_pci_config.h"

#define DEVFN         0x18
#define RESET_EFFECTS (VPCI_EFFECT_BARS | VPCI_EFFECT_MSI | VPCI_EFFECT_MSIX)

static struct vpci pci;
static struct vpci_function *f;

static int setup(void **state)
{
    (void)state;
    fake_pci_init();
    vpci_init(&pci);
    return 0;
}

static uint32_t get(unsigned reg, unsigned size)
{
    return vpci_ecam_read(&pci, DEVFN << 12 | reg, size);
}

static unsigned put(unsigned reg, unsigned size, uint32_t value)
{
    return vpci_ecam_write(&pci, DEVFN << 12 | reg, size, value).what;
}

static void start(struct fake_pci *d, bool intx)
{
    assert_int_equal(vpci_add(&pci, &d->function, intx), DEVFN);
    assert_int_equal(vpci_place_bars(&pci), STATUS_OK);
    vpci_reset(&pci);
    fake_pci_written = 0;
    f = vpci_find(&pci, DEVFN);
}

static struct fake_pci *plain(uint16_t vendor)
{
    struct fake_pci *d = fake_pci_add(0, 3, 0, vendor, 0x1041, 0x020000);
    fake_pci_bar(d, 0, PCI_BAR_MEMORY32, 0xfe000000, 0x10000);
    d->function.interrupt_pin = 2;
    return d;
}

// ---- the list ----------------------------------------------------------------------------------

static void unknown_ones_are_skipped(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x8086);
    fake_pci_capability(d, 0xf0, PCI_CAP_AF);
    fake_pci_pm(d, 0x60, 0);
    fake_pci_capability(d, 0x50, PCI_CAP_VENDOR); // not of virtio: unknown
    fake_pci_capability(d, 0x48, 0x03);           // vital product data
    fake_pci_msi(d, 0x70, 0);
    fake_pci_capability(d, 0x40, 0x0d);
    start(d, true);
    assert_int_equal(get(PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES, PCI_STATUS_CAPABILITIES);
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0x70);
    assert_int_equal(get(0x70, 2), 0x6005);
    assert_int_equal(get(0x60, 2), 0x0001);
    assert_int_equal(get(0x40, 4) | get(0x48, 4) | get(0x50, 4) | get(0xf0, 4), 0);
    put(0x70, 2, 0xffff);
    put(PCI_CAPABILITIES, 1, 0xff);
    assert_int_equal(get(0x70, 2), 0x6005);
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0x70);
}

static void without_any(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x8086);
    fake_pci_capability(d, 0x40, 0x0d);
    start(d, true);
    assert_int_equal(get(PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES, 0);
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0);
    struct vpci_msi m = vpci_msi(f);
    assert_false(m.enabled);
    assert_int_equal(m.vectors, 1);
    assert_int_equal(vpci_msix_control(f), 0);
    assert_int_equal(f->msix_vectors, 0);
}

static void broken_lists(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x8086);
    fake_pci_pm(d, 0x48, 0);
    fake_pci_pm(d, 0x40, 0);
    fake_pci_set(d, 0x49, 1, 0x43); // in a circle, the low bits reserved
    start(d, true);
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0x40);
    assert_int_equal(get(0x40, 2), 0x0001); // only the first of a kind
    assert_int_equal(get(0x48, 2), 0);

    // Over the end, over one another, over the header.
    setup(NULL);
    d = plain(0x8086);
    fake_pci_capability(d, 0xfc, PCI_CAP_MSIX);
    fake_pci_capability(d, 0xf8, PCI_CAP_MSI);
    fake_pci_capability(d, 0xec, PCI_CAP_PCIE);
    fake_pci_capability(d, 0x64, PCI_CAP_MSI);
    fake_pci_pm(d, 0x60, 0);
    start(d, true);
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0x60);
    assert_int_equal(get(0x60, 2), 0x0001);
    setup(NULL);
    d = plain(0x8086);
    fake_pci_capability(d, 0x10, PCI_CAP_PM);
    start(d, true);
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0);
}

// ---- power -------------------------------------------------------------------------------------

static void power_states(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_network();
    start(d, true);
    assert_int_equal(get(0xca, 2), 0x0003); // no wake-up, no D1, no D2
    put(PCI_COMMAND, 2, 0x0006);
    put(PCI_BAR0, 4, 0xd0000000);
    put(0xd2, 2, PCI_MSI_ENABLE);
    assert_int_equal(put(0xcc, 2, 1), 0); // D1
    assert_int_equal(get(0xcc, 2), 0);
    assert_int_equal(put(0xcc, 2, 0), 0);
    fake_pci_set(d, 0xcc, 2, 0x8000);
    fake_pci_written = 0;
    assert_int_equal(put(0xcc, 2, 0x8103), VPCI_EFFECT_POWER);
    assert_int_equal(fake_pci_written, 1);
    assert_int_equal(fake_pci_get(d, 0xcc, 2), 0x8003); // neither PME's enable nor its status
    assert_int_equal(get(0xcc, 2), 0x0003);
    assert_true(vpci_msi(f).enabled);
    // The way back is a reset.
    assert_int_equal(put(0xcc, 2, 0), VPCI_EFFECT_POWER | RESET_EFFECTS);
    assert_int_equal(get(PCI_COMMAND, 2), 0);
    assert_int_equal(get(PCI_BAR0, 4), 0);
    assert_false(vpci_msi(f).enabled);
    assert_int_equal(get(0xcc, 2), 0);
    // What vpci_sync() is for.
    fake_pci_set(d, PCI_COMMAND, 2, 0x0007);
    vpci_sync(f);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0x0003);
}

static void power_without_reset(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x8086);
    fake_pci_pm(d, 0x40, 0x0008);
    start(d, true);
    put(PCI_COMMAND, 2, 0x0006);
    assert_int_equal(put(0x44, 1, 3), VPCI_EFFECT_POWER);
    assert_int_equal(get(0x44, 2), 0x000b);
    assert_int_equal(put(0x44, 4, 0), VPCI_EFFECT_POWER);
    assert_int_equal(get(PCI_COMMAND, 2), 0x0006);
}

// ---- MSI ---------------------------------------------------------------------------------------

static void msi_is_virtual(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x8086);
    fake_pci_msi(d, 0x40, 3 << PCI_MSI_CAPABLE_SHIFT | PCI_MSI_64 | PCI_MSI_MASKABLE | 0x0600);
    start(d, true);
    assert_int_equal(get(0x42, 2), 0x0186); // the extended data bits are not shown
    assert_int_equal(put(0x44, 4, 0xfee01007), VPCI_EFFECT_MSI);
    assert_int_equal(put(0x48, 4, 0x00000001), VPCI_EFFECT_MSI);
    assert_int_equal(put(0x4c, 4, 0xffff4041), VPCI_EFFECT_MSI);
    assert_int_equal(put(0x50, 4, 0x000000f0), VPCI_EFFECT_MSI);
    assert_int_equal(put(0x50, 4, 0x000000f0), 0);
    assert_int_equal(get(0x44, 4), 0xfee01004);
    assert_int_equal(get(0x4c, 4), 0x4041);
    assert_int_equal(fake_pci_written, 0);
    assert_true(vpci_intx_enabled(f));
    // On: the pin goes off, nothing else of the device's changes.
    assert_int_equal(put(0x42, 2, 0xffff), VPCI_EFFECT_MSI);
    assert_int_equal(get(0x42, 2), 0x01f7);
    assert_int_equal(fake_pci_written, 1);
    assert_int_equal(fake_pci_writes[0].offset, PCI_COMMAND);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), PCI_COMMAND_INTX_DISABLE);
    assert_false(vpci_intx_enabled(f));
    struct vpci_msi m = vpci_msi(f);
    assert_true(m.enabled);
    assert_int_equal(m.vectors, 8); // asked for more than it has
    assert_true(m.address == 0x1fee01004);
    assert_int_equal(m.data, 0x4041);
    assert_int_equal(m.mask, 0xf0);
    put(0x42, 2, 2 << PCI_MSI_ENABLED_SHIFT);
    assert_int_equal(vpci_msi(f).vectors, 4);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0);
    fake_pci_set(d, 0x54, 4, 0x12);
    assert_int_equal(get(0x54, 4), 0x12); // pending
}

static void msi_of_32_bits(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x8086);
    fake_pci_msi(d, 0x40, 0);
    fake_pci_set(d, 0x4c, 4, 0xdeadbeef); // behind it, nobody's
    start(d, true);
    put(0x44, 4, 0xfee02000);
    put(0x48, 4, 0xffff0031);
    put(0x4c, 4, 0xffffffff);
    struct vpci_msi m = vpci_msi(f);
    assert_true(m.address == 0xfee02000);
    assert_int_equal(m.data, 0x31);
    assert_int_equal(m.mask, 0);
    assert_int_equal(m.vectors, 1);
    assert_int_equal(get(0x4c, 4), 0);
    assert_int_equal(get(0x48, 4), 0x31);

    setup(NULL);
    d = plain(0x8086);
    fake_pci_msi(d, 0x40, PCI_MSI_MASKABLE | 7 << PCI_MSI_CAPABLE_SHIFT);
    start(d, true);
    put(0x4c, 4, 0x5);
    put(0x42, 2, 0x70);
    fake_pci_set(d, 0x50, 4, 0x3);
    assert_int_equal(vpci_msi(f).mask, 5);
    assert_int_equal(vpci_msi(f).vectors, 32); // 64 and 128 are none
    assert_int_equal(get(0x50, 4), 3);
}

// ---- MSI-X -------------------------------------------------------------------------------------

static void msix_control(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_network();
    start(d, true);
    assert_int_equal(f->msix_vectors, 5);
    assert_int_equal(f->msix_bar, 3);
    assert_int_equal(f->msix_table, 0);
    assert_int_equal(f->msix_pba, 0x2000);
    assert_int_equal(f->msix_pba_bar, 3);
    assert_int_equal(get(0xa2, 2), 4);
    assert_int_equal(get(0xa4, 4), 3);
    assert_int_equal(get(0xa8, 4), 0x2003);
    assert_int_equal(put(0xa2, 2, 0xffff), VPCI_EFFECT_MSIX);
    assert_int_equal(get(0xa2, 2), 0xc004);
    assert_int_equal(vpci_msix_control(f), 0xc000);
    assert_int_equal(put(0xa3, 1, 0x80), VPCI_EFFECT_MSIX);
    assert_int_equal(vpci_msix_control(f), PCI_MSIX_ENABLE);
    assert_false(vpci_intx_enabled(f));
    assert_int_equal(put(0xa4, 4, 0), 0);
    assert_int_equal(fake_pci_get(d, 0xa2, 2), 4); // the device's is the caller's to write
    assert_int_equal(put(0xa2, 2, 0), VPCI_EFFECT_MSIX);
    assert_true(vpci_intx_enabled(f));
}

static void msix_outside_of_its_bar_is_hidden(void **state)
{
    (void)state;
    static const struct {
        unsigned vectors;
        uint32_t table, pba;
    } bad[] = {
        {2048, 0x8008, 0},  {1, 0x10000, 0},    {16, 0xff08, 0}, {64, 0, 0xfffffff8},
        {64, 0, 0x0001000}, {1, 0x00000001, 0}, {1, 6, 0},       {1, 0, 7},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setup(NULL);
        struct fake_pci *d = plain(0x8086);
        fake_pci_bar(d, 1, PCI_BAR_IO, 0xc000, 0x80);
        fake_pci_msix(d, 0x40, bad[i].vectors, bad[i].table, bad[i].pba);
        start(d, true);
        bool fits = i == 4; // the one that is right
        assert_int_equal(get(PCI_CAPABILITIES, 1), fits ? 0x40 : 0);
        assert_int_equal(f->msix_vectors, fits ? 64 : 0);
    }
}

// ---- PCI Express -------------------------------------------------------------------------------

static void express(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_network();
    start(d, true);
    assert_int_equal(get(0xe2, 2), 0x0091); // an integrated endpoint
    assert_int_equal(get(0xe4, 4), 0x10008fe1);
    assert_int_equal(get(0xec, 4), 0x00036c11);
    assert_int_equal(fake_pci_get(d, 0xe8, 2), 0x2010); // no-snoop is off
    assert_int_equal(get(0xe8, 2), 0x2010);
    assert_int_equal(put(0xe8, 2, 0x7fff), 0);
    assert_int_equal(get(0xe8, 2), 0x281f); // remembered: no-snoop, error enables
    assert_int_equal(fake_pci_get(d, 0xe8, 2), 0x2010);
    put(0xe8, 2, 0);
    assert_int_equal(fake_pci_get(d, 0xe8, 2), 0x2000);
    put(0xe8, 4, 0x00010000);
    assert_int_equal(get(0xea, 2), 0x0008);
    fake_pci_written = 0;
    put(0xf0, 4, 0xffffffff); // link control
    put(0xe2, 2, 0xffff);
    assert_int_equal(fake_pci_written, 0);
    assert_int_equal(get(0xf4, 4), 0);
}

static void function_level_reset(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_network();
    start(d, true);
    put(PCI_COMMAND, 2, 0x0007);
    put(0xa2, 2, PCI_MSIX_ENABLE);
    fake_pci_written = 0;
    assert_int_equal(put(0xe9, 1, 0x80), VPCI_EFFECT_FLR | RESET_EFFECTS);
    assert_int_equal(fake_pci_written, 0); // the caller does it
    assert_int_equal(get(PCI_COMMAND, 2), 0);
    assert_int_equal(get(PCI_BAR0, 4), 0);
    assert_int_equal(vpci_msix_control(f), 0);
    assert_int_equal(get(0xe8, 2) & 0x8000, 0);
    // A device that has none.
    fake_pci_set(d, 0xe4, 4, 0x00008fe1);
    put(PCI_COMMAND, 2, 0x0007);
    assert_int_equal(put(0xe8, 2, 0x8000), 0);
    assert_int_equal(get(PCI_COMMAND, 2), 0x0007);
}

static void express_of_other_kinds(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x8086);
    fake_pci_express(d, 0x40, 0x0142); // a port with a slot
    start(d, true);
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0);

    setup(NULL);
    d = plain(0x8086);
    fake_pci_express(d, 0x40, 0x0092);
    fake_pci_set(d, 0x64, 4, 0x1f);
    fake_pci_set(d, 0x54, 4, 0x77); // slot
    start(d, true);
    assert_int_equal(get(0x64, 4), 0x1f);
    assert_int_equal(get(0x54, 4), 0);
    put(0x68, 4, 0xffffffff);
    assert_int_equal(fake_pci_written, 0);

    // Version 1 of an integrated endpoint ends before the link's registers.
    setup(NULL);
    d = plain(0x8086);
    fake_pci_pm(d, 0x4c, 0);
    uint32_t pm = fake_pci_get(d, 0x4c, 4);
    fake_pci_express(d, 0x40, 0x0091);
    fake_pci_set(d, 0x4c, 4, pm);
    start(d, true);
    assert_int_equal(get(0x40, 2), 0x4c10);
    assert_int_equal(get(0x4c, 2), 0x0001);
}

// ---- virtio ------------------------------------------------------------------------------------

static void virtio(void **state)
{
    (void)state;
    struct fake_pci *d = plain(0x1af4);
    fake_pci_virtio(d, 0x40, 5, 20); // the window: hidden
    fake_pci_virtio(d, 0x54, 2, 20);
    fake_pci_virtio(d, 0x68, 1, 16);
    fake_pci_virtio(d, 0x78, 8, 24);
    fake_pci_virtio(d, 0x90, 4, 15); // too short
    fake_pci_virtio(d, 0xa0, 9, 16); // of no type that is known
    fake_pci_virtio(d, 0xb0, 4, 16);
    fake_pci_virtio(d, 0xc0, 3, 16);
    fake_pci_set(d, 0x64, 4, 4); // the multiplier
    start(d, true);
    static const uint8_t shown[] = {0xc0, 0xb0, 0x78, 0x68, 0x54, 0};
    unsigned link = PCI_CAPABILITIES;
    for (unsigned i = 0; i < sizeof(shown); i++) {
        assert_int_equal(get(link, 1), shown[i]);
        link = shown[i] + 1u;
    }
    assert_int_equal(get(0x5c, 4), 0x2000);
    assert_int_equal(get(0x64, 4), 4);
    for (unsigned reg = 0x40; reg < 0x100; reg += 4) {
        uint32_t before = get(reg, 4);
        assert_int_equal(put(reg, 4, ~before), 0);
        assert_int_equal(get(reg, 4), before);
    }
    assert_int_equal(fake_pci_written, 0);
    assert_int_equal(get(0x40, 4) | get(0x48, 4) | get(0x50, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(unknown_ones_are_skipped, setup),
        cmocka_unit_test_setup(without_any, setup),
        cmocka_unit_test_setup(broken_lists, setup),
        cmocka_unit_test_setup(power_states, setup),
        cmocka_unit_test_setup(power_without_reset, setup),
        cmocka_unit_test_setup(msi_is_virtual, setup),
        cmocka_unit_test_setup(msi_of_32_bits, setup),
        cmocka_unit_test_setup(msix_control, setup),
        cmocka_unit_test_setup(msix_outside_of_its_bar_is_hidden, setup),
        cmocka_unit_test_setup(express, setup),
        cmocka_unit_test_setup(function_level_reset, setup),
        cmocka_unit_test_setup(express_of_other_kinds, setup),
        cmocka_unit_test_setup(virtio, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
