// SPDX-License-Identifier: Apache-2.0
// See amdvi_fixture.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/amdvi_fixture.h"

struct ivrs_image image;
struct acpi_info acpi;
struct pci_machine pci;
char error[IOMMU_TEXT_SIZE * 2];
struct iommu_domain alpha, beta;
uint32_t config[64];

uint32_t pci_config_read(pci_address_t a, unsigned offset, unsigned size)
{
    uint32_t value = 0;
    if (a.v == 2) {
        memcpy(&value, (uint8_t *)config + offset, size);
    }
    return value;
}

void pci_config_write(pci_address_t a, unsigned offset, unsigned size, uint32_t value)
{
    assert_int_equal(a.v, 2);
    memcpy((uint8_t *)config + offset, &value, size);
}

void add_function(uint16_t id)
{
    pci.function[pci.count] =
        (struct pci_function){.address = {id}, .requester = id, .group = pci.count};
    pci.count++;
}

const struct pci_function *function(uint16_t id)
{
    for (unsigned i = 0; i < pci.count; i++) {
        if (pci.function[i].address.v == id) {
            return &pci.function[i];
        }
    }
    fail();
    return NULL;
}

// Two units: the first serves buses 0 and 1, the second 02:02.0.
void make_machine(uint64_t features)
{
    static const uint16_t functions[] = {0x0000, 0x0002, EDU, NVME, OLD, IOAPIC, FAR, 0x0300};
    fake_heap_reset();
    fake_amdvi_reset(features);
    ivrs_begin(&image);
    ivrs_unit(&image, 0x11, 2, FAKE_UNIT_BASE, 0);
    ivrs_entry4(&image, 0x03, 0);
    ivrs_entry4(&image, 0x04, 0x00ff);
    ivrs_entry8(&image, 0x42, OLD, 0, ALIAS, 0);
    ivrs_entry8(&image, 0x48, 0, 5, IOAPIC, 1);
    ivrs_unit(&image, 0x11, 0x0200, FAKE_UNIT_BASE + MIB(1), 0);
    ivrs_entry4(&image, 0x02, FAR);
    fake_ivrs = image.bytes;
    fake_ivrs_size = image.size;
    memset(&pci, 0, sizeof(pci));
    for (unsigned i = 0; i < ARRAY_SIZE(functions); i++) {
        add_function(functions[i]);
    }
    pci.function[1].msi = 0x64; // the first unit's
    acpi = (struct acpi_info){.cpu_count = 2, .cpus = {{0, 0}, {1, 1}}};
    memset(error, 0, sizeof(error));
}

enum status probe(void)
{
    fake_ivrs_size = image.size;
    return amdvi_ops.probe(&acpi, &pci, error, sizeof(error));
}

void start_with(uint64_t features, bool x2apic)
{
    make_machine(features);
    fake_x2apic = x2apic;
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(fake_unit[0].reg[0x18 / 8], 0x1405); // as it was
    assert_int_equal(amdvi_ops.enable(error, sizeof(error)), STATUS_OK);
    assert_int_equal(amdvi_ops.domain_create(&alpha, 1), STATUS_OK);
    assert_int_equal(amdvi_ops.domain_create(&beta, 2), STATUS_OK);
    const unsigned rw = PT_READ | PT_WRITE;
    assert_int_equal(pt_map(&alpha.tables, 0, hpa(RAM), MIB(4), rw), STATUS_OK);
    assert_int_equal(pt_map(&alpha.tables, GIB(1), hpa(GIB(8)), GIB(1), rw), STATUS_OK);
    assert_int_equal(pt_map(&alpha.tables, GIB(3), hpa(GIB(3)), 0x1000, PT_READ), STATUS_OK);
    assert_int_equal(pt_map(&beta.tables, 0, hpa(RAM + MIB(4)), MIB(4), rw), STATUS_OK);
}

void start(void)
{
    start_with(FAKE_FEATURES, false);
}

void assert_no_memory(unsigned unit, uint16_t id)
{
    static const uint64_t places[] = {0,      0x5000,         RAM,    RAM + MIB(4),
                                      GIB(1), FAKE_HEAP_BASE, BIT(47)};
    uint64_t pa;
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        assert_false(fake_dma(unit, id, places[i], false, &pa));
        assert_false(fake_dma(unit, id, places[i], true, &pa));
    }
}

// Every delivery mode, several indices.
void assert_no_interrupts(unsigned unit, uint16_t id)
{
    struct fake_interrupt i;
    for (uint32_t data = 0; data < 0x800; data++) {
        assert_false(fake_interrupt(unit, id, APIC, data, &i));
    }
}

void drain(void)
{
    struct iommu_fault f;
    bool lost = false;
    while (amdvi_ops.take_fault(&f, &lost)) {
    }
}

void assert_reaches(uint16_t id, uint64_t address, uint64_t expected)
{
    uint64_t pa = 0;
    assert_true(fake_dma(0, id, address, true, &pa));
    assert_int_equal(pa, expected);
}
