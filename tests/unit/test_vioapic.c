// SPDX-License-Identifier: Apache-2.0
// hv/vdev/vioapic.c: registers, and which message is sent when.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/vdev/vioapic.h"

#define MASKED  0x10000u
#define LEVEL   0x08000u
#define LOGICAL 0x00800u

static struct vioapic apic;
static struct vioapic_message message;

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(apic); i++)
        ((uint8_t *)&apic)[i] = 0x55;
    vioapic_reset(&apic);
    message = (struct vioapic_message){0};
    return 0;
}

static bool write(uint32_t offset, uint32_t value)
{
    return vioapic_write(&apic, offset, value, &message);
}

static bool set(unsigned reg, uint32_t value)
{
    assert_false(write(0x00, reg));
    return write(0x10, value);
}

static uint32_t get(unsigned reg)
{
    assert_false(write(0x00, reg));
    return vioapic_read(&apic, 0x10);
}

static bool line(unsigned pin, bool asserted)
{
    return vioapic_set_line(&apic, pin, asserted, &message);
}

static void assert_message(unsigned vector, enum vioapic_delivery delivery, bool logical,
                           unsigned destination, bool level)
{
    assert_int_equal(message.vector, vector);
    assert_int_equal(message.delivery, delivery);
    assert_int_equal(message.logical, logical);
    assert_int_equal(message.destination, destination);
    assert_int_equal(message.level, level);
    message = (struct vioapic_message){0};
}

static void identification(void **state)
{
    (void)state;
    assert_int_equal(get(0), 0);
    assert_int_equal(get(1), 0x00170020); // 24 pins
    assert_false(set(0, 0xffffffff));
    assert_int_equal(get(0), 0x0f000000);
    assert_int_equal(get(2), 0x0f000000);
    assert_false(set(1, 0));
    assert_false(set(2, 0));
    assert_int_equal(get(1), 0x00170020);
    assert_int_equal(get(2), 0x0f000000);
    assert_false(write(0x00, 0x123));
    assert_int_equal(vioapic_read(&apic, 0x00), 0x23);
}

static void entries(void **state)
{
    (void)state;
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
        assert_int_equal(get(0x10 + 2 * pin), MASKED);
        assert_int_equal(get(0x11 + 2 * pin), 0);
    }
    // Delivery status, remote IRR and reserved bits can't be written.
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
        assert_false(set(0x10 + 2 * pin, 0xffffffff));
        assert_false(set(0x11 + 2 * pin, 0xffffffff));
        assert_int_equal(get(0x10 + 2 * pin), 0x0001afff);
        assert_int_equal(get(0x11 + 2 * pin), 0xff000000);
        assert_false(set(0x10 + 2 * pin, MASKED | pin));
        assert_false(set(0x11 + 2 * pin, pin << 24));
    }
    // No entry is another's.
    for (unsigned pin = 0; pin < VIOAPIC_PINS; pin++) {
        assert_int_equal(get(0x10 + 2 * pin), MASKED | pin);
        assert_int_equal(get(0x11 + 2 * pin), pin << 24);
    }
}

static void beyond_the_registers(void **state)
{
    (void)state;
    static const unsigned no_regs[] = {0x03, 0x0f, 0x40, 0x41, 0xff};
    struct vioapic before = apic;
    for (size_t i = 0; i < sizeof(no_regs) / sizeof(no_regs[0]); i++) {
        assert_false(set(no_regs[i], 0));
        assert_int_equal(get(no_regs[i]), 0xffffffff);
    }
    static const uint32_t no_offsets[] = {0x04, 0x0c, 0x11, 0x20, 0x44, 0x100, 0xffc, 0xffffffff};
    for (size_t i = 0; i < sizeof(no_offsets) / sizeof(no_offsets[0]); i++) {
        assert_false(write(no_offsets[i], 0));
        assert_int_equal(vioapic_read(&apic, no_offsets[i]), 0xffffffff);
    }
    assert_int_equal(vioapic_read(&apic, 0x40), 0xffffffff); // EOI is for writing only
    assert_false(write(0x00, before.index));
    assert_memory_equal(&before, &apic, sizeof(apic));
    assert_false(line(VIOAPIC_PINS, true));
    assert_false(line(32, true));
    assert_false(line(0xffffffff, true));
    assert_memory_equal(&before, &apic, sizeof(apic));
}

// COM1 as Linux sets it up: ISA IRQ 4, edge-triggered, one physical CPU.
static void edge(void **state)
{
    (void)state;
    assert_false(set(0x19, 0x02000000));
    assert_false(set(0x18, 0x31));
    assert_true(line(4, true));
    assert_message(0x31, VIOAPIC_FIXED, false, 2, false);
    assert_false(line(4, true)); // a line that stays is no edge
    assert_false(line(4, false));
    assert_true(line(4, true));
    assert_message(0x31, VIOAPIC_FIXED, false, 2, false);
    // Another pin has its own line and entry.
    assert_false(line(5, true));

    // An edge while masked is lost.
    assert_false(line(4, false));
    assert_false(set(0x18, MASKED | 0x31));
    assert_false(line(4, true));
    assert_false(set(0x18, 0x31));
    assert_false(line(4, false));
    assert_true(line(4, true));
    // Writing an edge-triggered entry sends nothing, nor does its EOI.
    assert_false(set(0x18, 0x32));
    assert_false(write(0x40, 0x32));
}

static void level(void **state)
{
    (void)state;
    assert_false(set(0x25, 0x80000000));
    assert_false(set(0x24, LEVEL | LOGICAL | 0x100 | 0x51));
    assert_true(line(10, true));
    assert_message(0x51, VIOAPIC_LOWEST, true, 0x80, true);
    assert_int_equal(get(0x24), LEVEL | LOGICAL | 0x100 | 0x51); // remote IRR never shows
    assert_false(line(10, true));

    // The handler ran and did not silence the device: again, through the EOI register.
    assert_true(write(0x40, 0x51));
    assert_message(0x51, VIOAPIC_LOWEST, true, 0x80, true);
    assert_false(write(0x40, 0x52)); // somebody else's
    assert_false(line(10, false));
    assert_false(write(0x40, 0x51));
    assert_int_equal(message.vector, 0);
}

// A threaded handler masks, lets the thread work, and unmasks.
static void level_unmask(void **state)
{
    (void)state;
    assert_false(set(0x24, MASKED | LEVEL | 0x60));
    assert_false(line(10, true)); // waits
    assert_false(write(0x40, 0x60));
    assert_true(set(0x24, LEVEL | 0x60));
    assert_message(0x60, VIOAPIC_FIXED, false, 0, true);
    assert_false(set(0x24, LEVEL | 0x60)); // nothing changed
    assert_false(set(0x24, MASKED | LEVEL | 0x60));
    assert_false(line(10, false));
    assert_false(set(0x24, LEVEL | 0x60));

    // Linux before the EOI register: mask and edge, then level again.
    assert_true(line(10, true));
    assert_false(set(0x24, MASKED | 0x60));
    assert_true(set(0x24, LEVEL | 0x60));
    // A change of the destination while the line is high goes to the new one.
    assert_true(set(0x25, 0x03000000));
    assert_message(0x60, VIOAPIC_FIXED, false, 3, true);
    // So does becoming level-triggered.
    assert_false(set(0x24, 0x60));
    assert_true(set(0x24, LEVEL | 0x61));
    assert_message(0x61, VIOAPIC_FIXED, false, 3, true);
}

// All delivery modes and vectors: what may not be sent isn't, and reads back all the same.
static void what_may_be_sent(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 8; mode++) {
        for (unsigned vector = 0; vector < 256; vector++) {
            for (unsigned trigger = 0; trigger < 2; trigger++) {
                uint32_t entry = (trigger ? LEVEL : 0) | mode << 8 | vector;
                bool nmi = mode == VIOAPIC_NMI;
                bool sent = nmi || ((mode == 0 || mode == 1) && vector >= 16);
                assert_false(line(7, false));
                assert_false(set(0x1e, entry));
                assert_int_equal(get(0x1e), entry);
                assert_int_equal(line(7, true), sent);
                if (sent)
                    assert_message(vector, (enum vioapic_delivery)mode, false, 0, trigger && !nmi);
                // By level: fixed and lowest priority only.
                assert_int_equal(write(0x40, vector), sent && trigger && !nmi);
                assert_false(set(0x1e, entry | MASKED));
                assert_int_equal(set(0x1e, entry), sent && trigger && !nmi);
                assert_false(set(0x1e, entry | MASKED));
            }
        }
    }
}

static void shared_vector(void **state)
{
    (void)state;
    // The first pin that is still high answers for all; the next EOI asks again.
    set(0x10, LEVEL | 0x70);
    set(0x3e, LEVEL | 0x70);
    set(0x3f, 0x05000000);
    assert_true(line(0, true));
    assert_true(line(23, true));
    assert_true(write(0x40, 0x70));
    assert_message(0x70, VIOAPIC_FIXED, false, 0, true);
    assert_false(line(0, false));
    assert_true(write(0x40, 0x70));
    assert_message(0x70, VIOAPIC_FIXED, false, 5, true);
    // Reset takes the lines down.
    vioapic_reset(&apic);
    assert_false(set(0x3e, LEVEL | 0x70));
}

// A direct pin is only a register: its line and its EOIs are the hardware's.
static void test_direct(void **state)
{
    (void)state;
    vioapic_make_direct(&apic, 1u << 17);
    assert_int_equal(apic.changed, 1u << 17);
    apic.changed = 0;
    assert_false(vioapic_direct_message(&apic, 17, &message)); // masked
    assert_false(set(0x10 + 2 * 17, LEVEL | 0x41));
    assert_int_equal(apic.changed, 1u << 17);
    assert_true(vioapic_direct_message(&apic, 17, &message));
    assert_message(0x41, VIOAPIC_FIXED, false, 0, true);
    assert_false(vioapic_direct_message(&apic, 16, &message)); // not a direct one
    assert_false(vioapic_direct_message(&apic, VIOAPIC_PINS, &message));
    // Another pin's entry is none of its business; nor is a vector of an exception a message.
    apic.changed = 0;
    set(0x10 + 2 * 16, 0x42);
    assert_int_equal(apic.changed, 0);
    set(0x10 + 2 * 17, LEVEL | 0x0f);
    assert_false(vioapic_direct_message(&apic, 17, &message));
    // Remote IRR is what the caller has seen in the physical one.
    assert_int_equal(get(0x10 + 2 * 17), LEVEL | 0x0f);
    apic.remote_irr = 1u << 17 | 1u << 16;
    assert_int_equal(get(0x10 + 2 * 17), LEVEL | 0x0f | 0x4000);
    assert_int_equal(get(0x10 + 2 * 16), 0x42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_direct, setup),
        cmocka_unit_test_setup(identification, setup),
        cmocka_unit_test_setup(entries, setup),
        cmocka_unit_test_setup(beyond_the_registers, setup),
        cmocka_unit_test_setup(edge, setup),
        cmocka_unit_test_setup(level, setup),
        cmocka_unit_test_setup(level_unmask, setup),
        cmocka_unit_test_setup(what_may_be_sent, setup),
        cmocka_unit_test_setup(shared_vector, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
