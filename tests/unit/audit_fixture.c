// SPDX-License-Identifier: Apache-2.0
// Two partitions with right tables in any format; see audit_fixture.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/audit_fixture.h"

const struct audit_fixture_format formats[FORMAT_COUNT] = {
    {&pt_format_npt, TABLE_NPT, RWX},    {&pt_format_ept, TABLE_EPT, RWX},
    {&pt_format_vtd, TABLE_VTD, RW},     {&pt_format_vtd_39, TABLE_VTD, RW},
    {&pt_format_amdvi, TABLE_AMDVI, RW},
};

// Two partitions of about 1 GiB: large pages of both sizes, single pages, two regions each.
const struct guest_ram rams[PARTNERS] = {
    {.count = 3,
     .region = {{0, GIB(5), GIB(1) + MIB(2)},
                {GIB(1) + MIB(2), GIB(8) + KIB(4), KIB(12)},
                {GIB(4), GIB(9), MIB(4) + KIB(4)}}},
    {.count = 2, .region = {{0, GIB(10), MIB(6)}, {MIB(6), GIB(8) + KIB(16), KIB(8)}}},
};
const struct audit_range hypervisor[HYPERVISOR_COUNT] = {
    {MIB(2), KIB(300)},
    {FAKE_HEAP_BASE, FAKE_HEAP_PAGES *PAGE_SIZE},
};
const struct audit_device devices[DEVICE_COUNT] = {
    {APIC, KIB(4), false, AUDIT_ANYONE, "local APIC"},
    {0xfe000000, KIB(64), true, 0, "NIC"},
};

struct page_table trees[PARTNERS];
struct audit_subject subjects[PARTNERS];
struct audit_input input;
struct audit_report report;

void build(unsigned f, bool with_devices)
{
    fake_heap_reset();
    for (unsigned i = 0; i < PARTNERS; i++) {
        assert_int_equal(pt_create(&trees[i], formats[f].pt, 2), STATUS_OK);
        for (unsigned r = 0; r < rams[i].count; r++) {
            const struct guest_ram_region *region = &rams[i].region[r];
            assert_int_equal(
                pt_map(&trees[i], region->gpa, hpa(region->hpa), region->size, formats[f].flags),
                STATUS_OK);
        }
        if (with_devices) {
            assert_int_equal(pt_map(&trees[i], APIC, hpa(APIC), KIB(4), PT_READ), STATUS_OK);
        }
        subjects[i] = (struct audit_subject){
            .name = i ? "beta" : "alpha",
            .format = formats[f].audit,
            .root = trees[i].root,
            .levels = formats[f].pt->levels,
            .owner = i,
            .ram = &rams[i],
        };
    }
    if (with_devices) {
        assert_int_equal(pt_map(&trees[0], 0xfe000000, hpa(0xfe000000), KIB(64), RW), STATUS_OK);
    }
    input = (struct audit_input){
        .subjects = subjects,
        .subject_count = PARTNERS,
        .hypervisor = hypervisor,
        .hypervisor_count = ARRAY_SIZE(hypervisor),
        .devices = devices,
        .device_count = with_devices ? ARRAY_SIZE(devices) : 0,
        .phys_bits = 40,
    };
}
