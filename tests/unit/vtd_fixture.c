// SPDX-License-Identifier: Apache-2.0
// A machine with one VT-d unit; see vtd_fixture.h.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/console/console.h"
#include "tests/unit/vtd_fixture.h"

struct acpi_info *acpi;
struct pci_machine pci;
struct fake_vtd *unit;
char error[256];

void print(const char *fmt, ...)
{
    (void)fmt;
}

const uint8_t ioapic_scope[8] = {
    3, 8, 0, 0, 8, 0xff, 0, 0, // IOAPIC 8 is ff:00.0
};

int setup(void **state)
{
    (void)state;
    fake_vtd_reset();
    unit = fake_vtd_add(BASE);
    acpi = fake_dmar_begin(1);
    fake_dmar_unit(BASE, 0, true, ioapic_scope, sizeof(ioapic_scope));
    fake_dmar_end(0);
    error[0] = '\0';
    return 0;
}

void start(void)
{
    assert_int_equal(vtd_ops.probe(acpi, &pci, error, sizeof(error)), STATUS_OK);
    assert_int_equal(vtd_ops.enable(error, sizeof(error)), STATUS_OK);
}

bool reads(uint16_t requester, uint64_t address, uint64_t *to)
{
    return fake_vtd_dma(unit, requester, address, false, to);
}

void blocked(uint16_t requester, uint64_t address)
{
    uint64_t to;
    assert_false(fake_vtd_dma(unit, requester, address, false, &to));
    assert_false(fake_vtd_dma(unit, requester, address, true, &to));
}

void reaches(uint16_t requester, uint64_t address, uint64_t to)
{
    uint64_t found;
    assert_true(fake_vtd_dma(unit, requester, address, false, &found));
    assert_int_equal(found, to);
    assert_true(fake_vtd_dma(unit, requester, address, true, &found));
    assert_int_equal(found, to);
}

void make_domain(struct iommu_domain *d, uint16_t id, uint64_t memory)
{
    assert_int_equal(vtd_ops.domain_create(d, id), STATUS_OK);
    assert_int_equal(pt_map(&d->tables, 0, hpa(memory), MIB(2) + 2 * PAGE_SIZE, PT_READ | PT_WRITE),
                     STATUS_OK);
}

bool interrupts(uint16_t requester, const struct msi_message *m, unsigned number,
                struct irq_route *out)
{
    return fake_vtd_message(unit, requester, m->address, m->data + number, out);
}
