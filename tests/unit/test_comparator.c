// SPDX-License-Identifier: Apache-2.0
// hv/partition/comparator.c, with drivers/clock/hpet.c, on a model of an HPET and of IOAPIC pins:
// which comparators are used and by which pin, who gets one, and what its interrupts are.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/memory/mmu.h"
#include "drivers/acpi/tables.h"
#include "hv/device/passthrough.h"
#include "hv/machine/ioapic_pin.h"
#include "hv/machine/machine.h"
#include "hv/partition/comparator.h"
#include "hv/partition/partition.h"
#include "hv/partition/timer.h"
#include "hv/start/gsi_taken.h"
#include "tests/unit/fake_hpet.h"

#define TSC_PER_TICK 100u // of the HPET's clock
#define PINS         24u
#define BOOT_ID      0x20u
#define NO_PIN       99u

struct cpu *fake_this_cpu;
struct machine machine;
struct partition *partitions[MAX_PARTITIONS];
unsigned partition_count;
const struct iommu_ops *iommu;

static struct partition partition[2];
static struct passthrough passthrough;
static struct vcpu vcpu[3]; // the first two are of one partition
static struct timer timer[3];

uint64_t fake_rdtsc(void)
{
    return 0;
}

// ---- the machine -------------------------------------------------------------------------------

static bool pit_silenced;
static uint32_t console_gsi, dead, refused; // pins: nothing is wired to it; can't be routed
static unsigned pins = PINS;
static uint64_t route_takes; // ticks
static struct irq_route route[PINS];
static bool routed[PINS];
static struct irq_route last; // interrupt that came
static unsigned came;
static uint64_t pending_trial; // its vector, until it is drained; 0: none

void fake_outb(uint16_t port, uint8_t value)
{
    pit_silenced |= port == 0x43 && value == 0x30;
}

static void interrupt(unsigned n, unsigned gsi, bool level)
{
    assert_false(level);
    assert_in_range(gsi, 0, PINS - 1);
    (void)n;
    if (!routed[gsi] || (dead >> gsi & 1))
        return;
    came++;
    last = route[gsi];
    pending_trial = last.apic_id == BOOT_ID && !last.nmi ? last.vector : 0;
}

bool apic_is_pending(uint8_t vector)
{
    return pending_trial == vector;
}

void apic_drain(void)
{
    pending_trial = 0;
}

uint32_t apic_id(void)
{
    return BOOT_ID;
}

uint64_t time_us(void)
{
    static uint64_t now;
    fake_hpet_pass(100);
    return now += 7;
}

uint64_t tsc_to_hz(uint64_t ticks, uint32_t hz)
{
    assert_in_range(hz, 14318179, 14318180);
    return ticks / TSC_PER_TICK;
}

uint32_t machine_console_gsi(void)
{
    return console_gsi;
}

volatile uint32_t *mmu_map_device(hpa_t base, uint64_t size)
{
    assert_int_equal(base.v, machine.hpet);
    assert_int_equal(size, 0x400);
    return (volatile uint32_t *)(void *)&fake_hpet;
}

// Two IOAPICs.
enum status ioapic_find_gsi(const struct acpi_info *acpi, uint32_t gsi, unsigned *ioapic,
                            uint32_t *pin)
{
    assert_ptr_equal(acpi, &machine.acpi);
    if (gsi >= pins)
        return ERR_NOT_FOUND;
    *ioapic = gsi / 16;
    *pin = gsi % 16;
    return STATUS_OK;
}

enum status ioapic_pin_route(const struct ioapic_input *input, const struct irq_route *r)
{
    assert_in_range(input->gsi, 0, pins - 1);
    assert_int_equal(input->ioapic * 16 + input->pin, input->gsi);
    assert_false(input->level || input->active_low);
    routed[input->gsi] = r != NULL && !(refused >> input->gsi & 1);
    if (r != NULL)
        route[input->gsi] = *r;
    fake_hpet_pass(route_takes);
    return r != NULL && !routed[input->gsi] ? ERR_UNSUPPORTED : STATUS_OK;
}

// The table is hpet_address()'s, which is not called here.
enum status acpi_find_table(const struct acpi_info *info, const char *signature, unsigned index,
                            uint64_t *address, uint32_t *length)
{
    (void)info, (void)signature, (void)index, (void)address, (void)length;
    return ERR_NOT_FOUND;
}

enum status acpi_read(const struct acpi_table *table, uint32_t offset, void *buffer, size_t size)
{
    (void)table, (void)offset, (void)buffer, (void)size;
    return ERR_TRUNCATED;
}

// ---- help --------------------------------------------------------------------------------------

static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        vcpu[i].partition = &partition[i / 2];
        timer[i] = (struct timer){.vcpu = &vcpu[i], .comparator = -1};
    }
    for (unsigned i = 0; i < 2; i++)
        partitions[i] = &partition[i];
    partition_count = 2;
    memset(&passthrough, 0, sizeof(passthrough));
    partition[0].passthrough = NULL;
    partition[1].passthrough = &passthrough;
    machine.hpet = 0xfed00000;
    machine.acpi.sci_irq = 9;
    iommu = NULL;
    console_gsi = 4;
    pins = PINS;
    route_takes = 0;
    dead = refused = came = 0;
    pit_silenced = false;
    memset(routed, 0, sizeof(routed));
    fake_hpet_reset();
    fake_hpet.interrupt = interrupt;
    return 0;
}

// The same with three comparators by GSIs 23, 22 and 21.
static int start(void **state)
{
    setup(state);
    comparators_start(gsi_is_taken);
    came = 0;
    fake_hpet_forget();
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        comparator_release(&timer[i]);
    return 0;
}

static const struct irq_route there = {.apic_id = 7, .vector = 0x61};

static bool arm(unsigned i)
{
    return comparator_arm(&timer[i], &there, 1000 * TSC_PER_TICK, 500 * TSC_PER_TICK);
}

// The pin by which timer i's interrupts come.
static unsigned pin_of(unsigned i)
{
    return arm(i) ? fake_hpet_gsi((unsigned)timer[i].comparator) : NO_PIN;
}

// Starts; only comparator n can repeat, so it is the one that is used. Its pin.
static unsigned pin_if_only(unsigned n)
{
    for (unsigned i = 0; i < 3; i++)
        fake_hpet.timer[i].repeats = i == n;
    comparators_start(gsi_is_taken);
    unsigned pin = pin_of(0);
    assert_true(pin == NO_PIN || timer[0].comparator == (int)n);
    comparator_release(&timer[0]);
    return pin;
}

// ---- boot --------------------------------------------------------------------------------------

static void none(void **state)
{
    (void)state;
    static const struct iommu_ops amdvi = {.pins_open_all = true};
    machine.hpet = 0;
    comparators_start(gsi_is_taken);
    assert_false(comparator_possible(&timer[0]));
    machine.hpet = 0xfed00000;
    iommu = &amdvi;
    comparators_start(gsi_is_taken);
    assert_false(comparator_possible(&timer[0]));
    assert_int_equal(fake_hpet.writes, 0);
    iommu = NULL;
    fake_hpet.gone = true;
    comparators_start(gsi_is_taken);
    assert_false(comparator_possible(&timer[0]));
}

static void with_vtd(void **state)
{
    (void)state;
    static const struct iommu_ops vtd = {.pins_open_all = false};
    iommu = &vtd;
    comparators_start(gsi_is_taken);
    assert_true(comparator_possible(&timer[0]));
}

static void each_has_its_own_pin(void **state)
{
    (void)state;
    assert_int_equal(pin_of(0), 23);
    assert_int_equal(pin_of(2), 22);
    assert_false(pit_silenced);
}

static void only_those_that_repeat(void **state)
{
    (void)state;
    assert_int_equal(pin_if_only(0), 23);
    assert_int_equal(pin_if_only(2), 23);
    assert_int_equal(pin_if_only(3), NO_PIN);
    fake_hpet.timers = 1;
    assert_int_equal(pin_if_only(0), 23);
}

// PCI's that no device has, and not an ISA device's.
static void which_pins(void **state)
{
    (void)state;
    fake_hpet.timer[0].gsis = 0xfffb; // all of ISA's but the PIT's
    assert_int_equal(pin_if_only(0), NO_PIN);
    fake_hpet.timer[0].gsis = 0x10000;
    assert_int_equal(pin_if_only(0), 16);
    assert_false(pit_silenced);
    fake_hpet.timer[0].gsis = 0xffff;
    assert_int_equal(pin_if_only(0), 2);
    assert_true(pit_silenced);
    fake_hpet.timer[0].gsis = 0xff800000; // beyond 24 there are no pins
    assert_int_equal(pin_if_only(0), 23);
    pins = 20;
    fake_hpet.timer[0].gsis = 0x1f0000;
    assert_int_equal(pin_if_only(0), 19);
}

static void pins_of_others(void **state)
{
    (void)state;
    console_gsi = 23;
    assert_int_equal(pin_if_only(0), 22);
    machine.acpi.sci_irq = 22;
    assert_int_equal(pin_if_only(0), 21);
    // The second partition's device; pin 1 is a number that has none.
    passthrough.pin[1].gsi = 20;
    passthrough.pin[2].gsi = 21;
    passthrough.pins = 1u << 2;
    assert_int_equal(pin_if_only(0), 20);
    passthrough.pins = 1u << 1 | 1u << 2;
    assert_int_equal(pin_if_only(0), NO_PIN);
    passthrough.pin[0].gsi = 20;
    passthrough.pin[3].gsi = 21;
    passthrough.pins = 1u << 0 | 1u << 3;
    assert_int_equal(pin_if_only(0), NO_PIN);
    // The first partition's.
    partition[1].passthrough = NULL;
    assert_int_equal(pin_if_only(0), 21);
    partition[0].passthrough = &passthrough;
    assert_int_equal(pin_if_only(0), NO_PIN);
}

// What a machine only claims to have.
static void wiring(void **state)
{
    (void)state;
    dead = 1u << 23 | 1u << 21;
    assert_int_equal(pin_if_only(0), 22);
    refused = 1u << 22;
    assert_int_equal(pin_if_only(0), 20);
    dead = UINT32_MAX;
    assert_int_equal(pin_if_only(0), NO_PIN);
    for (unsigned i = 0; i < PINS; i++)
        assert_false(routed[i]);
    assert_int_equal(pending_trial, 0);
    for (unsigned n = 0; n < 3; n++)
        assert_int_equal(fake_hpet.timer[n].config & 4, 0);
}

// A pin that one has found is not tried for the next, nor are those of one that has none.
static void pins_are_not_shared(void **state)
{
    (void)state;
    fake_hpet.timer[0].gsis = 1u << 20;
    fake_hpet.timer[1].gsis = 1u << 20;
    fake_hpet.timer[2].gsis = 1u << 20 | 1u << 2;
    comparators_start(gsi_is_taken);
    assert_int_equal(pin_of(0), 20);
    assert_int_equal(pin_of(2), 2);
    assert_int_equal(timer[2].comparator, 2);
}

// ---- giving ------------------------------------------------------------------------------------

static void one_for_each_partition(void **state)
{
    (void)state;
    assert_true(comparator_possible(&timer[0]) && comparator_possible(&timer[1]));
    assert_true(arm(1));
    assert_true(comparator_possible(&timer[1]));
    assert_false(comparator_possible(&timer[0]));
    assert_false(arm(0));
    assert_int_equal(timer[0].comparator, -1);
    assert_true(comparator_possible(&timer[2]));
    assert_true(arm(2));
    // The one that it has stays its own.
    int had = timer[1].comparator;
    assert_true(arm(1));
    assert_int_equal(timer[1].comparator, had);
    assert_true(timer[2].comparator != had);
    comparator_release(&timer[1]);
    assert_true(arm(0));
    assert_false(comparator_possible(&timer[1]));
}

// Also where that of its partition, or its own, is not the first.
static void all_are_taken(void **state)
{
    (void)state;
    fake_hpet.timer[1].repeats = fake_hpet.timer[2].repeats = false;
    comparators_start(gsi_is_taken);
    assert_true(arm(2));
    assert_false(comparator_possible(&timer[0]));
    assert_false(arm(0));
    comparator_release(&timer[2]);
    assert_true(arm(0));
}

static void the_second_is_its_own(void **state)
{
    (void)state;
    assert_true(arm(2));
    assert_true(arm(0));
    assert_int_equal(timer[0].comparator, 1);
    comparator_release(&timer[2]);
    assert_false(comparator_possible(&timer[1]));
    assert_true(arm(0));
    assert_int_equal(timer[0].comparator, 1);
}

static void interrupts(void **state)
{
    (void)state;
    assert_true(arm(0));
    fake_hpet_pass(995);
    assert_int_equal(came, 0);
    fake_hpet_pass(10 + 3 * 500);
    assert_int_equal(came, 4);
    assert_true(last.apic_id == 7 && last.vector == 0x61 && !last.nmi);
    comparator_release(&timer[0]);
    assert_false(routed[23]);
    assert_int_equal(timer[0].comparator, -1);
    fake_hpet_pass(100000);
    assert_int_equal(fake_hpet.timer[0].came, 4);
    comparator_release(&timer[0]);
}

// The next route is there before the first interrupt, and the old one's are over.
static void another_route(void **state)
{
    (void)state;
    const struct irq_route nmi = {.apic_id = 9, .nmi = true};
    assert_true(arm(0));
    route_takes = 5000;
    assert_true(comparator_arm(&timer[0], &nmi, 700 * TSC_PER_TICK, 0));
    fake_hpet_pass(690);
    assert_int_equal(came, 0);
    fake_hpet_pass(20);
    assert_int_equal(came, 1);
    assert_true(last.apic_id == 9 && last.nmi);
    fake_hpet_pass(100000);
    assert_int_equal(came, 1);
}

static void cant_be_routed(void **state)
{
    (void)state;
    refused = 1u << 23;
    assert_false(arm(0));
    assert_int_equal(timer[0].comparator, -1);
    fake_hpet_pass(10000);
    assert_int_equal(fake_hpet.timer[0].came, 0);
    refused = 0;
    assert_true(arm(2)); // nobody has it
    assert_int_equal(timer[2].comparator, 0);
}

// A comparator has 32 bits: what is further away comes too soon, once, or not at all.
static void far_away(void **state)
{
    (void)state;
    const uint64_t most = 0x7fffffff;
    assert_true(comparator_arm(&timer[0], &there, 1ull << 50, 0));
    fake_hpet_pass(most - 10);
    assert_int_equal(came, 0);
    fake_hpet_pass(20);
    assert_int_equal(came, 1);
    assert_true(comparator_arm(&timer[0], &there, 0, most * TSC_PER_TICK));
    assert_false(comparator_arm(&timer[0], &there, 0, (most + 1) * TSC_PER_TICK));
    assert_int_equal(timer[0].comparator, -1);
    assert_false(routed[23]);
}

// Of the period the nearest; the first one not too soon.
static void rounding(void **state)
{
    (void)state;
    static const struct {
        uint64_t tsc, ticks;
    } rows[] = {{50000, 500}, {50049, 500}, {50050, 501}, {50099, 501}, {49950, 500}, {49949, 499}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(comparator_arm(&timer[0], &there, 10000, rows[i].tsc));
        assert_int_equal(fake_hpet.timer[0].period, rows[i].ticks);
    }
    fake_hpet.read_takes = 0;
    assert_true(comparator_arm(&timer[0], &there, 100 * TSC_PER_TICK + 1, 0));
    assert_int_equal(fake_hpet.timer[0].value - fake_hpet.counter, 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(none, setup), // first: there has been no other machine
        cmocka_unit_test_setup_teardown(with_vtd, setup, end),
        cmocka_unit_test_setup_teardown(each_has_its_own_pin, start, end),
        cmocka_unit_test_setup_teardown(only_those_that_repeat, setup, end),
        cmocka_unit_test_setup_teardown(which_pins, setup, end),
        cmocka_unit_test_setup_teardown(pins_of_others, setup, end),
        cmocka_unit_test_setup_teardown(wiring, setup, end),
        cmocka_unit_test_setup_teardown(pins_are_not_shared, setup, end),
        cmocka_unit_test_setup_teardown(one_for_each_partition, start, end),
        cmocka_unit_test_setup_teardown(all_are_taken, setup, end),
        cmocka_unit_test_setup_teardown(the_second_is_its_own, start, end),
        cmocka_unit_test_setup_teardown(interrupts, start, end),
        cmocka_unit_test_setup_teardown(another_route, start, end),
        cmocka_unit_test_setup_teardown(cant_be_routed, start, end),
        cmocka_unit_test_setup_teardown(far_away, start, end),
        cmocka_unit_test_setup_teardown(rounding, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
