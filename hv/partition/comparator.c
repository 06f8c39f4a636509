// SPDX-License-Identifier: Apache-2.0
// Assigns comparators to timers, and routes their interrupts.
#include "hv/partition/comparator.h"

#include "arch/cpu/io.h"
#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/memory/mmu.h"
#include "drivers/clock/hpet.h"
#include "drivers/iommu/iommu.h"
#include "hv/machine/ioapic_pin.h"
#include "hv/machine/machine.h"
#include "hv/partition/partition.h"
#include "hv/partition/timer_state.h"

#define PORT_PIT_CONTROL 0x43
#define PIT_SILENT       0x30 // channel 0, mode 0, without a count: its output stays low
#define PIT_GSI          2    // also that of the physical PIT
#define FIRST_PCI_GSI    16
#define MOST_TICKS       0x7fffffffull
#define TRIAL_VECTOR     0xf1  // any vector from 32 on
#define TRIAL_US         20000 // long enough for an emulator that is paused

struct comparator {
    struct ioapic_input input;
    struct timer *owner; // NULL if free
};

// Owners are written under the lock.
static struct spinlock lock;
static struct comparator comparators[HPET_MAX_COMPARATORS];
static unsigned comparator_count; // including those without a pin, which are not in `usable`
static uint32_t usable;

// ---- boot --------------------------------------------------------------------------------------

// Whether the comparator's interrupt arrives at this CPU by its pin. Finds wiring that a machine
// claims but doesn't have.
static bool arrives(unsigned n)
{
    const struct irq_route here = {.apic_id = apic_id(), .vector = TRIAL_VECTOR};
    const struct ioapic_input *input = &comparators[n].input;
    bool came = false;
    if (ioapic_pin_route(input, &here) == STATUS_OK) {
        uint64_t end = time_us() + TRIAL_US;
        hpet_arm(n, input->gsi, 1, 0);
        do {
            came = apic_is_pending(TRIAL_VECTOR);
        } while (!came && time_us() < end);
        hpet_stop(n);
    }
    ioapic_pin_route(input, NULL);
    apic_drain();
    return came;
}

// Chooses a pin for this comparator alone, so that it is never shared or changed. Of the ISA pins,
// which devices use, only the PIT's is allowed; the PIT is then silenced.
static bool choose_pin(unsigned n, bool (*is_taken)(uint32_t gsi), uint32_t *taken)
{
    const uint32_t good = ~((1u << FIRST_PCI_GSI) - 1) | 1u << PIT_GSI;
    uint32_t left = hpet_gsis(n) & good & ~*taken;
    while (left != 0) {
        uint32_t gsi = 31 - (uint32_t)__builtin_clz(left); // PCI's pins first
        struct comparator *c = &comparators[n];
        left &= ~(1u << gsi);
        c->input = (struct ioapic_input){.gsi = gsi};
        if (is_taken(gsi) ||
            ioapic_find_gsi(&machine.acpi, gsi, &c->input.ioapic, &c->input.pin) != STATUS_OK) {
            continue;
        }
        if (gsi == PIT_GSI) {
            outb(PORT_PIT_CONTROL, PIT_SILENT);
        }
        if (arrives(n)) {
            *taken |= 1u << gsi;
            return true;
        }
    }
    return false;
}

void comparators_start(bool (*is_taken)(uint32_t gsi))
{
    volatile uint32_t *regs = NULL;
    uint32_t taken = 0, good = 0;
    // Not used if routing their pins would let the IOAPIC send any interrupt from then on.
    if (machine.hpet != 0 && (iommu == NULL || !iommu->pins_open_all)) {
        regs = mmu_map_device(hpa(machine.hpet), HPET_SIZE);
    }
    if (regs == NULL) {
        return;
    }
    comparator_count = hpet_init(regs);
    if (comparator_count == 0) {
        return;
    }
    for (unsigned n = 0; n < comparator_count; n++) {
        if (hpet_is_periodic(n) && choose_pin(n, is_taken, &taken)) {
            good |= 1u << n;
        }
    }
    usable = good;
}

// ---- use ---------------------------------------------------------------------------------------

// The comparator that `t` has or could have; -1 if there is none. Lock held.
static int find(const struct timer *t)
{
    int free = -1;
    for (unsigned n = 0; n < comparator_count; n++) {
        const struct timer *owner = comparators[n].owner;
        if (!(usable >> n & 1)) {
            continue;
        }
        if (owner == t) {
            return (int)n;
        }
        if (owner == NULL) {
            free = free < 0 ? (int)n : free;
        } else if (owner->vcpu->partition == t->vcpu->partition) {
            return -1;
        }
    }
    return free;
}

bool comparator_possible(const struct timer *t)
{
    spin_lock(&lock);
    bool possible = find(t) >= 0;
    spin_unlock(&lock);
    return possible;
}

static bool take(struct timer *t)
{
    spin_lock(&lock);
    t->comparator = find(t);
    if (t->comparator >= 0) {
        comparators[t->comparator].owner = t;
    }
    spin_unlock(&lock);
    return t->comparator >= 0;
}

void comparator_release(struct timer *t)
{
    if (t->comparator < 0) {
        return;
    }
    hpet_stop((unsigned)t->comparator);
    ioapic_pin_route(&comparators[t->comparator].input, NULL);
    spin_lock(&lock);
    comparators[t->comparator].owner = NULL;
    spin_unlock(&lock);
    t->comparator = -1;
}

bool comparator_arm(struct timer *t, const struct irq_route *route, uint64_t ticks, uint64_t period)
{
    // Rounded to the nearest.
    uint64_t repeat = (tsc_to_hz(2 * period, (uint32_t)hpet_hz()) + 1) / 2;
    if (repeat > MOST_TICKS || !take(t)) {
        comparator_release(t);
        return false;
    }
    unsigned n = (unsigned)t->comparator;
    const struct ioapic_input *input = &comparators[n].input;
    hpet_stop(n);
    if (ioapic_pin_route(input, route) != STATUS_OK) {
        comparator_release(t);
        return false;
    }
    hpet_arm(n, input->gsi,
             (uint32_t)min_u64(tsc_to_hz(ticks, (uint32_t)hpet_hz()) + 1, MOST_TICKS),
             (uint32_t)repeat);
    return true;
}
