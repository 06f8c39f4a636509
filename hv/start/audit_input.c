// SPDX-License-Identifier: Apache-2.0
// Collects the input of the isolation audit: each partition's tables and memory, the hypervisor's
// own memory, and the device pages that partitions may reach.
#include "hv/start/audit_input.h"

#include "arch/cpu/cpu.h"
#include "arch/interrupt/apic.h"
#include "arch/lib/format.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"
#include "arch/virt/virt.h"
#include "drivers/console/console.h"
#include "drivers/iommu/iommu.h"
#include "hv/audit/audit.h"
#include "hv/audit/iommu.h"
#include "hv/device/passthrough.h"
#include "hv/device/screen_grant.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/partition/partition.h"

#define CPUID_ADDRESS_SIZES 0x80000008
#define MOST_FORBIDDEN      (4 + ACPI_MAX_IOAPICS + ACPI_MAX_MCFG + IOMMU_MAX_UNITS)
// Runs of pages: the BAR with the MSI-X table may have two.
#define RUNS_OF_DEVICE (PCI_BARS + 1)
#define UNIT_NAME_SIZE 32

// Input of the audit. Too large for the stack, and needed only briefly.
struct lists {
    struct audit_report report;
    struct audit_forbidden forbidden[MOST_FORBIDDEN];
    struct iommu_unit known[IOMMU_MAX_UNITS];
    struct audit_unit units[IOMMU_MAX_UNITS];
    char names[IOMMU_MAX_UNITS][UNIT_NAME_SIZE];
    struct audit_requester requesters[PCI_MAX_FUNCTIONS];
    uint32_t ids[MAX_PARTITIONS][MAX_CPUS];
    struct audit_device devices[]; // most_devices() elements
};

static unsigned physical_address_bits(void)
{
    uint32_t leaf[4];
    cpuid(CPUID_ADDRESS_SIZES, 0, leaf);
    return leaf[0] & 0xff;
}

#ifdef AUDIT_BREAK
// Test build: lets the last partition reach a page of the hypervisor, through its devices if it has
// any.
static void break_tables(void)
{
    struct partition *p = partitions[partition_count - 1];
    if (p->passthrough != NULL && p->passthrough->domain.created) {
        struct page_table *pt = &p->passthrough->domain.tables;
        pt_unmap(pt, 0x5000, PAGE_SIZE);
        pt_map(pt, 0x5000, heap_base(), PAGE_SIZE, PT_READ | PT_WRITE);
        return;
    }
    pt_unmap(&p->second_level, 0x5000, PAGE_SIZE);
    pt_map(&p->second_level, 0x5000, heap_base(), PAGE_SIZE, PT_READ | PT_WRITE | PT_EXEC);
}
#endif

// ---- IOMMUs ----------------------------------------------------------------------------------

static unsigned find_units(struct lists *l)
{
    unsigned count = iommu->units(l->known);
    for (unsigned i = 0; i < count; i++) {
        const struct iommu_unit *u = &l->known[i];
        format(l->names[i], UNIT_NAME_SIZE, "%s at 0x%lx", iommu->name, u->registers);
        l->units[i] = (struct audit_unit){
            .name = l->names[i],
            .kind = iommu == &vtd_ops ? AUDIT_UNIT_VTD : AUDIT_UNIT_AMDVI,
            .on = u->on,
            .x2apic = u->x2apic,
            .wide = u->wide,
            .levels = u->levels,
            .devices = hpa(u->devices),
            .devices_size = u->devices_size,
            .interrupts = hpa(u->interrupts),
            .interrupt_count = u->interrupt_count,
        };
    }
    return count;
}

static unsigned find_requesters(struct audit_requester out[PCI_MAX_FUNCTIONS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < machine_pci.pci.count; i++) {
        if (machine_pci.owner[i] != BLOB_NOBODY) {
            out[count++] = (struct audit_requester){machine_pci.pci.function[i].requester,
                                                    (unsigned)machine_pci.owner[i]};
        }
    }
    return count;
}

static void find_partitions(struct audit_partition out[MAX_PARTITIONS],
                            uint32_t ids[MAX_PARTITIONS][MAX_CPUS])
{
    for (unsigned i = 0; i < partition_count; i++) {
        const struct partition *p = partitions[i];
        for (unsigned v = 0; v < p->vcpu_count; v++) {
            ids[i][v] = p->vcpus[v]->physical_id;
        }
        out[i] = (struct audit_partition){p->name, (uint16_t)(i + 1), ids[i], p->vcpu_count};
    }
}

static bool audit_iommus(const struct audit_input *memory, struct lists *l, unsigned unit_count)
{
    struct audit_partition owners[MAX_PARTITIONS];
    uint16_t ioapics[ACPI_MAX_IOAPICS];
    find_partitions(owners, l->ids);
    struct audit_iommu_input input = {
        .memory = memory,
        .units = l->units,
        .unit_count = unit_count,
        .requesters = l->requesters,
        .requester_count = find_requesters(l->requesters),
        .partitions = owners,
        .partition_count = partition_count,
        .ioapics = ioapics,
        .ioapic_count = iommu->ioapics(ioapics),
        .nmi_apic_id = cpus[machine.console_cpu]->apic_id,
    };
    return audit_iommu_run(&input, &l->report);
}

// ---- device registers -----------------------------------------------------------------------

static unsigned most_devices(void)
{
    unsigned count = 2 + partition_count; // the local APIC, the framebuffer, and the reset pages
    for (unsigned i = 0; i < partition_count; i++) {
        const struct passthrough *pt = partitions[i]->passthrough;
        count += pt != NULL ? pt->count * RUNS_OF_DEVICE : 0;
    }
    return count;
}

// The BARs of all partitions, except for pages with an MSI-X table.
static unsigned find_bars(struct audit_device *out, unsigned count)
{
    for (unsigned i = 0; i < partition_count; i++) {
        const struct passthrough *pt = partitions[i]->passthrough;
        for (unsigned n = 0; pt != NULL && n < pt->count; n++) {
            for (unsigned bar = 0; bar < PCI_BARS; bar++) {
                struct passthrough_pages part[2];
                unsigned parts = passthrough_direct_pages(&pt->device[n], bar, part);
                for (unsigned k = 0; k < parts; k++) {
                    out[count++] = (struct audit_device){part[k].hpa, part[k].size, true, i,
                                                         "registers of a device"};
                }
            }
        }
    }
    return count;
}

// The framebuffer, if a partition owns it.
static unsigned find_screen(struct audit_device *out, unsigned count)
{
    int owner = screen_owner(machine.config);
    if (owner != BLOB_NOBODY) {
        out[count++] = (struct audit_device){machine.framebuffer.base, machine.framebuffer.size,
                                             true, (unsigned)owner, "the framebuffer"};
    }
    return count;
}

// The pages in which processors start; each partition has its own, read-only.
static unsigned find_reset_pages(struct audit_device *out, unsigned count)
{
    for (unsigned i = 0; i < partition_count; i++) {
        out[count++] = (struct audit_device){partitions[i]->reset_page.v, PAGE_SIZE, false, i,
                                             "the page of the reset vector"};
    }
    return count;
}

// Registers that no partition may ever reach.
static unsigned find_forbidden(struct audit_forbidden *out, const struct iommu_unit *units,
                               unsigned unit_count)
{
    unsigned count = 0;
    out[count++] = (struct audit_forbidden){apic_page().v, PAGE_SIZE, "local APICs"};
    if (machine.screen.size != 0) {
        out[count++] =
            (struct audit_forbidden){machine.screen.base, machine.screen.size, "the screen"};
    }
    if (machine.serial.found && machine.serial.memory) {
        struct page_range r = serial_pages(&machine.serial);
        out[count++] = (struct audit_forbidden){r.base, r.size, "the console's serial port"};
    }
    if (machine.hpet != 0) {
        out[count++] =
            (struct audit_forbidden){align_down(machine.hpet, PAGE_SIZE), PAGE_SIZE, "the HPET"};
    }
    for (unsigned i = 0; i < machine.acpi.ioapic_count; i++) {
        out[count++] =
            (struct audit_forbidden){machine.acpi.ioapics[i].address, PAGE_SIZE, "an IOAPIC"};
    }
    for (unsigned i = 0; i < machine.acpi.mcfg_count; i++) {
        const struct acpi_mcfg *m = &machine.acpi.mcfg[i];
        out[count++] = (struct audit_forbidden){m->base + MIB(m->bus_first),
                                                MIB((uint64_t)m->bus_last - m->bus_first + 1),
                                                "PCI configuration space"};
    }
    for (unsigned i = 0; i < unit_count; i++) {
        out[count++] =
            (struct audit_forbidden){units[i].registers, units[i].registers_size, "an IOMMU"};
    }
    return count;
}

static bool fill_and_run(struct lists *l)
{
    struct audit_subject subjects[MAX_PARTITIONS];
    for (unsigned i = 0; i < partition_count; i++) {
        subjects[i] = (struct audit_subject){
            .name = partitions[i]->name,
            .format = virt->table_format,
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
    unsigned unit_count = iommu != NULL ? find_units(l) : 0, device_count = 0;
    if (!apic_is_x2apic()) {
        l->devices[device_count++] =
            (struct audit_device){apic_page().v, PAGE_SIZE, false, AUDIT_ANYONE,
                                  "each CPU sees its own local APIC there"};
    }
    device_count = find_screen(l->devices, device_count);
    device_count = find_reset_pages(l->devices, device_count);
    struct audit_input input = {
        .subjects = subjects,
        .subject_count = partition_count,
        .hypervisor = hypervisor,
        .hypervisor_count = ARRAY_SIZE(hypervisor),
        .devices = l->devices,
        .device_count = find_bars(l->devices, device_count),
        .forbidden = l->forbidden,
        .forbidden_count = find_forbidden(l->forbidden, l->known, unit_count),
        .phys_bits = physical_address_bits(),
    };
    return audit_run(&input, &l->report) && (iommu == NULL || audit_iommus(&input, l, unit_count));
}

static bool run(struct lists *l)
{
    const struct audit_report *report = &l->report;
    bool passed = fill_and_run(l);
    for (unsigned i = 0; i < report->violations && i < AUDIT_REPORTS; i++) {
        print("audit: %s\n", report->first[i].text);
    }
    print("audit: %s, %lu pages in %u tables, %u violations\n",
          passed ? "every partition is alone" : "FAILED", report->pages_checked_4k, report->tables,
          report->violations);
    return passed;
}

bool boot_audit(void)
{
    uint64_t size = sizeof(struct lists) + most_devices() * sizeof(struct audit_device);
#ifdef AUDIT_BREAK
    break_tables();
#endif
    struct lists *lists = heap_borrow(size);
    if (lists == NULL) {
        print("audit: FAILED, no memory for its lists\n");
        return false;
    }
    bool passed = run(lists);
    heap_return(lists, size);
    return passed;
}
