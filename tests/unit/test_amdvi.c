// SPDX-License-Identifier: Apache-2.0
// AMD-Vi against a model of the unit: what a device reaches and which interrupts it can send, from
// the first moment, through every permission given and taken away; and units that misbehave.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "drivers/amdvi.h"
#include "drivers/format.h"
#include "tests/unit/fake_amdvi.h"
#include "tests/unit/fake_heap.h"
#include "tests/unit/ivrs_image.h"

#define EDU    0x0018u // 00:03.0
#define NVME   0x0020u // 00:04.0
#define OLD    0x0108u // 01:01.0, whose requests carry the ID 00:1e.0
#define ALIAS  0x00f0u
#define IOAPIC 0x00a0u
#define FAR    0x0210u // 02:02.0, at the second unit
#define APIC   0xfee00000ull
#define RAM    0x10000000ull

static struct ivrs_image image;
static struct acpi_info acpi;
static struct pci_machine pci;
static char error[IOMMU_TEXT_SIZE * 2];
static struct iommu_domain alpha, beta;
static uint32_t config[64]; // configuration space of the first unit's function

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

const char *pci_text(pci_address_t a, char text[PCI_TEXT_SIZE])
{
    format(text, PCI_TEXT_SIZE, "%02x:%02x.%x", a.v >> 8, a.v >> 3 & 31, a.v & 7);
    return text;
}

static void add_function(uint16_t id)
{
    pci.function[pci.count] =
        (struct pci_function){.address = {id}, .requester = id, .group = pci.count};
    pci.count++;
}

static const struct pci_function *function(uint16_t id)
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
static void make_machine(uint64_t features)
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
    acpi = (struct acpi_info){.cpu_count = 2, .cpus = {{0, 0}, {1, 1}}};
    memset(error, 0, sizeof(error));
}

static enum status probe(void)
{
    fake_ivrs_size = image.size;
    return amdvi_ops.probe(&acpi, &pci, error, sizeof(error));
}

static void start_with(uint64_t features, bool x2apic)
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

static void start(void)
{
    start_with(FAKE_FEATURES, false);
}

static void assert_no_memory(unsigned unit, uint16_t id)
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
static void assert_no_interrupts(unsigned unit, uint16_t id)
{
    struct fake_interrupt i;
    for (uint32_t data = 0; data < 0x800; data++) {
        assert_false(fake_interrupt(unit, id, APIC, data, &i));
    }
}

static void drain(void)
{
    struct iommu_fault f;
    bool lost = false;
    while (amdvi_ops.take_fault(&f, &lost)) {
    }
}

static void assert_reaches(uint16_t id, uint64_t address, uint64_t expected)
{
    uint64_t pa = 0;
    assert_true(fake_dma(0, id, address, true, &pa));
    assert_int_equal(pa, expected);
}

// ---- memory --------------------------------------------------------------------------------

static void all_are_blocked_from_the_start(void **state)
{
    (void)state;
    start();
    for (uint32_t id = 0; id < 0x500; id++) {
        uint64_t pa;
        struct fake_interrupt i;
        assert_false(fake_dma(0, (uint16_t)id, 0x5000, false, &pa));
        assert_false(fake_interrupt(0, (uint16_t)id, APIC, 0x31, &i));
    }
    assert_no_memory(0, EDU);
    assert_no_interrupts(0, EDU);
    assert_no_memory(0, IOAPIC);
    assert_no_interrupts(0, IOAPIC);
    assert_no_memory(1, FAR);
    assert_no_interrupts(1, FAR);
    assert_int_equal(amdvi.device_count, 0x400); // buses 0 to 3
    assert_int_equal(fake_unit[0].reg[0x20 / 8] | fake_unit[0].reg[0x28 / 8], 0);
    // The tables are read through the caches, and link settings are the firmware's.
    assert_int_equal(fake_unit[0].reg[0x18 / 8], 0x1487);
}

static void a_unit_without_invalidate_all(void **state)
{
    (void)state;
    start_with(0, false);
    assert_int_equal(fake_unit[0].commands[8], 0);
    assert_int_equal(fake_unit[0].commands[2], 0x400);
    assert_no_memory(0, EDU);
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_reaches(EDU, 0x5000, RAM + 0x5000);
}

static void attached_to_one_domain(void **state)
{
    (void)state;
    start();
    uint64_t pa;
    assert_false(fake_dma(0, EDU, 0x5000, true, &pa));
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_reaches(EDU, 0x5678, RAM + 0x5678);
    assert_reaches(EDU, MIB(4) - 8, RAM + MIB(4) - 8);
    assert_reaches(EDU, GIB(1) + 0x12345678, GIB(8) + 0x12345678);
    assert_false(fake_dma(0, EDU, MIB(4), true, &pa));
    assert_false(fake_dma(0, EDU, RAM, true, &pa));
    assert_false(fake_dma(0, EDU, BIT(48), true, &pa));
    assert_true(fake_dma(0, EDU, GIB(3), false, &pa));
    assert_false(fake_dma(0, EDU, GIB(3), true, &pa));
    assert_no_memory(0, NVME);
    assert_no_interrupts(0, EDU);
}

static void two_domains_and_back(void **state)
{
    (void)state;
    start();
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_int_equal(amdvi_ops.attach(NVME, &beta), STATUS_OK);
    assert_reaches(EDU, 0x5000, RAM + 0x5000);
    assert_reaches(NVME, 0x5000, RAM + MIB(4) + 0x5000);
    assert_int_equal(amdvi_ops.attach(EDU, &beta), STATUS_OK);
    assert_reaches(EDU, 0x5000, RAM + MIB(4) + 0x5000);
    uint64_t pa;
    assert_false(fake_dma(0, EDU, GIB(1), true, &pa));
    amdvi_ops.detach(EDU);
    assert_no_memory(0, EDU);
    assert_reaches(NVME, 0x5000, RAM + MIB(4) + 0x5000);
    amdvi_ops.detach(NVME);
    assert_no_memory(0, NVME);
}

static void a_flush_ends_what_was_unmapped(void **state)
{
    (void)state;
    start();
    uint64_t pa;
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_int_equal(amdvi_ops.attach(FAR, &alpha), STATUS_OK);
    assert_reaches(EDU, 0x5000, RAM + 0x5000);
    assert_true(fake_dma(1, FAR, 0x5000, true, &pa));
    assert_int_equal(pt_unmap(&alpha.tables, 0, MIB(4)), STATUS_OK);
    amdvi_ops.domain_flush(&alpha);
    assert_false(fake_dma(0, EDU, 0x5000, true, &pa));
    assert_false(fake_dma(1, FAR, 0x5000, true, &pa));
}

// While nobody is attached nobody has to flush.
static void detached_is_forgotten(void **state)
{
    (void)state;
    start();
    uint64_t pa;
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_reaches(EDU, 0x5000, RAM + 0x5000);
    amdvi_ops.detach(EDU);
    assert_int_equal(pt_unmap(&alpha.tables, 0, MIB(4)), STATUS_OK);
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_false(fake_dma(0, EDU, 0x5000, true, &pa));
}

static void an_alias_stands_for_its_source(void **state)
{
    (void)state;
    start();
    struct fake_interrupt i;
    const struct irq_route route = {.apic_id = 1, .vector = 0x41};
    unsigned first;
    assert_int_equal(amdvi_ops.attach(OLD, &alpha), STATUS_OK);
    assert_reaches(ALIAS, 0x5000, RAM + 0x5000);
    assert_no_memory(0, OLD);
    assert_int_equal(amdvi_ops.irq_alloc(OLD, 1, &first), STATUS_OK);
    amdvi_ops.irq_set(OLD, first, &route);
    assert_true(fake_interrupt(0, ALIAS, APIC, first, &i));
    assert_int_equal(i.vector, 0x41);
    assert_no_interrupts(0, OLD);
    // The alias as a requester of its own has other interrupts in the same table.
    unsigned other;
    assert_int_equal(amdvi_ops.irq_alloc(ALIAS, 1, &other), STATUS_OK);
    assert_int_not_equal(other, first);
    amdvi_ops.irq_free(ALIAS);
    assert_true(fake_interrupt(0, ALIAS, APIC, first, &i));
    amdvi_ops.irq_free(OLD);
    assert_no_interrupts(0, ALIAS);
    amdvi_ops.detach(OLD);
    assert_no_memory(0, ALIAS);
}

// ---- interrupts ----------------------------------------------------------------------------

static void interrupts_in(uint64_t features, bool x2apic, unsigned entries, uint32_t apic_id)
{
    start_with(features, x2apic);
    struct msi_message m;
    struct fake_interrupt i;
    unsigned one, four;
    struct irq_route route = {.apic_id = apic_id, .vector = 0x41};
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 1, &one), STATUS_OK);
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 4, &four), STATUS_OK);
    assert_int_equal(four % 4, 0);
    assert_no_interrupts(0, EDU);
    amdvi_ops.irq_set(EDU, four + 3, &route);
    amdvi_ops.irq_message(EDU, four, &m);
    assert_int_equal(m.address, APIC);
    assert_true(fake_interrupt(0, EDU, m.address, m.data + 3, &i));
    assert_int_equal(i.vector, 0x41);
    assert_int_equal(i.destination, apic_id);
    assert_false(i.nmi);
    assert_false(fake_interrupt(0, EDU, m.address, m.data + 2, &i));
    assert_false(fake_interrupt(0, NVME, m.address, m.data + 3, &i));
    route = (struct irq_route){.apic_id = 1, .vector = 0xfe};
    amdvi_ops.irq_set(EDU, four + 3, &route);
    assert_true(fake_interrupt(0, EDU, m.address, m.data + 3, &i));
    assert_int_equal(i.vector, 0xfe);
    assert_int_equal(i.destination, 1);
    // What an entry can't express is absent.
    route.nmi = true;
    amdvi_ops.irq_set(EDU, four + 3, &route);
    assert_no_interrupts(0, EDU);
    route = (struct irq_route){.apic_id = 1, .vector = 15};
    amdvi_ops.irq_set(EDU, four + 3, &route);
    assert_no_interrupts(0, EDU);
    route.vector = 16;
    amdvi_ops.irq_set(EDU, four + 3, &route);
    assert_true(fake_interrupt(0, EDU, m.address, m.data + 3, &i));
    amdvi_ops.irq_set(EDU, four + 3, NULL);
    assert_no_interrupts(0, EDU);
    // All of them, and not one more.
    amdvi_ops.irq_free(EDU);
    for (unsigned n = 0; n < entries; n += 64) {
        assert_int_equal(amdvi_ops.irq_alloc(EDU, 64, &one), STATUS_OK);
        assert_int_equal(one, n);
    }
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 1, &one), ERR_NO_MEMORY);
    assert_int_equal(amdvi_ops.irq_alloc(NVME, 1, &one), STATUS_OK);
    route.vector = 0x51;
    amdvi_ops.irq_set(EDU, entries - 1, &route);
    assert_true(fake_interrupt(0, EDU, APIC, entries - 1, &i));
    assert_int_equal(i.vector, 0x51);
    amdvi_ops.irq_free(EDU);
    assert_no_interrupts(0, EDU);
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 1, &one), STATUS_OK);
}

static void interrupts_with_entries_of_32_bits(void **state)
{
    (void)state;
    interrupts_in(FAKE_FEATURES, true, AMDVI_IRQS_32, 254);
    assert_false(amdvi.wide);
    interrupts_in(FAKE_FEATURES_X, false, AMDVI_IRQS_32, 3);
    struct irq_route far = {.apic_id = 255, .vector = 0x41};
    unsigned first;
    struct fake_interrupt i;
    assert_int_equal(amdvi_ops.irq_alloc(NVME, 1, &first), STATUS_OK);
    amdvi_ops.irq_set(NVME, first, &far); // 255 would be everybody
    assert_false(fake_interrupt(0, NVME, APIC, first, &i));
}

static void interrupts_with_entries_of_128_bits(void **state)
{
    (void)state;
    interrupts_in(FAKE_FEATURES_X, true, AMDVI_IRQS_128, 0x12345678);
    assert_true(amdvi.wide);
}

static void bad_requests_for_interrupts(void **state)
{
    (void)state;
    start();
    unsigned first;
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 0, &first), ERR_INVALID);
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 3, &first), ERR_INVALID);
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 1024, &first), ERR_NO_MEMORY);
    assert_int_equal(amdvi_ops.irq_alloc(0x0300, 1, &first), ERR_NOT_FOUND);
    assert_int_equal(amdvi_ops.irq_alloc(0x9000, 1, &first), ERR_NOT_FOUND);
    amdvi_ops.irq_free(0x9000);
    amdvi_ops.irq_free(NVME);
    fake_heap_fail_after(0);
    assert_int_equal(amdvi_ops.irq_alloc(NVME, 1, &first), ERR_NO_MEMORY);
    fake_heap_fail_after(1);
    assert_int_equal(amdvi_ops.irq_alloc(NVME, 1, &first), ERR_NO_MEMORY);
    assert_no_interrupts(0, NVME);
    assert_int_equal(amdvi_ops.attach(0x9000, &alpha), ERR_NOT_FOUND);
    amdvi_ops.detach(0x9000);
    // Somebody else's handle is the hypervisor's own mistake.
    fake_panic_armed = true;
    if (setjmp(fake_panic) == 0) {
        amdvi_ops.irq_set(EDU, 5, NULL);
        fail();
    }
}

static void the_ioapic_gets_no_more_than_it_needs(void **state)
{
    (void)state;
    start();
    uint64_t entry;
    struct fake_interrupt i;
    struct irq_route route = {.apic_id = 1, .nmi = true};
    assert_int_equal(amdvi_ops.ioapic_entry(0, 4, &route, false, &entry), ERR_NOT_FOUND);
    assert_int_equal(amdvi_ops.ioapic_entry(5, 4, &route, false, &entry), STATUS_OK);
    assert_int_equal(entry, 1ull << 56 | 0x400);
    assert_true(fake_interrupt(0, IOAPIC, APIC | 0x1000, 0x400, &i));
    assert_true(i.nmi);
    assert_false(fake_interrupt(0, IOAPIC, APIC | 0x1000, 0x31, &i));
    assert_false(fake_interrupt(0, IOAPIC, APIC | 0x1000, 0x500, &i));
    route = (struct irq_route){.apic_id = 2, .vector = 0x31, .level = true};
    assert_int_equal(amdvi_ops.ioapic_entry(5, 9, &route, true, &entry), STATUS_OK);
    assert_int_equal(entry, 2ull << 56 | 0xa031);
    assert_true(fake_interrupt(0, IOAPIC, APIC | 0x2000, 0x31, &i));
    assert_int_equal(i.vector, 0x31);
    assert_int_equal(i.destination, 2);
    assert_true(fake_interrupt(0, IOAPIC, APIC | 0x1000, 0x400, &i));
    route = (struct irq_route){.apic_id = 1, .nmi = true};
    assert_int_equal(amdvi_ops.ioapic_entry(5, 4, &route, false, &entry), STATUS_OK);
    assert_true(fake_interrupt(0, IOAPIC, APIC | 0x2000, 0x31, &i));
    assert_no_memory(0, IOAPIC);
    assert_no_interrupts(0, EDU);
    route.apic_id = 300;
    assert_int_equal(amdvi_ops.ioapic_entry(5, 4, &route, false, &entry), ERR_UNSUPPORTED);
}

// ---- events --------------------------------------------------------------------------------

static void faults_are_told(void **state)
{
    (void)state;
    start();
    struct iommu_fault f;
    struct fake_interrupt i;
    bool lost = false;
    uint64_t pa;
    assert_false(amdvi_ops.take_fault(&f, &lost));
    fake_dma(0, EDU, 0x5008, true, &pa);
    fake_dma(1, FAR, 0x6000, false, &pa);
    fake_interrupt(0, NVME, APIC, 0x31, &i);
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, EDU);
    assert_int_equal(f.address, 0x5008);
    assert_true(f.write && !f.interrupt);
    assert_non_null(strstr(f.why, "not allowed"));
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, NVME);
    assert_true(f.interrupt);
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, FAR);
    assert_true(!f.write && !f.interrupt);
    assert_false(amdvi_ops.take_fault(&f, &lost));
    assert_false(lost);
    for (unsigned code = 0; code < 16; code++) {
        fake_log_event(0, (uint64_t)code << 60 | 0x1234, code);
        assert_true(amdvi_ops.take_fault(&f, &lost));
        assert_non_null(f.why);
        assert_int_equal(f.address, code);
        bool of_unit = code == 0 || code == 5 || code == 6 || code == 10;
        assert_int_equal(f.requester, of_unit ? 0 : 0x1234);
    }
    fake_unit[0].event_late = true;
    fake_dma(0, EDU, 0x5008, true, &pa);
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_non_null(strstr(f.why, "did not write out"));
}

static void the_quiet_are_refused_in_silence(void **state)
{
    (void)state;
    start();
    struct iommu_fault f;
    bool lost = false;
    uint64_t pa;
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    amdvi_ops.quiet(EDU);
    assert_reaches(EDU, 0x5000, RAM + 0x5000);
    assert_false(fake_dma(0, EDU, MIB(4), true, &pa));
    assert_false(amdvi_ops.take_fault(&f, &lost));
    assert_false(fake_dma(0, NVME, MIB(4), true, &pa)); // another's is told
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, NVME);
    amdvi_ops.detach(EDU);
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_false(fake_dma(0, EDU, MIB(4), true, &pa));
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, EDU);
}

static void a_full_log_starts_again(void **state)
{
    (void)state;
    start();
    struct iommu_fault f;
    bool lost = false;
    uint64_t pa;
    for (unsigned round = 0; round < 3; round++) {
        lost = false;
        for (unsigned n = 0; n < 300; n++) {
            fake_dma(0, EDU, n * 0x1000, true, &pa);
        }
        unsigned taken = 0;
        for (; amdvi_ops.take_fault(&f, &lost); taken++) {
            assert_int_equal(f.address, taken * 0x1000);
        }
        assert_int_equal(taken, 255);
        assert_true(lost);
    }
    lost = false;
    assert_false(amdvi_ops.take_fault(&f, &lost));
    assert_false(lost);
}

static void make_config(void)
{
    memset(config, 0, sizeof(config));
    config[0x04 / 4] = 0x00100000; // it has capabilities
    config[0x34 / 4] = 0x40;
    config[0x40 / 4] = 0x0001640f; // its own, then at 0x64 MSI of 64 bits
    config[0x64 / 4] = 0x00f00005;
}

static void faults_are_announced(void **state)
{
    (void)state;
    start();
    make_config();
    uint64_t pa;
    amdvi_ops.fault_nmi(300);
    assert_int_equal(config[0x64 / 4], 0x00f00005);
    amdvi_ops.fault_nmi(3);
    assert_int_equal(config[0x64 / 4], 0x00810005);
    assert_int_equal(config[0x68 / 4], 0xfee03000);
    assert_int_equal(config[0x6c / 4], 0);
    assert_int_equal(config[0x70 / 4], 0x400);
    assert_int_equal(config[0x04 / 4] & 0x404, 0x404);
    fake_dma(0, EDU, 0, true, &pa);
    fake_dma(0, EDU, 0, true, &pa);
    assert_int_equal(fake_unit[0].msis, 1);
    drain();
    fake_dma(0, EDU, 0, true, &pa);
    assert_int_equal(fake_unit[0].msis, 2);
    assert_int_equal(fake_unit[1].msis, 0);
    // A list of capabilities that is a loop, and one that is none.
    make_config();
    config[0x40 / 4] = 0x0001400f;
    amdvi_ops.fault_nmi(3);
    config[0x04 / 4] = 0;
    amdvi_ops.fault_nmi(3);
    assert_int_equal(config[0x04 / 4], 0);
}

// ---- what can't be given away, and units that can't be used ---------------------------------

static void refuse(uint16_t id, enum status status, const char *what)
{
    assert_int_equal(amdvi_ops.check(&pci, function(id), error, sizeof(error)), status);
    if (strstr(error, what) == NULL) {
        fail_msg("'%s' is not in '%s'", what, error);
    }
}

static void functions_that_stay(void **state)
{
    (void)state;
    start();
    ivrs_memory(&image, 0x22, 1, NVME, NVME + 7, 0x7f000000, 0x2000);
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.check(&pci, function(EDU), error, sizeof(error)), STATUS_OK);
    assert_int_equal(amdvi_ops.check(&pci, function(OLD), error, sizeof(error)), STATUS_OK);
    assert_int_equal(amdvi_ops.check(&pci, function(FAR), error, sizeof(error)), STATUS_OK);
    refuse(NVME, ERR_DENIED, "00:04.0: firmware keeps memory 0x7f000000-0x7f001fff");
    refuse(0x0300, ERR_NOT_FOUND, "03:00.0: no IOMMU serves it");
    refuse(IOAPIC, ERR_DENIED, "00:14.0: its requests carry the same ID as those of IOAPIC 5");
    refuse(0x0002, ERR_DENIED, "00:00.2: it is the IOMMU itself");
    add_function(ALIAS);
    refuse(OLD, ERR_DENIED, "01:01.0: the IOMMU can't tell it from 00:1e.0");
    pci.function[pci.count - 1].group = function(OLD)->group;
    assert_int_equal(amdvi_ops.check(&pci, function(OLD), error, sizeof(error)), STATUS_OK);
}

static void machines_that_are_refused(void **state)
{
    (void)state;
    make_machine(FAKE_FEATURES);
    fake_ivrs = NULL;
    assert_int_equal(probe(), ERR_NOT_FOUND);
    make_machine(FAKE_FEATURES);
    fake_ivrs_status = ERR_CHECKSUM;
    assert_int_equal(probe(), ERR_CHECKSUM);
    assert_non_null(strstr(error, "IVRS"));
    make_machine(FAKE_FEATURES);
    fake_unit[1].no_answer = true;
    fake_unit[1].reg[0x30 / 8] = UINT64_MAX;
    assert_int_equal(probe(), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "0xfee80000"));
    make_machine(FAKE_FEATURES);
    ivrs_unit(&image, 0x11, 0x0201, FAKE_UNIT_BASE + MIB(5), 0);
    assert_int_equal(probe(), ERR_NO_MEMORY);
    // CPUs that 8 bits can't name.
    make_machine(FAKE_FEATURES_X);
    acpi.cpus[1].apic_id = 256;
    assert_int_equal(probe(), ERR_UNSUPPORTED);
    fake_x2apic = true;
    assert_int_equal(probe(), STATUS_OK);
    fake_unit[1].reg[0x30 / 8] = FAKE_FEATURES;
    assert_int_equal(probe(), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "0xfee80000"));
}

static void units_that_hang(void **state)
{
    (void)state;
    make_machine(FAKE_FEATURES);
    fake_unit[1].hangs = true;
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "0xfee80000"));
    make_machine(0); // so many commands that the buffer is full
    fake_unit[0].hangs = true;
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    make_machine(FAKE_FEATURES);
    fake_unit[0].status_stuck = true;
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    for (long pages = 0; pages < 8; pages++) {
        make_machine(FAKE_FEATURES);
        assert_int_equal(probe(), STATUS_OK);
        fake_heap_fail_after(pages);
        assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_NO_MEMORY);
        assert_non_null(strstr(error, "heap"));
    }
    fake_heap_fail_after(-1);
    // One that stops later must not be trusted any more.
    start();
    fake_unit[0].hangs = true;
    fake_panic_armed = true;
    if (setjmp(fake_panic) == 0) {
        amdvi_ops.detach(EDU);
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_blocked_from_the_start),
        cmocka_unit_test(a_unit_without_invalidate_all),
        cmocka_unit_test(attached_to_one_domain),
        cmocka_unit_test(two_domains_and_back),
        cmocka_unit_test(a_flush_ends_what_was_unmapped),
        cmocka_unit_test(detached_is_forgotten),
        cmocka_unit_test(an_alias_stands_for_its_source),
        cmocka_unit_test(interrupts_with_entries_of_32_bits),
        cmocka_unit_test(interrupts_with_entries_of_128_bits),
        cmocka_unit_test(bad_requests_for_interrupts),
        cmocka_unit_test(the_ioapic_gets_no_more_than_it_needs),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(the_quiet_are_refused_in_silence),
        cmocka_unit_test(a_full_log_starts_again),
        cmocka_unit_test(faults_are_announced),
        cmocka_unit_test(functions_that_stay),
        cmocka_unit_test(machines_that_are_refused),
        cmocka_unit_test(units_that_hang),
    };
    return cmocka_run_group_tests_name("amdvi", tests, NULL, NULL);
}
