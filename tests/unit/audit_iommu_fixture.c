// SPDX-License-Identifier: Apache-2.0
// Right IOMMU tables for two partitions; see audit_iommu_fixture.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/audit_iommu_fixture.h"

struct page_table dma[PARTNERS];
struct audit_unit unit;
struct audit_requester requesters[REQUESTERS];
struct audit_partition partitions[PARTNERS];
struct audit_iommu_input iommu_input;

static const uint32_t cpus[PARTNERS][2] = {{0, 1}, {2, 3}};
static const uint16_t ioapics[] = {IOAPIC_ID};

static hpa_t pages(unsigned count)
{
    hpa_t first = heap_page_alloc();
    for (unsigned i = 1; i < count; i++) {
        assert_int_equal(heap_page_alloc().v, first.v + i * PAGE_SIZE);
    }
    return first;
}

static void build_partitions(enum audit_unit_kind kind)
{
    build(0, false);
    for (unsigned i = 0; i < PARTNERS; i++) {
        const struct pt_format *f = kind == AUDIT_UNIT_VTD ? &pt_format_vtd : &pt_format_amdvi;
        assert_int_equal(f->levels, IOMMU_LEVELS);
        assert_int_equal(pt_create(&dma[i], f, 2), STATUS_OK);
        for (unsigned r = 0; r < rams[i].count; r++) {
            const struct guest_ram_region *region = &rams[i].region[r];
            assert_int_equal(pt_map(&dma[i], region->gpa, hpa(region->hpa), region->size, RW),
                             STATUS_OK);
        }
        partitions[i] =
            (struct audit_partition){i ? "beta" : "alpha", (uint16_t)(i + 1), cpus[i], 2};
    }
    requesters[0] = (struct audit_requester){BETA_FAR, 1};
    requesters[1] = (struct audit_requester){ALPHA_NIC, 0};
    requesters[2] = (struct audit_requester){BETA_DISK, 1};
    requesters[3] = (struct audit_requester){ALPHA_NIC_2, 0};
    requesters[4] = (struct audit_requester){BETA_USB, 1};
    iommu_input = (struct audit_iommu_input){
        .memory = &input,
        .units = &unit,
        .unit_count = 1,
        .requesters = requesters,
        .requester_count = REQUESTERS,
        .partitions = partitions,
        .partition_count = PARTNERS,
        .ioapics = ioapics,
        .ioapic_count = ARRAY_SIZE(ioapics),
        .nmi_apic_id = NMI_CPU,
    };
}

// ---- VT-d ---------------------------------------------------------------------------------------

uint64_t *vtd_root(unsigned bus)
{
    return heap_ptr(hpa(unit.devices.v + bus * 16));
}

uint64_t *vtd_context(uint16_t id)
{
    return heap_ptr(hpa((*vtd_root(id >> 8) & ADDRESS) + (id & 0xffu) * 16));
}

uint64_t *vtd_interrupt(unsigned index)
{
    return heap_ptr(hpa(unit.interrupts.v + index * 16));
}

static void vtd_send(unsigned index, uint16_t source, uint64_t low, uint32_t cpu)
{
    uint64_t *e = vtd_interrupt(index);
    e[0] = low | 1 | (uint64_t)cpu << (unit.x2apic ? 32 : 40);
    e[1] = 1ull << 18 | source;
}

void build_vtd(bool x2apic)
{
    build_partitions(AUDIT_UNIT_VTD);
    unit = (struct audit_unit){.name = "VT-d at 0xfed90000",
                               .kind = AUDIT_UNIT_VTD,
                               .on = true,
                               .x2apic = x2apic,
                               .levels = BIT(4),
                               .devices = pages(1),
                               .interrupts = pages(1),
                               .interrupt_count = VTD_INTERRUPTS};
    for (unsigned bus = 0; bus < 2; bus++) {
        *vtd_root(bus) = pages(1).v | 1;
    }
    for (unsigned i = 0; i < REQUESTERS; i++) {
        uint64_t *e = vtd_context(requesters[i].id);
        e[0] = dma[requesters[i].owner].root.v | 1;
        e[1] = 2 | (uint64_t)partitions[requesters[i].owner].domain_id << 8;
    }
    vtd_send(ENTRY_PIN, IOAPIC_ID, 0x00310010, 0); // level
    vtd_send(ENTRY_NMI, IOAPIC_ID, 0x00000080, NMI_CPU);
    vtd_send(ENTRY_ALPHA, ALPHA_NIC, 0x00400000, 1);
    vtd_send(ENTRY_BETA, BETA_DISK, 0x00410000, 2);
}

// ---- AMD-Vi -------------------------------------------------------------------------------------

uint64_t *amd_device(uint16_t id)
{
    return heap_ptr(hpa(unit.devices.v + id * 32ull));
}

void *amd_interrupt(uint16_t id, unsigned index)
{
    uint64_t table = amd_device(id)[2] & 0x000fffffffffffc0ull;
    return heap_ptr(hpa(table + index * (unit.wide ? 16 : 4)));
}

static void amd_send(uint16_t id, uint32_t vector, uint32_t cpu)
{
    amd_device(id)[2] |= 2ull << 60 | AMD_TABLE_LEN << 1 | pages(1).v;
    uint32_t *e = amd_interrupt(id, AMD_ENTRY);
    e[0] = 1 | cpu << 8;
    e[unit.wide ? 2 : 0] |= unit.wide ? vector : vector << 16;
}

void build_amdvi(bool wide, unsigned ids)
{
    build_partitions(AUDIT_UNIT_AMDVI);
    unit = (struct audit_unit){.name = "AMD-Vi at 0xfed80000",
                               .kind = AUDIT_UNIT_AMDVI,
                               .on = true,
                               .x2apic = wide,
                               .wide = wide,
                               .levels = BIT(4),
                               .devices = pages(ids / 128),
                               .devices_size = ids * 32ull};
    for (unsigned id = 0; id < ids; id++) {
        uint64_t *e = amd_device((uint16_t)id);
        e[0] = 3; // V, TV: blocked
        e[2] = 1; // IV
    }
    for (unsigned i = 0; i < REQUESTERS; i++) {
        if (requesters[i].id < ids) {
            uint64_t *e = amd_device(requesters[i].id);
            unsigned owner = requesters[i].owner;
            e[0] |= BIT(61) | BIT(62) | IOMMU_LEVELS << 9 | dma[owner].root.v;
            e[1] = partitions[owner].domain_id;
        }
    }
    amd_send(IOAPIC_ID, 0x31, 0);
    amd_device(IOAPIC_ID)[2] |= BIT(58); // NMI passes
    amd_send(ALPHA_NIC, 0x40, 1);
    amd_send(BETA_DISK, 0x41, 2);
}

void build_unit(enum audit_unit_kind kind, bool modern)
{
    if (kind == AUDIT_UNIT_VTD) {
        build_vtd(modern);
    } else {
        build_amdvi(modern, 128);
    }
}

bool audit_all(void)
{
    assert_true(audit_run(&input, &report));
    return audit_iommu_run(&iommu_input, &report);
}
