// SPDX-License-Identifier: Apache-2.0
// The ACPI tables as a guest would find them: by scanning, and by following pointers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <string.h>

#include "hv/guest/acpi.h"
#include "hv/guest/e820.h"
#include "tests/unit/guest_acpi_fixture.h"

static void root_pointer_holds(void **state)
{
    struct fake_ram p;
    uint64_t rsdp;

    (void)state;
    write_tables(&p, &usual_platform);
    rsdp = scan_for_rsdp(&p);
    assert_int_equal(*fake_ram_at(&p, rsdp + 15, 1), 2);
    assert_int_equal(fake_ram_u32(&p, rsdp + 20), 36);
    assert_int_equal(table_sum(&p, rsdp, 20), 0);
    assert_int_equal(table_sum(&p, rsdp, 36), 0);
    fake_ram_free(&p);
}

static void every_checksum_holds(void **state)
{
    static const char *const tables[] = {"RSDT", "XSDT", "FACP", "APIC", "DSDT", "MCFG", "SSDT"};
    static const unsigned counts[] = {1, 2, 3, MAX_CPUS};

    (void)state;
    for (size_t n = 0; n < ARRAY_SIZE(counts); n++) {
        struct guest_platform pf = platform_with_pci();
        struct fake_ram p;

        pf.cpu_count = counts[n];
        write_tables(&p, &pf);
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
            const uint64_t at = find_table(&p, tables[i]);
            const uint32_t length = fake_ram_u32(&p, at + 4);

            assert_true(at >= 0xe0000 && at + length <= GUEST_MP_TABLES);
            assert_true(length > 36);
            assert_int_equal(table_sum(&p, at, length), 0);
            assert_int_equal(at % 16, 0);
        }
        fake_ram_free(&p);
    }
}

static void no_table_lies_on_another(void **state)
{
    static const char *const tables[] = {"RSDT", "XSDT", "FACP", "APIC", "DSDT", "MCFG", "SSDT"};
    uint64_t start[ARRAY_SIZE(tables) + 2];
    uint64_t end[ARRAY_SIZE(tables) + 2];
    struct guest_platform pf = platform_with_pci();
    struct fake_ram p;

    (void)state;
    pf.cpu_count = MAX_CPUS;
    write_tables(&p, &pf);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        start[i] = find_table(&p, tables[i]);
        end[i] = start[i] + fake_ram_u32(&p, start[i] + 4);
    }
    start[7] = scan_for_rsdp(&p);
    end[7] = start[7] + 36;
    start[8] = fake_ram_u32(&p, find_table(&p, "FACP") + 36);
    end[8] = start[8] + 64;
    for (size_t i = 0; i < ARRAY_SIZE(start); i++) {
        for (size_t k = i + 1; k < ARRAY_SIZE(start); k++) {
            assert_true(end[i] <= start[k] || end[k] <= start[i]);
        }
    }
    fake_ram_free(&p);
}

// Only a partition with a PCI bus is told of one.
static void has_pci_tables_only_with_pci(void **state)
{
    const struct guest_platform pf = platform_with_pci();
    struct fake_ram p;
    uint64_t mcfg;

    (void)state;
    write_tables(&p, &usual_platform);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "XSDT") + 4), 36 + 2 * 8);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "RSDT") + 4), 36 + 2 * 4);
    find_table(&p, "FACP");
    find_table(&p, "APIC");
    fake_ram_free(&p);

    struct guest_platform timed = usual_platform;
    timed.has_hpet = true;
    write_tables(&p, &timed);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "XSDT") + 4), 36 + 3 * 8);
    uint64_t hpet = find_table(&p, "HPET");
    assert_int_equal(fake_ram_u32(&p, hpet + 4), 56);
    assert_int_equal(fake_ram_u32(&p, hpet + 36), 0x8086a201);
    assert_int_equal(*fake_ram_at(&p, hpet + 40, 1), 0); // memory
    assert_int_equal(fake_ram_u64(&p, hpet + 44), GUEST_HPET_ADDRESS);
    assert_int_equal(table_sum(&p, hpet, 56), 0);
    fake_ram_free(&p);

    write_tables(&p, &pf);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "XSDT") + 4), 36 + 4 * 8);
    mcfg = find_table(&p, "MCFG");
    assert_int_equal(fake_ram_u32(&p, mcfg + 4), 60);
    assert_int_equal(fake_ram_u64(&p, mcfg + 44), GUEST_ECAM_ADDRESS);
    assert_int_equal(fake_ram_u16(&p, mcfg + 52), 0);    // segment
    assert_int_equal(*fake_ram_at(&p, mcfg + 54, 1), 0); // first bus
    assert_int_equal(*fake_ram_at(&p, mcfg + 55, 1), 0); // last bus
    assert_int_equal(fake_ram_u32(&p, mcfg + 56), 0);    // reserved
    fake_ram_free(&p);
}

static void fadt_says_what_the_platform_is(void **state)
{
    struct fake_ram p;
    uint64_t fadt;
    uint32_t flags;

    (void)state;
    write_tables(&p, &usual_platform);
    fadt = find_table(&p, "FACP");
    assert_int_equal(fake_ram_u16(&p, fadt + 46), 9);      // SCI_INT
    assert_int_equal(fake_ram_u32(&p, fadt + 48), 0);      // SMI_CMD: ACPI is always enabled
    assert_int_equal(fake_ram_u32(&p, fadt + 56), 0x600);  // PM1a_EVT_BLK
    assert_int_equal(fake_ram_u32(&p, fadt + 64), 0x604);  // PM1a_CNT_BLK
    assert_int_equal(fake_ram_u32(&p, fadt + 76), 0x608);  // PM_TMR_BLK
    assert_int_equal(*fake_ram_at(&p, fadt + 88, 1), 4);   // PM1_EVT_LEN
    assert_int_equal(*fake_ram_at(&p, fadt + 89, 1), 2);   // PM1_CNT_LEN
    assert_int_equal(*fake_ram_at(&p, fadt + 91, 1), 4);   // PM_TMR_LEN
    assert_true(fake_ram_u16(&p, fadt + 96) > 100);        // no C2
    assert_true(fake_ram_u16(&p, fadt + 98) > 1000);       // no C3
    assert_int_equal(fake_ram_u16(&p, fadt + 109), 1 | 4); // COM1 is there; no 8042, no VGA
    flags = fake_ram_u32(&p, fadt + 112);
    assert_int_equal(flags & BIT(4), 0);                        // a fixed power button
    assert_int_equal(flags & BIT(5), BIT(5));                   // no sleep button
    assert_int_equal(flags & BIT(8), BIT(8));                   // 32-bit PM timer
    assert_int_equal(flags & BIT(10), BIT(10));                 // a reset register
    assert_int_equal(flags & BIT(19), BIT(19));                 // physical destinations
    assert_int_equal(flags & BIT(20), 0);                       // not hardware-reduced
    assert_int_equal(fake_ram_u32(&p, fadt + 116), 0x01000801); // reset: I/O, 8 bits, by byte
    assert_int_equal(fake_ram_u64(&p, fadt + 120), 0xcf9);
    assert_int_equal(*fake_ram_at(&p, fadt + 128, 1), 6);
    assert_int_equal(fake_ram_u64(&p, fadt + 132), 0); // X_FIRMWARE_CTRL: the other is set
    assert_int_equal(fake_ram_u64(&p, fadt + 140), fake_ram_u32(&p, fadt + 40));
    assert_int_equal(fake_ram_u64(&p, fadt + 152), 0x600);
    assert_int_equal(fake_ram_u64(&p, fadt + 176), 0x604);
    assert_int_equal(fake_ram_u64(&p, fadt + 212), 0x608);
    fake_ram_free(&p);
}

static void fadt_leaves_out_what_is_not_there(void **state)
{
    struct guest_platform pf = usual_platform;
    struct fake_ram p;
    uint64_t fadt;

    (void)state;
    pf.pm_timer_port = 0;
    pf.reset_port = 0;
    write_tables(&p, &pf);
    fadt = find_table(&p, "FACP");
    assert_int_equal(fake_ram_u32(&p, fadt + 76), 0);
    assert_int_equal(*fake_ram_at(&p, fadt + 91, 1), 0);
    assert_int_equal(fake_ram_u32(&p, fadt + 112) & (BIT(8) | BIT(10)), 0);
    assert_int_equal(fake_ram_u64(&p, fadt + 116), 0);
    assert_int_equal(fake_ram_u64(&p, fadt + 208), 0);
    fake_ram_free(&p);

    pf = usual_platform;
    pf.pm_timer_32bit = false;
    write_tables(&p, &pf);
    assert_int_equal(fake_ram_u32(&p, find_table(&p, "FACP") + 112) & BIT(8), 0);
    fake_ram_free(&p);
}

static void facs_is_aligned_and_whole(void **state)
{
    struct fake_ram p;
    uint64_t facs;

    (void)state;
    write_tables(&p, &usual_platform);
    facs = fake_ram_u32(&p, find_table(&p, "FACP") + 36);
    assert_int_equal(facs % 64, 0);
    assert_memory_equal(fake_ram_at(&p, facs, 4), "FACS", 4);
    assert_int_equal(fake_ram_u32(&p, facs + 4), 64);
    fake_ram_free(&p);
}

static void madt_lists_processors_and_the_ioapic(void **state)
{
    struct guest_platform pf = usual_platform;
    struct fake_ram p;
    unsigned seen[256] = {0};
    unsigned cpus = 0;
    unsigned pits = 0;
    uint64_t madt;
    uint64_t at;
    uint64_t end;

    (void)state;
    pf.cpu_count = MAX_CPUS;
    write_tables(&p, &pf);
    madt = find_table(&p, "APIC");
    end = madt + fake_ram_u32(&p, madt + 4);
    assert_int_equal(fake_ram_u32(&p, madt + 36), 0xfee00000);
    assert_int_equal(fake_ram_u32(&p, madt + 40), 1); // a pair of 8259s
    for (at = madt + 44; at < end; at += *fake_ram_at(&p, at + 1, 1)) {
        const uint8_t type = *fake_ram_at(&p, at, 1);

        assert_true(*fake_ram_at(&p, at + 1, 1) >= 6);
        seen[type]++;
        if (type == 0) {
            assert_int_equal(*fake_ram_at(&p, at + 3, 1), cpus);
            assert_int_equal(fake_ram_u32(&p, at + 4), 1);
            cpus++;
        } else if (type == 1) {
            assert_int_equal(*fake_ram_at(&p, at + 2, 1), 5);
            assert_int_equal(fake_ram_u32(&p, at + 4), 0xfec00000);
            assert_int_equal(fake_ram_u32(&p, at + 8), 0);
        } else if (type == 2) {
            const bool pit = *fake_ram_at(&p, at + 3, 1) == 0;
            assert_int_equal(*fake_ram_at(&p, at + 3, 1), pit ? 0 : 9);
            assert_int_equal(fake_ram_u32(&p, at + 4), pit ? 2 : 9);
            assert_int_equal(fake_ram_u16(&p, at + 8), pit ? 0 : 0xd); // level, active high
            pits += pit;
        } else if (type == 4) {
            assert_int_equal(*fake_ram_at(&p, at + 2, 1), 0xff);
            assert_int_equal(*fake_ram_at(&p, at + 5, 1), 1);
        }
    }
    assert_int_equal(at, end);
    assert_int_equal(cpus, MAX_CPUS);
    assert_int_equal(seen[1], 1);
    assert_int_equal(seen[2], 2);
    assert_int_equal(pits, 1);
    assert_int_equal(seen[4], 1);
    fake_ram_free(&p);
}

static void refuses_a_platform_without_sense(void **state)
{
    struct guest_platform pf;
    struct fake_ram p;
    char error[128];
    gpa_t rsdp;

    (void)state;
    fake_ram_init(&p, MIB(2));
    pf = usual_platform;
    pf.cpu_count = 0;
    assert_int_equal(guest_acpi_write(&p.ram, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "0 CPUs"));
    pf.cpu_count = MAX_CPUS + 1;
    assert_int_equal(guest_acpi_write(&p.ram, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "65 CPUs"));
    pf = usual_platform;
    pf.sci_irq = 0;
    assert_int_equal(guest_acpi_write(&p.ram, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    pf.sci_irq = 16;
    assert_int_equal(guest_acpi_write(&p.ram, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "not 16"));
    pf = usual_platform;
    pf.pm1_base = 0;
    assert_int_equal(guest_acpi_write(&p.ram, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    pf.pm1_base = 0xfffb;
    assert_int_equal(guest_acpi_write(&p.ram, &pf, &rsdp, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "0xfffb"));
    assert_int_equal(p.writes, 0);
    fake_ram_free(&p);
}

// A failing write is never lost, whichever it is.
static void reports_every_failed_write(void **state)
{
    const struct guest_platform pf = platform_with_pci();
    struct fake_ram p;
    char error[128];
    gpa_t rsdp;
    uint64_t all;

    (void)state;
    write_tables(&p, &pf);
    all = p.writes;
    assert_true(all > 10);
    for (uint64_t n = 1; n < all; n++) {
        p.writes = 0;
        p.fail_after = n;
        error[0] = '\0';
        assert_int_equal(guest_acpi_write(&p.ram, &pf, &rsdp, error, sizeof(error)), ERR_RANGE);
        assert_non_null(strstr(error, "ACPI tables"));
    }
    fake_ram_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_pointer_holds),
        cmocka_unit_test(every_checksum_holds),
        cmocka_unit_test(no_table_lies_on_another),
        cmocka_unit_test(has_pci_tables_only_with_pci),
        cmocka_unit_test(fadt_says_what_the_platform_is),
        cmocka_unit_test(fadt_leaves_out_what_is_not_there),
        cmocka_unit_test(facs_is_aligned_and_whole),
        cmocka_unit_test(madt_lists_processors_and_the_ioapic),
        cmocka_unit_test(refuses_a_platform_without_sense),
        cmocka_unit_test(reports_every_failed_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
