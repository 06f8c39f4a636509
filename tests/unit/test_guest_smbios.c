// SPDX-License-Identifier: Apache-2.0
// The SMBIOS tables, read back as a guest reads them. The boot tests show them to dmidecode.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hv/guest/e820.h"
#include "hv/guest/smbios.h"
#include "tests/unit/fake_guest_ram.h"

static const struct guest_platform usual = {
    .cpu_count = 3,
    .cpu_signature = 0x800f12,
    .cpu_features = 0x178bfbff,
};

static struct guest_identity identity(uint64_t memory)
{
    return (struct guest_identity){"alpha", "1.2", fake_uuid, memory};
}

static uint8_t sum(const struct fake_ram *p, uint64_t at, uint64_t size)
{
    const uint8_t *bytes = fake_ram_at(p, at, size);
    uint8_t total = 0;

    for (uint64_t i = 0; i < size; i++) {
        total = (uint8_t)(total + bytes[i]);
    }
    return total;
}

static void write_tables(struct fake_ram *p, const struct guest_platform *pf, uint64_t memory)
{
    const struct guest_identity id = identity(memory);
    char error[256] = "";

    fake_ram_init(p, MIB(16));
    assert_int_equal(guest_smbios_write(&p->ram, pf, &id, error, sizeof(error)), STATUS_OK);
    assert_string_equal(error, "");
}

// The entry point, as Linux's dmi_scan_machine() looks for it.
static uint64_t scan(const struct fake_ram *p)
{
    for (uint64_t at = 0xf0000; at < 0x100000; at += 16) {
        if (memcmp(fake_ram_at(p, at, 4), "_SM_", 4) == 0 && sum(p, at, 31) == 0 &&
            memcmp(fake_ram_at(p, at + 16, 5), "_DMI_", 5) == 0 && sum(p, at + 16, 15) == 0) {
            return at;
        }
    }
    fail_msg("no entry point where guests scan");
    return 0;
}

// The first byte after a structure and its texts.
static uint64_t next_of(const struct fake_ram *p, uint64_t at)
{
    at += *fake_ram_at(p, at + 1, 1);
    if (*fake_ram_at(p, at, 1) == 0) {
        at++;
    }
    while (*fake_ram_at(p, at, 1) != 0) {
        at += strlen((char *)fake_ram_at(p, at, 1)) + 1;
    }
    return at + 1;
}

// The `n`-th structure of a type; ends the test if there is none.
static uint64_t find(const struct fake_ram *p, unsigned type, unsigned n)
{
    const uint64_t entry = scan(p);
    uint64_t at = fake_ram_u32(p, entry + 24);

    for (unsigned i = 0; i < fake_ram_u16(p, entry + 28); i++) {
        if (*fake_ram_at(p, at, 1) == type && n-- == 0) {
            return at;
        }
        at = next_of(p, at);
    }
    fail_msg("no structure of type %u", type);
    return 0;
}

// The text whose number stands at `field` of a structure.
static const char *text(const struct fake_ram *p, uint64_t structure, unsigned field)
{
    const unsigned number = *fake_ram_at(p, structure + field, 1);
    uint64_t at = structure + *fake_ram_at(p, structure + 1, 1);

    assert_int_not_equal(number, 0);
    for (unsigned i = 1; i < number; i++) {
        assert_int_not_equal(*fake_ram_at(p, at, 1), 0);
        at += strlen((char *)fake_ram_at(p, at, 1)) + 1;
    }
    return (const char *)fake_ram_at(p, at, 1);
}

// Walks all structures as the entry point describes them.
static void check_table(const struct fake_ram *p, unsigned cpus)
{
    const uint64_t entry = scan(p);
    const uint64_t start = fake_ram_u32(p, entry + 24);
    const uint64_t end = start + fake_ram_u16(p, entry + 22);
    uint64_t at = start;
    unsigned count = 0, longest = 0, processors = 0, last = 0;
    uint16_t handles[128];

    assert_in_range(entry, GUEST_SMBIOS, GUEST_SMBIOS_END - 31);
    assert_true(start >= entry + 31 && end <= GUEST_SMBIOS_END);
    for (; at < end; count++) {
        const uint64_t next = next_of(p, at);
        const uint8_t length = *fake_ram_at(p, at + 1, 1);

        last = *fake_ram_at(p, at, 1);
        processors += last == 4;
        longest = (unsigned)max_u64(longest, next - at);
        assert_true(length >= 4);
        handles[count] = fake_ram_u16(p, at + 2);
        for (unsigned i = 0; i < count; i++) {
            assert_int_not_equal(handles[i], handles[count]);
        }
        at = next;
    }
    assert_int_equal(at, end);
    assert_int_equal(last, 127);
    assert_int_equal(processors, cpus);
    assert_int_equal(count, 6 + cpus);
    assert_int_equal(fake_ram_u16(p, entry + 28), count);
    assert_int_equal(fake_ram_u16(p, entry + 8), longest);
    assert_int_equal(*fake_ram_at(p, entry + 6, 1), 2); // version 2.8
    assert_int_equal(*fake_ram_at(p, entry + 7, 1), 8);
}

static void any_number_of_cpus(void **state)
{
    struct fake_ram p;
    (void)state;

    for (unsigned cpus = 1; cpus <= MAX_CPUS; cpus++) {
        struct guest_platform pf = usual;

        pf.cpu_count = cpus;
        write_tables(&p, &pf, MIB(16));
        check_table(&p, cpus);
        fake_ram_free(&p);
    }
}

static void says_what_the_partition_is(void **state)
{
    // 00112233-4455-6677-8899-aabbccddeeff: the first three fields are little-endian.
    static const uint8_t uuid[] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
                                   0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    struct fake_ram p;
    char socket[16];
    uint64_t at;
    (void)state;

    write_tables(&p, &usual, MIB(16));
    at = find(&p, 0, 0);
    assert_string_equal(text(&p, at, 4), "Bulkhead");
    assert_string_equal(text(&p, at, 5), "1.2");
    assert_string_equal(text(&p, at, 8), "01/01/2026");
    assert_int_equal(fake_ram_u16(&p, at + 6), 0xe000);
    assert_int_equal(*fake_ram_at(&p, at + 9, 1), 1);              // 128 KiB
    assert_int_equal(*fake_ram_at(&p, at + 0x13, 1) & 0x10, 0x10); // a virtual machine
    at = find(&p, 1, 0);
    assert_string_equal(text(&p, at, 4), "Bulkhead");
    assert_string_equal(text(&p, at, 5), "Bulkhead");
    assert_string_equal(text(&p, at, 6), "1.2");
    assert_string_equal(text(&p, at, 7), "alpha");
    assert_memory_equal(fake_ram_at(&p, at + 8, 16), uuid, 16);
    at = find(&p, 3, 0);
    assert_string_equal(text(&p, at, 4), "Bulkhead");
    assert_string_equal(text(&p, at, 8), "alpha");
    for (unsigned i = 0; i < 3; i++) {
        at = find(&p, 4, i);
        snprintf(socket, sizeof(socket), "CPU %u", i);
        assert_string_equal(text(&p, at, 4), socket);
        assert_string_equal(text(&p, at, 7), "Bulkhead");
        assert_int_equal(fake_ram_u64(&p, at + 8), 0x178bfbff00800f12);
        assert_int_equal(*fake_ram_at(&p, at + 0x23, 1), 1); // core
    }
    fake_ram_free(&p);
}

static void says_how_much_memory(void **state)
{
    static const struct {
        uint64_t memory;
        uint32_t capacity;
        uint64_t extended_capacity;
        uint16_t size;
        uint32_t extended_size;
    } cases[] = {
        {MIB(2), 2048, 0, 2, 0},
        {MIB(2) + KIB(4), 2052, 0, 0x8000 | 2052, 0},
        {MIB(32) + KIB(4), 32772, 0, 32, 0}, // more than fits in KiB
        {GIB(3), 3 << 20, 0, 3072, 0},
        {GIB(32) - MIB(2), (32 << 20) - 2048, 0, 0x7ffe, 0},
        {GIB(32) - MIB(1), (32 << 20) - 1024, 0, 0x7fff, 0x7fff},
        {GIB(1024), 1 << 30, 0, 0x7fff, 1 << 20},
        {GIB(2048), 0x80000000, GIB(2048), 0x7fff, 2 << 20},
    };
    struct fake_ram p;
    (void)state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_tables(&p, &usual, cases[i].memory);
        const uint64_t array = find(&p, 16, 0);
        const uint64_t device = find(&p, 17, 0);

        assert_int_equal(fake_ram_u32(&p, array + 7), cases[i].capacity);
        assert_int_equal(fake_ram_u16(&p, array + 13), 1);
        assert_int_equal(fake_ram_u64(&p, array + 15), cases[i].extended_capacity);
        assert_int_equal(fake_ram_u16(&p, device + 4), fake_ram_u16(&p, array + 2));
        assert_int_equal(fake_ram_u16(&p, device + 12), cases[i].size);
        assert_int_equal(fake_ram_u32(&p, device + 0x1c), cases[i].extended_size);
        assert_string_equal(text(&p, device, 16), "RAM");
        fake_ram_free(&p);
    }
}

static void failures_are_reported(void **state)
{
    const struct guest_identity id = identity(MIB(16));
    static char version[GUEST_SMBIOS_END - GUEST_SMBIOS];
    const struct guest_identity long_one = {"alpha", version, fake_uuid, MIB(16)};
    struct fake_ram p;
    char error[256];
    uint64_t all;
    (void)state;

    fake_ram_init(&p, MIB(16));
    assert_int_equal(guest_smbios_write(&p.ram, &usual, &id, error, sizeof(error)), STATUS_OK);
    all = p.writes;
    for (uint64_t n = 1; n < all; n++) {
        p.writes = 0;
        p.fail_after = n;
        assert_int_equal(guest_smbios_write(&p.ram, &usual, &id, error, sizeof(error)), ERR_RANGE);
        assert_non_null(strstr(error, "the SMBIOS tables don't fit at 0xf8000-0xfbfff"));
    }
    p.fail_after = 0;
    memset(version, 'v', sizeof(version) - 1); // longer than the place
    assert_int_equal(guest_smbios_write(&p.ram, &usual, &long_one, error, sizeof(error)),
                     ERR_NO_MEMORY);
    assert_int_equal(*fake_ram_at(&p, GUEST_SMBIOS_END, 1), 0);
    fake_ram_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_cpus),
        cmocka_unit_test(says_what_the_partition_is),
        cmocka_unit_test(says_how_much_memory),
        cmocka_unit_test(failures_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
