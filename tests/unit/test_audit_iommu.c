// SPDX-License-Identifier: Apache-2.0
// The IOMMU audit: passes what is right in both vendors' formats, and names each kind of violation
// with the device and its owner. Every single bit is in test_audit_iommu_flips.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/audit_iommu_fixture.h"

static void assert_found(enum audit_kind kind, const char *device, const char *text)
{
    if (audit_all()) {
        fail_msg("not found: %s, %s", device, text);
    }
    const struct audit_violation *v = &report.first[0];
    if (v->kind != kind || !strstr(v->text, device) || !strstr(v->text, text)) {
        fail_msg("kind %u, not %u \"%s\" \"%s\": %s", v->kind, kind, device, text, v->text);
    }
    assert_true(strlen(v->text) < AUDIT_TEXT_SIZE - 1);
}

static void right_tables_pass(void **state)
{
    (void)state;
    for (unsigned modern = 0; modern < 2; modern++) {
        build_vtd(modern);
        assert_true(audit_run(&input, &report));
        struct audit_report before = report;
        assert_true(audit_iommu_run(&iommu_input, &report));
        assert_int_equal(report.violations, 0);
        uint64_t ram = GIB(1) + MIB(12) + KIB(24);
        assert_int_equal(report.pages_checked_4k - before.pages_checked_4k, ram / PAGE_SIZE);
        // root, two contexts, interrupts, and alpha's six and beta's four tables once
        assert_int_equal(report.tables - before.tables, 4 + 6 + 4);

        build_amdvi(modern, 65536);
        assert_true(audit_run(&input, &report));
        before = report;
        assert_true(audit_iommu_run(&iommu_input, &report));
        assert_int_equal(report.violations, 0);
        assert_int_equal(report.pages_checked_4k - before.pages_checked_4k, ram / PAGE_SIZE);
        assert_int_equal(report.tables - before.tables, 512 + 3 + 6 + 4);
    }
}

static void units_of_a_machine_are_all_audited(void **state)
{
    (void)state;
    static struct audit_unit two[2];
    build_vtd(true);
    two[0] = unit;
    two[1] = unit; // the same tables: each partition has one tree, walked once
    iommu_input.units = two;
    iommu_input.unit_count = 2;
    assert_true(audit_all());
    two[1].devices = hpa(GIB(1));
    two[1].name = "VT-d at 0xfed91000";
    assert_found(AUDIT_TABLE, "VT-d at 0xfed91000", "outside the hypervisor's heap");
    build_vtd(true);
    iommu_input.unit_count = 0; // a machine without
    assert_true(audit_all());
}

// One word of a table that the fixture made is changed.
struct change {
    uint64_t *(*entry)(unsigned);
    unsigned of; // requester, bus or index
    unsigned word;
    uint64_t clear, set;
    enum audit_kind kind;
    const char *device;
    const char *text;
};

static uint64_t *context(unsigned id)
{
    return vtd_context((uint16_t)id);
}

static uint64_t *device(unsigned id)
{
    return amd_device((uint16_t)id);
}

static uint64_t *amd_of(unsigned id)
{
    return amd_interrupt((uint16_t)id, AMD_ENTRY & ~1u); // of 32 bits: the upper half
}

static uint64_t *amd_wide_of(unsigned id)
{
    return amd_interrupt((uint16_t)id, AMD_ENTRY);
}

static void try(enum audit_unit_kind kind, bool modern, const struct change *c)
{
    build_unit(kind, modern);
    uint64_t *e = c->entry(c->of) + c->word;
    *e = (*e & ~c->clear) | c->set;
    assert_found(c->kind, c->device, c->text);
}

static void vtd_device_entries(void **state)
{
    (void)state;
    static const struct change cases[] = {
        {vtd_root, 1, 0, 0, 2, AUDIT_RESERVED, "01:00.0", "root entry"},
        {vtd_root, 1, 1, 0, 1, AUDIT_RESERVED, "01:00.0", "root entry"},
        {vtd_root, 1, 0, 0, BIT(50), AUDIT_TABLE, "01:00.0", "heap"},
        {context, NOBODYS, 0, 0, 1, AUDIT_UNBLOCKED, "00:06.0 of nobody", "present"},
        {context, IOAPIC_ID, 0, 0, 1, AUDIT_UNBLOCKED, "00:0a.0 of IOAPIC", "present"},
        {context, ALPHA_NIC, 0, 0, 8, AUDIT_RESERVED, "00:03.0 of alpha", "pass-through"},
        {context, ALPHA_NIC, 0, 0, 4, AUDIT_RESERVED, "00:03.0 of alpha", "translation type"},
        {context, ALPHA_NIC, 0, 0, 2, AUDIT_RESERVED, "00:03.0", "not reported"},
        {context, ALPHA_NIC_2, 0, 0, BIT(11), AUDIT_RESERVED, "00:03.1", "reserved"},
        {context, ALPHA_NIC, 1, 7, 4, AUDIT_RESERVED, "00:03.0", "address width"},
        {context, ALPHA_NIC, 1, 7, 0, AUDIT_RESERVED, "00:03.0", "address width"},
        {context, ALPHA_NIC, 1, 7, 1, AUDIT_RESERVED, "00:03.0", "address width"}, // of the unit
        {context, BETA_FAR, 1, 0xff00, 0x100, AUDIT_OTHER_PARTITION, "01:00.0 of beta", "domain"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        try(AUDIT_UNIT_VTD, i % 2, &cases[i]);
    }
    // a bus of nobody's that shares the table of a partition's devices
    build_vtd(false);
    *vtd_root(7) = *vtd_root(0);
    assert_found(AUDIT_UNBLOCKED, "07:03.0 of nobody", "present");
}

static void vtd_interrupt_entries(void **state)
{
    (void)state;
    static const struct change cases[] = {
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, 4 << 5, AUDIT_INTERRUPT, "00:03.0 of alpha", "NMI"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, 2 << 5, AUDIT_INTERRUPT, "interrupt 5", "than fixed"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, 1 << 5, AUDIT_INTERRUPT, "00:03.0", "than fixed"},
        {vtd_interrupt, ENTRY_PIN, 0, 0, 5 << 5, AUDIT_INTERRUPT, "00:0a.0", "than fixed"},
        {vtd_interrupt, ENTRY_NMI, 0, 0, BIT(32), AUDIT_INTERRUPT, "of IOAPIC", "NMI"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, 4, AUDIT_INTERRUPT, "00:03.0", "logical"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, 16, AUDIT_INTERRUPT, "00:03.0", "level-triggered"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, BIT(15), AUDIT_INTERRUPT, "00:03.0", "posted"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, 2, AUDIT_INTERRUPT, "00:03.0", "not reported"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, BIT(24), AUDIT_INTERRUPT, "00:03.0", "reserved"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0xff0000, 0xf0000, AUDIT_INTERRUPT, "03.0", "below 16"},
        {vtd_interrupt, ENTRY_BETA, 0, 2ull << 32, 0, AUDIT_INTERRUPT, "00:04.0 of beta", "a CPU"},
        {vtd_interrupt, ENTRY_BETA, 0, 0, ~0ull << 32, AUDIT_INTERRUPT, "00:04.0", "all CPUs"},
        {vtd_interrupt, ENTRY_PIN, 0, 0, BIT(60), AUDIT_INTERRUPT, "of IOAPIC", "a CPU"},
        {vtd_interrupt, ENTRY_BETA, 1, 0xffff, NOBODYS, AUDIT_INTERRUPT, "of nobody", "nobody's"},
        {vtd_interrupt, ENTRY_BETA, 1, 0xffff, ALPHA_NIC, AUDIT_INTERRUPT, "of alpha", "a CPU"},
        {vtd_interrupt, ENTRY_BETA, 1, 3 << 18, 0, AUDIT_INTERRUPT, "00:04.0", "compared"},
        {vtd_interrupt, ENTRY_BETA, 1, 3 << 18, 2 << 18, AUDIT_INTERRUPT, "00:04.0", "compared"},
        {vtd_interrupt, ENTRY_BETA, 1, 0, 1 << 16, AUDIT_INTERRUPT, "00:04.0", "compared"},
        {vtd_interrupt, 77, 0, 0, 1, AUDIT_INTERRUPT, "interrupt 77", "compared"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        try(AUDIT_UNIT_VTD, true, &cases[i]);
    }
    static const struct change narrow[] = {
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, BIT(32), AUDIT_INTERRUPT, "00:03.0", "destination"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, BIT(48), AUDIT_INTERRUPT, "00:03.0", "destination"},
        {vtd_interrupt, ENTRY_ALPHA, 0, 0, 0xffull << 40, AUDIT_INTERRUPT, "03.0", "all CPUs"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(narrow); i++) {
        try(AUDIT_UNIT_VTD, false, &narrow[i]);
    }
    build_vtd(true);
    iommu_input.nmi_apic_id = AUDIT_NO_APIC_ID; // nobody takes NMIs
    assert_found(AUDIT_INTERRUPT, "interrupt 1", "an NMI");
}

static void amd_device_entries(void **state)
{
    (void)state;
    static const struct change cases[] = {
        {device, NOBODYS, 0, ~0ull, 0, AUDIT_UNBLOCKED, "00:06.0 of nobody", "V is clear"},
        {device, ALPHA_NIC, 0, 1, 0, AUDIT_UNBLOCKED, "00:03.0 of alpha", "V is clear"},
        {device, ALPHA_NIC, 0, 2, 0, AUDIT_UNBLOCKED, "00:03.0", "TV is clear"},
        {device, NOBODYS, 2, 1, 0, AUDIT_UNBLOCKED, "00:06.0", "IV is clear"},
        {device, NOBODYS, 0, 0, BIT(61), AUDIT_UNBLOCKED, "00:06.0 of nobody", "read or write"},
        {device, IOAPIC_ID, 0, 0, BIT(62), AUDIT_UNBLOCKED, "of IOAPIC", "read or write"},
        {device, ALPHA_NIC, 0, 7 << 9, 0, AUDIT_RESERVED, "00:03.0", "paging mode 0"},
        {device, NOBODYS, 0, 0, 7 << 9, AUDIT_RESERVED, "00:06.0", "paging mode 7"},
        {device, ALPHA_NIC, 0, 7 << 9, 3 << 9, AUDIT_RESERVED, "00:03.0", "address width"},
        {device, ALPHA_NIC, 0, BIT(62), 0, AUDIT_ACCESS, "00:03.0", "IR, IW"},
        {device, BETA_USB, 1, 3, 1, AUDIT_OTHER_PARTITION, "00:05.0 of beta", "domain ID"},
        {device, ALPHA_NIC, 0, 0, BIT(55), AUDIT_RESERVED, "00:03.0", "guest translation"},
        {device, ALPHA_NIC, 1, 0, BIT(32), AUDIT_RESERVED, "00:03.0", "translate for itself"},
        {device, NOBODYS, 1, 0, BIT(39), AUDIT_RESERVED, "00:06.0", "exclusion"},
        {device, NOBODYS, 1, 0, BIT(40), AUDIT_RESERVED, "00:06.0", "system management"},
        {device, NOBODYS, 1, 0, BIT(35), AUDIT_RESERVED, "00:06.0", "port accesses"},
        {device, NOBODYS, 2, 0, BIT(60), AUDIT_INTERRUPT, "00:06.0", "IntCtl"},
        {device, NOBODYS, 2, 0, BIT(61), AUDIT_UNBLOCKED, "00:06.0", "interrupt table"},
        {device, ALPHA_NIC, 2, 0, BIT(60), AUDIT_RESERVED, "00:03.0", "IntCtl 3"},
        {device, NOBODYS, 2, 0, BIT(58), AUDIT_INTERRUPT, "00:06.0", "NMI"},
        {device, BETA_DISK, 2, 0, BIT(58), AUDIT_INTERRUPT, "00:04.0 of beta", "NMI"},
        {device, IOAPIC_ID, 2, 0, BIT(56), AUDIT_RESERVED, "of IOAPIC", "INIT"},
        {device, IOAPIC_ID, 2, 0, BIT(57), AUDIT_RESERVED, "of IOAPIC", "ExtInt"},
        {device, IOAPIC_ID, 2, 0, BIT(62), AUDIT_RESERVED, "of IOAPIC", "LINT0"},
        {device, IOAPIC_ID, 2, 0, BIT(63), AUDIT_RESERVED, "of IOAPIC", "LINT1"},
        {device, BETA_DISK, 2, 0, BIT(6), AUDIT_RESERVED, "00:04.0", "alignment"},
        {device, BETA_DISK, 2, 0xf << 1, 12 << 1, AUDIT_RESERVED, "00:04.0", "length"},
        {device, BETA_DISK, 2, 0, BIT(50), AUDIT_TABLE, "00:04.0", "heap"},
        {device, ALPHA_NIC, 3, 0, BIT(63), AUDIT_RESERVED, "00:03.0", "last quarter"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        try(AUDIT_UNIT_AMDVI, i % 2, &cases[i]);
    }
    build_amdvi(true, 128);
    iommu_input.nmi_apic_id = AUDIT_NO_APIC_ID;
    assert_found(AUDIT_INTERRUPT, "of IOAPIC", "NMI");
}

static void amd_interrupt_entries(void **state)
{
    (void)state;
    static const struct change wide[] = {
        {amd_wide_of, ALPHA_NIC, 0, 0, 3 << 2, AUDIT_INTERRUPT, "interrupt 9", "than fixed"},
        {amd_wide_of, ALPHA_NIC, 0, 0, 1 << 2, AUDIT_INTERRUPT, "00:03.0", "than fixed"},
        {amd_wide_of, IOAPIC_ID, 0, 0, 3 << 2, AUDIT_INTERRUPT, "of IOAPIC", "than fixed"},
        {amd_wide_of, ALPHA_NIC, 0, 0, BIT(6), AUDIT_INTERRUPT, "00:03.0", "logical"},
        {amd_wide_of, ALPHA_NIC, 0, 0, BIT(5), AUDIT_INTERRUPT, "00:03.0", "level-triggered"},
        {amd_wide_of, ALPHA_NIC, 0, 0, BIT(7), AUDIT_INTERRUPT, "00:03.0", "virtual"},
        {amd_wide_of, ALPHA_NIC, 0, 0, BIT(1), AUDIT_INTERRUPT, "00:03.0", "not reported"},
        {amd_wide_of, ALPHA_NIC, 0, 0, BIT(9), AUDIT_INTERRUPT, "00:03.0 of alpha", "a CPU"},
        {amd_wide_of, ALPHA_NIC, 0, 0, BIT(33), AUDIT_INTERRUPT, "00:03.0", "reserved"},
        {amd_wide_of, BETA_DISK, 1, 0, BIT(63), AUDIT_INTERRUPT, "00:04.0 of beta", "a CPU"},
        {amd_wide_of, BETA_DISK, 1, 0xff, 15, AUDIT_INTERRUPT, "00:04.0", "below 16"},
        {amd_wide_of, BETA_DISK, 1, 0, BIT(20), AUDIT_INTERRUPT, "00:04.0", "reserved"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wide); i++) {
        try(AUDIT_UNIT_AMDVI, true, &wide[i]);
    }
    static const struct change narrow[] = {
        {amd_of, BETA_DISK, 0, 0, 3ull << 34, AUDIT_INTERRUPT, "interrupt 9", "than fixed"},
        {amd_of, BETA_DISK, 0, 0, 0xffull << 40, AUDIT_INTERRUPT, "00:04.0", "all CPUs"},
        {amd_of, BETA_DISK, 0, 2ull << 40, 0, AUDIT_INTERRUPT, "00:04.0 of beta", "a CPU"},
        {amd_of, BETA_DISK, 0, 0xffull << 48, 1ull << 48, AUDIT_INTERRUPT, "00:04.0", "below 16"},
        {amd_of, BETA_DISK, 0, 0, BIT(60), AUDIT_INTERRUPT, "00:04.0", "reserved"},
        {amd_of, BETA_DISK, 0, 0, 1, AUDIT_INTERRUPT, "interrupt 8", "below 16"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(narrow); i++) {
        try(AUDIT_UNIT_AMDVI, false, &narrow[i]);
    }
    // 128-bit entries of a unit whose APIC IDs have 8 bits
    build_amdvi(true, 128);
    unit.x2apic = false;
    assert_true(audit_all());
    *amd_wide_of(ALPHA_NIC) |= BIT(16);
    assert_found(AUDIT_INTERRUPT, "00:03.0", "beyond what the entry can hold");
    // a table that two partitions' devices use, empty as it may be
    build_amdvi(false, 128);
    amd_device(BETA_USB)[2] = amd_device(ALPHA_NIC)[2] + KIB(2);
    assert_true(audit_all());
    ((uint32_t *)amd_interrupt(ALPHA_NIC, 0))[AMD_ENTRY] = 0;
    amd_device(BETA_USB)[2] = amd_device(ALPHA_NIC)[2];
    assert_found(AUDIT_OTHER_PARTITION, "00:03.0 of alpha", "another's too");
    build_amdvi(false, 128);
    amd_device(ALPHA_NIC)[2] =
        (amd_device(IOAPIC_ID)[2] & ~BIT(58)) | ((uint64_t)AMD_TABLE_LEN << 1);
    *(uint32_t *)amd_interrupt(IOAPIC_ID, AMD_ENTRY) = 0;
    assert_found(AUDIT_OTHER_PARTITION, "00:03.0 of alpha", "another's too");
}

static void foreign_trees(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        enum audit_unit_kind kind = k ? AUDIT_UNIT_AMDVI : AUDIT_UNIT_VTD;
        // all of alpha's devices in beta's tree
        build_unit(kind, true);
        uint64_t *e[2] = {k ? device(ALPHA_NIC) : context(ALPHA_NIC),
                          k ? device(ALPHA_NIC_2) : context(ALPHA_NIC_2)};
        for (unsigned i = 0; i < 2; i++) {
            *e[i] = (*e[i] & ~ADDRESS) | dma[1].root.v;
        }
        assert_found(AUDIT_OTHER_PARTITION, "DMA of alpha", "beta");
        assert_int_equal(report.first[0].subject, 0);
        // only the second of them
        build_unit(kind, true);
        e[1] = k ? device(ALPHA_NIC_2) : context(ALPHA_NIC_2);
        *e[1] = (*e[1] & ~ADDRESS) | dma[1].root.v;
        assert_found(AUDIT_TABLE, "00:03.1 of alpha", "the owner's others");
        // the tree isn't one
        build_unit(kind, true);
        e[0] = k ? device(ALPHA_NIC) : context(ALPHA_NIC);
        *e[0] = (*e[0] & ~ADDRESS) | GIB(10);
        assert_found(AUDIT_TABLE, "DMA of alpha", "not in the hypervisor's heap");
    }
}

static void trees_hold_the_owners_ram_only(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        enum audit_unit_kind kind = k ? AUDIT_UNIT_AMDVI : AUDIT_UNIT_VTD;
        build_unit(kind, true);
        assert_int_equal(pt_map(&dma[0], GIB(12), hpa(GIB(10)), KIB(4), PT_READ), STATUS_OK);
        assert_found(AUDIT_OTHER_PARTITION, "DMA of alpha", "beta");
        build_unit(kind, true);
        assert_int_equal(pt_map(&dma[1], GIB(12), hpa(FAKE_HEAP_BASE), KIB(4), RW), STATUS_OK);
        assert_found(AUDIT_HYPERVISOR, "DMA of beta", "mapped");
        build_unit(kind, true);
        assert_int_equal(pt_unmap(&dma[1], MIB(2), MIB(2)), STATUS_OK);
        assert_found(AUDIT_MISSING, "DMA of beta", "absent");
        // not even a device page that its owner's CPUs may reach, nor the APIC that all may read
        build_unit(kind, true);
        input.devices = devices;
        input.device_count = DEVICE_COUNT;
        assert_true(audit_all());
        assert_int_equal(pt_map(&dma[0], 0xfe000000, hpa(0xfe000000), KIB(4), RW), STATUS_OK);
        assert_found(AUDIT_STRAY, "DMA of alpha", "NIC");
        build_unit(kind, true);
        input.devices = devices;
        input.device_count = DEVICE_COUNT;
        assert_int_equal(pt_map(&dma[1], APIC, hpa(APIC), KIB(4), PT_READ), STATUS_OK);
        assert_found(AUDIT_STRAY, "DMA of beta", "local APIC");
    }
}

static void blocking_more_is_no_violation(void **state)
{
    (void)state;
    build_vtd(true);
    vtd_context(ALPHA_NIC)[0] = 0;
    vtd_context(ALPHA_NIC_2)[0] = 0;
    *vtd_interrupt(ENTRY_ALPHA) = 0;
    *vtd_root(1) = 0;
    assert_true(audit_all());
    build_amdvi(true, 128);
    amd_device(ALPHA_NIC)[0] = 3;
    amd_device(ALPHA_NIC)[2] = 1;
    assert_true(audit_all());
    // what an entry that refuses all interrupts still points to is no table
    build_amdvi(true, 128);
    amd_device(ALPHA_NIC)[2] = amd_device(BETA_DISK)[2] & ~(3ull << 60);
    assert_true(audit_all());
}

static void bad_units_are_refused(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        enum audit_unit_kind kind = k ? AUDIT_UNIT_AMDVI : AUDIT_UNIT_VTD;
        const char *name = k ? "AMD-Vi at 0xfed80000" : "VT-d at 0xfed90000";
        build_unit(kind, false);
        unit.on = false;
        assert_found(AUDIT_UNBLOCKED, name, "not on");
        static const unsigned levels[] = {0, BIT(2), BIT(4) | BIT(7)};
        for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
            build_unit(kind, false);
            unit.levels = levels[i];
            assert_found(AUDIT_BAD_INPUT, name, "levels");
        }
        build_unit(kind, false);
        unit.devices.v += 0x400; // VT-d: another mode of translation
        assert_found(AUDIT_TABLE, name, "table that isn't");
        build_unit(kind, false);
        unit.devices.v = 0;
        assert_found(AUDIT_TABLE, name, "heap");
    }
    static const unsigned counts[] = {0, 1, 3, 1000, 131072};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        build_vtd(true);
        unit.interrupt_count = counts[i];
        assert_found(AUDIT_BAD_INPUT, "VT-d", "size");
    }
    build_vtd(true);
    unit.interrupts.v += 16;
    assert_found(AUDIT_TABLE, "VT-d", "aligned");
    build_vtd(true);
    unit.interrupts.v = FAKE_HEAP_BASE + (FAKE_HEAP_PAGES - 1) * PAGE_SIZE;
    unit.interrupt_count = 512; // the second page isn't the heap's
    assert_found(AUDIT_TABLE, "VT-d", "heap");
    static const uint64_t sizes[] = {0, 32, PAGE_SIZE + 32, MIB(4)};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        build_amdvi(true, 128);
        unit.devices_size = sizes[i];
        assert_found(AUDIT_BAD_INPUT, "AMD-Vi", "size");
    }
}

static void bad_lists_are_refused(void **state)
{
    (void)state;
    static const uint32_t shared[] = {3, 1};
    build_vtd(true);
    partitions[1].domain_id = 1;
    assert_found(AUDIT_BAD_INPUT, "0x1", "one domain ID");
    build_vtd(true);
    partitions[0].domain_id = 0;
    assert_found(AUDIT_BAD_INPUT, "", "without domain ID");
    build_vtd(true);
    partitions[1].apic_ids = shared;
    assert_found(AUDIT_BAD_INPUT, "0x1", "of one CPU");
    build_vtd(true);
    requesters[0].owner = PARTNERS;
    assert_found(AUDIT_BAD_INPUT, "0x100", "isn't there");
    build_vtd(true);
    requesters[4].id = ALPHA_NIC;
    assert_found(AUDIT_BAD_INPUT, "0x18", "two partitions");
    build_vtd(true);
    requesters[4].id = IOAPIC_ID;
    assert_found(AUDIT_BAD_INPUT, "0x50", "IOAPIC's too");
    build_vtd(true);
    iommu_input.partition_count = MAX_PARTITIONS + 1;
    assert_found(AUDIT_BAD_INPUT, "0x11", "number of partitions");
    // without a report that has passed there is no audit
    build_vtd(true);
    assert_true(audit_all());
    report.violations = 1;
    assert_false(audit_iommu_run(&iommu_input, &report));
    assert_int_equal(report.violations, 1);
}

static void a_device_table_of_zeros_ends(void **state)
{
    (void)state;
    build_amdvi(true, 65536);
    for (unsigned id = 0; id < 65536; id++) {
        memset(amd_device((uint16_t)id), 0, 32);
    }
    assert_found(AUDIT_UNBLOCKED, "00:00.0 of nobody", "V is clear");
    assert_true(report.violations > AUDIT_REPORTS && report.violations < 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_tables_pass),
        cmocka_unit_test(units_of_a_machine_are_all_audited),
        cmocka_unit_test(vtd_device_entries),
        cmocka_unit_test(vtd_interrupt_entries),
        cmocka_unit_test(amd_device_entries),
        cmocka_unit_test(amd_interrupt_entries),
        cmocka_unit_test(foreign_trees),
        cmocka_unit_test(trees_hold_the_owners_ram_only),
        cmocka_unit_test(blocking_more_is_no_violation),
        cmocka_unit_test(bad_units_are_refused),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(a_device_table_of_zeros_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
