// SPDX-License-Identifier: Apache-2.0
// What the audit's tests begin with: two partitions of about 1 GiB, their tables as the writer
// makes them in any format, and the lists for the audit. The tests then break something.
#ifndef TESTS_UNIT_AUDIT_FIXTURE_H
#define TESTS_UNIT_AUDIT_FIXTURE_H

#include "arch/memory/paging.h"
#include "hv/audit/audit.h"
#include "tests/unit/fake_heap.h"

#define RW       (PT_READ | PT_WRITE)
#define RWX      (PT_READ | PT_WRITE | PT_EXEC)
#define APIC     0xfee00000ull
#define ADDRESS  0x000ffffffffff000ull
#define PARTNERS 2

#define FORMAT_COUNT     5
#define HYPERVISOR_COUNT 2
#define DEVICE_COUNT     2

struct audit_fixture_format {
    const struct pt_format *pt;
    enum table_format audit;
    unsigned flags; // that RAM is mapped with
};

extern const struct audit_fixture_format formats[FORMAT_COUNT];
extern const struct guest_ram rams[PARTNERS];
extern const struct audit_range hypervisor[HYPERVISOR_COUNT];
extern const struct audit_device devices[DEVICE_COUNT];
extern struct page_table trees[PARTNERS];
extern struct audit_subject subjects[PARTNERS];
extern struct audit_input input; // for audit_run
extern struct audit_report report;

// Makes all of it anew for formats[f].
void build(unsigned f, bool with_devices);

#endif
