// SPDX-License-Identifier: Apache-2.0
// The IOMMU audit before right tables with one bit flipped, every bit of every entry that is in use
// in turn. What passes must be in the list of flips that let nobody reach anything, and what is in
// that list must pass: each row with its reason.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/audit_iommu_fixture.h"

// An entry, as it was and as it is with the bit flipped; beyond its size zero.
struct flip {
    uint64_t was[4], now[4];
    uint16_t requester; // of device entries
};

struct harmless {
    unsigned high, low;                    // bits
    bool (*only_if)(const struct flip *f); // NULL: always
    const char *why;
    bool seen;
};

static uint64_t field(const uint64_t *q, unsigned high, unsigned low)
{
    return (q[low / 64] >> (low % 64)) & ((2ull << (high - low)) - 1);
}

static unsigned owner(uint64_t requester)
{
    for (unsigned i = 0; i < REQUESTERS; i++) {
        if (requesters[i].id == requester) {
            return requesters[i].owner;
        }
    }
    return requester == IOAPIC_ID ? PARTNERS : PARTNERS + 1;
}

// The partners' CPUs are 0 and 1, 2 and 3; an IOAPIC may interrupt all of them.
static bool cpu_of(unsigned who, uint64_t apic_id)
{
    return who == PARTNERS ? apic_id < 4 : apic_id / 2 == who;
}

static bool all_zero(uint64_t address, uint64_t size)
{
    for (uint64_t a = address; a < address + size; a += 8) {
        if (!heap_contains(hpa(a)) || *(uint64_t *)heap_ptr(hpa(a)) != 0) {
            return false;
        }
    }
    return true;
}

// ---- what is harmless ---------------------------------------------------------------------------

static bool to_an_empty_table(const struct flip *f)
{
    return all_zero(f->now[0] & ADDRESS, PAGE_SIZE);
}

static bool was_absent(const struct flip *f)
{
    return (f->was[0] & 1) == 0;
}

static bool was_present(const struct flip *f)
{
    return (f->was[0] & 1) != 0;
}

static struct harmless root_entry[] = {
    {0, 0, was_present, "a bus is blocked", false},
    {51, 12, to_an_empty_table, "a bus is blocked", false},
    {127, 1, was_absent, "ignored by hardware", false},
};

static struct harmless context_entry[] = {
    {0, 0, was_present, "a device is blocked", false},
    {70, 67, NULL, "ignored by hardware, for software to use", false},
    {127, 1, was_absent, "ignored by hardware", false},
};

static bool vtd_vector(const struct flip *f)
{
    return (f->was[0] & 1) && field(f->now, 23, 16) >= 16;
}

static bool vtd_nmi(const struct flip *f)
{
    return (f->was[0] & 1) && field(f->was, 7, 5) == 4;
}

static bool vtd_pin(const struct flip *f)
{
    return (f->was[0] & 1) && field(f->was, 79, 64) == IOAPIC_ID;
}

static bool vtd_nmi_of_a_pin(const struct flip *f)
{
    return vtd_pin(f) && field(f->was, 7, 5) == 0 &&
           field(f->was, unit.x2apic ? 63 : 47, unit.x2apic ? 32 : 40) == NMI_CPU;
}

static bool vtd_own_cpu(const struct flip *f)
{
    bool fits = unit.x2apic || (field(f->now, 39, 32) == 0 && field(f->now, 63, 48) == 0);
    return fits && (f->was[0] & 1) && field(f->was, 7, 5) == 0 && field(f->was, 79, 64) != 0 &&
           cpu_of(owner(field(f->was, 79, 64)),
                  field(f->now, unit.x2apic ? 63 : 47, unit.x2apic ? 32 : 40));
}

static bool vtd_same_owner(const struct flip *f)
{
    return (f->was[0] & 1) && owner(field(f->was, 79, 64)) == owner(field(f->now, 79, 64));
}

static struct harmless vtd_entry[] = {
    {0, 0, was_present, "an interrupt is refused", false},
    {3, 3, was_present, "a hint: there is one physical destination", false},
    {4, 4, vtd_pin, "a pin's trigger mode, that only the hypervisor writes", false},
    {7, 7, vtd_nmi_of_a_pin, "an NMI of a pin, to the CPU that takes them", false},
    {11, 8, was_present, "ignored by hardware, for software to use", false},
    {23, 16, vtd_vector, "the owner's CPU, that may get any vector", false},
    {23, 16, vtd_nmi, "an NMI has no vector", false},
    {63, 32, vtd_own_cpu, "another CPU of the owner", false},
    {79, 64, vtd_same_owner, "another device of the owner", false},
    {127, 1, was_absent, "ignored by hardware", false},
};

static bool amd_blocked(const struct flip *f)
{
    return field(f->was, 62, 61) == 0;
}

static bool amd_refuses(const struct flip *f)
{
    return field(f->was, 189, 188) == 0;
}

static bool amd_remaps(const struct flip *f)
{
    return field(f->was, 189, 188) == 2;
}

static bool amd_ioapic(const struct flip *f)
{
    return f->requester == IOAPIC_ID;
}

// Another place, or more entries: they are zero, or in the page where only its own are.
static bool amd_own_entries(const struct flip *f)
{
    uint64_t base = f->now[2] & 0x000fffffffffffc0ull;
    uint64_t size = (unit.wide ? 16ull : 4ull) << field(f->now, 132, 129);
    uint64_t own = f->was[2] & ADDRESS;
    if (!amd_remaps(f) || base % 128 != 0 || field(f->now, 132, 129) > 11) {
        return false;
    }
    for (uint64_t a = base; a < base + size; a += 4) {
        if ((a & ADDRESS) != own && !all_zero(a & ~7ull, 8)) {
            return false;
        }
    }
    return true;
}

static struct harmless device_entry[] = {
    {11, 9, amd_blocked, "without IR and IW no tree counts", false},
    {51, 12, amd_blocked, "without IR and IW no tree counts", false},
    {79, 64, amd_blocked, "nothing is cached of what is blocked", false},
    {132, 129, amd_refuses, "no interrupt table counts", false},
    {132, 129, amd_own_entries, "it has no entries but its own", false},
    {179, 134, amd_refuses, "no interrupt table counts", false},
    {179, 134, amd_own_entries, "it has no entries but its own", false},
    {186, 186, amd_ioapic, "NMIs of pins, that only the hypervisor sets up", false},
    {189, 189, amd_remaps, "all interrupts are refused", false},
};

static bool amd_wide_vector(const struct flip *f)
{
    return (f->was[0] & 1) && field(f->now, 71, 64) >= 16;
}

static bool amd_wide_own_cpu(const struct flip *f)
{
    uint64_t cpu = field(f->now, 31, 8) | field(f->now, 127, 120) << 24;
    return (f->was[0] & 1) && cpu_of(owner(f->requester), cpu);
}

static bool amd_wide_pin(const struct flip *f)
{
    return (f->was[0] & 1) && f->requester == IOAPIC_ID;
}

static struct harmless wide_entry[] = {
    {0, 0, was_present, "an interrupt is refused", false},
    {5, 5, amd_wide_pin, "a pin's trigger mode, that only the hypervisor writes", false},
    {31, 8, amd_wide_own_cpu, "another CPU of the owner", false},
    {71, 64, amd_wide_vector, "the owner's CPU, that may get any vector", false},
    {127, 1, was_absent, "ignored by hardware", false},
};

static bool amd_vector(const struct flip *f)
{
    return (f->was[0] & 1) && field(f->now, 23, 16) >= 16;
}

static bool amd_own_cpu(const struct flip *f)
{
    return (f->was[0] & 1) && cpu_of(owner(f->requester), field(f->now, 15, 8));
}

static struct harmless narrow_entry[] = {
    {0, 0, was_present, "an interrupt is refused", false},
    {5, 5, amd_wide_pin, "a pin's trigger mode, that only the hypervisor writes", false},
    {15, 8, amd_own_cpu, "another CPU of the owner", false},
    {23, 16, amd_vector, "the owner's CPU, that may get any vector", false},
    {31, 1, was_absent, "ignored by hardware", false},
};

// ---- the flips ----------------------------------------------------------------------------------

#define ROWS(list) list, ARRAY_SIZE(list)

static const char *why_harmless(struct harmless *list, size_t count, const struct flip *f,
                                unsigned bit)
{
    for (size_t i = 0; i < count; i++) {
        struct harmless *h = &list[i];
        if (bit <= h->high && bit >= h->low && (!h->only_if || h->only_if(f))) {
            h->seen = true;
            return h->why;
        }
    }
    return NULL;
}

// Flips each bit of an entry of `bytes`, 4 to 32. Returns how many were found.
static unsigned flip_all(void *entry, unsigned bytes, uint16_t requester, struct harmless *list,
                         size_t count)
{
    unsigned found = 0;
    for (unsigned bit = 0; bit < bytes * 8; bit++) {
        struct flip f = {.requester = requester};
        memcpy(f.was, entry, bytes);
        ((uint32_t *)entry)[bit / 32] ^= 1u << bit % 32;
        memcpy(f.now, entry, bytes);
        const char *why = why_harmless(list, count, &f, bit);
        bool passed = audit_all();
        if (passed && !why) {
            fail_msg("bit %u of an entry of %02x gets by: %lx %lx", bit, requester, f.was[1],
                     f.was[0]);
        }
        if (!passed && why) {
            fail_msg("bit %u of %02x, harmless (%s): %s", bit, requester, why,
                     report.first[0].text);
        }
        found += !passed;
        memcpy(entry, f.was, bytes);
    }
    return found;
}

static void assert_seen(const struct harmless *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!list[i].seen) {
            fail_msg("no flip of bits %u:%u is harmless (%s)", list[i].high, list[i].low,
                     list[i].why);
        }
    }
}

static void every_bit_of_vtd(void **state)
{
    (void)state;
    for (unsigned x2apic = 0; x2apic < 2; x2apic++) {
        build_vtd(x2apic);
        fake_heap_take_all();
        for (unsigned bus = 0; bus < 4; bus++) { // two of them absent
            flip_all(vtd_root(bus), 16, (uint16_t)(bus << 8), ROWS(root_entry));
        }
        for (unsigned i = 0; i < REQUESTERS; i++) {
            // P, ignored bits and nothing else
            unsigned found =
                flip_all(vtd_context(requesters[i].id), 16, requesters[i].id, ROWS(context_entry));
            assert_int_equal(found, 128 - 5);
        }
        assert_int_equal(flip_all(vtd_context(NOBODYS), 16, NOBODYS, ROWS(context_entry)), 1);
        assert_int_equal(flip_all(vtd_context(IOAPIC_ID), 16, IOAPIC_ID, ROWS(context_entry)), 1);
        static const unsigned live[] = {ENTRY_PIN, ENTRY_NMI, ENTRY_ALPHA, ENTRY_BETA};
        for (unsigned i = 0; i < ARRAY_SIZE(live); i++) {
            assert_true(flip_all(vtd_interrupt(live[i]), 16, 0, ROWS(vtd_entry)) > 90);
        }
        assert_int_equal(flip_all(vtd_interrupt(100), 16, 0, ROWS(vtd_entry)), 1);
        assert_true(audit_all());
    }
    assert_seen(ROWS(root_entry));
    assert_seen(ROWS(context_entry));
    assert_seen(ROWS(vtd_entry));
}

static void every_bit_of_amdvi(void **state)
{
    (void)state;
    static const uint16_t with_table[] = {IOAPIC_ID, ALPHA_NIC, BETA_DISK};
    for (unsigned wide = 0; wide < 2; wide++) {
        build_amdvi(wide, 128);
        fake_heap_take_all();
        for (uint16_t id = 0; id < 128; id++) {
            bool live = owner(id) <= PARTNERS;
            if (live || id == NOBODYS || id == 127) {
                unsigned found = flip_all(amd_device(id), 32, id, ROWS(device_entry));
                assert_true(found > 256 - 120);
            }
        }
        for (unsigned i = 0; i < ARRAY_SIZE(with_table); i++) {
            uint16_t id = with_table[i];
            for (unsigned n = AMD_ENTRY - 1; n <= AMD_ENTRY; n++) { // absent, present
                unsigned found = wide ? flip_all(amd_interrupt(id, n), 16, id, ROWS(wide_entry))
                                      : flip_all(amd_interrupt(id, n), 4, id, ROWS(narrow_entry));
                assert_true(n == AMD_ENTRY ? found > (wide ? 100 : 16) : found == 1);
            }
        }
        assert_true(audit_all());
    }
    assert_seen(ROWS(device_entry));
    assert_seen(ROWS(wide_entry));
    assert_seen(ROWS(narrow_entry));
}

// Address bits of the devices' trees matter, as those of the CPUs' do in test_audit_corruption.c.
static void every_address_bit_of_the_trees(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        build_unit(k ? AUDIT_UNIT_AMDVI : AUDIT_UNIT_VTD, true);
        fake_heap_take_all();
        unsigned found = 0;
        for (unsigned p = 0; p < PARTNERS; p++) {
            uint64_t *entries = heap_ptr(dma[p].root);
            bool table = true;
            while (table) {
                for (unsigned bit = 12; bit < 52; bit++) {
                    entries[0] ^= BIT(bit);
                    assert_false(audit_all());
                    found++;
                    entries[0] ^= BIT(bit);
                }
                table = heap_contains(hpa(entries[0] & ADDRESS));
                if (table) {
                    entries = heap_ptr(hpa(entries[0] & ADDRESS));
                }
            }
        }
        assert_int_equal(found, (2 + 3) * 40); // alpha has a 1 GiB page there, beta one of 2 MiB
        assert_true(audit_all());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_vtd),
        cmocka_unit_test(every_bit_of_amdvi),
        cmocka_unit_test(every_address_bit_of_the_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
