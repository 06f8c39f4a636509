// SPDX-License-Identifier: Apache-2.0
// What a scan finds in a model of a machine: buses behind bridges, BARs, capabilities; and the two
// ways to configuration space.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake_pci.h"
#include "tests/unit/fake_print.h"

#define NIC  0x020000
#define NVME 0x010802

static struct pci_machine pci;

static int setup(void **state)
{
    (void)state;
    fake_pci_clear();
    fake_print_clear();
    memset(&pci, 0xee, sizeof(pci));
    struct acpi_info none = {.mcfg_count = 0};
    pci.count = 0;
    assert_int_equal(pci_map_config(&pci, &none), STATUS_OK); // forgets the pages of the last test
    return 0;
}

static const struct pci_function *found(pci_address_t a)
{
    int i = pci_find(&pci, a);
    assert_true(i >= 0);
    return &pci.function[i];
}

static void scan(void)
{
    pci_scan(&pci);
}

// ---- buses -----------------------------------------------------------------------------------

static void an_empty_machine_has_no_functions(void **state)
{
    (void)state;
    scan();
    assert_int_equal(pci.count, 0);
    assert_int_equal(pci.left_out, 0);
    assert_int_equal(pci_find(&pci, pci_at(0, 0, 0)), -1);
    assert_int_equal(fake_print_count(), 0);
}

static void functions_are_in_the_order_of_their_addresses(void **state)
{
    (void)state;
    fake_pci_add(pci_at(0, 4, 0), NIC);
    fake_pci_add(pci_at(0, 0, 0), 0x060000);
    fake_pci_add_bridge(pci_at(0, 2, 0), 3, 4);
    fake_pci_add_bridge(pci_at(3, 0, 0), 4, 4);
    fake_pci_add_bridge(pci_at(0, 3, 0), 1, 1);
    fake_pci_add(pci_at(1, 5, 0), NIC);
    fake_pci_add(pci_at(4, 31, 0), NVME);
    scan();
    assert_int_equal(pci.count, 7);
    for (unsigned i = 1; i < pci.count; i++) {
        assert_true(pci.function[i - 1].address.v < pci.function[i].address.v);
    }
    assert_int_equal(found(pci_at(0, 0, 0))->parent, PCI_NO_PARENT);
    assert_true(found(pci_at(0, 0, 0))->bridge);
    assert_false(found(pci_at(0, 4, 0))->bridge);
    assert_int_equal(found(pci_at(3, 0, 0))->parent, pci_find(&pci, pci_at(0, 2, 0)));
    assert_int_equal(found(pci_at(4, 31, 0))->parent, pci_find(&pci, pci_at(3, 0, 0)));
    assert_int_equal(found(pci_at(1, 5, 0))->parent, pci_find(&pci, pci_at(0, 3, 0)));
    assert_int_equal(found(pci_at(0, 2, 0))->secondary, 3);
    assert_int_equal(found(pci_at(0, 2, 0))->subordinate, 4);
    assert_int_equal(found(pci_at(4, 31, 0))->class_code, NVME);
    assert_int_equal(found(pci_at(4, 31, 0))->vendor, 0x1234);
    assert_int_equal(fake_print_count(), 0);
}

static void further_functions_count_only_where_the_first_says_so(void **state)
{
    (void)state;
    fake_pci_add(pci_at(0, 1, 0), NIC);
    fake_pci_add(pci_at(0, 1, 3), NIC);
    fake_pci_add(pci_at(0, 2, 0), NIC);
    struct fake_function *shadow = fake_pci_add(pci_at(0, 2, 1), NIC);
    fake_pci_at(pci_at(0, 2, 0))->config[PCI_HEADER_TYPE] = 0;
    fake_pci_add(pci_at(0, 3, 1), NIC); // without a first one
    scan();
    assert_int_equal(pci.count, 3);
    assert_true(found(pci_at(0, 1, 0))->multi_function);
    assert_true(found(pci_at(0, 1, 3))->multi_function);
    assert_int_equal(found(pci_at(0, 1, 0))->header_type, 0);
    assert_false(found(pci_at(0, 2, 0))->multi_function);
    assert_int_equal(pci_find(&pci, shadow->address), -1);
}

static void buses_that_no_bridge_leads_to_are_found(void **state)
{
    (void)state;
    fake_pci_add_bridge(pci_at(0x80, 0, 0), 0x81, 0x81);
    fake_pci_add(pci_at(0x81, 0, 0), NVME);
    scan();
    assert_int_equal(pci.count, 2);
    assert_int_equal(found(pci_at(0x80, 0, 0))->parent, PCI_NO_PARENT);
    assert_int_equal(found(pci_at(0x81, 0, 0))->parent, 0);
}

static void a_link_leads_to_one_device(void **state)
{
    (void)state;
    struct fake_function *port = fake_pci_add_bridge(pci_at(0, 1, 0), 1, 1);
    unsigned express = fake_pci_express(port, PCI_PORT_ROOT, false);
    fake_pci_add(pci_at(1, 0, 0), NIC);
    fake_pci_add(pci_at(1, 1, 0), NIC);
    scan();
    assert_int_equal(pci.count, 2);
    // With alternative routing IDs the second is a function of the same device.
    fake_pci_set(port, express + PCI_PCIE_DEVICE_CONTROL2, 2, PCI_PCIE_CONTROL2_ARI);
    scan();
    assert_int_equal(pci.count, 3);
}

static void check_not_followed(unsigned secondary, unsigned subordinate)
{
    setup(NULL);
    fake_pci_add_bridge(pci_at(0, 0, 0), 2, 3);
    fake_pci_add_bridge(pci_at(0, 1, 0), secondary, subordinate);
    scan();
    assert_int_equal(pci.count, 2);
    assert_true(fake_printed("bridge 00:01.0"));
    assert_int_equal(found(pci_at(0, 1, 0))->secondary, 0);
    assert_int_equal(found(pci_at(0, 1, 0))->subordinate, 0);
}

static void bridges_whose_buses_make_no_sense_are_not_followed(void **state)
{
    (void)state;
    check_not_followed(0, 0);
    assert_true(fake_printed("not set up by the firmware"));
    check_not_followed(0, 255);
    check_not_followed(2, 2);
    check_not_followed(1, 2);
    check_not_followed(3, 255);
    check_not_followed(5, 4);
}

static void a_bridge_stays_within_its_parents_buses(void **state)
{
    (void)state;
    fake_pci_add_bridge(pci_at(0, 1, 0), 1, 2);
    fake_pci_add_bridge(pci_at(1, 1, 0), 2, 3);
    fake_pci_add_bridge(pci_at(1, 2, 0), 1, 1);
    fake_pci_add_bridge(pci_at(0, 2, 0), 3, 3);
    fake_pci_add(pci_at(2, 0, 0), NIC);
    fake_pci_add(pci_at(3, 0, 0), NIC);
    scan();
    assert_true(fake_printed("bridge 01:01.0"));
    assert_true(fake_printed("bridge 01:02.0"));
    assert_int_equal(pci_find(&pci, pci_at(2, 0, 0)), -1);
    assert_int_equal(found(pci_at(3, 0, 0))->parent, pci_find(&pci, pci_at(0, 2, 0)));
}

static void what_is_too_much_is_counted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PCI_MAX_FUNCTIONS + 2; i++) {
        fake_pci_add((pci_address_t){i}, NIC);
    }
    scan();
    assert_int_equal(pci.count, PCI_MAX_FUNCTIONS);
    assert_int_equal(pci.left_out, 2);
    assert_true(fake_printed("2 functions"));
}

static void an_unknown_header_has_nothing_behind_it(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    f->config[PCI_HEADER_TYPE] = 5;
    fake_pci_bar(f, 0, 0, 4096, 0xfe000000);
    fake_pci_capability(f, PCI_CAP_PM, 8);
    scan();
    assert_true(fake_printed("device 00:01.0: its header is of type 0x05"));
    assert_int_equal(pci.count, 1);
    assert_int_equal(pci.function[0].bar[0].kind, PCI_BAR_NONE);
    assert_int_equal(pci.function[0].pm, 0);
}

// ---- BARs ------------------------------------------------------------------------------------

static void bars_are_measured_with_decoding_off(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    fake_pci_bar(f, 0, 0, 0x20000, 0xfe000000);
    fake_pci_bar(f, 1, PCI_BAR_TYPE_64 | PCI_BAR_PREFETCH, GIB(8), GIB(1024));
    fake_pci_bar(f, 3, PCI_BAR_IS_IO, 0x20, 0xc040);
    fake_pci_bar(f, 4, 0x2, 0x1000, 0xa0000); // below 1 MiB: an old kind of 32-bit BAR
    fake_pci_bar(f, 5, 0, 16, 0);             // not set
    fake_pci_set(f, PCI_COMMAND, 2, 0x0007);
    scan();
    const struct pci_bar *bar = pci.function[0].bar;
    assert_int_equal(bar[0].kind, PCI_BAR_MEMORY32);
    assert_int_equal(bar[0].address, 0xfe000000);
    assert_int_equal(bar[0].size, 0x20000);
    assert_false(bar[0].prefetchable);
    assert_int_equal(bar[1].kind, PCI_BAR_MEMORY64);
    assert_true(bar[1].prefetchable);
    assert_int_equal(bar[1].address, GIB(1024));
    assert_int_equal(bar[1].size, GIB(8));
    assert_int_equal(bar[2].kind, PCI_BAR_NONE);
    assert_int_equal(bar[3].kind, PCI_BAR_IO);
    assert_int_equal(bar[3].address, 0xc040);
    assert_int_equal(bar[3].size, 0x20);
    assert_int_equal(bar[4].kind, PCI_BAR_MEMORY32);
    assert_int_equal(bar[4].address, 0xa0000);
    assert_int_equal(bar[5].size, 16);
    assert_int_equal(bar[5].address, 0);
    assert_int_equal(f->bar_writes_decoding, 0);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 2), 0x0007);
    assert_int_equal(fake_pci_get(f, PCI_BAR0, 4), 0xfe000000);
    assert_int_equal(fake_pci_get(f, PCI_BAR0 + 8, 4), 0x100);
}

static void bars_that_make_no_sense_are_left_out(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    fake_pci_bar(f, 0, 0x6, 4096, 0xfe000000);
    fake_pci_bar(f, 2, PCI_BAR_TYPE_64, 0x4000, 0xffffffffffffc000ull); // up to the very end
    fake_pci_set(f, PCI_BAR0 + 20, 4, PCI_BAR_TYPE_64);
    fake_pci_let_write(f, PCI_BAR0 + 20, 4, 0xffff0000);
    scan();
    assert_true(fake_printed("device 00:01.0: BAR 0"));
    assert_true(fake_printed("device 00:01.0: BAR 5"));
    const struct pci_bar *bar = pci.function[0].bar;
    assert_int_equal(bar[0].kind, PCI_BAR_NONE);
    assert_int_equal(bar[2].kind, PCI_BAR_MEMORY64);
    assert_int_equal(bar[2].address, 0);
    assert_int_equal(bar[5].kind, PCI_BAR_NONE);
}

static void bridges_have_two_bars_and_host_bridges_are_left_alone(void **state)
{
    (void)state;
    struct fake_function *host = fake_pci_add(pci_at(0, 0, 0), 0x060000);
    fake_pci_bar(host, 0, 0, 0x10000000, 0xc0000000);
    fake_pci_set(host, PCI_COMMAND, 2, 0x0006);
    struct fake_function *bridge = fake_pci_add_bridge(pci_at(0, 1, 0), 1, 1);
    fake_pci_bar(bridge, 0, PCI_BAR_TYPE_64, 256, 0xfd000000);
    struct fake_function *cardbus = fake_pci_add(pci_at(1, 0, 0), 0x060700);
    cardbus->config[PCI_HEADER_TYPE] = PCI_HEADER_CARDBUS;
    fake_pci_bar(cardbus, 0, 0, 4096, 0xfc000000);
    scan();
    assert_int_equal(found(host->address)->bar[0].kind, PCI_BAR_NONE);
    assert_int_equal(host->bar_writes_decoding, 0);
    assert_int_equal(found(bridge->address)->bar[0].size, 256);
    assert_int_equal(found(bridge->address)->bar[2].kind, PCI_BAR_NONE);
    assert_int_equal(found(bridge->address)->secondary, 1);
    assert_int_equal(found(cardbus->address)->bar[0].size, 4096);
    assert_true(found(cardbus->address)->bridge);
}

// ---- capabilities ----------------------------------------------------------------------------

static void capabilities_are_found(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    unsigned pm = fake_pci_power(f, false);
    unsigned vendor = fake_pci_capability(f, PCI_CAP_VENDOR, 7);
    unsigned msi = fake_pci_capability(f, PCI_CAP_MSI, 24);
    unsigned msix = fake_pci_capability(f, PCI_CAP_MSIX, 12);
    unsigned pcie = fake_pci_express(f, PCI_PORT_ENDPOINT, true);
    unsigned af = fake_pci_advanced(f);
    unsigned second = fake_pci_capability(f, PCI_CAP_MSI, 24);
    fake_pci_set(f, pcie + PCI_PCIE_DEVICE_CONTROL, 2, 0x2810);
    f->config[PCI_INTERRUPT_PIN] = 2;
    f->config[PCI_INTERRUPT_LINE] = 11;
    scan();
    const struct pci_function *g = &pci.function[0];
    assert_int_equal(g->pm, pm);
    assert_int_equal(g->msi, msi);
    assert_int_not_equal(g->msi, second);
    assert_int_equal(g->msix, msix);
    assert_int_equal(g->pcie, pcie);
    assert_int_equal(g->af, af);
    assert_int_not_equal(vendor, 0);
    assert_int_equal(g->setup.device_control, 0x2810);
    assert_int_equal(g->interrupt_pin, 2);
    assert_int_equal(g->interrupt_line, 11);
    assert_false(g->extended);
    assert_int_equal(fake_print_count(), 0);
}

static void a_list_without_its_status_bit_is_none(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    fake_pci_power(f, false);
    f->config[PCI_STATUS] = 0;
    f->config[PCI_INTERRUPT_PIN] = 9; // nor is this a pin
    scan();
    assert_int_equal(pci.function[0].pm, 0);
    assert_int_equal(pci.function[0].interrupt_pin, 0);
}

static void a_list_that_circles_is_cut(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    unsigned pm = fake_pci_power(f, false);
    unsigned msi = fake_pci_capability(f, PCI_CAP_MSI, 24);
    f->config[msi + 1] = (uint8_t)pm;
    scan();
    assert_int_equal(pci.function[0].pm, pm);
    assert_int_equal(pci.function[0].msi, msi);
    assert_true(fake_printed("device 00:01.0: the list of capabilities runs in a circle at 0x40"));
    assert_int_equal(fake_print_count(), 1);
}

static void a_list_into_the_header_is_cut(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    unsigned pm = fake_pci_power(f, false);
    f->config[pm + 1] = 0x3c;
    scan();
    assert_int_equal(pci.function[0].pm, pm);
    assert_true(fake_printed("leads into the header at 0x3c"));
}

static void a_capability_that_leaves_the_space_is_left_out(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    f->capability_next = 0xf0;
    unsigned msi = fake_pci_capability(f, PCI_CAP_MSI, 4);
    assert_int_equal(msi, 0xf0);
    scan();
    assert_int_equal(pci.function[0].msi, 0xf0); // 10 bytes fit in
    fake_pci_set(f, msi + PCI_MSI_CONTROL, 2, PCI_MSI_64 | PCI_MSI_MASKABLE);
    scan();
    assert_int_equal(pci.function[0].msi, 0);
    assert_true(fake_printed("capability 0x05 at 0xf0 does not fit in"));
}

// ---- configuration space ---------------------------------------------------------------------

static void what_is_no_register_reads_as_ones(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    pci_address_t far = {f->address.v | 1u << 16};
    assert_int_equal(pci_config_read(f->address, 0x100, 4), UINT32_MAX);
    assert_int_equal(pci_config_read(f->address, 1, 2), 0xffff);
    assert_int_equal(pci_config_read(f->address, 2, 4), UINT32_MAX);
    assert_int_equal(pci_config_read(f->address, 0, 3), 0xffffff);
    assert_int_equal(pci_config_read(f->address, 0, 8), UINT32_MAX);
    assert_int_equal(pci_config_read(far, 0, 1), 0xff);
    pci_config_write(f->address, 0x100, 4, 0);
    pci_config_write(far, PCI_COMMAND, 2, 7);
    pci_config_write(f->address, PCI_COMMAND + 1, 2, 7);
    assert_int_equal(fake_pci_port_accesses, 0);
    assert_int_equal(fake_pci_get(f, PCI_COMMAND, 4), 0);
    pci_config_write(f->address, PCI_COMMAND, 2, 7);
    assert_int_equal(pci_config_read(f->address, PCI_COMMAND, 1), 7);
    assert_int_equal(fake_pci_port_accesses, 2);
}

static void memory_mapped_space_takes_the_place_of_the_ports(void **state)
{
    (void)state;
    struct fake_function *port = fake_pci_add_bridge(pci_at(0, 1, 0), 1, 1);
    fake_pci_express(port, PCI_PORT_ROOT, false);
    struct fake_function *nic = fake_pci_add(pci_at(1, 0, 0), NIC);
    fake_pci_express(nic, PCI_PORT_ENDPOINT, false);
    fake_pci_extended(nic, 1, 8);
    struct fake_function *old = fake_pci_add(pci_at(0, 2, 0), NIC);
    struct fake_function *bare = fake_pci_add(pci_at(0, 3, 0), NIC);
    fake_pci_express(bare, PCI_PORT_INTEGRATED, false);
    fake_pci_set(bare, 0x100, 4, UINT32_MAX);
    struct fake_function *bridge = fake_pci_add_bridge(pci_at(0, 4, 0), 2, 2);
    struct fake_function *behind = fake_pci_add(pci_at(2, 0, 0), NIC);
    fake_pci_express(behind, PCI_PORT_ENDPOINT, false);
    struct acpi_info acpi = fake_pci_mcfg(FAKE_PCI_ECAM);
    scan();
    assert_int_equal(pci_map_config(&pci, &acpi), STATUS_OK);
    fake_pci_port_accesses = 0;
    assert_int_equal(pci_config_read(nic->address, 0x100, 2), 1);
    pci_config_write(nic->address, PCI_COMMAND, 2, 4);
    assert_int_equal(pci_config_read(nic->address, PCI_COMMAND, 2), 4);
    assert_int_equal(pci_config_read(bridge->address, PCI_SECONDARY_BUS, 1), 2);
    assert_int_equal(fake_pci_port_accesses, 0);
    assert_true(found(nic->address)->extended);
    assert_false(found(old->address)->extended);
    assert_false(found(bare->address)->extended);
    assert_false(found(behind->address)->extended);
    assert_int_equal(pci_config_read(nic->address, 0x1000, 4), UINT32_MAX);
}

static void a_map_that_leads_elsewhere_is_not_used(void **state)
{
    (void)state;
    struct fake_function *f = fake_pci_add(pci_at(0, 1, 0), NIC);
    fake_pci_express(f, PCI_PORT_INTEGRATED, false);
    fake_pci_add(pci_at(0, 2, 0), NIC)->in_memory = false;
    struct acpi_info acpi = fake_pci_mcfg(FAKE_PCI_ECAM + PAGE_SIZE);
    scan();
    assert_int_equal(pci_map_config(&pci, &acpi), STATUS_OK);
    assert_true(fake_printed("device 00:01.0, which is not there"));
    assert_int_equal(fake_print_count(), 1);
    assert_false(pci.function[0].extended);
    fake_pci_port_accesses = 0;
    assert_int_equal(pci_config_read(f->address, PCI_VENDOR, 2), 0x1234);
    assert_int_equal(fake_pci_port_accesses, 1);
}

static void a_map_of_other_buses_is_not_used(void **state)
{
    (void)state;
    fake_pci_add(pci_at(0, 1, 0), NIC);
    struct acpi_info acpi = fake_pci_mcfg(FAKE_PCI_ECAM);
    acpi.mcfg[0].bus_first = 1;
    acpi.mcfg[1] = (struct acpi_mcfg){.base = FAKE_PCI_ECAM, .segment = 1, .bus_last = 255};
    acpi.mcfg[2] = (struct acpi_mcfg){.base = FAKE_PCI_ECAM + 8, .bus_last = 255};
    acpi.mcfg[3] = (struct acpi_mcfg){.base = BIT(52), .bus_last = 255};
    acpi.mcfg_count = 4;
    scan();
    assert_int_equal(pci_map_config(&pci, &acpi), STATUS_OK);
    fake_pci_port_accesses = 0;
    pci_config_read(pci_at(0, 1, 0), PCI_VENDOR, 2);
    assert_int_equal(fake_pci_port_accesses, 1);
    assert_int_equal(fake_print_count(), 0);
}

// ---- texts -----------------------------------------------------------------------------------

static void addresses_and_classes_have_names(void **state)
{
    (void)state;
    char text[PCI_TEXT_SIZE];
    assert_string_equal(pci_text(pci_at(0, 3, 0), text), "00:03.0");
    assert_string_equal(pci_text((pci_address_t){0x1234ffff}, text), "1234:ff:1f.7");
    assert_string_equal(pci_class_name(0x020000), "Ethernet controller");
    assert_string_equal(pci_class_name(0x028000), "network controller");
    assert_string_equal(pci_class_name(0x010802), "NVMe controller");
    assert_string_equal(pci_class_name(0x010803), "non-volatile memory controller");
    assert_string_equal(pci_class_name(0x060400), "PCI bridge");
    assert_string_equal(pci_class_name(0xff0000), "device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_machine_has_no_functions, setup),
        cmocka_unit_test_setup(functions_are_in_the_order_of_their_addresses, setup),
        cmocka_unit_test_setup(further_functions_count_only_where_the_first_says_so, setup),
        cmocka_unit_test_setup(buses_that_no_bridge_leads_to_are_found, setup),
        cmocka_unit_test_setup(a_link_leads_to_one_device, setup),
        cmocka_unit_test_setup(bridges_whose_buses_make_no_sense_are_not_followed, setup),
        cmocka_unit_test_setup(a_bridge_stays_within_its_parents_buses, setup),
        cmocka_unit_test_setup(what_is_too_much_is_counted, setup),
        cmocka_unit_test_setup(an_unknown_header_has_nothing_behind_it, setup),
        cmocka_unit_test_setup(bars_are_measured_with_decoding_off, setup),
        cmocka_unit_test_setup(bars_that_make_no_sense_are_left_out, setup),
        cmocka_unit_test_setup(bridges_have_two_bars_and_host_bridges_are_left_alone, setup),
        cmocka_unit_test_setup(capabilities_are_found, setup),
        cmocka_unit_test_setup(a_list_without_its_status_bit_is_none, setup),
        cmocka_unit_test_setup(a_list_that_circles_is_cut, setup),
        cmocka_unit_test_setup(a_list_into_the_header_is_cut, setup),
        cmocka_unit_test_setup(a_capability_that_leaves_the_space_is_left_out, setup),
        cmocka_unit_test_setup(what_is_no_register_reads_as_ones, setup),
        cmocka_unit_test_setup(memory_mapped_space_takes_the_place_of_the_ports, setup),
        cmocka_unit_test_setup(a_map_that_leads_elsewhere_is_not_used, setup),
        cmocka_unit_test_setup(a_map_of_other_buses_is_not_used, setup),
        cmocka_unit_test_setup(addresses_and_classes_have_names, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
