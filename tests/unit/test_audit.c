// SPDX-License-Identifier: Apache-2.0
// The isolation audit: passes what is right in every format, and names each kind of violation.
// Corruption at random is in test_audit_corruption.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/audit_fixture.h"

static void assert_first(enum audit_kind kind, unsigned subject, uint64_t gpa, uint64_t hpa_at,
                         uint64_t size)
{
    assert_false(audit_run(&input, &report));
    assert_true(report.violations > 0);
    const struct audit_violation *v = &report.first[0];
    assert_int_equal(v->kind, kind);
    assert_int_equal(v->subject, subject);
    assert_int_equal(v->gpa, gpa);
    assert_int_equal(v->hpa, hpa_at);
    assert_int_equal(v->size, size);
    assert_true(strlen(v->text) > 20 && strlen(v->text) < AUDIT_TEXT_SIZE);
}

static void right_tables_pass(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        for (unsigned d = 0; d < 2; d++) {
            build(f, d);
            assert_true(audit_run(&input, &report));
            assert_int_equal(report.violations, 0);
            uint64_t bytes = GIB(1) + MIB(12) + KIB(24) + (d ? KIB(64) + KIB(8) : 0);
            assert_int_equal(report.pages_checked_4k, bytes / PAGE_SIZE);
            assert_int_equal(report.tables, fake_heap_used());
            assert_int_equal(report.extents, 5 + (d ? 3 : 0));
        }
    }
}

// Puts one wrong mapping into alpha's tree.
static void mismap(unsigned f, uint64_t gpa, uint64_t to, uint64_t size, unsigned flags)
{
    build(f, true);
    assert_int_equal(pt_unmap(&trees[0], gpa, size), STATUS_OK);
    assert_int_equal(pt_map(&trees[0], gpa, hpa(to), size, flags), STATUS_OK);
}

static void each_wrong_mapping_is_named(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        unsigned flags = formats[f].flags;
        // beta's memory: within alpha's RAM, and beyond it
        mismap(f, MIB(2), GIB(10) + MIB(4), KIB(8), flags);
        assert_first(AUDIT_OTHER_PARTITION, 0, MIB(2), GIB(10) + MIB(4), KIB(8));
        assert_int_equal(report.violations, 1);
        assert_non_null(strstr(report.first[0].text, "alpha"));
        assert_non_null(strstr(report.first[0].text, "beta"));
        mismap(f, GIB(12), GIB(8) + KIB(20), KIB(4), PT_READ);
        assert_first(AUDIT_OTHER_PARTITION, 0, GIB(12), GIB(8) + KIB(20), KIB(4));
        // a large page that covers a few pages of another's
        mismap(f, GIB(12), GIB(8), MIB(2), flags);
        assert_first(AUDIT_OTHER_PARTITION, 0, GIB(12), GIB(8), MIB(2));
        // the hypervisor's image and a table of its own tree
        mismap(f, GIB(12), MIB(2) + KIB(296), KIB(4), PT_READ);
        assert_first(AUDIT_HYPERVISOR, 0, GIB(12), MIB(2) + KIB(296), KIB(4));
        mismap(f, KIB(8), trees[0].root.v, KIB(4), flags);
        assert_first(AUDIT_HYPERVISOR, 0, KIB(8), trees[0].root.v, KIB(4));
        // nobody's memory; its own at another address; a page too many at the end of RAM
        mismap(f, GIB(12), GIB(7), KIB(4), flags);
        assert_first(AUDIT_STRAY, 0, GIB(12), GIB(7), KIB(4));
        mismap(f, GIB(4), GIB(9) + MIB(2), MIB(2), flags);
        assert_first(AUDIT_STRAY, 0, GIB(4), GIB(9) + MIB(2), MIB(2));
        assert_int_equal(report.violations, 1);
        mismap(f, GIB(4) + MIB(4) + KIB(4), GIB(9) + MIB(4) + KIB(4), KIB(4), flags);
        assert_first(AUDIT_STRAY, 0, GIB(4) + MIB(4) + KIB(4), GIB(9) + MIB(4) + KIB(4), KIB(4));
        // the host address beyond what the machine has
        mismap(f, GIB(12), BIT(40), KIB(4), flags);
        assert_first(AUDIT_RESERVED, 0, GIB(12), BIT(40), KIB(4));
        // a device page: writable, or past its end
        mismap(f, APIC, APIC, KIB(4), RW);
        assert_first(AUDIT_DEVICE_WRITE, 0, APIC, APIC, KIB(4));
        mismap(f, APIC, APIC, KIB(8), PT_READ);
        assert_first(AUDIT_STRAY, 0, APIC + KIB(4), APIC + KIB(4), KIB(4));
        // its own device, running on into where its RAM should be
        build(f, true);
        assert_int_equal(pt_unmap(&trees[0], GIB(4), KIB(32)), STATUS_OK);
        assert_int_equal(pt_map(&trees[0], GIB(4) - KIB(32), hpa(0xfe000000), KIB(64), RW),
                         STATUS_OK);
        assert_first(AUDIT_STRAY, 0, GIB(4), 0xfe008000, KIB(32));
        assert_int_equal(report.violations, 1);
        // alpha's device in beta
        build(f, true);
        assert_int_equal(pt_map(&trees[1], GIB(1), hpa(0xfe000000), KIB(4), PT_READ), STATUS_OK);
        assert_first(AUDIT_OTHER_PARTITION, 1, GIB(1), 0xfe000000, KIB(4));
    }
}

// One large page, allowed where it begins, that runs on into where there should be RAM.
static void a_device_page_over_ram_is_found(void **state)
{
    (void)state;
    static const struct guest_ram ram = {.count = 1,
                                         .region = {{GIB(4) + MIB(1), GIB(9) + MIB(1), MIB(1)}}};
    static const struct audit_device nic = {0xfe000000, MIB(2), true, 0, "NIC"};
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        build(f, false);
        assert_int_equal(pt_create(&trees[0], formats[f].pt, 2), STATUS_OK);
        assert_int_equal(pt_map(&trees[0], GIB(4), hpa(nic.hpa), MIB(2), RW), STATUS_OK);
        subjects[0].root = trees[0].root;
        subjects[0].ram = &ram;
        input.devices = &nic;
        input.device_count = 1;
        assert_first(AUDIT_STRAY, 0, GIB(4) + MIB(1), nic.hpa + MIB(1), MIB(1));
        assert_int_equal(report.violations, 1);
    }
}

static void missing_ram_is_found(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        static const struct {
            uint64_t gpa, hpa, size;
        } gaps[] = {
            {0, GIB(5), KIB(4)},                         // the first page
            {GIB(1) - KIB(8), GIB(6) - KIB(8), KIB(12)}, // across a large page's end
            {GIB(1) + MIB(2), GIB(8) + KIB(4), KIB(12)}, // a whole region
            {GIB(4) + MIB(4), GIB(9) + MIB(4), KIB(4)},  // the last page
            {0, GIB(5), GIB(1) + MIB(2)},
        };
        for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
            build(f, true);
            assert_int_equal(pt_unmap(&trees[0], gaps[i].gpa, gaps[i].size), STATUS_OK);
            assert_first(AUDIT_MISSING, 0, gaps[i].gpa, gaps[i].hpa, gaps[i].size);
            assert_int_equal(report.violations, 1);
        }
        build(f, true);
        assert_int_equal(pt_unmap(&trees[1], MIB(6), KIB(4)), STATUS_OK);
        assert_int_equal(pt_map(&trees[1], MIB(6), hpa(GIB(8) + KIB(16)), KIB(4), PT_READ),
                         STATUS_OK);
        assert_first(AUDIT_ACCESS, 1, MIB(6), GIB(8) + KIB(16), KIB(4));
        // everything gone
        build(f, false);
        assert_int_equal(pt_unmap(&trees[1], 0, GIB(8)), STATUS_OK);
        assert_first(AUDIT_MISSING, 1, 0, GIB(10), MIB(6));
        assert_int_equal(report.violations, 2);
    }
}

static void violations_beyond_the_report_are_counted(void **state)
{
    (void)state;
    build(0, true);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(pt_map(&trees[0], GIB(20) + i * KIB(8), hpa(GIB(7)), KIB(4), PT_READ),
                         STATUS_OK);
    }
    assert_false(audit_run(&input, &report));
    assert_int_equal(report.violations, 20);
    assert_int_equal(report.first[7].gpa, GIB(20) + 7 * KIB(8));
    // one run of wrong pages is one violation, however small its pages
    build(0, true);
    assert_int_equal(pt_create(&trees[0], &pt_format_npt, 0), STATUS_OK);
    assert_int_equal(pt_map(&trees[0], 0, hpa(GIB(10)), MIB(3), RWX), STATUS_OK);
    subjects[0].root = trees[0].root;
    assert_first(AUDIT_OTHER_PARTITION, 0, 0, GIB(10), MIB(3));
}

static uint64_t *raw_entry(const struct page_table *pt, uint64_t gpa, unsigned level)
{
    uint64_t table = pt->root.v;
    for (unsigned l = pt->format->levels - 1;; l--) {
        uint64_t *entries = heap_ptr(hpa(table));
        uint64_t *entry = &entries[(gpa >> (12 + 9 * l)) & 511];
        if (l == level) {
            return entry;
        }
        table = *entry & ADDRESS;
    }
}

static void bad_tables_are_found(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        // a table in alpha's own RAM, in nobody's memory, in the hypervisor's image (not its heap)
        static const uint64_t places[] = {GIB(5), GIB(7), MIB(2)};
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
            build(f, true);
            uint64_t *entry = raw_entry(&trees[0], GIB(4) + MIB(4), 1);
            *entry = (*entry & ~ADDRESS) | places[i];
            assert_first(AUDIT_TABLE, 0, GIB(4) + MIB(4), places[i], PAGE_SIZE);
            build(f, true);
            subjects[0].root = hpa(places[i]);
            assert_first(AUDIT_TABLE, 0, 0, places[i], PAGE_SIZE);
        }
        // a page of the heap that is not the hypervisor's by the list
        build(f, true);
        input.hypervisor_count = 1;
        assert_first(AUDIT_TABLE, 0, 0, trees[0].root.v, PAGE_SIZE);
        // a root that is no page
        build(f, true);
        subjects[1].root.v += 8;
        assert_first(AUDIT_TABLE, 1, 0, trees[1].root.v + 8, PAGE_SIZE);
        // alpha's whole tree, taken for beta's
        build(f, false);
        subjects[1].root = trees[0].root;
        assert_first(AUDIT_OTHER_PARTITION, 1, 0, GIB(5), GIB(1) + MIB(2));
        // all entries of all levels go round in circles
        build(f, true);
        uint64_t *root = heap_ptr(trees[0].root);
        unsigned top = trees[0].format->levels - 1;
        for (unsigned i = 0; i < 512; i++) {
            root[i] = trees[0].root.v | trees[0].format->level[top].table_bits;
        }
        assert_false(audit_run(&input, &report));
        assert_true(report.violations > 0);
        assert_true(report.tables < 10000);
    }
}

// Few tables, but 512 ways from each to the next, and nothing mapped at the end of any.
static void a_thicket_of_empty_tables_ends(void **state)
{
    (void)state;
    for (unsigned f = 0; f < ARRAY_SIZE(formats); f++) {
        build(f, true);
        uint64_t *entries = heap_ptr(trees[0].root);
        for (unsigned level = formats[f].pt->levels - 1; level > 0; level--) {
            hpa_t next = heap_page_alloc();
            for (unsigned i = level == formats[f].pt->levels - 1 ? 100 : 0; i < 512; i++) {
                entries[i] = next.v | formats[f].pt->level[level].table_bits;
            }
            entries = heap_ptr(next);
        }
        assert_false(audit_run(&input, &report));
        assert_int_equal(report.violations, 1);
        assert_int_equal(report.first[0].kind, AUDIT_TABLE);
        assert_true(report.tables < 10000);
    }
}

static void reserved_bits_are_found(void **state)
{
    (void)state;
    static const struct {
        unsigned format;
        unsigned level;
        uint64_t gpa;
        uint64_t flip;
    } cases[] = {
        {0, 3, 0, BIT(7)},                   // NPT: PS in a level 4 entry
        {0, 3, 0, BIT(8)},                   //
        {0, 2, 0, BIT(13)},                  // GiB page, not aligned
        {0, 2, 0, BIT(29)},                  //
        {0, 1, MIB(4) + GIB(4), BIT(40)},    // beyond the machine
        {0, 0, MIB(4) + GIB(4), BIT(51)},    //
        {1, 3, 0, BIT(3)},                   // EPT: memory type in an entry for a table
        {1, 3, 0, BIT(7)},                   //
        {1, 2, GIB(1), BIT(6)},              //
        {1, 0, GIB(1) + MIB(2), BIT(0)},     // W without R
        {1, 0, GIB(1) + MIB(2), BIT(3)},     // memory type 6 becomes 7
        {1, 0, GIB(1) + MIB(2), BIT(5)},     // 6 becomes 2
        {1, 0, GIB(1) + MIB(2), BIT(10)},    // mode-based execute
        {1, 1, GIB(1), BIT(12)},             // 2 MiB page, not aligned
        {2, 3, 0, BIT(7)},                   // VT-d
        {2, 2, 0, BIT(12)},                  //
        {2, 0, GIB(1) + MIB(2), BIT(62)},    //
        {4, 3, 0, BIT(9)},                   // AMD-Vi: next level 3 becomes 2
        {4, 2, 0, BIT(52)},                  //
        {4, 2, 0, BIT(12)},                  // GiB page, not aligned
        {4, 0, GIB(1) + MIB(2), 7 * BIT(9)}, // page size from the address
        {4, 0, GIB(1) + MIB(2), BIT(9)},     // a table below the last
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        build(cases[i].format, true);
        *raw_entry(&trees[0], cases[i].gpa, cases[i].level) ^= cases[i].flip;
        assert_false(audit_run(&input, &report));
        bool found = false;
        for (unsigned v = 0; v < report.violations && v < AUDIT_REPORTS; v++) {
            found = found || report.first[v].kind == AUDIT_RESERVED;
        }
        if (!found) {
            fail_msg("case %zu: %s", i, report.first[0].text);
        }
    }
}

static void bad_lists_are_refused(void **state)
{
    (void)state;
    static struct guest_ram ram;
    static struct audit_device list[2];
    static const struct {
        unsigned region;
        struct guest_ram_region value;
        enum audit_kind kind;
    } regions[] = {
        {0, {0, GIB(5) + 1, GIB(1)}, AUDIT_BAD_INPUT},            // not aligned
        {0, {8, GIB(5), GIB(1)}, AUDIT_BAD_INPUT},                //
        {0, {0, GIB(5), 0}, AUDIT_BAD_INPUT},                     // empty
        {0, {0, GIB(5), 0 - PAGE_SIZE}, AUDIT_BAD_INPUT},         // wraps
        {0, {0, BIT(40), MIB(2)}, AUDIT_BAD_INPUT},               // beyond the machine
        {0, {BIT(63), GIB(5), MIB(2)}, AUDIT_BAD_INPUT},          //
        {1, {GIB(1), GIB(8) + KIB(4), KIB(12)}, AUDIT_BAD_INPUT}, // overlaps the one before
        {1, {GIB(2), GIB(5), KIB(12)}, AUDIT_BAD_INPUT},          // the same memory again
        {1, {GIB(2), APIC, KIB(12)}, AUDIT_BAD_INPUT},            // a device
        {1, {GIB(2), MIB(2) - KIB(4), KIB(8)}, AUDIT_HYPERVISOR},
        {1, {GIB(2), GIB(10) + MIB(4), KIB(12)}, AUDIT_OTHER_PARTITION},
    };
    for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
        build(0, true);
        ram = rams[0];
        ram.region[regions[i].region] = regions[i].value;
        subjects[0].ram = &ram;
        assert_false(audit_run(&input, &report));
        assert_int_equal(report.first[0].kind, regions[i].kind);
        assert_int_equal(report.tables, 0); // nothing was walked by such lists
    }
    build(0, true);
    ram = rams[0];
    ram.count = GUEST_RAM_REGIONS + 1;
    subjects[0].ram = &ram;
    assert_first(AUDIT_BAD_INPUT, 0, 0, 0, 0);

    static const struct {
        struct audit_device device;
        enum audit_kind kind;
    } cases[] = {
        {{APIC, KIB(4), true, AUDIT_ANYONE, "APIC"}, AUDIT_BAD_INPUT}, // all may write it
        {{APIC + 1, KIB(4), false, AUDIT_ANYONE, "APIC"}, AUDIT_BAD_INPUT},
        {{APIC, 0, false, AUDIT_ANYONE, "APIC"}, AUDIT_BAD_INPUT},
        {{0 - PAGE_SIZE, KIB(8), false, AUDIT_ANYONE, "APIC"}, AUDIT_BAD_INPUT},
        {{MIB(2) - KIB(4), KIB(8), false, AUDIT_ANYONE, "APIC"}, AUDIT_HYPERVISOR},
        {{0xfe00f000, KIB(8), true, 1, "NIC"}, AUDIT_OTHER_PARTITION}, // alpha's already
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        build(0, true);
        list[0] = devices[1];
        list[1] = cases[i].device;
        input.devices = list;
        assert_false(audit_run(&input, &report));
        assert_int_equal(report.first[0].kind, cases[i].kind);
        assert_int_equal(report.tables, 0);
    }
    build(0, true);
    input.phys_bits = 53;
    assert_first(AUDIT_BAD_INPUT, ~0u, 0, 0, 53);
    build(0, true);
    subjects[1].levels = 6;
    assert_first(AUDIT_BAD_INPUT, 1, 0, 0, 0);
}

static void forbidden_registers_are_nobodys(void **state)
{
    (void)state;
    static const struct audit_forbidden forbidden[] = {
        {0xfec00000, 0x400, "IOAPIC"},
        {0xfed90000, KIB(4), "VT-d registers"},
        {APIC, KIB(4), "local APIC"},
    };
    static const struct {
        struct audit_device device;
        enum audit_kind kind; // AUDIT_BAD_INPUT: none
        const char *text;
    } cases[] = {
        {{0xfe010000, KIB(8), true, 1, "NIC"}, AUDIT_BAD_INPUT, NULL},
        {{0xfed8f000, KIB(4), true, 1, "NIC"}, AUDIT_BAD_INPUT, NULL}, // right below
        {{0xfed91000, KIB(4), true, 1, "NIC"}, AUDIT_BAD_INPUT, NULL}, // right above
        {{0xfed8f000, KIB(8), true, 1, "NIC"}, AUDIT_FORBIDDEN, "VT-d registers"},
        {{0xfec00000, KIB(4), true, 0, "NIC"}, AUDIT_FORBIDDEN, "IOAPIC"},
        {{0xfec00000, KIB(4), false, 0, "NIC"}, AUDIT_FORBIDDEN, "IOAPIC"}, // reading has effects
        {{0xfec00000, MIB(4), true, 0, "NIC"}, AUDIT_FORBIDDEN, "IOAPIC"},
        {{APIC, KIB(4), true, 1, "NIC"}, AUDIT_FORBIDDEN, "local APIC"},
        {{0xfe00f000, KIB(8), true, 1, "NIC of beta"}, AUDIT_OTHER_PARTITION, "NIC"}, // alpha's BAR
    };
    struct audit_device list[2];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        build(0, true);
        assert_int_equal(pt_unmap(&trees[0], APIC, KIB(4)), STATUS_OK);
        assert_int_equal(pt_unmap(&trees[1], APIC, KIB(4)), STATUS_OK);
        list[0] = devices[1];
        list[1] = cases[i].device;
        input.devices = list;
        input.forbidden = forbidden;
        input.forbidden_count = ARRAY_SIZE(forbidden);
        bool passes = cases[i].kind == AUDIT_BAD_INPUT;
        assert_int_equal(audit_run(&input, &report), passes);
        if (!passes) {
            assert_int_equal(report.first[0].kind, cases[i].kind);
            assert_non_null(strstr(report.first[0].text, cases[i].text));
            assert_int_equal(report.tables, 0);
        }
    }

    // the APIC's page, that all may read, is there for everyone; what no list has is named
    build(0, true);
    input.forbidden = forbidden;
    input.forbidden_count = ARRAY_SIZE(forbidden);
    assert_true(audit_run(&input, &report));
    assert_int_equal(pt_map(&trees[1], GIB(20), hpa(0xfec00000), KIB(4), RW), STATUS_OK);
    assert_first(AUDIT_FORBIDDEN, 1, GIB(20), 0xfec00000, KIB(4));
    assert_non_null(strstr(report.first[0].text, "IOAPIC"));

    // nor may RAM lie there, or the list be wrong
    static const struct audit_forbidden in_ram = {GIB(10) + MIB(1), 16, "mailbox"};
    build(0, true);
    input.forbidden = &in_ram;
    input.forbidden_count = 1;
    assert_first(AUDIT_FORBIDDEN, 1, 0, GIB(10), MIB(6));
    static const struct audit_forbidden empty = {0xfec00000, 0, "nothing"};
    input.forbidden = &empty;
    assert_first(AUDIT_BAD_INPUT, AUDIT_NO_SUBJECT, 0, 0xfec00000, 0);
}

// Mapped write-combining, by pages of both sizes.
static void a_framebuffer_is_its_owner_s_alone(void **state)
{
    (void)state;
    static const uint64_t base = 0xfd1ff000, at = 0xf01ff000, size = MIB(3);
    static const struct audit_device screen = {base, size, true, 0, "the framebuffer"};
    for (unsigned f = 0; f < 2; f++) { // NPT, EPT
        for (unsigned owner = 0; owner < PARTNERS; owner++) {
            build(f, false);
            input.devices = &screen;
            input.device_count = 1;
            assert_int_equal(pt_map(&trees[owner], at, hpa(base), size, RW | PT_WC), STATUS_OK);
            if (owner == 0) {
                assert_true(audit_run(&input, &report));
                input.device_count = 0; // given to nobody
                assert_first(AUDIT_STRAY, 0, at, base, size);
            } else {
                assert_first(AUDIT_OTHER_PARTITION, 1, at, base, size);
                assert_non_null(strstr(report.first[0].text, screen.why));
            }
            assert_int_equal(report.violations, 1);
        }
        // a page too many
        build(f, false);
        input.devices = &screen;
        input.device_count = 1;
        assert_int_equal(pt_map(&trees[0], at, hpa(base), size + KIB(4), RW | PT_WC), STATUS_OK);
        assert_first(AUDIT_STRAY, 0, at + size, base + size, KIB(4));
    }
}

static void many_partitions_of_single_pages(void **state)
{
    (void)state;
    enum { COUNT = 8 };
    static struct guest_ram ram[COUNT];
    static struct page_table pt[COUNT];
    static struct audit_subject s[COUNT];
    fake_heap_reset();
    for (unsigned i = 0; i < COUNT; i++) {
        // the last one in 4 KiB pages, the others in 2 MiB pages
        assert_int_equal(pt_create(&pt[i], &pt_format_npt, i < COUNT - 1 ? 1 : 0), STATUS_OK);
        ram[i].count = GUEST_RAM_REGIONS;
        for (unsigned r = 0; r < GUEST_RAM_REGIONS; r++) {
            // the partitions' memory interleaved in pieces of 32 MiB
            ram[i].region[r] =
                (struct guest_ram_region){r * MIB(32), GIB(1) + (r * COUNT + i) * MIB(32), MIB(32)};
            assert_int_equal(pt_map(&pt[i], r * MIB(32), hpa(ram[i].region[r].hpa), MIB(32), RWX),
                             STATUS_OK);
        }
        s[i] = (struct audit_subject){"p", TABLE_NPT, pt[i].root, 4, i, &ram[i]};
    }
    input =
        (struct audit_input){s, COUNT, hypervisor, ARRAY_SIZE(hypervisor), NULL, 0, 40, NULL, 0};
    assert_true(audit_run(&input, &report));
    assert_int_equal(report.pages_checked_4k, GIB(16) / PAGE_SIZE);
    assert_int_equal(report.extents, COUNT * GUEST_RAM_REGIONS);
    assert_int_equal(report.tables, fake_heap_used());
    // the very last page of one becomes another's
    *raw_entry(&pt[COUNT - 1], GIB(2) - KIB(4), 0) -= MIB(32);
    uint64_t at = GIB(1) + MIB(32) * (GUEST_RAM_REGIONS * COUNT - 1) - KIB(4);
    assert_first(AUDIT_OTHER_PARTITION, COUNT - 1, GIB(2) - KIB(4), at, KIB(4));
    assert_int_equal(report.violations, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_tables_pass),
        cmocka_unit_test(each_wrong_mapping_is_named),
        cmocka_unit_test(a_device_page_over_ram_is_found),
        cmocka_unit_test(missing_ram_is_found),
        cmocka_unit_test(violations_beyond_the_report_are_counted),
        cmocka_unit_test(bad_tables_are_found),
        cmocka_unit_test(a_thicket_of_empty_tables_ends),
        cmocka_unit_test(reserved_bits_are_found),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(forbidden_registers_are_nobodys),
        cmocka_unit_test(a_framebuffer_is_its_owner_s_alone),
        cmocka_unit_test(many_partitions_of_single_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
