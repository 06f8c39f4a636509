// SPDX-License-Identifier: Apache-2.0
// Requester IDs and groups of functions in models of machines: conventional bridges, PCI Express
// ports and switches, devices of several functions, with and without access control services.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/fake_pci.h"
#include "tests/unit/fake_print.h"

#define NIC     0x020000
#define ALL_ACS (PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

static struct pci_machine pci;

static int setup(void **state)
{
    (void)state;
    fake_pci_clear();
    fake_print_clear();
    return 0;
}

static void find(void)
{
    struct acpi_info acpi = fake_pci_mcfg(FAKE_PCI_ECAM);
    pci.count = 0;
    assert_int_equal(pci_map_config(&pci, &acpi), STATUS_OK);
    pci_scan(&pci);
    assert_int_equal(pci_map_config(&pci, &acpi), STATUS_OK);
    pci_find_groups(&pci);
}

static const struct pci_function *at(unsigned bus, unsigned slot, unsigned function)
{
    int i = pci_find(&pci, pci_at(bus, slot, function));
    assert_true(i >= 0);
    return &pci.function[i];
}

static struct fake_function *add_port(pci_address_t a, unsigned type, unsigned secondary,
                                      unsigned subordinate, uint32_t acs)
{
    struct fake_function *f = fake_pci_add_bridge(a, secondary, subordinate);
    fake_pci_express(f, type, false);
    if (acs != 0) {
        fake_pci_acs(f, acs);
    }
    return f;
}

static struct fake_function *add_endpoint(pci_address_t a)
{
    struct fake_function *f = fake_pci_add(a, NIC);
    fake_pci_express(f, PCI_PORT_ENDPOINT, true);
    return f;
}

static void functions_of_the_root_bus_are_by_themselves(void **state)
{
    (void)state;
    fake_pci_add(pci_at(0, 0, 0), 0x060000);
    fake_pci_add(pci_at(0, 1, 0), NIC);
    add_endpoint(pci_at(0, 2, 0));
    find();
    for (unsigned i = 0; i < pci.count; i++) {
        assert_int_equal(pci.function[i].group, i);
        assert_null(pci.function[i].group_why);
        assert_int_equal(pci.function[i].requester, pci.function[i].address.v);
    }
}

static void a_conventional_bridge_speaks_for_all_behind_it(void **state)
{
    (void)state;
    fake_pci_add_bridge(pci_at(0, 3, 0), 1, 2);
    fake_pci_add(pci_at(1, 1, 0), NIC);
    fake_pci_add_bridge(pci_at(1, 2, 0), 2, 2);
    fake_pci_add(pci_at(2, 0, 0), NIC);
    fake_pci_add(pci_at(0, 4, 0), NIC);
    find();
    assert_int_equal(at(1, 1, 0)->requester, pci_at(0, 3, 0).v);
    assert_int_equal(at(2, 0, 0)->requester, pci_at(0, 3, 0).v);
    assert_int_equal(at(0, 3, 0)->requester, pci_at(0, 3, 0).v);
    assert_int_equal(at(1, 1, 0)->group, at(0, 3, 0)->group);
    assert_int_equal(at(2, 0, 0)->group, at(0, 3, 0)->group);
    assert_int_not_equal(at(0, 4, 0)->group, at(0, 3, 0)->group);
    assert_non_null(at(2, 0, 0)->group_why);
    assert_non_null(at(0, 3, 0)->group_why);
    assert_null(at(0, 4, 0)->group_why);
}

static void a_bridge_from_express_gives_its_secondary_bus(void **state)
{
    (void)state;
    add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 3, ALL_ACS);
    add_port(pci_at(1, 0, 0), PCI_PORT_TO_PCI, 2, 3, 0);
    fake_pci_add(pci_at(2, 4, 0), NIC);
    fake_pci_add_bridge(pci_at(2, 5, 0), 3, 3);
    fake_pci_add(pci_at(3, 6, 0), NIC);
    find();
    assert_int_equal(at(2, 4, 0)->requester, pci_at(2, 0, 0).v);
    assert_int_equal(at(3, 6, 0)->requester, pci_at(2, 0, 0).v);
    assert_int_equal(at(1, 0, 0)->requester, pci_at(1, 0, 0).v);
    assert_int_equal(at(2, 4, 0)->group, at(3, 6, 0)->group);
    assert_int_equal(at(2, 4, 0)->group, at(1, 0, 0)->group);
    assert_int_not_equal(at(2, 4, 0)->group, at(0, 1, 0)->group);
}

static void a_bridge_to_express_gives_its_own_id(void **state)
{
    (void)state;
    add_port(pci_at(0, 1, 0), PCI_PORT_FROM_PCI, 1, 1, 0);
    add_endpoint(pci_at(1, 0, 0));
    find();
    assert_int_equal(at(1, 0, 0)->requester, pci_at(0, 1, 0).v);
    assert_int_equal(at(1, 0, 0)->group, at(0, 1, 0)->group);
}

static void a_root_port_with_acs_keeps_apart(void **state)
{
    (void)state;
    struct fake_function *port =
        add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 1, ALL_ACS | PCI_ACS_EC | PCI_ACS_DT);
    fake_pci_set(port, 0x100 + PCI_ACS_CONTROL, 2, PCI_ACS_EC | PCI_ACS_DT);
    add_port(pci_at(0, 2, 0), PCI_PORT_ROOT, 2, 2, 0);
    add_endpoint(pci_at(1, 0, 0));
    add_endpoint(pci_at(2, 0, 0));
    find();
    assert_int_not_equal(at(1, 0, 0)->group, at(0, 1, 0)->group);
    assert_int_equal(at(2, 0, 0)->group, at(0, 2, 0)->group);
    assert_non_null(strstr(at(2, 0, 0)->group_why, "ACS"));
    assert_int_equal(at(1, 0, 0)->requester, pci_at(1, 0, 0).v);
    assert_int_equal(fake_pci_get(port, 0x100 + PCI_ACS_CONTROL, 2), ALL_ACS);
}

static void acs_that_does_not_turn_on_is_none(void **state)
{
    (void)state;
    struct fake_function *port = add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 1, ALL_ACS);
    port->writable[0x100 + PCI_ACS_CONTROL] = PCI_ACS_SV;
    add_endpoint(pci_at(1, 0, 0));
    find();
    assert_int_equal(at(1, 0, 0)->group, at(0, 1, 0)->group);
}

static void without_extended_space_there_is_no_acs(void **state)
{
    (void)state;
    add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 1, ALL_ACS)->in_memory = false;
    add_endpoint(pci_at(1, 0, 0));
    find();
    assert_int_equal(at(1, 0, 0)->group, at(0, 1, 0)->group);
}

// A switch with two downstream ports behind a root port.
static void build_switch(uint32_t root_acs, uint32_t acs)
{
    add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 4, root_acs);
    add_port(pci_at(1, 0, 0), PCI_PORT_UPSTREAM, 2, 4, 0);
    add_port(pci_at(2, 0, 0), PCI_PORT_DOWNSTREAM, 3, 3, acs);
    add_port(pci_at(2, 1, 0), PCI_PORT_DOWNSTREAM, 4, 4, acs);
    add_endpoint(pci_at(3, 0, 0));
    add_endpoint(pci_at(4, 0, 0));
    find();
}

static void a_switch_with_acs_keeps_apart(void **state)
{
    (void)state;
    build_switch(ALL_ACS, ALL_ACS);
    assert_int_not_equal(at(3, 0, 0)->group, at(4, 0, 0)->group);
    assert_null(at(3, 0, 0)->group_why);
}

static void a_switch_without_acs_joins_its_own(void **state)
{
    (void)state;
    build_switch(ALL_ACS, 0);
    assert_int_equal(at(3, 0, 0)->group, at(2, 0, 0)->group);
    assert_int_equal(at(4, 0, 0)->group, at(3, 0, 0)->group);
    assert_int_not_equal(at(4, 0, 0)->group, at(0, 1, 0)->group);
}

static void a_switch_port_without_acs_reaches_all_others(void **state)
{
    (void)state;
    build_switch(ALL_ACS, ALL_ACS);
    add_port(pci_at(2, 2, 0), PCI_PORT_DOWNSTREAM, 5, 5, 0);
    fake_pci_at(pci_at(0, 1, 0))->config[PCI_SUBORDINATE_BUS] = 5;
    fake_pci_at(pci_at(1, 0, 0))->config[PCI_SUBORDINATE_BUS] = 5;
    add_endpoint(pci_at(5, 0, 0));
    find();
    assert_int_equal(at(5, 0, 0)->group, at(2, 0, 0)->group);
    assert_int_equal(at(2, 0, 0)->group, at(2, 1, 0)->group);
    assert_int_equal(at(3, 0, 0)->group, at(5, 0, 0)->group);
    assert_int_equal(at(4, 0, 0)->group, at(5, 0, 0)->group);
}

static void a_root_port_without_acs_joins_all_below(void **state)
{
    (void)state;
    build_switch(0, ALL_ACS);
    assert_int_equal(at(3, 0, 0)->group, at(4, 0, 0)->group);
    assert_int_equal(at(3, 0, 0)->group, at(0, 1, 0)->group);
}

static void functions_of_one_device_go_together(void **state)
{
    (void)state;
    fake_pci_add(pci_at(0, 31, 0), 0x060100);
    fake_pci_add(pci_at(0, 31, 2), 0x010601);
    fake_pci_add(pci_at(0, 31, 3), 0x0c0500);
    find();
    assert_int_equal(at(0, 31, 0)->group, at(0, 31, 2)->group);
    assert_int_equal(at(0, 31, 0)->group, at(0, 31, 3)->group);
    assert_non_null(at(0, 31, 3)->group_why);
}

static void functions_of_one_device_with_acs_are_apart(void **state)
{
    (void)state;
    fake_pci_acs(add_endpoint(pci_at(0, 2, 0)), 0); // a device without peer-to-peer offers nothing
    fake_pci_acs(add_endpoint(pci_at(0, 2, 1)), PCI_ACS_RR | PCI_ACS_CR);
    find();
    assert_int_not_equal(at(0, 2, 0)->group, at(0, 2, 1)->group);
    add_endpoint(pci_at(0, 2, 2)); // one without is enough
    find();
    assert_int_equal(at(0, 2, 0)->group, at(0, 2, 1)->group);
    assert_int_equal(at(0, 2, 0)->group, at(0, 2, 2)->group);
}

static void root_ports_of_one_device_join_what_is_behind_them(void **state)
{
    (void)state;
    add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 1, 0);
    add_port(pci_at(0, 1, 1), PCI_PORT_ROOT, 2, 2, 0);
    add_endpoint(pci_at(1, 0, 0));
    add_endpoint(pci_at(2, 0, 0));
    find();
    assert_int_equal(at(1, 0, 0)->group, at(2, 0, 0)->group);
}

static void a_host_bridge_beside_root_ports_does_not_count(void **state)
{
    (void)state;
    fake_pci_add(pci_at(0, 1, 0), 0x060000);
    add_port(pci_at(0, 1, 1), PCI_PORT_ROOT, 1, 1, ALL_ACS);
    add_port(pci_at(0, 1, 2), PCI_PORT_ROOT, 2, 2, ALL_ACS);
    add_endpoint(pci_at(1, 0, 0));
    add_endpoint(pci_at(2, 0, 0));
    find();
    assert_int_not_equal(at(0, 1, 1)->group, at(0, 1, 2)->group);
    assert_int_not_equal(at(1, 0, 0)->group, at(2, 0, 0)->group);
    // Nor does it join where the others are joined.
    fake_pci_add(pci_at(0, 1, 3), NIC);
    find();
    assert_int_equal(at(0, 1, 1)->group, at(0, 1, 2)->group);
    assert_int_not_equal(at(0, 1, 0)->group, at(0, 1, 1)->group);
    assert_int_equal(at(1, 0, 0)->group, at(2, 0, 0)->group);
}

static void alternative_routing_ids_are_of_one_device(void **state)
{
    (void)state;
    struct fake_function *port = add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 1, ALL_ACS);
    fake_pci_set(port, port->express + PCI_PCIE_DEVICE_CONTROL2, 2, PCI_PCIE_CONTROL2_ARI);
    add_endpoint(pci_at(1, 0, 0));
    add_endpoint(pci_at(1, 1, 0));
    find();
    assert_int_equal(at(1, 0, 0)->group, at(1, 1, 0)->group);
}

static void extended_capabilities_that_circle_end(void **state)
{
    (void)state;
    struct fake_function *port = add_port(pci_at(0, 1, 0), PCI_PORT_ROOT, 1, 1, 0);
    unsigned first = fake_pci_extended(port, 1, 8);
    unsigned second = fake_pci_extended(port, 2, 8);
    fake_pci_set(port, second, 4, 2 | 1u << 16 | first << 20);
    struct fake_function *other = add_port(pci_at(0, 2, 0), PCI_PORT_ROOT, 2, 2, 0);
    fake_pci_extended(other, 1, 8);
    fake_pci_set(other, 0x100, 4, 1 | 1u << 16 | 0x40u << 20); // into the first 256 bytes
    struct fake_function *edge = add_port(pci_at(0, 3, 0), PCI_PORT_ROOT, 3, 3, 0);
    fake_pci_set(edge, 0x100, 4, 1 | 1u << 16 | 0xffcu << 20);
    fake_pci_set(edge, 0xffc, 4, PCI_EXT_CAP_ACS); // its registers lie outside
    add_endpoint(pci_at(1, 0, 0));
    find();
    assert_int_equal(at(1, 0, 0)->group, at(0, 1, 0)->group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(functions_of_the_root_bus_are_by_themselves, setup),
        cmocka_unit_test_setup(a_conventional_bridge_speaks_for_all_behind_it, setup),
        cmocka_unit_test_setup(a_bridge_from_express_gives_its_secondary_bus, setup),
        cmocka_unit_test_setup(a_bridge_to_express_gives_its_own_id, setup),
        cmocka_unit_test_setup(a_root_port_with_acs_keeps_apart, setup),
        cmocka_unit_test_setup(acs_that_does_not_turn_on_is_none, setup),
        cmocka_unit_test_setup(without_extended_space_there_is_no_acs, setup),
        cmocka_unit_test_setup(a_switch_with_acs_keeps_apart, setup),
        cmocka_unit_test_setup(a_switch_without_acs_joins_its_own, setup),
        cmocka_unit_test_setup(a_switch_port_without_acs_reaches_all_others, setup),
        cmocka_unit_test_setup(a_root_port_without_acs_joins_all_below, setup),
        cmocka_unit_test_setup(functions_of_one_device_go_together, setup),
        cmocka_unit_test_setup(functions_of_one_device_with_acs_are_apart, setup),
        cmocka_unit_test_setup(root_ports_of_one_device_join_what_is_behind_them, setup),
        cmocka_unit_test_setup(a_host_bridge_beside_root_ports_does_not_count, setup),
        cmocka_unit_test_setup(alternative_routing_ids_are_of_one_device, setup),
        cmocka_unit_test_setup(extended_capabilities_that_circle_end, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
