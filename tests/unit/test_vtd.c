// SPDX-License-Identifier: Apache-2.0
// VT-d against a model of the units: what devices reach and which interrupts they make, not only
// which bits are set.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/vtd_fixture.h"

// ---- memory --------------------------------------------------------------------------------

static void test_blocked_by_default(void **state)
{
    (void)state;
    uint64_t to;
    assert_int_equal(vtd_ops.probe(acpi, &pci, error, sizeof(error)), STATUS_OK);
    assert_true(reads(NIC, 0x1000, &to)); // nothing has changed yet
    assert_int_equal(vtd_ops.enable(error, sizeof(error)), STATUS_OK);
    for (unsigned requester = 0; requester < 0x10000; requester += 0x11) {
        assert_false(reads((uint16_t)requester, 0x1000, &to));
    }
    blocked(NIC, 0xfee00000);
    assert_true((unit->gsts & (VTD_G_TE | VTD_G_IRE | VTD_G_QIE)) ==
                (VTD_G_TE | VTD_G_IRE | VTD_G_QIE));
    assert_int_equal(unit->gsts & VTD_G_CFI, 0);
}

// Attached, remapped, detached, under each kind of unit.
static void life_of_a_device(void)
{
    struct iommu_domain a, b;
    start();
    make_domain(&a, 1, GIB(1));
    make_domain(&b, 2, GIB(2));
    blocked(NIC, 0x1000);
    assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
    assert_int_equal(vtd_ops.attach(FAR, &b), STATUS_OK);
    reaches(NIC, 0x1234, GIB(1) + 0x1234);
    reaches(NIC, MIB(2) + 0x1000, GIB(1) + MIB(2) + 0x1000);
    reaches(FAR, 0x1234, GIB(2) + 0x1234);
    blocked(NIC, MIB(2) + 0x2000);
    blocked(NIC, GIB(1));
    blocked(NIC, BIT(38));
    blocked(NIC, BIT(39));
    blocked(NIC, BIT(48));
    blocked(DISK, 0x1000);
    blocked(NIC + 1, 0x1000);

    // What is not permitted any more is not once it was flushed.
    assert_int_equal(pt_unmap(&a.tables, 0, 2 * PAGE_SIZE), STATUS_OK);
    assert_int_equal(pt_map(&a.tables, 0, hpa(GIB(1)), PAGE_SIZE, PT_READ), STATUS_OK);
    vtd_ops.domain_flush(&a);
    uint64_t to;
    assert_true(fake_vtd_dma(unit, NIC, 0, false, &to));
    assert_false(fake_vtd_dma(unit, NIC, 0, true, &to));
    blocked(NIC, 0x1000);
    reaches(FAR, 0x1000, GIB(2) + 0x1000);
    // What was absent is there.
    assert_int_equal(pt_map(&a.tables, GIB(1), hpa(GIB(4)), PAGE_SIZE, PT_READ | PT_WRITE),
                     STATUS_OK);
    vtd_ops.domain_flush(&a);
    reaches(NIC, GIB(1), GIB(4));

    // From one domain to the other.
    assert_int_equal(vtd_ops.attach(NIC, &b), STATUS_OK);
    reaches(NIC, 0x2000, GIB(2) + 0x2000);
    blocked(NIC, GIB(1));
    unsigned drained = unit->drained;
    vtd_ops.detach(NIC);
    assert_true(unit->drained > drained);
    blocked(NIC, 0x2000);
    reaches(FAR, 0x2000, GIB(2) + 0x2000);
    vtd_ops.detach(NIC); // once more: nothing to do
    vtd_ops.detach(FAR);
    blocked(FAR, 0x2000);
    assert_int_equal(vtd_ops.attach(FAR, &a), STATUS_OK);
    reaches(FAR, 0x2000, GIB(1) + 0x2000);
}

static void test_attach(void **state)
{
    (void)state;
    life_of_a_device();
}

static void test_39_bits(void **state)
{
    (void)state;
    unit->cap &= ~VTD_CAP_SAGAW_48;
    life_of_a_device();
    assert_ptr_equal(vtd.format, &pt_format_vtd_39);
}

static void test_small_pages(void **state)
{
    (void)state;
    unit->cap &= ~(VTD_CAP_LARGE_2M | VTD_CAP_LARGE_1G);
    life_of_a_device();
}

static void test_caching_mode(void **state)
{
    (void)state;
    unit->cap |= VTD_CAP_CM;
    life_of_a_device();
}

// The unit sees only what was written back.
static void test_no_snooping(void **state)
{
    (void)state;
    unit->ecap &= ~VTD_ECAP_C;
    life_of_a_device();
    unsigned first;
    struct irq_route out;
    struct msi_message m;
    assert_int_equal(vtd_ops.irq_alloc(NIC, 1, &first), STATUS_OK);
    vtd_ops.irq_set(NIC, first, &(struct irq_route){.apic_id = 3, .vector = 0x41});
    vtd_ops.irq_message(NIC, first, &m);
    assert_true(fake_vtd_message(unit, NIC, m.address, m.data, &out));
}

static void test_write_buffer(void **state)
{
    (void)state;
    unit->cap |= VTD_CAP_RWBF;
    life_of_a_device();
    assert_true(unit->flushes > 10);
}

// The queue's end is its beginning again.
static void test_queue_wraps(void **state)
{
    (void)state;
    struct iommu_domain a;
    start();
    make_domain(&a, 16, GIB(1));
    for (unsigned i = 0; i < 3 * VTD_QUEUE_ENTRIES; i++) {
        assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
        reaches(NIC, 0x1000, GIB(1) + 0x1000);
        vtd_ops.detach(NIC);
        blocked(NIC, 0x1000);
    }
}

// ---- interrupts ----------------------------------------------------------------------------

static void test_interrupts(void **state)
{
    (void)state;
    unsigned first, other;
    struct msi_message m;
    struct irq_route out;
    start();
    assert_int_equal(vtd_ops.irq_alloc(DISK, 1, &other), STATUS_OK);
    assert_int_equal(vtd_ops.irq_alloc(NIC, 4, &first), STATUS_OK);
    assert_int_equal(first % 4, 0);
    vtd_ops.irq_message(NIC, first, &m);
    for (unsigned i = 0; i < 4; i++) {
        assert_false(interrupts(NIC, &m, i, &out));
    }
    vtd_ops.irq_set(NIC, first + 2, &(struct irq_route){.apic_id = 5, .vector = 0x77});
    assert_true(interrupts(NIC, &m, 2, &out));
    assert_int_equal(out.apic_id, 5);
    assert_int_equal(out.vector, 0x77);
    assert_false(out.nmi || out.level);
    assert_false(interrupts(NIC, &m, 1, &out));
    assert_false(interrupts(NIC, &m, 4, &out));
    assert_false(interrupts(DISK, &m, 2, &out)); // not its own
    assert_false(interrupts(NIC, &m, 0xffff, &out));
    assert_false(fake_vtd_message(unit, NIC, 0xfee05000, 0x77, &out)); // compatibility format
    // To another CPU; away.
    vtd_ops.irq_set(NIC, first + 2, &(struct irq_route){.apic_id = 6, .vector = 0x78});
    assert_true(interrupts(NIC, &m, 2, &out));
    assert_int_equal(out.apic_id, 6);
    vtd_ops.irq_set(NIC, first + 2, NULL);
    assert_false(interrupts(NIC, &m, 2, &out));
    // One is taken away, the other's stays.
    vtd_ops.irq_set(DISK, other, &(struct irq_route){.apic_id = 1, .vector = 0x30});
    vtd_ops.irq_set(NIC, first, &(struct irq_route){.apic_id = 6, .vector = 0x78});
    assert_true(interrupts(NIC, &m, 0, &out));
    vtd_ops.irq_set(NIC, first, NULL);
    assert_false(interrupts(NIC, &m, 0, &out));
    vtd_ops.irq_message(DISK, other, &m);
    assert_true(interrupts(DISK, &m, 0, &out));
    expect_assert_failure(vtd_ops.irq_set(NIC, other, NULL));
    expect_assert_failure(vtd_ops.irq_message(DISK, 5000, &m));
}

static void test_interrupts_used_up(void **state)
{
    (void)state;
    unsigned first, count = 0;
    bool seen[1024] = {false};
    start();
    assert_int_equal(vtd_ops.irq_alloc(NIC, 2048, &first), ERR_NO_MEMORY);
    assert_int_equal(vtd_ops.irq_alloc(DISK, 1, &first), STATUS_OK);
    while (vtd_ops.irq_alloc(NIC, 32, &first) == STATUS_OK) {
        assert_true(first % 32 == 0 && first + 32 <= 1024);
        for (unsigned i = 0; i < 32; i++) {
            assert_false(seen[first + i]);
            seen[first + i] = true;
        }
        count++;
    }
    assert_int_equal(count, 31);
}

static void test_wide_destinations(void **state)
{
    (void)state;
    unsigned first;
    struct msi_message m;
    struct irq_route out;
    acpi->cpu_count = 2;
    acpi->cpus[1].apic_id = 0x1234;
    start();
    assert_int_equal(vtd_ops.irq_alloc(NIC, 1, &first), STATUS_OK);
    vtd_ops.irq_set(NIC, first, &(struct irq_route){.apic_id = 0x1234, .vector = 0x50});
    vtd_ops.irq_message(NIC, first, &m);
    assert_true(interrupts(NIC, &m, 0, &out));
    assert_int_equal(out.apic_id, 0x1234);
    acpi->cpus[1].apic_id = 255;
    unit->ecap &= ~VTD_ECAP_EIM;
    assert_int_equal(vtd_ops.probe(acpi, &pci, error, sizeof(error)), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "APIC IDs above 254"));
}

// An IOAPIC sends what its redirection entry says as a message.
static bool pin_interrupts(uint64_t entry, struct irq_route *out)
{
    uint64_t address =
        0xfee00000 | (entry >> 48 & 1) << 4 | (entry >> 49) << 5 | (entry >> 11 & 1) << 2;
    bool taken = fake_vtd_message(unit, IOAPIC, address, 0, out);
    // The unit needs both to agree.
    assert_true(!taken || (out->nmi ? 0 : out->vector) == (entry & 0xff));
    assert_true(!taken || out->level == ((entry >> 15 & 1) != 0));
    return taken;
}

static void test_ioapic(void **state)
{
    (void)state;
    uint64_t entry, again, other;
    struct irq_route out;
    struct irq_route route = {.apic_id = 2, .vector = 0x61, .level = true};
    struct irq_route nmi = {.apic_id = 1, .nmi = true};
    start();
    assert_int_equal(vtd_ops.ioapic_entry(8, 17, &route, true, &entry), STATUS_OK);
    assert_int_equal(entry & 0xffffu, 0xa061);
    assert_true(pin_interrupts(entry, &out));
    assert_int_equal(out.apic_id, 2);
    route.apic_id = 3;
    assert_int_equal(vtd_ops.ioapic_entry(8, 17, &route, true, &again), STATUS_OK);
    assert_int_equal(entry, again);
    assert_true(pin_interrupts(again, &out));
    assert_int_equal(out.apic_id, 3);
    assert_int_equal(vtd_ops.ioapic_entry(8, 4, &nmi, false, &other), STATUS_OK);
    assert_int_equal(other & 0xffff, 0);
    assert_int_not_equal(other >> 49, entry >> 49);
    assert_true(pin_interrupts(other, &out));
    assert_true(out.nmi && out.apic_id == 1);
    assert_int_equal(vtd_ops.ioapic_entry(9, 4, &nmi, false, &other), ERR_NOT_FOUND);
    unsigned first;
    while (vtd_ops.irq_alloc(NIC, 1, &first) == STATUS_OK) {
    }
    assert_int_equal(vtd_ops.ioapic_entry(8, 5, &nmi, false, &other), ERR_NO_MEMORY);
}

// ---- faults --------------------------------------------------------------------------------

static void test_faults(void **state)
{
    (void)state;
    struct iommu_fault f;
    struct iommu_domain a;
    bool lost = false;
    uint64_t to;
    struct irq_route out;
    start();
    blocked(NIC, 0x5000); // two, before anybody is to be told
    assert_int_equal(unit->events, 0);
    vtd_ops.fault_nmi(3);
    assert_int_equal(unit->events, 1);
    assert_int_equal(unit->feaddr, 0xfee03000);
    assert_int_equal(unit->fedata, 0x400);
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, NIC);
    assert_int_equal(f.address, 0x5000);
    assert_false(f.write || f.interrupt);
    assert_string_equal(f.why, "it belongs to nobody");
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_true(f.write);
    assert_false(vtd_ops.take_fault(&f, &lost));
    assert_false(lost);

    make_domain(&a, 3, GIB(1));
    assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
    assert_false(fake_vtd_dma(unit, NIC, GIB(8) + 0x234, true, &to));
    assert_int_equal(unit->events, 2);
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_int_equal(f.address, GIB(8));
    assert_string_equal(f.why, "writing is not permitted there");
    assert_false(fake_vtd_message(unit, DISK, 0xfee00000, 0x41, &out));
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_true(f.interrupt && f.requester == DISK);
    assert_non_null(strstr(f.why, "compatibility format"));
    assert_false(fake_vtd_message(unit, DISK, 0xfee00018 | 7 << 5, 2, &out));
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_int_equal(f.address, 9);
    assert_false(vtd_ops.take_fault(&f, &lost));

    for (unsigned i = 0; i < 2 * FAKE_VTD_RECORDS; i++) {
        reads(DISK, i << 12, &to);
    }
    for (unsigned i = 0; i < FAKE_VTD_RECORDS; i++) {
        assert_true(vtd_ops.take_fault(&f, &lost));
        assert_int_equal(f.address, i << 12);
    }
    assert_false(vtd_ops.take_fault(&f, &lost));
    assert_true(lost);
    reads(DISK, 0x9000, &to); // it records again
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_int_equal(f.address, 0x9000);
    unit->records[0] = (struct vtd_entry){0, VTD_FAULT_PRESENT | 0x7full << 32};
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_non_null(strstr(f.why, "does not know"));
    unit->gone = true;
    assert_false(vtd_ops.take_fault(&f, &lost));
}

static void test_quiet(void **state)
{
    (void)state;
    struct iommu_fault f;
    struct iommu_domain a;
    bool lost = false;
    uint64_t to;
    start();
    make_domain(&a, 3, GIB(1));
    vtd_ops.quiet(NIC); // attached to nothing: there is no entry
    assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
    assert_false(fake_vtd_dma(unit, NIC, GIB(8), true, &to));
    assert_true(vtd_ops.take_fault(&f, &lost));
    vtd_ops.quiet(NIC);
    assert_false(fake_vtd_dma(unit, NIC, GIB(8), true, &to)); // refused as ever
    assert_false(vtd_ops.take_fault(&f, &lost));
    reads(DISK, 0x9000, &to); // another's is told
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_int_equal(vtd_ops.attach(NIC, &a), STATUS_OK);
    assert_false(fake_vtd_dma(unit, NIC, GIB(8), true, &to));
    assert_true(vtd_ops.take_fault(&f, &lost));

    vtd_ops.fault_nmi(3);
    unsigned before = unit->events;
    vtd_ops.fault_hold(true);
    reads(DISK, 0x9000, &to);
    assert_int_equal(unit->events, before);
    assert_true(vtd_ops.take_fault(&f, &lost));
    assert_false(lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_blocked_by_default, setup),
        cmocka_unit_test_setup(test_attach, setup),
        cmocka_unit_test_setup(test_39_bits, setup),
        cmocka_unit_test_setup(test_small_pages, setup),
        cmocka_unit_test_setup(test_caching_mode, setup),
        cmocka_unit_test_setup(test_no_snooping, setup),
        cmocka_unit_test_setup(test_write_buffer, setup),
        cmocka_unit_test_setup(test_queue_wraps, setup),
        cmocka_unit_test_setup(test_interrupts, setup),
        cmocka_unit_test_setup(test_interrupts_used_up, setup),
        cmocka_unit_test_setup(test_wide_destinations, setup),
        cmocka_unit_test_setup(test_ioapic, setup),
        cmocka_unit_test_setup(test_faults, setup),
        cmocka_unit_test_setup(test_quiet, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
