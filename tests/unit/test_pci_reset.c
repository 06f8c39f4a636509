// SPDX-License-Identifier: Apache-2.0
// Functions that are reset in each way, that lie, and that don't come back; and the end of what
// firmware left running, USB legacy support included.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake_pci.h"
#include "tests/unit/fake_print.h"

#define NIC 0x020000
#define BAR 0xfe000000u

static struct pci_machine pci;

static int setup(void **state)
{
    (void)state;
    struct acpi_info none = {.mcfg_count = 0};
    fake_pci_clear();
    fake_print_clear();
    pci.count = 0;
    assert_int_equal(pci_map_config(&pci, &none), STATUS_OK);
    return 0;
}

// A function as firmware leaves one that it used.
static struct fake_function *add_device(pci_address_t a)
{
    struct fake_function *f = fake_pci_add(a, NIC);
    fake_pci_bar(f, 0, 0, 0x1000, BAR);
    fake_pci_bar(f, 1, PCI_BAR_TYPE_64, 0x4000, GIB(5));
    fake_pci_bar(f, 3, PCI_BAR_IS_IO, 0x20, 0xc000);
    fake_pci_set(f, PCI_COMMAND, 2, 0x0007);
    fake_pci_set(f, PCI_CACHE_LINE, 2, 0x4010);
    fake_pci_set(f, PCI_INTERRUPT_LINE, 1, 10);
    unsigned msi = fake_pci_capability(f, PCI_CAP_MSI, 14);
    fake_pci_set(f, msi + PCI_MSI_CONTROL, 2, PCI_MSI_64 | PCI_MSI_ENABLE);
    fake_pci_let_write(f, msi + PCI_MSI_CONTROL, 2, PCI_MSI_ENABLE);
    unsigned msix = fake_pci_capability(f, PCI_CAP_MSIX, 12);
    fake_pci_set(f, msix + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE | 7);
    fake_pci_let_write(f, msix + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    return f;
}

static const struct pci_function *found(const struct fake_function *f)
{
    int i = pci_find(&pci, f->address);
    assert_true(i >= 0);
    return &pci.function[i];
}

// What holds behind each reset, whatever came of it.
static void check_restored(const struct fake_function *f)
{
    const struct pci_function *g = found(f);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 2), PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(fake_pci_get(f, PCI_BAR0, 4), BAR);
    assert_int_equal(fake_pci_get(f, PCI_BAR0 + 4, 4), MIB(1024) | PCI_BAR_TYPE_64);
    assert_int_equal(fake_pci_get(f, PCI_BAR0 + 8, 4), 1);
    assert_int_equal(fake_pci_get(f, PCI_BAR0 + 12, 4), 0xc001);
    assert_int_equal(fake_pci_get(f, PCI_CACHE_LINE, 2), 0x4010);
    assert_int_equal(fake_pci_get(f, PCI_INTERRUPT_LINE, 1), 10);
    assert_int_equal(fake_pci_get(f, g->msi + PCI_MSI_CONTROL, 2) & PCI_MSI_ENABLE, 0);
    assert_int_equal(fake_pci_get(f, g->msix + PCI_MSIX_CONTROL, 2) & PCI_MSIX_ENABLE, 0);
}

static enum status reset(const struct fake_function *f, uint64_t *took)
{
    uint64_t begin = fake_pci_now;
    pci_scan(&pci);
    enum status s = pci_reset_function(&pci, found(f));
    *took = fake_pci_now - begin;
    return s;
}

// ---- ways ------------------------------------------------------------------------------------

static void an_express_function_is_reset_by_its_capability(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    unsigned express = fake_pci_express(f, PCI_PORT_ENDPOINT, true);
    fake_pci_power(f, false);
    fake_pci_set(f, express + PCI_PCIE_DEVICE_CONTROL, 2, 0x5830);
    fake_pci_set(f, express + PCI_PCIE_LINK_CONTROL, 2, 0x0040);
    fake_pci_set(f, express + PCI_PCIE_DEVICE_CONTROL2, 2, 0x0005);
    f->silent_us = 300000;
    uint64_t took;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_int_equal(f->resets, 1);
    assert_false(f->mastering_at_reset);
    assert_in_range(took, 300000, 320000);
    check_restored(f);
    assert_int_equal(fake_pci_get(f, express + PCI_PCIE_DEVICE_CONTROL, 2), 0x5830);
    assert_int_equal(fake_pci_get(f, express + PCI_PCIE_LINK_CONTROL, 2), 0x0040);
    assert_int_equal(fake_pci_get(f, express + PCI_PCIE_DEVICE_CONTROL2, 2), 0x0005);
    assert_int_equal(fake_print_count(), 0);
}

static void pending_requests_are_waited_for(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    unsigned express = fake_pci_express(f, PCI_PORT_ENDPOINT, true);
    fake_pci_set(f, express + PCI_PCIE_DEVICE_STATUS, 2, PCI_PCIE_STATUS_PENDING);
    uint64_t took;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_in_range(took, 600000, 620000);
    assert_true(fake_printed("device 00:01.0 still has requests on their way"));
    check_restored(f);
}

static void an_advanced_function_is_reset_by_its_capability(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    unsigned af = fake_pci_advanced(f);
    uint64_t took;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_int_equal(f->resets, 1);
    assert_in_range(took, 100000, 110000);
    check_restored(f);
    f->config[af + PCI_AF_STATUS] = PCI_AF_STATUS_TP;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_true(fake_printed("still has requests"));
    assert_int_equal(f->resets, 2);
}

static void a_function_is_reset_by_putting_it_to_sleep(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    fake_pci_power(f, false);
    uint64_t took;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_int_equal(f->resets, 1);
    assert_in_range(took, 20000, 30000);
    check_restored(f);
    assert_int_equal(f->config[f->pm + PCI_PM_CONTROL] & PCI_PM_STATE, 0);
}

static void a_sleeping_function_is_woken_first(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    fake_pci_power(f, true);
    fake_pci_advanced(f);
    fake_pci_set(f, f->pm + PCI_PM_CONTROL, 1, PCI_PM_NO_SOFT_RESET | PCI_PM_D3);
    uint64_t took;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_int_equal(f->config[f->pm + PCI_PM_CONTROL] & PCI_PM_STATE, 0);
    check_restored(f);
}

static void a_function_without_a_way_is_stopped(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    fake_pci_power(f, true);
    fake_pci_express(f, PCI_PORT_ENDPOINT, false);
    uint64_t took;
    assert_int_equal(reset(f, &took), ERR_UNSUPPORTED);
    assert_int_equal(f->resets, 0);
    check_restored(f);
}

static void a_way_that_does_nothing_is_seen(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    fake_pci_power(f, false);
    fake_pci_advanced(f);
    fake_pci_express(f, PCI_PORT_ENDPOINT, true);
    f->resets_lie = true;
    uint64_t took;
    assert_int_equal(reset(f, &took), ERR_UNSUPPORTED);
    check_restored(f);
    // One that can't show it is believed.
    f->writable[PCI_COMMAND + 1] = 0;
    fake_pci_set(f, PCI_COMMAND, 2, 0);
    assert_int_equal(reset(f, &took), STATUS_OK);
}

static void a_function_that_stays_away_is_told(void **state)
{
    (void)state;
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    fake_pci_express(f, PCI_PORT_ENDPOINT, true);
    f->silent_us = 60000000;
    uint64_t took;
    assert_int_equal(reset(f, &took), ERR_NOT_FOUND);
    assert_in_range(took, 1000000, 2000000);
    assert_int_equal(pci_reset_function(&pci, found(f)), ERR_NOT_FOUND);
}

// ---- reset of a bus --------------------------------------------------------------------------

static void a_function_alone_behind_its_port_is_reset_by_the_bus(void **state)
{
    (void)state;
    struct fake_function *port = fake_pci_add_bridge(pci_at(0, 2, 0), 1, 1);
    fake_pci_express(port, PCI_PORT_ROOT, false);
    fake_pci_set(port, PCI_BRIDGE_CONTROL, 2, 0x0003);
    struct fake_function *f = add_device(pci_at(1, 0, 0));
    struct fake_function *other = add_device(pci_at(0, 3, 0));
    uint64_t took;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_int_equal(f->resets, 1);
    assert_int_equal(other->resets, 0);
    assert_in_range(took, 101000, 110000);
    assert_int_equal(fake_pci_get(port, PCI_BRIDGE_CONTROL, 2), 0x0003);
    check_restored(f);
}

static void a_group_is_reset_and_restored_together(void **state)
{
    (void)state;
    fake_pci_add_bridge(pci_at(0, 2, 0), 1, 1);
    struct fake_function *f = add_device(pci_at(1, 1, 0));
    struct fake_function *beside = add_device(pci_at(1, 2, 0));
    beside->silent_us = 500000;
    uint64_t took;
    assert_int_equal(reset(f, &took), STATUS_OK);
    assert_int_equal(beside->resets, 1);
    assert_false(beside->mastering_at_reset);
    check_restored(f);
    check_restored(beside);
}

static void anothers_function_is_not_reset_with_it(void **state)
{
    (void)state;
    fake_pci_express(fake_pci_add_bridge(pci_at(0, 2, 0), 1, 1), PCI_PORT_ROOT, false);
    struct fake_function *f = add_device(pci_at(1, 0, 0));
    struct fake_function *beside = add_device(pci_at(1, 0, 1));
    pci_scan(&pci);
    assert_int_equal(found(f)->group, found(beside)->group);
    pci.function[pci_find(&pci, beside->address)].group = 99; // as if they were isolated
    assert_int_equal(pci_reset_function(&pci, found(f)), ERR_UNSUPPORTED);
    assert_int_equal(f->resets + beside->resets, 0);
}

static void a_bus_with_a_further_bridge_is_not_reset(void **state)
{
    (void)state;
    fake_pci_add_bridge(pci_at(0, 2, 0), 1, 2);
    struct fake_function *f = add_device(pci_at(1, 1, 0));
    struct fake_function *bridge = fake_pci_add_bridge(pci_at(1, 2, 0), 2, 2);
    uint64_t took;
    assert_int_equal(reset(f, &took), ERR_UNSUPPORTED);
    assert_int_equal(f->resets + bridge->resets, 0);
    check_restored(f);
}

static void access_control_is_on_again_behind_a_reset(void **state)
{
    (void)state;
    struct acpi_info acpi = fake_pci_mcfg(FAKE_PCI_ECAM);
    struct fake_function *f = add_device(pci_at(0, 1, 0));
    fake_pci_express(f, PCI_PORT_ENDPOINT, true);
    unsigned acs = fake_pci_acs(f, PCI_ACS_RR | PCI_ACS_CR);
    pci_scan(&pci);
    assert_int_equal(pci_map_config(&pci, &acpi), STATUS_OK);
    assert_int_equal(pci_reset_function(&pci, found(f)), STATUS_OK);
    assert_int_equal(fake_pci_get(f, acs + PCI_ACS_CONTROL, 2), PCI_ACS_RR | PCI_ACS_CR);
}

// ---- what firmware left ----------------------------------------------------------------------

static void what_firmware_left_is_stopped(void **state)
{
    (void)state;
    struct fake_function *host = fake_pci_add(pci_at(0, 0, 0), 0x060000);
    fake_pci_set(host, PCI_COMMAND, 2, 0x0006);
    struct fake_function *bridge = fake_pci_add_bridge(pci_at(0, 2, 0), 1, 1);
    fake_pci_set(bridge, PCI_COMMAND, 2, 0x0007);
    unsigned msi = fake_pci_capability(bridge, PCI_CAP_MSI, 14);
    fake_pci_set(bridge, msi + PCI_MSI_CONTROL, 2, PCI_MSI_ENABLE);
    fake_pci_let_write(bridge, msi + PCI_MSI_CONTROL, 2, PCI_MSI_ENABLE);
    struct fake_function *iommu = fake_pci_add(pci_at(0, 3, 0), 0x080600);
    fake_pci_set(iommu, PCI_COMMAND, 2, 0x0004);
    struct fake_function *f = add_device(pci_at(1, 1, 0));
    fake_pci_set(f, PCI_ROM, 4, 0xfd000001);
    fake_pci_let_write(f, PCI_ROM, 4, 0xffff0001);
    pci_scan(&pci);
    pci_quiesce(&pci);
    assert_int_equal(fake_pci_get(host, PCI_COMMAND, 2), 0x0006);
    assert_int_equal(fake_pci_get(bridge, PCI_COMMAND, 2), 0x0007 | PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(fake_pci_get(bridge, msi + PCI_MSI_CONTROL, 2), 0);
    assert_int_equal(fake_pci_get(iommu, PCI_COMMAND, 2), 0x0404);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 2), 0x0003 | PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(fake_pci_get(f, found(f)->msi + PCI_MSI_CONTROL, 2), PCI_MSI_64);
    assert_int_equal(fake_pci_get(f, found(f)->msix + PCI_MSIX_CONTROL, 2), 7);
    assert_int_equal(fake_pci_get(f, PCI_ROM, 4), 0xfd000000);
}

static void bridges_above_are_opened(void **state)
{
    (void)state;
    struct fake_function *outer = fake_pci_add_bridge(pci_at(0, 2, 0), 1, 2);
    struct fake_function *inner = fake_pci_add_bridge(pci_at(1, 2, 0), 2, 2);
    struct fake_function *other = fake_pci_add_bridge(pci_at(0, 3, 0), 3, 3);
    struct fake_function *f = fake_pci_add(pci_at(2, 1, 0), NIC);
    pci_scan(&pci);
    pci_open_bridges(&pci, found(f));
    assert_int_equal(fake_pci_get(outer, PCI_COMMAND, 2), 7);
    assert_int_equal(fake_pci_get(inner, PCI_COMMAND, 2), 7);
    assert_int_equal(fake_pci_get(other, PCI_COMMAND, 2), 0);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 2), 0);
}

// ---- USB -------------------------------------------------------------------------------------

static struct fake_function *add_usb(uint32_t class_code)
{
    struct fake_function *f = fake_pci_add(pci_at(0, 5, 0), class_code);
    fake_pci_bar(f, 0, 0, 0x1000, BAR);
    fake_pci_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return f;
}

static void stop_all(void)
{
    pci_scan(&pci);
    pci_quiesce(&pci);
}

static void uhci_traps_are_turned_off(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 5, 0), PCI_CLASS_UHCI);
    fake_pci_set(f, 0xc0, 2, 0x8010);
    fake_pci_let_write(f, 0xc0, 2, 0x30bf);
    f->clears[0xc1] = 0x8f;
    stop_all();
    assert_int_equal(fake_pci_get(f, 0xc0, 2), 0);
}

static void ohci_is_asked_for(void **state)
{
    (void)state;
    add_usb(PCI_CLASS_OHCI);
    fake_pci_register(BAR + 4, 0x1c0);
    fake_pci_release(BAR + 8, BAR + 4, 0x100);
    stop_all();
    assert_int_equal(fake_pci_register_value(BAR + 8), 8);
    assert_int_equal(fake_pci_register_value(BAR + 4), 0xc0);
    assert_int_equal(fake_print_count(), 0);
    fake_pci_register(BAR + 8, 0);
    fake_pci_set(fake_pci_at(pci_at(0, 5, 0)), PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    stop_all(); // not the firmware's any more
    assert_int_equal(fake_pci_register_value(BAR + 8), 0);
}

static void ohci_that_is_refused_is_taken(void **state)
{
    (void)state;
    add_usb(PCI_CLASS_OHCI);
    fake_pci_register(BAR + 4, 0x1c0);
    uint64_t begin = fake_pci_now;
    stop_all();
    assert_int_equal(fake_pci_register_value(BAR + 4), 0xc0);
    assert_in_range(fake_pci_now - begin, 1000000, 1100000);
    assert_true(fake_printed("device 00:05.0: the firmware doesn't give up"));
}

static void ehci_is_taken_from_firmware_that_keeps_it(void **state)
{
    (void)state;
    struct fake_function *f = add_usb(PCI_CLASS_EHCI);
    fake_pci_register(BAR + 8, 0x6800);
    fake_pci_set(f, 0x68, 4, 0x7002); // another capability first
    fake_pci_set(f, 0x70, 4, 0x00010001);
    fake_pci_set(f, 0x74, 4, 0xe000003f);
    fake_pci_let_write(f, 0x70, 4, 0x01010000);
    fake_pci_let_write(f, 0x74, 4, 0x0000e03f);
    f->clears[0x77] = 0xe0;
    stop_all();
    assert_int_equal(fake_pci_get(f, 0x70, 4), 0x01000001);
    assert_int_equal(fake_pci_get(f, 0x74, 4), 0);
    assert_true(fake_printed("doesn't give up"));
}

static void ehci_capabilities_that_circle_end(void **state)
{
    (void)state;
    struct fake_function *f = add_usb(PCI_CLASS_EHCI);
    fake_pci_register(BAR + 8, 0x6800);
    fake_pci_set(f, 0x68, 4, 0x6802);
    stop_all();
    fake_pci_set(f, 0x68, 4, 0xfc02); // and that leave the space
    fake_pci_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    fake_pci_set(f, 0xfc, 4, 0x00010001);
    stop_all();
    assert_int_equal(fake_pci_get(f, 0xfc, 4), 0x00010001);
    assert_int_equal(fake_print_count(), 0);
}

static void xhci_is_given_up(void **state)
{
    (void)state;
    add_usb(PCI_CLASS_XHCI);
    fake_pci_register(BAR + 0x10, 0x00200000); // 0x80
    fake_pci_register(BAR + 0x80, 0x0000402);  // next: 0x90
    fake_pci_register(BAR + 0x90, 0x00010401);
    fake_pci_register(BAR + 0x94, 0x0000e011);
    fake_pci_release(BAR + 0x90, BAR + 0x90, 0x00010000);
    stop_all();
    assert_int_equal(fake_pci_register_value(BAR + 0x90), 0x01000401);
    assert_int_equal(fake_pci_register_value(BAR + 0x94), 0xe0000000);
    assert_int_equal(fake_print_count(), 0);
}

static void xhci_capabilities_stay_in_the_bar(void **state)
{
    (void)state;
    add_usb(PCI_CLASS_XHCI);
    fake_pci_register(BAR + 0x10, 0x03ff0000); // the last doubleword: its control lies outside
    fake_pci_register(BAR + 0xffc, 1);
    stop_all();
    assert_int_equal(fake_pci_register_value(BAR + 0x1000), 0);
    fake_pci_register(BAR + 0x10, 0x00200000);
    fake_pci_register(BAR + 0x80, 0x0000002); // the list ends without one
    fake_pci_set(fake_pci_at(pci_at(0, 5, 0)), PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    stop_all();
    assert_int_equal(fake_pci_register_value(BAR + 0x84), 0);
}

static void a_controller_that_does_not_decode_is_left(void **state)
{
    (void)state;
    static const uint32_t classes[] = {PCI_CLASS_OHCI, PCI_CLASS_EHCI, PCI_CLASS_XHCI};
    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
        setup(NULL);
        fake_pci_set(add_usb(classes[i]), PCI_COMMAND, 2, 0);
        fake_pci_register(BAR + 4, 0x100);
        fake_pci_register(BAR + 8, 0x4000);
        fake_pci_register(BAR + 0x10, 0x00010000);
        stop_all();
        assert_int_equal(fake_pci_register_value(BAR + 4), 0x100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_express_function_is_reset_by_its_capability, setup),
        cmocka_unit_test_setup(pending_requests_are_waited_for, setup),
        cmocka_unit_test_setup(an_advanced_function_is_reset_by_its_capability, setup),
        cmocka_unit_test_setup(a_function_is_reset_by_putting_it_to_sleep, setup),
        cmocka_unit_test_setup(a_sleeping_function_is_woken_first, setup),
        cmocka_unit_test_setup(a_function_without_a_way_is_stopped, setup),
        cmocka_unit_test_setup(a_way_that_does_nothing_is_seen, setup),
        cmocka_unit_test_setup(a_function_that_stays_away_is_told, setup),
        cmocka_unit_test_setup(a_function_alone_behind_its_port_is_reset_by_the_bus, setup),
        cmocka_unit_test_setup(a_group_is_reset_and_restored_together, setup),
        cmocka_unit_test_setup(anothers_function_is_not_reset_with_it, setup),
        cmocka_unit_test_setup(a_bus_with_a_further_bridge_is_not_reset, setup),
        cmocka_unit_test_setup(access_control_is_on_again_behind_a_reset, setup),
        cmocka_unit_test_setup(what_firmware_left_is_stopped, setup),
        cmocka_unit_test_setup(bridges_above_are_opened, setup),
        cmocka_unit_test_setup(uhci_traps_are_turned_off, setup),
        cmocka_unit_test_setup(ohci_is_asked_for, setup),
        cmocka_unit_test_setup(ohci_that_is_refused_is_taken, setup),
        cmocka_unit_test_setup(ehci_is_taken_from_firmware_that_keeps_it, setup),
        cmocka_unit_test_setup(ehci_capabilities_that_circle_end, setup),
        cmocka_unit_test_setup(xhci_is_given_up, setup),
        cmocka_unit_test_setup(xhci_capabilities_stay_in_the_bar, setup),
        cmocka_unit_test_setup(a_controller_that_does_not_decode_is_left, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
