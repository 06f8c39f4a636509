// SPDX-License-Identifier: Apache-2.0
// hv/vpci/vpci.c and function.c: who is on the bus, both ways to configuration space, and the
// registers of the header.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/machine/guest_platform.h"
#include "hv/vpci/rules.h"
#include "hv/vpci/vpci.h"
#include "tests/unit/fake_pci_config.h"

static struct vpci pci;

static int setup(void **state)
{
    (void)state;
    fake_pci_init();
    vpci_init(&pci);
    return 0;
}

static uint32_t get(unsigned devfn, unsigned reg, unsigned size)
{
    vpci_write(&pci, 0xcf8, 4, 0x80000000 | devfn << 8 | (reg & 0xfc));
    uint32_t value = vpci_read(&pci, (uint16_t)(0xcfc + (reg & 3)), size);
    assert_int_equal(value, vpci_ecam_read(&pci, devfn << 12 | reg, size));
    return value;
}

static struct vpci_effect put(unsigned devfn, unsigned reg, unsigned size, uint32_t value)
{
    vpci_write(&pci, 0xcf8, 4, 0x80000000 | devfn << 8 | (reg & 0xfc));
    return vpci_write(&pci, (uint16_t)(0xcfc + (reg & 3)), size, value);
}

static struct fake_pci *network(bool intx)
{
    struct fake_pci *d = fake_pci_network();
    assert_int_equal(vpci_add(&pci, &d->function, intx), 0x18);
    assert_int_equal(vpci_place_bars(&pci), STATUS_OK);
    vpci_reset(&pci);
    fake_pci_written = 0;
    return d;
}

// ---- the bus -----------------------------------------------------------------------------------

static void devices_keep_their_numbers(void **state)
{
    (void)state;
    struct fake_pci *a = fake_pci_add(0, 5, 0, 1, 1, 0x010802);
    struct fake_pci *b = fake_pci_add(1, 5, 0, 2, 2, 0x020000);
    struct fake_pci *c = fake_pci_add(2, 0, 0, 3, 3, 0x020000);
    struct fake_pci *d = fake_pci_add(0, 0, 0, 4, 4, 0x020000);
    struct fake_pci *e = fake_pci_add(0, 1, 0, 5, 5, 0x020000);
    assert_int_equal(vpci_add(&pci, &a->function, false), 5 << 3);
    assert_int_equal(vpci_add(&pci, &b->function, false), 1 << 3);
    assert_int_equal(vpci_add(&pci, &c->function, false), 2 << 3);
    assert_int_equal(vpci_add(&pci, &d->function, false), 3 << 3);
    assert_int_equal(vpci_add(&pci, &e->function, false), 4 << 3);
    assert_int_equal(get(5 << 3, 0, 4), 0x00010001);
    assert_int_equal(get(4 << 3, 0, 4), 0x00050005);
    assert_ptr_equal(vpci_find(&pci, 1 << 3)->host, &b->function);
    assert_null(vpci_find(&pci, 0));
    assert_int_equal(get(5 << 3, PCI_HEADER_TYPE, 1), 0);
}

static void functions_of_a_device_stay_together(void **state)
{
    (void)state;
    struct fake_pci *one = fake_pci_add(0, 4, 1, 1, 1, 0x0c0330);
    struct fake_pci *two = fake_pci_add(0, 4, 2, 1, 2, 0x0c0330);
    struct fake_pci *seven = fake_pci_add(0, 4, 7, 1, 7, 0x0c0330);
    struct fake_pci *other = fake_pci_add(3, 0, 1, 1, 9, 0x0c0330);
    // The first is function 0, whatever it was; the others keep their numbers.
    assert_int_equal(vpci_add(&pci, &one->function, false), 4 << 3);
    assert_int_equal(get(4 << 3, PCI_HEADER_TYPE, 1), 0);
    assert_int_equal(vpci_add(&pci, &two->function, false), 4 << 3 | 2);
    assert_int_equal(vpci_add(&pci, &seven->function, false), 4 << 3 | 7);
    assert_int_equal(vpci_add(&pci, &other->function, false), 1 << 3);
    assert_int_equal(get(4 << 3, PCI_HEADER_TYPE, 1), 0x80);
    assert_int_equal(get(4 << 3 | 7, PCI_HEADER_TYPE, 1), 0x80);
    assert_int_equal(get(1 << 3, PCI_HEADER_TYPE, 1), 0);
    // One that was late: its number is taken.
    struct fake_pci *zero = fake_pci_add(0, 4, 0, 1, 0, 0x0c0330);
    assert_int_equal(vpci_add(&pci, &zero->function, false), 4 << 3 | 1);
}

static void only_endpoints_and_no_more_than_fit(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_add(0, 1, 0, 1, 1, 0x060400);
    d->function.bridge = true;
    assert_int_equal(vpci_add(&pci, &d->function, false), -1);
    d->function.bridge = false;
    d->function.header_type = 1;
    assert_int_equal(vpci_add(&pci, &d->function, false), -1);
    assert_int_equal(pci.count, 0);
    assert_int_equal(vpci_read(&pci, 0xcfc, 4), 0xffffffff);
    for (unsigned i = 0; i < VPCI_MAX_FUNCTIONS; i++) {
        struct fake_pci *next = fake_pci_add(2, i, 0, 1, 1, 0x020000);
        assert_int_equal(vpci_add(&pci, &next->function, false), (i + 1) << 3);
    }
    d->function.header_type = 0;
    assert_int_equal(vpci_add(&pci, &d->function, false), -1);
}

// What Linux does: pci_sanity_check(), then a scan of bus 0 over both ways.
static void enumeration(void **state)
{
    (void)state;
    network(true);
    assert_int_equal(get(0, PCI_CLASS + 2, 2), 0x0600);
    assert_int_equal(get(0, PCI_HEADER_TYPE, 1), 0);
    assert_int_equal(get(0, PCI_VENDOR, 2), 0x1b36);
    assert_int_equal(get(0, PCI_CAPABILITIES, 1), 0);
    unsigned found = 0;
    for (unsigned devfn = 0; devfn < 256; devfn++) {
        found += get(devfn, 0, 4) != 0xffffffff ? 1 : 0;
    }
    assert_int_equal(found, 2);
    assert_int_equal(get(0x18, 0, 4), 0x10d38086);
    assert_int_equal(get(0x18, PCI_CLASS, 4), 0x02000002);
    assert_int_equal(get(0x18, PCI_SUBSYSTEM, 4), 0x00008086);
    assert_int_equal(get(0x18, PCI_ROM, 4), 0);
    assert_int_equal(get(0x18, PCI_INTERRUPT_PIN, 1), 1);
    // INTA of device 3.
    assert_int_equal(get(0x18, PCI_INTERRUPT_LINE, 1), GUEST_PCI_PIN_FIRST + 3);
    // Extended configuration space: there, and empty.
    assert_int_equal(vpci_ecam_read(&pci, 0x18100, 4), 0);
    assert_int_equal(vpci_ecam_read(&pci, 0x18ffc, 4), 0);
    assert_int_equal(vpci_ecam_write(&pci, 0x18100, 4, 1).what, 0);
    assert_int_equal(vpci_ecam_read(&pci, 0x20100, 4), 0xffffffff);
    // Other buses, and the latch without its enable bit.
    vpci_write(&pci, 0xcf8, 4, 0x80011800);
    assert_int_equal(vpci_read(&pci, 0xcfc, 4), 0xffffffff);
    vpci_write(&pci, 0xcf8, 4, 0x00001800);
    assert_int_equal(vpci_read(&pci, 0xcfc, 4), 0xffffffff);
    assert_int_equal(vpci_write(&pci, 0xcfc, 4, 0).what, 0);
    assert_int_equal(fake_pci_written, 0);
}

static void the_bridge_takes_no_writes(void **state)
{
    (void)state;
    network(false);
    for (unsigned reg = 0; reg < 256; reg += 4) {
        uint32_t before = get(0, reg, 4);
        struct vpci_effect e = put(0, reg, 4, 0xffffffff);
        assert_int_equal(e.what, 0);
        assert_null(e.function);
        assert_int_equal(get(0, reg, 4), before);
    }
    assert_int_equal(fake_pci_written, 0);
}

static void widths(void **state)
{
    (void)state;
    network(true);
    vpci_write(&pci, 0xcf8, 4, 0x80001800);
    assert_int_equal(vpci_read(&pci, 0xcfd, 1), 0x80);
    assert_int_equal(vpci_read(&pci, 0xcfd, 2), 0xd380); // within the doubleword
    assert_int_equal(vpci_read(&pci, 0xcfe, 2), 0x10d3);
    assert_int_equal(vpci_read(&pci, 0xcfe, 4), 0xffffffff); // not
    assert_int_equal(vpci_read(&pci, 0xcff, 2), 0xffff);
    assert_int_equal(vpci_ecam_read(&pci, 0x18003, 2), 0xffff);
    assert_int_equal(vpci_ecam_read(&pci, 0x18000, 8), 0xffffffff);
    assert_int_equal(vpci_ecam_read(&pci, GUEST_ECAM_SIZE + 0x18000, 4), 0xffffffff);
    put(0x18, PCI_CACHE_LINE, 4, 0xffffff10);
    assert_int_equal(get(0x18, PCI_CACHE_LINE, 4), 0x10);
    // A doubleword over command and status, then bytes of the command.
    put(0x18, PCI_COMMAND, 4, 0xffff0006);
    assert_int_equal(get(0x18, PCI_COMMAND, 2), 0x0006);
    put(0x18, PCI_COMMAND + 1, 1, 0x05);
    assert_int_equal(get(0x18, PCI_COMMAND, 2), 0x0506);
    put(0x18, PCI_COMMAND, 1, 0x02);
    assert_int_equal(get(0x18, PCI_COMMAND, 2), 0x0502);
}

// ---- header registers --------------------------------------------------------------------------

static void command_is_filtered(void **state)
{
    (void)state;
    struct fake_pci *d = network(true);
    // Firmware's decoding stays; the guest's is its own.
    assert_int_equal(get(0x18, PCI_COMMAND, 2), 0);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0x0003);
    struct vpci_effect e = put(0x18, PCI_COMMAND, 2, 0xffff);
    assert_int_equal(e.what, VPCI_EFFECT_BARS);
    assert_ptr_equal(e.function, vpci_find(&pci, 0x18));
    assert_int_equal(get(0x18, PCI_COMMAND, 2), 0x0547);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0x0447); // no SERR
    assert_false(vpci_intx_enabled(e.function));
    e = put(0x18, PCI_COMMAND, 2, 0);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0x0003);
    assert_true(vpci_intx_enabled(e.function));
    fake_pci_written = 0;
    assert_int_equal(put(0x18, PCI_COMMAND, 2, 0).what, 0); // nothing new
    assert_int_equal(fake_pci_written, 0);
}

static void intx_is_off_unless_granted(void **state)
{
    (void)state;
    struct fake_pci *d = network(false);
    assert_int_equal(get(0x18, PCI_INTERRUPT_PIN, 1), 0);
    assert_int_equal(get(0x18, PCI_INTERRUPT_LINE, 1), 0xff);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0x0403);
    put(0x18, PCI_COMMAND, 2, 0x0004);
    assert_int_equal(get(0x18, PCI_COMMAND, 2), 0x0004);
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0x0407);
    assert_false(vpci_intx_enabled(vpci_find(&pci, 0x18)));
}

static void errors_are_cleared_where_a_one_is_written(void **state)
{
    (void)state;
    struct fake_pci *d = network(true);
    fake_pci_set(d, PCI_STATUS, 2, 0xb010 | 0x0008);
    assert_int_equal(get(0x18, PCI_STATUS, 2), 0xb018);
    put(0x18, PCI_STATUS, 2, 0x3fff);
    assert_int_equal(fake_pci_writes[0].value, 0x3900);
    assert_int_equal(get(0x18, PCI_STATUS, 2), 0x8018);
    fake_pci_written = 0;
    put(0x18, PCI_STATUS, 1, 0xff);
    assert_int_equal(fake_pci_written, 0);
}

static void reset_is_power_on(void **state)
{
    (void)state;
    struct fake_pci *d = network(true);
    uint32_t before[64];
    for (unsigned i = 0; i < 64; i++) {
        before[i] = get(0x18, 4 * i, 4);
    }
    for (unsigned i = 0; i < 64; i++) {
        if (4 * i != 0xe8) { // would reset it
            put(0x18, 4 * i, 4, 0xffffffff);
        }
    }
    assert_int_not_equal(get(0x18, PCI_COMMAND, 2), 0);
    fake_pci_set(d, 0xcc, 2, 3); // left in D3hot
    vpci_reset(&pci);
    for (unsigned i = 0; i < 64; i++) {
        if (4 * i == 0xe8) {
            continue; // errors of the device, which writing cleared
        }
        assert_int_equal(get(0x18, 4 * i, 4), before[i]);
    }
    assert_int_equal(fake_pci_get(d, PCI_COMMAND, 2), 0x0003);
    assert_int_equal(fake_pci_get(d, 0xcc, 2), 0);
}

// Every register that the table doesn't name: not shown, not written.
static void default_deny(void **state)
{
    (void)state;
    struct fake_pci *d = fake_pci_add(0, 3, 0, 0x8086, 0x10d3, 0x020000);
    for (unsigned i = 0x40; i < 256; i++) {
        d->config[i] = 0x5a;
        d->writable[i] = 0xff;
    }
    vpci_add(&pci, &d->function, true);
    vpci_reset(&pci);
    fake_pci_written = 0;
    for (unsigned i = 0x40; i < 256; i += 4) {
        assert_int_equal(get(0x18, i, 4), 0);
        put(0x18, i, 4, 0xffffffff);
        put(0x18, i + 1, 1, 0xff);
    }
    put(0x18, PCI_BIST, 1, 0xff);
    put(0x18, PCI_LATENCY, 1, 0xff);
    put(0x18, PCI_VENDOR, 4, 0xffffffff);
    put(0x18, PCI_CLASS, 4, 0xffffffff);
    put(0x18, 0x28, 4, 0xffffffff);
    put(0x18, PCI_ROM, 4, 0xffffffff);
    put(0x18, 0x38, 4, 0xffffffff);
    assert_int_equal(fake_pci_written, 0);
}

// ---- the table ---------------------------------------------------------------------------------

static void rows_make_sense(void **state)
{
    (void)state;
    unsigned count;
    const struct pci_rule *rules = pci_rules(&count);
    for (unsigned i = 1; i < count; i++) {
        const struct pci_rule *r = &rules[i];
        uint32_t bits = r->size == 4 ? 0xffffffff : (1u << 8 * r->size) - 1;
        assert_true(r->size == 1 || r->size == 2 || r->size == 4);
        assert_int_equal(r->offset % r->size, 0);
        assert_int_equal(r->device & r->own, 0);
        assert_int_equal((r->device | r->own | r->passed | r->cleared) & ~bits, 0);
        assert_int_equal((r->copied | r->writable) & ~r->own, 0);
        assert_int_equal(r->copied & r->writable, 0);
        assert_int_equal(r->passed & r->cleared, 0);
        assert_non_null(r->name);
        assert_non_null(r->why);
        for (unsigned k = 1; k < i; k++) { // no byte twice
            assert_true(rules[k].place != r->place ||
                        rules[k].offset + rules[k].size <= r->offset ||
                        r->offset + r->size <= rules[k].offset);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(devices_keep_their_numbers, setup),
        cmocka_unit_test_setup(functions_of_a_device_stay_together, setup),
        cmocka_unit_test_setup(only_endpoints_and_no_more_than_fit, setup),
        cmocka_unit_test_setup(enumeration, setup),
        cmocka_unit_test_setup(the_bridge_takes_no_writes, setup),
        cmocka_unit_test_setup(widths, setup),
        cmocka_unit_test_setup(command_is_filtered, setup),
        cmocka_unit_test_setup(intx_is_off_unless_granted, setup),
        cmocka_unit_test_setup(errors_are_cleared_where_a_one_is_written, setup),
        cmocka_unit_test_setup(reset_is_power_on, setup),
        cmocka_unit_test_setup(default_deny, setup),
        cmocka_unit_test_setup(rows_make_sense, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
