// SPDX-License-Identifier: Apache-2.0
// hv/device/map.c: BARs in the guest's memory without the pages of the MSI-X table, tables of
// the window within their budget, I/O BARs, and what resets that the guest asks for leave.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/device/passthrough.h"
#include "hv/machine/guest_platform.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/fake_print.h"
#include "tests/unit/passthrough_fixture.h"

#define EXPRESS_CONTROL 0xe8u
#define POWER           0xccu
#define FLR             0x8000u

static int setup(void **state)
{
    (void)state;
    fix_start(true, PCI_MSI_64);
    return 0;
}

static struct passthrough *pt(void)
{
    return fix.partition.passthrough;
}

// Where a guest-physical address leads; 0: nowhere.
static uint64_t reaches(uint64_t gpa)
{
    struct pt_leaf leaf;
    if (!pt_lookup(&fix.partition.second_level, gpa, &leaf)) {
        return 0;
    }
    assert_true(leaf.flags & PT_UC);
    assert_false(leaf.flags & PT_EXEC);
    return leaf.pa.v;
}

static uint64_t bar(unsigned n)
{
    return fix_config_read(PCI_BAR0 + 4 * n, 4) & ~0xfull;
}

static uint64_t host_bar(unsigned n)
{
    return fix.device->function.bar[n].address;
}

static void set_decoding(bool on)
{
    fix_config(PCI_COMMAND, 2, on ? PCI_COMMAND_MEMORY | PCI_COMMAND_IO : 0);
}

static void bars_follow_the_command_register(void **state)
{
    (void)state;
    assert_int_equal(reaches(bar(0)), 0);
    set_decoding(true);
    for (uint64_t at = 0; at < 0x20000; at += PAGE_SIZE) {
        assert_int_equal(reaches(bar(0) + at), host_bar(0) + at);
        assert_int_equal(reaches(bar(1) + at), host_bar(1) + at);
    }
    assert_int_equal(reaches(bar(0) - 1), 0);
    assert_int_equal(fix.flushes, 0); // nothing was there before
    set_decoding(false);
    assert_int_equal(reaches(bar(0)), 0);
    assert_int_equal(reaches(bar(1) + 0x1f000), 0);
    assert_int_equal(fix.flushes, 1);
    assert_int_equal(fix.posted[1], WORK_FLUSH);
}

static void msix_pages_stay_out(void **state)
{
    (void)state;
    set_decoding(true);
    for (uint64_t at = 0; at < FIX_BAR3_SIZE; at += PAGE_SIZE) {
        assert_int_equal(reaches(bar(3) + at), at == FIX_TABLE ? 0 : host_bar(3) + at);
    }
    // An I/O BAR is nowhere in memory.
    struct passthrough_pages pages[2];
    assert_int_equal(passthrough_direct_pages(fix.d, 2, pages), 0);
    assert_int_equal(passthrough_direct_pages(fix.d, 3, pages), 2);
    assert_int_equal(pages[0].size + pages[1].size, FIX_BAR3_SIZE - PAGE_SIZE);
    assert_int_equal(pages[1].hpa, host_bar(3) + FIX_TABLE + PAGE_SIZE);
}

// The page of the table holds other registers, too.
static void beside_the_table(void **state)
{
    (void)state;
    struct vcpu *v = &fix.vcpu[0];
    set_decoding(true);
    uint64_t page = bar(3) + FIX_TABLE, pending = page + 0x800;
    fix.bar3[(FIX_TABLE + 0x800) / 4] = 0x89abcdef;
    fix.bar3[(FIX_TABLE + 0x804) / 4] = 0x01234567;
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){pending}, 8), 0x0123456789abcdef);
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){pending}, 4), 0x89abcdef);
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){pending + 2}, 2), 0x89ab);
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){pending + 3}, 1), 0x89);
    passthrough_mmio_write(v, (gpa_t){page + 0x900}, 8, 0x1111222233334444);
    passthrough_mmio_write(v, (gpa_t){page + 0x900}, 2, 0x5555);
    passthrough_mmio_write(v, (gpa_t){page + 0x902}, 1, 0x66);
    passthrough_mmio_write(v, (gpa_t){page + 0x904}, 4, 0x77777777);
    assert_int_equal(fix.bar3[(FIX_TABLE + 0x900) / 4], 0x33665555);
    assert_int_equal(fix.bar3[(FIX_TABLE + 0x904) / 4], 0x77777777);
    // One that reaches into the table never gets through to the device, nor does a crooked one.
    uint64_t last = page + FIX_VECTORS * PCI_MSIX_ENTRY_SIZE;
    passthrough_mmio_write(v, (gpa_t){last - 4}, 8, UINT64_MAX);
    assert_int_equal(fix.bar3[(FIX_TABLE + FIX_VECTORS * PCI_MSIX_ENTRY_SIZE) / 4], 0);
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){pending + 1}, 2), UINT64_MAX);
    // Pages that are mapped, and places that are nobody's, are not for this way.
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){bar(3)}, 4), UINT64_MAX);
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){GUEST_PCI_WINDOW + 0x1ff00000}, 4),
                     UINT64_MAX);
    passthrough_mmio_write(v, (gpa_t){GUEST_PCI_WINDOW + 0x1ff00000}, 4, 0);
    fix.d->lost = true;
    assert_int_equal(passthrough_mmio_read(v, (gpa_t){pending}, 4), UINT64_MAX);
}

static void bars_move(void **state)
{
    (void)state;
    set_decoding(true);
    uint64_t from = bar(0), to = GUEST_PCI_WINDOW + 0x10000000;
    fix_config(PCI_BAR0, 4, (uint32_t)to);
    assert_int_equal(reaches(from), 0);
    assert_int_equal(reaches(to + 0x1000), host_bar(0) + 0x1000);
    assert_int_equal(fix_config_read(PCI_BAR0, 4), to);
    // Out of the window, over RAM: nowhere. The device's own BAR has never moved.
    fix_config(PCI_BAR0, 4, 0x100000);
    assert_int_equal(reaches(0x100000), 0);
    assert_int_equal(reaches(to), 0);
    assert_int_equal(fake_pci_get(fix.device, PCI_BAR0, 4), host_bar(0));
    // Over another: neither, until they are apart again.
    fix_config(PCI_BAR0, 4, (uint32_t)bar(1));
    assert_int_equal(reaches(bar(1)), 0);
    fix_config(PCI_BAR0, 4, (uint32_t)from);
    assert_int_equal(reaches(from), host_bar(0));
    assert_int_equal(reaches(bar(1)), host_bar(1));
}

// A guest that moves a BAR to all 2 MiB of the window in turn uses up its tables, and no more.
static void tables_have_a_budget(void **state)
{
    (void)state;
    set_decoding(true);
    uint64_t home = bar(0);
    unsigned mapped = 0, refused = 0, pages = 0;
    for (uint64_t at = 0; at < GUEST_PCI_WINDOW_SIZE; at += MIB(2)) {
        uint64_t to = GUEST_PCI_WINDOW + at + MIB(1);
        fix_config(PCI_BAR0, 4, (uint32_t)to);
        mapped += reaches(to) != 0;
        refused += reaches(to) == 0;
        if (pt()->tables_left == 0 && pages == 0) {
            pages = fake_heap_used();
        }
    }
    assert_true(mapped >= 16 && refused > 0);
    assert_int_equal(mapped + refused, GUEST_PCI_WINDOW_SIZE / MIB(2));
    assert_true(fake_printed("no room for its page tables"));
    assert_int_equal(fake_heap_used(), pages);
    // Where it has been it may go again.
    fix_config(PCI_BAR0, 4, (uint32_t)home);
    assert_int_equal(reaches(home), host_bar(0));
    // A BAR over the border of two tables of which only the first may be made: nothing stays.
    passthrough_unmap_all(&fix.partition);
    assert_int_equal(reaches(home), 0);
    for (unsigned n = 0; n < PCI_BARS; n++) {
        assert_int_equal(fix.d->mapped[n], 0);
    }
}

static void reset_by_the_guest(void **state)
{
    (void)state;
    set_decoding(true);
    fix_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    uint64_t at = bar(0);
    unsigned resets = fix.resets;
    fix_config(EXPRESS_CONTROL, 2, FLR);
    assert_int_equal(fix.resets, resets + 1);
    assert_int_equal(reaches(at), 0);
    assert_int_equal(bar(0), 0);
    // Memory decoding is on for the hypervisor's sake; the rest is as the guest sees it: no bus
    // master, and the pin not disabled.
    uint32_t command = fake_pci_get(fix.device, PCI_COMMAND, 2);
    assert_false(command & (PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE));
    assert_true(command & PCI_COMMAND_MEMORY);
    // A device that does not come back: off, and told.
    fix_config(PCI_BAR0, 4, (uint32_t)at);
    set_decoding(true);
    assert_int_equal(reaches(at), host_bar(0));
    fix.reset_status = ERR_NOT_FOUND;
    fix_config(EXPRESS_CONTROL, 2, FLR);
    assert_true(fix.d->lost);
    assert_true(fake_printed("alpha: device 00:03.0 does not answer any more"));
    fix_config(PCI_BAR0, 4, (uint32_t)at);
    set_decoding(true);
    assert_int_equal(reaches(at), 0);
}

static void power_is_a_reset_too(void **state)
{
    (void)state;
    set_decoding(true);
    fix_config(POWER, 2, 3);
    unsigned restores = fix.restores;
    fix.delayed = 0;
    fix_config(POWER, 2, 0);
    assert_int_equal(fix.restores, restores + 1);
    assert_true(fix.delayed >= 10000);
    assert_int_equal(bar(0), 0);
    assert_false(fake_pci_get(fix.device, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

static void ports(void **state)
{
    (void)state;
    struct partition *p = &fix.partition;
    uint16_t at = (uint16_t)(fix_config_read(PCI_BAR0 + 8, 4) & ~3u);
    uint32_t value = 0;
    assert_false(passthrough_port_read(p, at, 4, &value)); // not decoded yet
    set_decoding(true);
    fix.port_value = 0x12345678;
    assert_true(passthrough_port_read(p, (uint16_t)(at + 4), 2, &value));
    assert_int_equal(value, 0x5678);
    assert_int_equal(fix.port, 0xc044);
    assert_true(passthrough_port_write(p, (uint16_t)(at + 0x1c), 4, 0xcafe));
    assert_int_equal(fix.port, 0xc05c);
    assert_int_equal(fix.port_value, 0xcafe);
    unsigned accesses = fix.port_accesses;
    assert_false(passthrough_port_write(p, (uint16_t)(at + 0x1e), 4, 0)); // beyond its end
    assert_false(passthrough_port_read(p, (uint16_t)(at - 1), 1, &value));
    assert_false(passthrough_port_read(p, 0xc040, 1, &value)); // the machine's number
    p->passthrough = NULL;
    assert_false(passthrough_port_read(p, at, 1, &value));
    assert_false(passthrough_port_write(p, at, 1, 0));
    assert_int_equal(fix.port_accesses, accesses);
}

static void who_owns_an_address(void **state)
{
    (void)state;
    struct partition *p = &fix.partition;
    assert_true(passthrough_owns(p, (gpa_t){GUEST_ECAM_ADDRESS}));
    assert_true(passthrough_owns(p, (gpa_t){GUEST_PCI_WINDOW}));
    assert_true(passthrough_owns(p, (gpa_t){GUEST_ECAM_ADDRESS + GUEST_ECAM_SIZE - 1}));
    assert_false(passthrough_owns(p, (gpa_t){GUEST_ECAM_ADDRESS + GUEST_ECAM_SIZE}));
    assert_false(passthrough_owns(p, (gpa_t){GUEST_PCI_WINDOW - 1}));
    p->passthrough = NULL;
    assert_false(passthrough_owns(p, (gpa_t){GUEST_ECAM_ADDRESS}));
    passthrough_effect(&fix.vcpu[0], (struct vpci_effect){VPCI_EFFECT_BARS, fix.virt});
}

// Eight bytes of memory-mapped configuration space are two registers.
static void wide_configuration_access(void **state)
{
    (void)state;
    uint64_t at = GUEST_ECAM_ADDRESS + ((uint32_t)fix.virt->devfn << 12);
    uint64_t id = passthrough_mmio_read(&fix.vcpu[0], (gpa_t){at}, 8);
    assert_int_equal((uint32_t)id, 0x10d38086);
    assert_int_equal(id >> 32 & 0xffff, fix_config_read(PCI_COMMAND, 2));
    passthrough_mmio_write(&fix.vcpu[0], (gpa_t){at + PCI_BAR0}, 8, UINT64_MAX);
    assert_int_equal(fix_config_read(PCI_BAR0, 4), 0xfffe0000);
    assert_int_equal(fix_config_read(PCI_BAR0 + 4, 4), 0xfffe0000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bars_follow_the_command_register, setup),
        cmocka_unit_test_setup(msix_pages_stay_out, setup),
        cmocka_unit_test_setup(beside_the_table, setup),
        cmocka_unit_test_setup(bars_move, setup),
        cmocka_unit_test_setup(tables_have_a_budget, setup),
        cmocka_unit_test_setup(reset_by_the_guest, setup),
        cmocka_unit_test_setup(power_is_a_reset_too, setup),
        cmocka_unit_test_setup(ports, setup),
        cmocka_unit_test_setup(who_owns_an_address, setup),
        cmocka_unit_test_setup(wide_configuration_access, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
