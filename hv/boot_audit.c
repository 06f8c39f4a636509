// SPDX-License-Identifier: Apache-2.0
// Gathers for the isolation audit what there is: each partition's tables and memory, the
// hypervisor's own memory, and the device pages that may be seen.
#include "hv/boot_audit.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/heap.h"
#include "arch/mmu.h"
#include "arch/virt.h"
#include "drivers/console.h"
#include "hv/audit.h"
#include "hv/machine.h"
#include "hv/partition.h"

#define CPUID_ADDRESS_SIZES 0x80000008

static unsigned physical_address_bits(void)
{
    uint32_t leaf[4];
    cpuid(CPUID_ADDRESS_SIZES, 0, leaf);
    return leaf[0] & 0xff;
}

#ifdef AUDIT_BREAK
// Test build: lets the last partition reach a page of the hypervisor's.
static void break_tables(void)
{
    struct partition *p = partitions[partition_count - 1];
    pt_unmap(&p->second_level, 0x5000, PAGE_SIZE);
    pt_map(&p->second_level, 0x5000, heap_base(), PAGE_SIZE, PT_READ | PT_WRITE | PT_EXEC);
}
#endif

static bool fill_and_run(struct audit_report *report)
{
    struct audit_subject subjects[MAX_PARTITIONS];
    for (unsigned i = 0; i < partition_count; i++) {
        subjects[i] = (struct audit_subject){
            .name = partitions[i]->name,
            .format = virt->audit_format,
            .root = partitions[i]->second_level.root,
            .levels = 4,
            .owner = i,
            .ram = &partitions[i]->ram,
        };
    }
    struct audit_range hypervisor[] = {
        {image_start().v, image_size()},
        {heap_base().v, heap_size()},
    };
    struct audit_device devices[] = {
        {apic_page().v, PAGE_SIZE, false, AUDIT_ANYONE, "each CPU sees its own local APIC there"},
    };
    struct audit_input input = {
        .subjects = subjects,
        .subject_count = partition_count,
        .hypervisor = hypervisor,
        .hypervisor_count = ARRAY_SIZE(hypervisor),
        .devices = devices,
        .device_count = apic_is_x2apic() ? 0 : ARRAY_SIZE(devices),
        .phys_bits = physical_address_bits(),
    };
    return audit_run(&input, report);
}

bool boot_audit(void)
{
    static struct audit_report report; // too large for the stack
#ifdef AUDIT_BREAK
    break_tables();
#endif
    bool passed = fill_and_run(&report);
    for (unsigned i = 0; i < report.violations && i < AUDIT_REPORTS; i++) {
        print("audit: %s\n", report.first[i].text);
    }
    print("audit: %s, %lu pages in %u tables, %u violations\n",
          passed ? "every partition is alone" : "FAILED", report.pages_checked_4k, report.tables,
          report.violations);
    return passed;
}
