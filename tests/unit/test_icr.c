// SPDX-License-Identifier: Apache-2.0
// The ICR check against a second reading of the manuals, over all values of the low half, and case
// by case. The model here asks of each vCPU "do you hear this?"; the code under test computes
// masks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/interrupt/apic_defs.h"
#include "hv/interrupt/icr.h"

static struct icr_topology topology(unsigned count, enum apic_mode mode)
{
    struct icr_topology t = {.vcpu_count = count};
    for (unsigned i = 0; i < count; i++) {
        t.vcpu[i] = (struct icr_target){.mode = mode, .enabled = 1};
    }
    return t;
}

static uint64_t x2(uint32_t dest, uint32_t low)
{
    return (uint64_t)dest << 32 | low;
}

static uint64_t xa(uint32_t dest, uint32_t low)
{
    return (uint64_t)dest << 56 | low;
}

static struct icr_verdict check(const struct icr_topology *t, unsigned sender, uint64_t icr,
                                bool x2apic)
{
    struct icr_verdict v = {.kind = 99, .vector = 99, .targets = ~0ull};
    icr_check(t, sender, icr, x2apic, &v);
    return v;
}

static void expect(const struct icr_topology *t, unsigned sender, uint64_t icr, bool x2apic,
                   uint32_t kind, uint64_t targets)
{
    struct icr_verdict v = check(t, sender, icr, x2apic);
    assert_int_equal(v.kind, kind);
    assert_int_equal(v.targets, targets);
    assert_int_equal(v.vector, icr & 0xff);
    if (kind == ICR_DENIED || kind == ICR_RESERVED) {
        assert_non_null(v.reason);
        assert_int_not_equal(v.reason[0], 0);
    }
}

// ---- the model --------------------------------------------------------------------------------

static bool hears(const struct icr_topology *t, unsigned i, unsigned sender, uint64_t icr,
                  bool x2apic)
{
    const struct icr_target *me = &t->vcpu[i];
    uint64_t dest = x2apic ? icr >> 32 : icr >> 56;
    if (me->mode == APIC_DISABLED) {
        return false;
    }
    switch (icr >> 18 & 3) {
    case 1:
        return i == sender;
    case 2:
        return true;
    case 3:
        return i != sender;
    }
    if (dest == (x2apic ? 0xffffffffu : 0xffu)) {
        return true;
    }
    if ((icr & 0x800) == 0) {
        return dest == i;
    }
    if (me->mode == APIC_X2APIC) {
        uint32_t logical = (i / 16) << 16 | 1u << i % 16;
        return (dest & 0xffff0000) == (logical & 0xffff0000) && (dest & logical & 0xffff) != 0;
    }
    if (dest > 0xff) {
        return false;
    }
    if (me->cluster) {
        return (dest & 0xf0) == (me->ldr & 0xf0) && (dest & me->ldr & 0x0f) != 0;
    }
    return (dest & me->ldr) != 0;
}

// Holds a verdict against the model; counts nothing but what must be true of every value.
static void compare(const struct icr_topology *t, unsigned sender, uint64_t icr, bool x2apic)
{
    struct icr_verdict v = check(t, sender, icr, x2apic);
    unsigned mode = icr >> 8 & 7, shorthand = icr >> 18 & 3;
    uint64_t listeners = 0, enabled = 0;
    for (unsigned i = 0; i < t->vcpu_count; i++) {
        if (hears(t, i, sender, icr, x2apic)) {
            listeners |= 1ull << i;
            enabled |= t->vcpu[i].enabled ? 1ull << i : 0;
        }
    }

    uint32_t kind = ICR_NONE;
    bool deassert = mode == 5 && (icr & 0xc000) == 0x8000;
    if (x2apic && (icr & 0xfff32000) != 0) {
        kind = ICR_RESERVED;
    } else if (mode == 2 || mode == 3 || mode == 7) {
        kind = ICR_DENIED;
    } else if (deassert) {
        kind = ICR_NONE; // whatever the shorthand
    } else if ((shorthand == 1 || shorthand == 2) && mode != 0) {
        kind = ICR_DENIED;
    } else if (mode <= 1 && (icr & 0xff) < 16) {
        kind = ICR_BAD_VECTOR;
    } else if (mode == 0 && listeners != 0) {
        kind = ICR_FIXED;
    } else if (mode == 1 && enabled != 0) {
        kind = ICR_FIXED;
    } else if (mode == 4 && listeners != 0) {
        kind = ICR_NMI;
    } else if (mode == 5 && listeners != 0) {
        kind = ICR_INIT;
    } else if (mode == 6 && listeners != 0) {
        kind = ICR_SIPI;
    }

    bool sends = kind == ICR_FIXED || kind == ICR_NMI || kind == ICR_INIT || kind == ICR_SIPI;
    bool good = v.kind == kind && v.vector == (icr & 0xff);
    if (!sends) {
        good = good && v.targets == 0;
    } else if (mode == 1) {
        good = good && (v.targets & (v.targets - 1)) == 0 && v.targets != 0 &&
               (v.targets & ~enabled) == 0;
    } else {
        good = good && v.targets == listeners;
    }
    good = good && (t->vcpu_count == 64 || v.targets >> t->vcpu_count == 0);
    good = good && ((kind == ICR_DENIED || kind == ICR_RESERVED) == (v.reason != NULL));
    if (!good) {
        print_error("icr %016llx sender %u x2apic %d count %u: kind %u targets %llx, model: kind "
                    "%u listeners %llx\n",
                    (unsigned long long)icr, sender, x2apic, t->vcpu_count, v.kind,
                    (unsigned long long)v.targets, kind, (unsigned long long)listeners);
        fail();
    }
}

// A partition in which everything is mixed: modes, models, enabled and not.
static struct icr_topology mixed(unsigned count)
{
    struct icr_topology t = {.vcpu_count = count};
    for (unsigned i = 0; i < count; i++) {
        t.vcpu[i].mode = i % 5 == 3 ? APIC_DISABLED : i % 2 ? APIC_XAPIC : APIC_X2APIC;
        t.vcpu[i].enabled = i % 3 != 1;
        t.vcpu[i].ldr = i % 4 == 1 ? 1u << i % 8 : (i / 4 % 15) << 4 | 1u << i % 4;
        t.vcpu[i].cluster = i % 4 != 1;
    }
    return t;
}

static void all_low_values(void **state)
{
    (void)state;
    static const unsigned counts[] = {1, 2, 5, 17, 64};
    static const uint32_t dests[] = {0, 1, 4, 0x3f, 0x40, 0xff, 0x10001, 0xffffffff};
    for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
        struct icr_topology t = mixed(counts[c]);
        for (unsigned d = 0; d < ARRAY_SIZE(dests); d++) {
            for (uint32_t low = 0; low < 0x1000; low++) {
                // level, trigger mode, shorthand: bits 14, 15, 18, 19
                for (uint32_t high = 0; high < 16; high++) {
                    uint32_t value = low | (high & 3) << 14 | high >> 2 << 18;
                    compare(&t, counts[c] - 1, x2(dests[d], value), true);
                    compare(&t, 0, xa(dests[d] & 0xff, value), false);
                }
            }
        }
    }
}

static void all_destinations(void **state)
{
    (void)state;
    static const uint32_t lows[] = {0x030, 0x830, 0x130, 0x930, 0x4400, 0x4c00, 0x4500, 0x4608};
    for (unsigned count = 1; count <= MAX_CPUS; count++) {
        struct icr_topology kinds[] = {mixed(count), topology(count, APIC_XAPIC),
                                       topology(count, APIC_X2APIC)};
        for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
            for (unsigned l = 0; l < ARRAY_SIZE(lows); l++) {
                for (uint32_t dest = 0; dest < 0x100; dest++) {
                    compare(&kinds[k], count / 2, xa(dest, lows[l]), false);
                    compare(&kinds[k], count / 2, x2(dest, lows[l]), true);
                    compare(&kinds[k], count / 2, x2(dest << 16 | (dest * 0x9d), lows[l]), true);
                    compare(&kinds[k], count / 2, x2(dest << 24, lows[l]), true);
                    compare(&kinds[k], count / 2, x2(0xffffff00 | dest, lows[l]), true);
                }
            }
        }
    }
}

static void reserved_bits(void **state)
{
    (void)state;
    struct icr_topology t = topology(4, APIC_X2APIC);
    for (unsigned bit = 0; bit < 32; bit++) {
        bool reserved = bit >= 20 || bit == 13 || bit == 16 || bit == 17;
        struct icr_verdict v = check(&t, 0, x2(1, 0x30 | 1u << bit), true);
        assert_int_equal(v.kind == ICR_RESERVED, reserved);
        v = check(&t, 0, xa(1, 0x30 | 1u << bit), false);
        assert_int_not_equal(v.kind, ICR_RESERVED); // xAPIC ignores them
    }
    // Delivery status is read-only: writing it back is no error.
    expect(&t, 0, x2(1, 0x1030), true, ICR_FIXED, 0x2);
}

// ---- case by case ---------------------------------------------------------------------------

static void plain_fixed(void **state)
{
    (void)state;
    struct icr_topology t = topology(3, APIC_X2APIC);
    expect(&t, 0, x2(2, 0x40), true, ICR_FIXED, 0x4);
    expect(&t, 0, x2(0, 0x40), true, ICR_FIXED, 0x1);
    expect(&t, 0, x2(2, 0xc040), true, ICR_FIXED, 0x4);
    expect(&t, 0, x2(3, 0x40), true, ICR_NONE, 0);          // one past the last
    expect(&t, 0, x2(0x100, 0x40), true, ICR_NONE, 0);      // not cut to eight bits
    expect(&t, 0, x2(0x80000000, 0x40), true, ICR_NONE, 0); // not as a sign
    expect(&t, 0, x2(0xff, 0x40), true, ICR_NONE, 0);       // xAPIC's broadcast is a plain ID here
    expect(&t, 0, x2(0xffffffff, 0x40), true, ICR_FIXED, 0x7);

    t = topology(3, APIC_XAPIC);
    expect(&t, 0, xa(2, 0x40), false, ICR_FIXED, 0x4);
    expect(&t, 0, xa(3, 0x40), false, ICR_NONE, 0);
    expect(&t, 0, xa(0xff, 0x40), false, ICR_FIXED, 0x7);
    // Bits 55:32 are reserved in xAPIC's high half and say nothing.
    expect(&t, 0, xa(1, 0x40) | 0x00ffffff00000000, false, ICR_FIXED, 0x2);
}

static void illegal_vectors(void **state)
{
    (void)state;
    struct icr_topology t = topology(2, APIC_X2APIC);
    for (uint32_t vector = 0; vector < 16; vector++) {
        expect(&t, 0, x2(1, vector), true, ICR_BAD_VECTOR, 0);
        expect(&t, 0, x2(1, 0x100 | vector), true, ICR_BAD_VECTOR, 0);
        expect(&t, 0, x2(0, 0x40000 | vector), true, ICR_BAD_VECTOR, 0);
        expect(&t, 0, xa(1, vector), false, ICR_BAD_VECTOR, 0);
        // NMI ignores the vector; any page may be a start page, page 0 too.
        expect(&t, 0, x2(1, 0x400 | vector), true, ICR_NMI, 0x2);
        expect(&t, 0, x2(1, 0x600 | vector), true, ICR_SIPI, 0x2);
    }
    expect(&t, 0, x2(1, 16), true, ICR_FIXED, 0x2);
}

static void shorthands(void **state)
{
    (void)state;
    struct icr_topology t = topology(4, APIC_XAPIC);
    for (int x2apic = 0; x2apic <= 1; x2apic++) {
        // The destination field means nothing with a shorthand.
        uint64_t dest = x2apic ? x2(1, 0) : xa(1, 0);
        expect(&t, 2, dest | 0x40050, x2apic, ICR_FIXED, 0x4);
        expect(&t, 2, dest | 0x80050, x2apic, ICR_FIXED, 0xf);
        expect(&t, 2, dest | 0xc0050, x2apic, ICR_FIXED, 0xb);
        expect(&t, 2, dest | 0xc4400, x2apic, ICR_NMI, 0xb);
        expect(&t, 2, dest | 0xc4500, x2apic, ICR_INIT, 0xb);
        expect(&t, 2, dest | 0xc4612, x2apic, ICR_SIPI, 0xb);
        for (uint32_t mode = 1; mode < 8; mode++) {
            expect(&t, 2, dest | 0x40050 | mode << 8, x2apic, ICR_DENIED, 0);
            expect(&t, 2, dest | 0x80050 | mode << 8, x2apic, ICR_DENIED, 0);
        }
    }
    t = topology(1, APIC_XAPIC); // nobody else
    expect(&t, 0, 0xc0050, false, ICR_NONE, 0);
    expect(&t, 0, 0xc4500, false, ICR_NONE, 0);
}

static void denied_modes(void **state)
{
    (void)state;
    struct icr_topology t = topology(2, APIC_X2APIC);
    static const uint32_t modes[] = {2, 3, 7};
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        for (uint32_t rest = 0; rest < 16; rest++) {
            uint32_t low = 0x40 | modes[i] << 8 | (rest & 3) << 14 | rest >> 2 << 18;
            expect(&t, 0, x2(1, low), true, ICR_DENIED, 0);
            expect(&t, 0, xa(1, low), false, ICR_DENIED, 0);
        }
    }
}

static void init_level(void **state)
{
    (void)state;
    struct icr_topology t = topology(2, APIC_XAPIC);
    expect(&t, 0, xa(1, 0xc500), false, ICR_INIT, 0x2);
    expect(&t, 0, xa(1, 0x4500), false, ICR_INIT, 0x2);
    expect(&t, 0, xa(1, 0x0500), false, ICR_INIT, 0x2); // edge: level means nothing
    expect(&t, 0, xa(1, 0x8500), false, ICR_NONE, 0);   // the de-assert
    expect(&t, 0, xa(0, 0xc500), false, ICR_INIT, 0x1); // a CPU may INIT itself
    // The broadcast de-assert of old kernels, to all but and to all including the sender, and to
    // it.
    expect(&t, 0, 0xc8500, false, ICR_NONE, 0);
    expect(&t, 0, 0x88500, false, ICR_NONE, 0);
    expect(&t, 0, 0x48500, false, ICR_NONE, 0);
    expect(&t, 0, 0x88500, true, ICR_NONE, 0);
    expect(&t, 0, 0x8c500, false, ICR_DENIED, 0); // an INIT goes to nobody by these shorthands
    expect(&t, 0, 0x80500, false, ICR_DENIED, 0);
}

static void logical_flat_and_cluster(void **state)
{
    (void)state;
    struct icr_topology t = topology(4, APIC_XAPIC);
    for (unsigned i = 0; i < 4; i++) {
        t.vcpu[i].ldr = 1u << i;
    }
    expect(&t, 0, xa(0x05, 0x841), false, ICR_FIXED, 0x5);
    expect(&t, 0, xa(0xf0, 0x841), false, ICR_NONE, 0);
    expect(&t, 0, xa(0xff, 0x841), false, ICR_FIXED, 0xf);
    expect(&t, 0, xa(0x00, 0x841), false, ICR_NONE, 0);
    t.vcpu[1].ldr = 0x04; // two with the same logical ID: both
    expect(&t, 0, xa(0x04, 0x841), false, ICR_FIXED, 0x6);

    for (unsigned i = 0; i < 4; i++) {
        t.vcpu[i].ldr = (i / 2) << 4 | 1u << i % 2;
        t.vcpu[i].cluster = 1;
    }
    expect(&t, 0, xa(0x03, 0x841), false, ICR_FIXED, 0x3);
    expect(&t, 0, xa(0x13, 0x841), false, ICR_FIXED, 0xc);
    expect(&t, 0, xa(0x12, 0x841), false, ICR_FIXED, 0x8);
    expect(&t, 0, xa(0x23, 0x841), false, ICR_NONE, 0);
    expect(&t, 0, xa(0xff, 0x841), false, ICR_FIXED, 0xf);
}

static void logical_x2apic(void **state)
{
    (void)state;
    struct icr_topology t = topology(40, APIC_X2APIC);
    expect(&t, 0, x2(0x00000001, 0x841), true, ICR_FIXED, 1ull << 0);
    expect(&t, 0, x2(0x00008001, 0x841), true, ICR_FIXED, 1ull << 15 | 1);
    expect(&t, 0, x2(0x00010003, 0x841), true, ICR_FIXED, 3ull << 16);
    expect(&t, 0, x2(0x0002ffff, 0x841), true, ICR_FIXED, 0xffull << 32); // cut to 40 vCPUs
    expect(&t, 0, x2(0x0003ffff, 0x841), true, ICR_NONE, 0);
    expect(&t, 0, x2(0xffff0001, 0x841), true, ICR_NONE, 0);
    expect(&t, 0, x2(0x00010000, 0x841), true, ICR_NONE, 0);
    expect(&t, 0, x2(0xffffffff, 0x841), true, ICR_FIXED, (1ull << 40) - 1);
}

static void disabled_ones_hear_nothing(void **state)
{
    (void)state;
    struct icr_topology t = topology(4, APIC_X2APIC);
    t.vcpu[1].mode = APIC_DISABLED;
    expect(&t, 0, x2(1, 0x40), true, ICR_NONE, 0);
    expect(&t, 0, x2(1, 0x4500), true, ICR_NONE, 0);
    expect(&t, 0, x2(0xffffffff, 0x400), true, ICR_NMI, 0xd);
    expect(&t, 0, x2(2, 0x841), true, ICR_NONE, 0);
    expect(&t, 0, 0xc0040, true, ICR_FIXED, 0xc);
}

static void lowest_priority(void **state)
{
    (void)state;
    struct icr_topology t = topology(4, APIC_XAPIC);
    uint64_t seen = 0;
    for (uint32_t vector = 16; vector < 256; vector++) {
        struct icr_verdict v = check(&t, 0, xa(0xff, 0x100 | vector), false);
        assert_int_equal(v.kind, ICR_FIXED);
        assert_int_equal(v.targets & (v.targets - 1), 0);
        seen |= v.targets;
    }
    assert_int_equal(seen, 0xf); // spread over all
    for (unsigned i = 0; i < 4; i++) {
        t.vcpu[i].enabled = i == 2;
    }
    for (uint32_t vector = 16; vector < 256; vector++) {
        expect(&t, 0, xa(0xff, 0x100 | vector), false, ICR_FIXED, 0x4);
    }
    t.vcpu[2].enabled = 0;
    expect(&t, 0, xa(0xff, 0x140), false, ICR_NONE, 0);
    expect(&t, 0, xa(2, 0x140), false, ICR_NONE, 0);
    expect(&t, 0, xa(2, 0x400), false, ICR_NMI, 0x4); // NMI reaches a software-disabled one
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_low_values),
        cmocka_unit_test(all_destinations),
        cmocka_unit_test(reserved_bits),
        cmocka_unit_test(plain_fixed),
        cmocka_unit_test(illegal_vectors),
        cmocka_unit_test(shorthands),
        cmocka_unit_test(denied_modes),
        cmocka_unit_test(init_level),
        cmocka_unit_test(logical_flat_and_cluster),
        cmocka_unit_test(logical_x2apic),
        cmocka_unit_test(disabled_ones_hear_nothing),
        cmocka_unit_test(lowest_priority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
