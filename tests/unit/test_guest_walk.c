// SPDX-License-Identifier: Apache-2.0
// The guest page-table walk in every paging mode: addresses, rights, reserved bits, accessed and
// dirty bits, error codes; fetches and copies across pages.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/memory/guest_walk.h"
#include "tests/unit/fake_flat_ram.h"

#define P   BIT(0)
#define RW  BIT(1)
#define US  BIT(2)
#define A   BIT(5)
#define D   BIT(6)
#define PS  BIT(7)
#define NX  BIT(63)
#define ALL (P | RW | US)

#define PE   BIT(0)
#define WP   BIT(16)
#define PG   BIT(31)
#define PSE  BIT(4)
#define PAE  BIT(5)
#define LA57 BIT(12)
#define SMEP BIT(20)
#define SMAP BIT(21)
#define LMA  (BIT(8) | BIT(10))
#define NXE  BIT(11)

// Where the tables are, one page each.
#define ROOT  0x1000u // PML4, PDPT of PAE, or page directory
#define PDPT  0x2000u
#define PD    0x3000u
#define PT    0x4000u
#define ROOT5 0x5000u
#define PAGE  0x7000u // what the last level maps

static struct guest_paging paging;
static gpa_t result;
static uint32_t error;

static enum status walk(uint64_t gva, unsigned access)
{
    result = gpa(~0ull);
    error = 0xdead;
    return guest_walk(&flat.ram, &paging, gva, access, &result, &error);
}

static void expect(uint64_t gva, unsigned access, uint64_t address)
{
    assert_int_equal(walk(gva, access), STATUS_OK);
    assert_int_equal(result.v, address);
    assert_int_equal(error, 0xdead); // untouched
}

// The access faults, and leaves no trace in the tables.
static void expect_fault(uint64_t gva, unsigned access, uint64_t code)
{
    unsigned writes = flat.writes;

    assert_int_equal(walk(gva, access), ERR_FAULT);
    assert_int_equal(error, code);
    assert_int_equal(flat.writes, writes);
}

#define GVA 0x0000123456789abcull // indexes 36, 209, 179, 393

static void set_up_4_levels(void)
{
    flat_clear();
    paging = (struct guest_paging){
        .cr0 = PE | PG | WP, .cr3 = ROOT, .cr4 = PAE, .efer = LMA | NXE, .cpl = 0, .phys_bits = 40};
    flat_set_u64(ROOT + 36 * 8, PDPT | ALL);
    flat_set_u64(PDPT + 209 * 8, PD | ALL);
    flat_set_u64(PD + 179 * 8, PT | ALL);
    flat_set_u64(PT + 393 * 8, PAGE | ALL);
}

static void test_paging_off(void **state)
{
    (void)state;
    flat_clear();
    paging = (struct guest_paging){.cr0 = PE, .phys_bits = 40};
    expect(0xfee000b0, WALK_WRITE, 0xfee000b0);
    expect(0x1234567890, WALK_READ, 0x34567890); // 32 bits are all there is
    assert_int_equal(flat.writes, 0);
}

static void test_4_levels(void **state)
{
    (void)state;
    set_up_4_levels();
    expect(GVA, WALK_READ, PAGE | 0xabc);
    expect(GVA & ~0xfffull, WALK_EXEC, PAGE);
    paging.cr3 |= 0xfff; // a PCID, or PWT and PCD
    expect(GVA | 0xfff, WALK_WRITE, PAGE | 0xfff);
}

static void test_canonical(void **state)
{
    (void)state;
    set_up_4_levels();
    assert_int_equal(walk(0x0000800000000000, WALK_READ), ERR_INVALID);
    assert_int_equal(walk(0xffff7fffffffffff, WALK_READ), ERR_INVALID);
    flat_set_u64(ROOT + 511 * 8, PDPT | ALL);
    flat_set_u64(PDPT + 511 * 8, PAGE); // not present
    expect_fault(0xffffffffffffffff, WALK_READ, 0);
}

static void test_large_pages(void **state)
{
    (void)state;
    set_up_4_levels();
    flat_set_u64(PD + 179 * 8, 0x40000000 | ALL | PS | BIT(12)); // PAT is no address bit
    expect(GVA, WALK_READ, 0x40000000 | (GVA & 0x1fffff));
    flat_set_u64(PDPT + 209 * 8, 0x80000000 | ALL | PS | BIT(12));
    expect(GVA, WALK_READ, 0x80000000 | (GVA & 0x3fffffff));
}

static void test_5_levels(void **state)
{
    const uint64_t high = 0x00ab000000000000; // index 171 of the fifth level
    (void)state;

    set_up_4_levels();
    paging.cr4 |= LA57;
    paging.cr3 = ROOT5;
    flat_set_u64(ROOT5 + 171 * 8, ROOT | ALL);
    expect(high | GVA, WALK_READ, PAGE | 0xabc);
    expect_fault(GVA, WALK_READ, 0);
    flat_set_u64(ROOT5 + 171 * 8, ROOT | ALL | PS);
    expect_fault(high | GVA, WALK_READ, PF_PRESENT | PF_RESERVED);
    assert_int_equal(walk(0x0100000000000000, WALK_READ), ERR_INVALID);
}

static void test_not_present(void **state)
{
    static const uint64_t entries[] = {ROOT + 36 * 8, PDPT + 209 * 8, PD + 179 * 8, PT + 393 * 8};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        set_up_4_levels();
        flat_set_u64(entries[i], flat_u64(entries[i]) & ~P);
        expect_fault(GVA, WALK_READ, 0);
        expect_fault(GVA, WALK_WRITE, PF_WRITE);
        expect_fault(GVA, WALK_EXEC, PF_FETCH);
        paging.cpl = 3;
        expect_fault(GVA, WALK_READ, PF_USER);
        expect_fault(GVA, WALK_READ | WALK_SUPERVISOR, 0);
        paging.efer &= ~NXE;
        expect_fault(GVA, WALK_EXEC, PF_USER); // no NX, no SMEP: fetches are not told apart
        paging.cr4 |= SMEP;
        expect_fault(GVA, WALK_EXEC, PF_USER | PF_FETCH);
    }
}

// Each level can take a right away.
static void test_rights(void **state)
{
    static const uint64_t entries[] = {ROOT + 36 * 8, PDPT + 209 * 8, PD + 179 * 8, PT + 393 * 8};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t full;

        set_up_4_levels();
        full = flat_u64(entries[i]);

        flat_set_u64(entries[i], full & ~RW);
        expect_fault(GVA, WALK_WRITE, PF_PRESENT | PF_WRITE);
        expect(GVA, WALK_READ, PAGE | 0xabc);
        paging.cr0 &= ~WP;
        expect(GVA, WALK_WRITE, PAGE | 0xabc);
        paging.cpl = 3; // WP is about supervisors
        expect_fault(GVA, WALK_WRITE, PF_PRESENT | PF_WRITE | PF_USER);

        flat_set_u64(entries[i], full & ~US);
        expect_fault(GVA, WALK_READ, PF_PRESENT | PF_USER);
        expect_fault(GVA, WALK_EXEC, PF_PRESENT | PF_USER | PF_FETCH);
        expect(GVA, WALK_READ | WALK_SUPERVISOR, PAGE | 0xabc);
        paging.cpl = 0;
        expect(GVA, WALK_READ, PAGE | 0xabc);

        flat_set_u64(entries[i], full | NX);
        expect(GVA, WALK_READ, PAGE | 0xabc);
        expect_fault(GVA, WALK_EXEC, PF_PRESENT | PF_FETCH);
    }
}

static void test_smep_smap(void **state)
{
    (void)state;
    set_up_4_levels();
    paging.cr4 |= SMEP;
    expect_fault(GVA, WALK_EXEC, PF_PRESENT | PF_FETCH);
    expect(GVA, WALK_READ, PAGE | 0xabc);
    paging.cr4 |= SMAP;
    expect_fault(GVA, WALK_READ, PF_PRESENT);
    expect_fault(GVA, WALK_WRITE, PF_PRESENT | PF_WRITE);
    paging.ac = true;
    expect(GVA, WALK_WRITE, PAGE | 0xabc);
    expect_fault(GVA, WALK_READ | WALK_SUPERVISOR, PF_PRESENT); // AC is for the program itself
    paging.cpl = 3;
    paging.ac = false;
    expect(GVA, WALK_WRITE, PAGE | 0xabc);
    expect(GVA, WALK_EXEC, PAGE | 0xabc);
    expect_fault(GVA, WALK_READ | WALK_SUPERVISOR, PF_PRESENT);

    // A supervisor page: neither applies.
    flat_set_u64(PD + 179 * 8, PT | P | RW);
    paging.cpl = 0;
    expect(GVA, WALK_EXEC, PAGE | 0xabc);
    expect(GVA, WALK_WRITE, PAGE | 0xabc);
}

static void test_reserved_bits(void **state)
{
    static const struct {
        uint64_t entry;
        uint64_t bits;
        bool bad;
    } rows[] = {
        {ROOT + 36 * 8, BIT(40), true},       // beyond the physical width
        {PDPT + 209 * 8, BIT(51), true},      //
        {PT + 393 * 8, BIT(45), true},        //
        {PT + 393 * 8, BIT(52), false},       // free for software
        {PT + 393 * 8, BIT(62), false},       //
        {ROOT + 36 * 8, PS, true},            // there is no 512 GiB page
        {PDPT + 209 * 8, PS | BIT(13), true}, // address bits inside a large page
        {PDPT + 209 * 8, PS | BIT(29), true}, //
        {PD + 179 * 8, PS | BIT(13), true},   //
        {PD + 179 * 8, PS | BIT(20), true},   //
        {PT + 393 * 8, PS, false},            // PAT
        {ROOT + 36 * 8, BIT(9), false},       // free for software
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        set_up_4_levels();
        // Large pages need an aligned address to begin with.
        flat_set_u64(rows[i].entry, rows[i].bits & PS && rows[i].entry != PT + 393 * 8
                                        ? rows[i].bits | ALL
                                        : flat_u64(rows[i].entry) | rows[i].bits);
        if (rows[i].bad)
            expect_fault(GVA, WALK_READ, PF_PRESENT | PF_RESERVED);
        else
            assert_int_equal(walk(GVA, WALK_READ), STATUS_OK);
    }

    set_up_4_levels();
    paging.efer &= ~NXE;
    flat_set_u64(PT + 393 * 8, PAGE | ALL | NX);
    expect_fault(GVA, WALK_WRITE, PF_PRESENT | PF_RESERVED | PF_WRITE);
}

static void test_accessed_dirty(void **state)
{
    unsigned writes;

    (void)state;
    set_up_4_levels();
    expect(GVA, WALK_READ, PAGE | 0xabc);
    assert_int_equal(flat_u64(ROOT + 36 * 8), PDPT | ALL | A);
    assert_int_equal(flat_u64(PDPT + 209 * 8), PD | ALL | A);
    assert_int_equal(flat_u64(PD + 179 * 8), PT | ALL | A);
    assert_int_equal(flat_u64(PT + 393 * 8), PAGE | ALL | A);
    writes = flat.writes;
    expect(GVA, WALK_READ, PAGE | 0xabc);
    assert_int_equal(flat.writes, writes); // set once
    expect(GVA, WALK_WRITE, PAGE | 0xabc);
    assert_int_equal(flat.writes, writes + 1);
    assert_int_equal(flat_u64(PD + 179 * 8), PT | ALL | A);
    assert_int_equal(flat_u64(PT + 393 * 8), PAGE | ALL | A | D);

    set_up_4_levels();
    flat_set_u64(PD + 179 * 8, ALL | PS);
    expect(GVA, WALK_WRITE, GVA & 0x1fffff);
    assert_int_equal(flat_u64(PD + 179 * 8), ALL | PS | A | D);
    assert_int_equal(flat_u64(PDPT + 209 * 8), PD | ALL | A);
}

// Another processor of the guest changes an entry between its being read and its bits being set.
static void test_entry_changes(void **state)
{
    (void)state;
    // Once, and it stays a right entry: the walk begins anew and keeps the change.
    set_up_4_levels();
    flat.changes = 1;
    flat.change = D; // of the leaf, which is marked first
    expect(GVA, WALK_READ, PAGE | 0xabc);
    assert_int_equal(flat_u64(PT + 393 * 8), PAGE | ALL | A | D);

    // The entry goes away: what it holds now is the guest's, and gets no bit.
    set_up_4_levels();
    flat.changes = 1;
    flat.change = P | A;
    flat_set_u64(PT + 393 * 8, PAGE | ALL | A);
    flat_set_u64(PD + 179 * 8, PT | ALL | A);
    flat_set_u64(PDPT + 209 * 8, PD | ALL | A);
    flat_set_u64(ROOT + 36 * 8, PDPT | ALL | A);
    expect_fault(GVA + PAGE_SIZE, WALK_WRITE, PF_WRITE);
    assert_int_equal(flat.changes, 1); // a fault sets nothing
    assert_int_equal(walk(GVA, WALK_WRITE), ERR_FAULT);
    assert_int_equal(error, PF_WRITE);
    assert_int_equal(flat_u64(PT + 393 * 8), PAGE | RW | US);

    // For ever: the walk gives up.
    set_up_4_levels();
    flat.changes = 1000;
    flat.change = D;
    assert_int_equal(walk(GVA, WALK_READ), ERR_CHANGED);
    assert_true(flat.changes > 0);
}

static void test_tables_outside_ram(void **state)
{
    (void)state;
    set_up_4_levels();
    flat_set_u64(PD + 179 * 8, FLAT_RAM_SIZE | ALL);
    assert_int_equal(walk(GVA, WALK_READ), ERR_RANGE);
    paging.cr3 = 0xfee00000;
    assert_int_equal(walk(GVA, WALK_READ), ERR_RANGE);
    // The page itself may be anywhere.
    set_up_4_levels();
    flat_set_u64(PT + 393 * 8, 0xfee00000 | ALL);
    expect(GVA, WALK_READ, 0xfee00abc);
}

// Tables whose bits are all set already take a shorter way through the walk. Random entries and
// accesses: it must come to the same as the full walk, which tables without those bits take.
static void test_quick_walk_agrees(void **state)
{
    static const uint64_t entries[] = {ROOT + 36 * 8, PDPT + 209 * 8, PD + 179 * 8, PT + 393 * 8};
    static const uint64_t flips[] = {P,       RW,      US,      PS,      NX,      BIT(13),
                                     BIT(20), BIT(21), BIT(29), BIT(30), BIT(39), BIT(40),
                                     BIT(51), BIT(52), BIT(62), BIT(9),  BIT(12), BIT(8)};
    uint64_t random = 1;
    unsigned outcomes[3] = {0, 0, 0}; // allowed, refused, not RAM

    (void)state;
    for (unsigned i = 0; i < 50000; i++) {
        uint64_t saved[4];
        unsigned access;
        enum status full;
        gpa_t full_result;
        uint32_t full_error;

        set_up_4_levels();
        for (unsigned k = 0; k < 4; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            saved[k] = flat_u64(entries[k]);
            if (random >> 60 < 6)
                saved[k] ^= flips[(random >> 40) % ARRAY_SIZE(flips)];
            if (random >> 60 == 0 && saved[k] & PS)
                saved[k] &= ~0x3ffff000ull; // aligned, so that it can be a large page
            flat_set_u64(entries[k], saved[k]);
        }
        access = (unsigned)(random >> 33) & 7;
        if ((access & 3) == 3)
            access &= ~2u;
        paging.cpl = random >> 36 & 1 ? 3 : 0;
        paging.ac = random >> 37 & 1;
        paging.cr0 ^= random >> 38 & 1 ? WP : 0;
        paging.efer ^= (random >> 28 & 7) == 0 ? NXE : 0;
        paging.cr4 |= (random >> 25 & 3) == 0 ? SMEP : 0;
        paging.cr4 |= (random >> 22 & 3) == 0 ? SMAP : 0;

        full = walk(GVA, access);
        full_result = result;
        full_error = error;
        for (unsigned k = 0; k < 4; k++)
            flat_set_u64(entries[k], saved[k] | A | D);
        flat.writes = 0;
        assert_int_equal(walk(GVA, access), full);
        assert_int_equal(result.v, full_result.v);
        assert_int_equal(error, full_error);
        assert_int_equal(flat.writes, 0);
        outcomes[full == STATUS_OK ? 0 : full == ERR_FAULT ? 1 : 2]++;
    }
    assert_true(outcomes[0] > 1000 && outcomes[1] > 1000 && outcomes[2] > 1000);
}

static void set_up_pae(void)
{
    flat_clear();
    paging = (struct guest_paging){
        .cr0 = PE | PG | WP, .cr3 = ROOT | 0x20, .cr4 = PAE, .efer = NXE, .phys_bits = 40};
    flat_set_u64(ROOT + 0x20 + 3 * 8, PD | P); // 0xc0000000 and up
    flat_set_u64(PD + 5 * 8, PT | ALL);
    flat_set_u64(PT + 6 * 8, PAGE | ALL);
}

#define PAE_GVA (0xc0000000u | 5u << 21 | 6u << 12 | 0x123u)

static void test_pae(void **state)
{
    (void)state;
    set_up_pae();
    expect(PAE_GVA, WALK_WRITE, PAGE | 0x123);
    assert_int_equal(flat_u64(ROOT + 0x20 + 3 * 8), PD | P); // has no accessed bit
    assert_int_equal(flat_u64(PD + 5 * 8), PT | ALL | A);
    assert_int_equal(flat_u64(PT + 6 * 8), PAGE | ALL | A | D);
    expect_fault(0x1000, WALK_READ, 0);
    flat_set_u64(PT + 6 * 8, PAGE | ALL | NX);
    expect_fault(PAE_GVA, WALK_EXEC, PF_PRESENT | PF_FETCH);
    flat_set_u64(PT + 6 * 8, PAGE | ALL | BIT(52)); // reserved here
    expect_fault(PAE_GVA, WALK_READ, PF_PRESENT | PF_RESERVED);
    flat_set_u64(PD + 5 * 8, 0x200000000 | ALL | PS);
    expect(PAE_GVA, WALK_READ, 0x200000000 | (PAE_GVA & 0x1fffff));

    for (unsigned bit = 1; bit < 64; bit++) {
        bool reserved = bit == 1 || bit == 2 || (bit >= 6 && bit <= 8) || bit >= 40;

        if (bit >= 12 && bit < 40)
            continue; // address
        set_up_pae();
        flat_set_u64(ROOT + 0x20 + 3 * 8, PD | P | BIT(bit));
        if (reserved)
            expect_fault(PAE_GVA, WALK_READ, PF_PRESENT | PF_RESERVED);
        else
            expect(PAE_GVA, WALK_READ, PAGE | 0x123);
    }
}

static void set_up_32_bit(void)
{
    flat_clear();
    paging = (struct guest_paging){
        .cr0 = PE | PG | WP, .cr3 = ROOT, .cr4 = PSE, .efer = 0, .phys_bits = 40};
    flat_set_u32(ROOT + 0x300 * 4, (uint32_t)(PT | ALL));
    flat_set_u32(PT + 0x3ff * 4, (uint32_t)(PAGE | ALL));
}

#define NARROW_GVA (0x300u << 22 | 0x3ffu << 12 | 0x456u)

static void test_32_bit(void **state)
{
    (void)state;
    set_up_32_bit();
    expect(NARROW_GVA, WALK_WRITE, PAGE | 0x456);
    assert_int_equal(flat_u32(ROOT + 0x300 * 4), PT | ALL | A);
    assert_int_equal(flat_u32(PT + 0x3ff * 4), PAGE | ALL | A | D);
    expect(NARROW_GVA | 0x700000000, WALK_READ, PAGE | 0x456); // 32 bits are all there is
    expect(NARROW_GVA, WALK_EXEC, PAGE | 0x456);
    expect_fault(0, WALK_WRITE, PF_WRITE);
    expect_fault(0, WALK_EXEC, 0); // NX needs PAE
    flat_set_u32(PT + 0x3ff * 4, (uint32_t)(PAGE | P | US));
    expect_fault(NARROW_GVA, WALK_WRITE, PF_PRESENT | PF_WRITE);
    paging.cr3 = 0xfffff000;
    assert_int_equal(walk(NARROW_GVA, WALK_READ), ERR_RANGE);
}

static void test_32_bit_large(void **state)
{
    (void)state;
    set_up_32_bit();
    flat_set_u32(ROOT + 0x300 * 4, (uint32_t)(0x00c00000 | ALL | PS | BIT(12)));
    expect(NARROW_GVA, WALK_WRITE, 0x00c00000 | (NARROW_GVA & 0x3fffff));
    assert_int_equal(flat_u32(ROOT + 0x300 * 4), 0x00c00000 | ALL | PS | BIT(12) | A | D);
    // PSE-36: bits 13 to 20 are address bits 32 to 39.
    flat_set_u32(ROOT + 0x300 * 4, (uint32_t)(0x00c00000 | ALL | PS | 0xa5u << 13));
    expect(NARROW_GVA, WALK_READ, 0xa500c00000 | (NARROW_GVA & 0x3fffff));
    flat_set_u32(ROOT + 0x300 * 4, (uint32_t)(0x00c00000 | ALL | PS | BIT(21)));
    expect_fault(NARROW_GVA, WALK_READ, PF_PRESENT | PF_RESERVED);
    paging.phys_bits = 36;
    flat_set_u32(ROOT + 0x300 * 4, (uint32_t)(0x00c00000 | ALL | PS | 0x10u << 13));
    expect_fault(NARROW_GVA, WALK_READ, PF_PRESENT | PF_RESERVED);
    // Without PSE the bit means nothing: a table at 0xc00000, which is not RAM.
    paging.cr4 = 0;
    assert_int_equal(walk(NARROW_GVA, WALK_READ), ERR_RANGE);
}

// The page after PAGE's in linear order lies elsewhere: at 0x9000.
static void set_up_two_pages(void)
{
    set_up_4_levels();
    flat_set_u64(PT + 394 * 8, 0x9000 | ALL);
    for (unsigned i = 0; i < 16; i++) {
        flat.bytes[PAGE + 0xff0 + i] = (uint8_t)i;
        flat.bytes[0x9000 + i] = (uint8_t)(16 + i);
    }
}

#define PAGE_END ((GVA & ~0xfffull) + 0x1000)

static void test_fetch(void **state)
{
    struct guest_fault fault = {0, 0};
    uint8_t buf[16];
    size_t got = 0;

    (void)state;
    set_up_two_pages();
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0, PAGE_END - 16, buf, 15, &got, &fault),
                     STATUS_OK);
    assert_int_equal(got, 15);
    assert_memory_equal(buf, flat.bytes + PAGE + 0xff0, 15);

    // Stops at the end of the page, and goes on when asked to.
    got = 0;
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0, PAGE_END - 2, buf, 15, &got, &fault),
                     STATUS_OK);
    assert_int_equal(got, 2);
    assert_int_equal(flat_u64(PT + 394 * 8), 0x9000 | ALL); // not touched
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0, PAGE_END - 2, buf, 15, &got, &fault),
                     STATUS_OK);
    assert_int_equal(got, 15);
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(buf[i], 14 + i);

    flat_set_u64(PT + 394 * 8, 0x9000 | ALL | NX);
    got = 2;
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0, PAGE_END - 2, buf, 15, &got, &fault),
                     ERR_FAULT);
    assert_int_equal(fault.address, PAGE_END);
    assert_int_equal(fault.error_code, PF_PRESENT | PF_FETCH);
    assert_int_equal(got, 2);

    // Code in a device page can't be fetched.
    flat_set_u64(PT + 394 * 8, 0xfee00000 | ALL);
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0, PAGE_END - 2, buf, 15, &got, &fault),
                     ERR_RANGE);
}

static void test_fetch_wraps_at_4_gib(void **state)
{
    struct guest_fault fault;
    uint8_t buf[4];
    size_t got = 0;

    (void)state;
    flat_clear();
    paging = (struct guest_paging){.phys_bits = 40};
    flat.bytes[0x10] = 0x42;
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0xffff0000, 0x10010, buf, 1, &got, &fault),
                     STATUS_OK);
    assert_int_equal(buf[0], 0x42);
    // A compatibility segment with a base is cut too; 64-bit code is not.
    set_up_4_levels();
    got = 0;
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0xffff0000, 0x10010, buf, 1, &got, &fault),
                     ERR_FAULT);
    assert_int_equal(fault.address, 0x10);
    assert_int_equal(guest_fetch(&flat.ram, &paging, 0, 0x100000010, buf, 1, &got, &fault),
                     ERR_FAULT);
    assert_int_equal(fault.address, 0x100000010);
}

static void test_copies(void **state)
{
    struct guest_fault fault = {0, 0};
    uint8_t buf[32];
    unsigned writes;

    (void)state;
    set_up_two_pages();
    assert_int_equal(guest_copy_from_linear(&flat.ram, &paging, PAGE_END - 16, buf, 32, 0, &fault),
                     STATUS_OK);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(buf[i], i);
    assert_int_equal(flat_u64(PT + 394 * 8), 0x9000 | ALL | A);

    memset(buf, 0x77, sizeof(buf));
    assert_int_equal(guest_copy_to_linear(&flat.ram, &paging, PAGE_END - 3, buf, 5, 0, &fault),
                     STATUS_OK);
    assert_int_equal(flat.bytes[PAGE + 0xffc], 12);
    assert_int_equal(flat.bytes[PAGE + 0xffd], 0x77);
    assert_int_equal(flat.bytes[0x9001], 0x77);
    assert_int_equal(flat.bytes[0x9002], 18);
    assert_int_equal(flat_u64(PT + 394 * 8), 0x9000 | ALL | A | D);

    // All or nothing: the second page faults, the first is not written.
    memset(buf, 0x55, sizeof(buf));
    flat_set_u64(PT + 394 * 8, 0x9000 | P | A);
    assert_int_equal(guest_copy_to_linear(&flat.ram, &paging, PAGE_END - 3, buf, 5, 0, &fault),
                     ERR_FAULT);
    assert_int_equal(fault.address, PAGE_END);
    assert_int_equal(fault.error_code, PF_PRESENT | PF_WRITE);
    assert_int_equal(flat.bytes[PAGE + 0xffd], 0x77);

    // Likewise when the second is no RAM.
    flat_set_u64(PT + 394 * 8, 0xfee00000 | ALL | A | D);
    writes = flat.writes;
    assert_int_equal(guest_copy_to_linear(&flat.ram, &paging, PAGE_END - 3, buf, 5, 0, &fault),
                     ERR_RANGE);
    assert_int_equal(flat.writes, writes);
    assert_int_equal(guest_copy_from_linear(&flat.ram, &paging, PAGE_END - 3, buf, 5, 0, &fault),
                     ERR_RANGE);

    assert_int_equal(guest_copy_from_linear(&flat.ram, &paging, GVA, buf, 0, 0, &fault),
                     ERR_INVALID);
    assert_int_equal(guest_copy_from_linear(&flat.ram, &paging, GVA, buf, PAGE_SIZE + 1, 0, &fault),
                     ERR_INVALID);

    // A user's buffer is reached as a supervisor only on demand.
    paging.cpl = 3;
    flat_set_u64(PT + 393 * 8, PAGE | P | RW);
    assert_int_equal(guest_copy_from_linear(&flat.ram, &paging, GVA, buf, 1, 0, &fault), ERR_FAULT);
    assert_int_equal(fault.error_code, PF_PRESENT | PF_USER);
    assert_int_equal(
        guest_copy_from_linear(&flat.ram, &paging, GVA, buf, 1, WALK_SUPERVISOR, &fault),
        STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paging_off),
        cmocka_unit_test(test_4_levels),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_large_pages),
        cmocka_unit_test(test_5_levels),
        cmocka_unit_test(test_not_present),
        cmocka_unit_test(test_rights),
        cmocka_unit_test(test_smep_smap),
        cmocka_unit_test(test_reserved_bits),
        cmocka_unit_test(test_accessed_dirty),
        cmocka_unit_test(test_entry_changes),
        cmocka_unit_test(test_tables_outside_ram),
        cmocka_unit_test(test_quick_walk_agrees),
        cmocka_unit_test(test_pae),
        cmocka_unit_test(test_32_bit),
        cmocka_unit_test(test_32_bit_large),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_fetch_wraps_at_4_gib),
        cmocka_unit_test(test_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
