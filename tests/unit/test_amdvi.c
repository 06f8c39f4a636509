// SPDX-License-Identifier: Apache-2.0
// AMD-Vi against a model of the unit: what a device reaches and which interrupts it can send, from
// the first moment, through every permission given and taken away.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/amdvi_fixture.h"

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
    amdvi_ops.irq_set(ALIAS, other, NULL);
    assert_true(fake_interrupt(0, ALIAS, APIC, first, &i));
    amdvi_ops.irq_set(OLD, first, NULL);
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
    for (unsigned n = 64; n < entries; n += 64) {
        assert_int_equal(amdvi_ops.irq_alloc(EDU, 64, &one), STATUS_OK);
        assert_int_equal(one, n);
    }
    for (unsigned n = 0; n < 64 - 5; n++) {
        assert_int_equal(amdvi_ops.irq_alloc(EDU, 1, &one), STATUS_OK);
        assert_true(one < 64);
    }
    assert_int_equal(amdvi_ops.irq_alloc(EDU, 1, &one), ERR_NO_MEMORY);
    assert_int_equal(amdvi_ops.irq_alloc(NVME, 1, &one), STATUS_OK);
    route.vector = 0x51;
    amdvi_ops.irq_set(EDU, entries - 1, &route);
    assert_true(fake_interrupt(0, EDU, APIC, entries - 1, &i));
    assert_int_equal(i.vector, 0x51);
    amdvi_ops.irq_set(EDU, entries - 1, NULL);
    assert_no_interrupts(0, EDU);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
