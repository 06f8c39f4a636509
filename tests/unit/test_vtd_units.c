// SPDX-License-Identifier: Apache-2.0
// VT-d units as machines have them: that can't do what is needed, that hang, that firmware has left
// on, several of them; and which devices can be given away.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/fake_heap.h"
#include "tests/unit/vtd_fixture.h"

static void refused(enum status s, const char *text)
{
    assert_int_equal(vtd_ops.probe(acpi, &pci, error, sizeof(error)), s);
    if (strstr(error, text) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", text, error);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct fake_vtd whole = *unit;
    unit->ecap &= ~VTD_ECAP_QI;
    refused(ERR_UNSUPPORTED, "0xfed90000 has no invalidation queue");
    *unit = whole;
    unit->ecap &= ~VTD_ECAP_IR;
    refused(ERR_UNSUPPORTED, "0xfed90000 has no interrupt remapping");
    *unit = whole;
    unit->cap &= ~(VTD_CAP_SAGAW_39 | VTD_CAP_SAGAW_48);
    refused(ERR_UNSUPPORTED, "0xfed90000 walks no second-level tables");
    *unit = whole;
    unit->cap &= ~7ull;
    refused(ERR_UNSUPPORTED, "0xfed90000 has too few domains");
    *unit = whole;
    unit->gone = true;
    refused(ERR_UNSUPPORTED, "0xfed90000 does not answer");
    *unit = whole;
    fake_vtd_mappings_left = 0;
    refused(ERR_NO_MEMORY, "0xfed90000 can't be mapped");
    fake_vtd_mappings_left = 1;
    unit->cap |= 0x3ffull << 24; // records on the fifth page
    refused(ERR_NO_MEMORY, "0xfed90000 can't be mapped");
    *unit = whole;
    fake_vtd_mappings_left = 100;
    *fake_dmar_byte(37) = 0;
    fake_dmar_end(0);
    refused(ERR_UNSUPPORTED, "interrupts can't be remapped");
    *fake_dmar_byte(37) = 1;
    refused(ERR_CHECKSUM, "damaged");
    acpi->root = 0;
    refused(ERR_NOT_FOUND, "no DMAR table");
}

static void hangs(const char *text)
{
    assert_int_equal(vtd_ops.probe(acpi, &pci, error, sizeof(error)), STATUS_OK);
    assert_int_equal(vtd_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "0xfed90000 does not answer"));
    if (strstr(error, text) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", text, error);
    }
}

static void test_hanging(void **state)
{
    (void)state;
    static const struct {
        uint32_t command;
        const char *text;
    } cases[] = {
        {VTD_G_TE, "turning translation on"},
        {VTD_G_IRE, "turning interrupt remapping on"},
        {VTD_G_QIE, "starting its invalidation queue"},
        {VTD_G_SRTP, "taking the root table"},
        {VTD_G_SIRTP, "taking the interrupt remapping table"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        setup(NULL);
        unit->hang = cases[i].command;
        hangs(cases[i].text);
    }
    setup(NULL);
    unit->cap |= VTD_CAP_RWBF;
    unit->hang = VTD_G_WBF;
    hangs("flushing its write buffers");
    setup(NULL);
    unit->queue_hangs = true;
    hangs("taking the root table");
    setup(NULL);
    assert_int_equal(vtd_ops.probe(acpi, &pci, error, sizeof(error)), STATUS_OK);
    unit->gone = true;
    assert_int_equal(vtd_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    for (long pages = 0; pages < 6; pages++) {
        setup(NULL);
        assert_int_equal(vtd_ops.probe(acpi, &pci, error, sizeof(error)), STATUS_OK);
        fake_heap_fail_after(pages);
        assert_int_equal(vtd_ops.enable(error, sizeof(error)), ERR_NO_MEMORY);
        assert_true((unit->gsts & VTD_G_TE) == 0);
    }
}

// Once guests run, a unit that stops answering is the end.
static void test_dies_later(void **state)
{
    (void)state;
    struct iommu_domain a;
    start();
    make_domain(&a, 1, GIB(1));
    assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
    unit->queue_hangs = true;
    expect_assert_failure(vtd_ops.detach(NIC));
}

// Firmware has left everything on, with tables of its own and a queue at work.
static void test_takeover(void **state)
{
    (void)state;
    struct iommu_domain a;
    uint64_t to;
    for (unsigned mode = 0; mode < 2; mode++) {
        setup(NULL);
        hpa_t foreign = heap_page_alloc();
        unit->gsts =
            VTD_G_TE | VTD_G_IRE | VTD_G_QIE | VTD_G_CFI | VTD_G_SRTP | VTD_G_SIRTP | VTD_G_EAFL;
        unit->rtaddr = foreign.v | (mode ? VTD_RTADDR_TTM : 0);
        unit->root = foreign.v;
        unit->irta = foreign.v | 7 | (mode ? VTD_IRTA_EIME : 0);
        unit->iqa = foreign.v;
        unit->iqh = unit->iqt = 0x60;
        unit->cap |= VTD_CAP_PLMR;
        unit->pmen = VTD_PMEN_EPM | VTD_PMEN_PRS;
        assert_false(reads(NIC, 0x3000, &to)); // cached and recorded
        start();
        assert_int_equal(unit->gsts & (VTD_G_CFI | VTD_G_EAFL), 0);
        assert_int_equal(unit->pmen, 0);
        struct iommu_fault f;
        bool lost = false;
        assert_false(vtd_ops.take_fault(&f, &lost));
        make_domain(&a, 1, GIB(1));
        assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
        reaches(NIC, 0x1000, GIB(1) + 0x1000);
        blocked(DISK, 0x1000);
    }
}

// Devices of two units, and a third unit in another segment, whose devices stay blocked though
// they have the same numbers.
static void test_several_units(void **state)
{
    (void)state;
    static const uint8_t nic[] = {1, 8, 0, 0, 0, 0, 3, 0};
    struct iommu_domain a;
    struct fake_vtd *units[] = {unit, fake_vtd_add(BASE + 0x1000), fake_vtd_add(BASE + 0x2000)};
    units[1]->cap &= ~(VTD_CAP_SAGAW_48 | VTD_CAP_LARGE_1G | VTD_CAP_DWD);
    acpi = fake_dmar_begin(1);
    fake_dmar_unit(BASE, 0, false, nic, sizeof(nic));
    fake_dmar_unit(BASE + 0x1000, 0, true, ioapic_scope, sizeof(ioapic_scope));
    fake_dmar_unit(BASE + 0x2000, 1, true, nic, sizeof(nic));
    fake_dmar_end(0);
    start();
    make_domain(&a, 1, GIB(1));
    assert_ptr_equal(a.tables.format, &pt_format_vtd_39);
    assert_int_equal(a.tables.max_leaf_level, 1);
    assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
    assert_int_equal(vtd_ops.attach(DISK, &a), STATUS_OK);
    unsigned first;
    struct msi_message m;
    struct irq_route out;
    assert_int_equal(vtd_ops.irq_alloc(NIC, 1, &first), STATUS_OK);
    vtd_ops.irq_set(NIC, first, &(struct irq_route){.apic_id = 1, .vector = 0x50});
    vtd_ops.irq_message(NIC, first, &m);
    reaches(NIC, 0x1000, GIB(1) + 0x1000);
    assert_true(interrupts(NIC, &m, 0, &out));
    unit = units[1];
    reaches(DISK, 0x1000, GIB(1) + 0x1000);
    unit = units[2];
    blocked(NIC, 0x1000);
    assert_false(interrupts(NIC, &m, 0, &out));
    // Nothing in common.
    units[0]->cap &= ~VTD_CAP_SAGAW_39;
    refused(ERR_UNSUPPORTED, "no format of page tables in common");
}

static void test_check(void **state)
{
    (void)state;
    static const uint8_t usb[] = {1, 8, 0, 0, 0, 0, 0x1d, 0};
    struct pci_function f = {.address = {NIC}, .requester = NIC};
    fake_dmar_rmrr(0x7f000000, 0x7f00ffff, usb, sizeof(usb));
    fake_dmar_end(0);
    start();
    assert_int_equal(vtd_ops.check(&pci, &f, error, sizeof(error)), STATUS_OK);
    f.requester = 0xe8;
    assert_int_equal(vtd_ops.check(&pci, &f, error, sizeof(error)), ERR_DENIED);
    f.address.v = 0xe8;
    assert_int_equal(vtd_ops.check(&pci, &f, error, sizeof(error)), ERR_DENIED);
    assert_non_null(strstr(error, "00:1d.0: the firmware uses it with memory "
                                  "0x7f000000-0x7f00ffff (RMRR)"));
    f.address.v = 0x10018;
    assert_int_equal(vtd_ops.check(&pci, &f, error, sizeof(error)), ERR_NOT_FOUND);
    assert_non_null(strstr(error, "no VT-d unit serves it"));
}

static char said[512];

static void say(const char *text)
{
    strncat(said, text, sizeof(said) - strlen(said) - 2);
    strcat(said, "\n");
}

static void test_described(void **state)
{
    (void)state;
    static const uint8_t usb[] = {1, 8, 0, 0, 0, 0, 0x1d, 0};
    fake_dmar_rmrr(0x7f000000, 0x7f00ffff, usb, sizeof(usb));
    fake_dmar_end(0);
    start();
    said[0] = '\0';
    vtd_ops.describe(say);
    assert_non_null(strstr(said, "unit at 0xfed90000, segment 0, interrupt remapping; serves"));
    assert_non_null(strstr(said, "firmware reserves memory 0x7f000000-0x7f00ffff (RMRR) for "
                                 "00:1d.0\n"));
    // More than a line holds.
    vtd.dmar.scope_count = DMAR_MAX_SCOPES;
    for (unsigned i = 0; i < DMAR_MAX_SCOPES; i++) {
        vtd.dmar.scopes[i] = (struct dmar_scope){.kind = 1 + i % 4,
                                                 .id = (uint8_t)i,
                                                 .requester = (uint16_t)(i << 3),
                                                 .bus_first = 2,
                                                 .bus_last = 9};
    }
    said[0] = '\0';
    vtd_ops.describe(say);
    assert_non_null(strstr(said, " 00:00.0 00:01.0 with buses 02-09 IOAPIC 2 HPET 3 00:04.0"));
    assert_non_null(strstr(said, " ...\n"));
}

static void test_no_memory(void **state)
{
    (void)state;
    struct iommu_domain a, b;
    start();
    make_domain(&a, 1, GIB(1));
    fake_heap_fail_after(0);
    assert_int_equal(vtd_ops.attach(NIC, &a), ERR_NO_MEMORY);
    assert_int_equal(vtd_ops.domain_create(&b, 2), ERR_NO_MEMORY);
    blocked(NIC, 0x1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_refused, setup),
        cmocka_unit_test_setup(test_hanging, setup),
        cmocka_unit_test_setup(test_dies_later, setup),
        cmocka_unit_test_setup(test_takeover, setup),
        cmocka_unit_test_setup(test_several_units, setup),
        cmocka_unit_test_setup(test_check, setup),
        cmocka_unit_test_setup(test_described, setup),
        cmocka_unit_test_setup(test_no_memory, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
