// SPDX-License-Identifier: Apache-2.0
// The MP tables, read back as a kernel reads them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <string.h>

#include "hv/guest/e820.h"
#include "hv/guest/mptable.h"
#include "tests/unit/fake_guest_ram.h"

static const struct guest_platform usual = {
    .cpu_count = 3,
    .cpu_signature = 0x800f12,
    .cpu_features = 0x178bfbff,
    .lapic_address = GUEST_LAPIC_ADDRESS,
    .ioapic_address = GUEST_IOAPIC_ADDRESS,
    .ioapic_id = 7,
    .sci_irq = GUEST_SCI_IRQ,
};

// What the configuration table's entries said.
struct found {
    unsigned count[5]; // by type
    unsigned entries;
    unsigned boot_cpus;
    uint32_t isa_pins; // bit n: ISA interrupt n is on pin n
    uint32_t pci_pins; // bit n: one of device n's interrupts was there
    unsigned pci_interrupts;
    int isa_bus, pci_bus; // their IDs, or -1
    uint16_t sci_flags;
    bool extint_on_lint0;
    bool nmi_on_lint1;
};

static uint8_t sum(const struct fake_ram *p, uint64_t at, uint64_t size)
{
    const uint8_t *bytes = fake_ram_at(p, at, size);
    uint8_t total = 0;

    for (uint64_t i = 0; i < size; i++) {
        total = (uint8_t)(total + bytes[i]);
    }
    return total;
}

static uint64_t scan(const struct fake_ram *p)
{
    for (uint64_t at = 0xf0000; at < 0x100000; at += 16) {
        if (memcmp(fake_ram_at(p, at, 4), "_MP_", 4) == 0 && sum(p, at, 16) == 0) {
            return at;
        }
    }
    fail_msg("no floating pointer where kernels scan");
    return 0;
}

static void read_interrupt(const struct fake_ram *p, uint64_t at, struct found *f)
{
    const uint8_t *e = fake_ram_at(p, at, 8); // type, kind, flags (2), bus, source, APIC, pin

    if (e[0] == 3 && e[4] == f->pci_bus) {
        const unsigned device = e[5] >> 2;
        const unsigned pin = e[5] & 3;

        assert_int_equal(e[1], 0);
        assert_int_equal(fake_ram_u16(p, at + 2), 0xf); // level, active low
        assert_int_equal(e[6], 7);
        assert_in_range(device, 1, 31);
        assert_int_equal(e[7], 16 + (device + pin) % 4);
        assert_int_equal(f->pci_interrupts, (device - 1) * 4 + pin); // each once, in order
        f->pci_interrupts++;
        f->pci_pins |= (uint32_t)BIT(device);
    } else if (e[0] == 3) {
        assert_int_equal(e[1], 0);
        assert_int_equal(e[4], f->isa_bus);
        assert_int_equal(e[5] == 0 ? 2 : e[5], e[7]); // the PIT is on pin 2
        assert_int_equal(e[6], 7);
        assert_in_range(e[7], 0, 15);
        assert_int_equal(f->isa_pins & BIT(e[7]), 0); // each once
        f->isa_pins |= (uint32_t)BIT(e[7]);
        if (e[5] == 9) {
            f->sci_flags = fake_ram_u16(p, at + 2);
        } else {
            assert_int_equal(fake_ram_u16(p, at + 2), 0);
        }
    } else {
        assert_int_equal(e[6], 0xff);
        f->extint_on_lint0 = f->extint_on_lint0 || (e[1] == 3 && e[7] == 0);
        f->nmi_on_lint1 = f->nmi_on_lint1 || (e[1] == 1 && e[7] == 1);
    }
}

static void read_tables(const struct fake_ram *p, const struct guest_platform *pf, struct found *f)
{
    const uint64_t floating = scan(p);
    const uint64_t config = fake_ram_u32(p, floating + 4);
    const uint64_t end = config + fake_ram_u16(p, config + 4);
    uint64_t at;
    unsigned last = 0;

    memset(f, 0, sizeof(*f));
    f->isa_bus = f->pci_bus = -1;
    assert_int_equal(*fake_ram_at(p, floating + 8, 1), 1);  // 16 bytes
    assert_int_equal(*fake_ram_at(p, floating + 9, 1), 4);  // version 1.4
    assert_int_equal(*fake_ram_at(p, floating + 11, 1), 0); // a table, no default configuration
    assert_true(config >= floating + 16 && end <= 0x100000);
    assert_memory_equal(fake_ram_at(p, config, 4), "PCMP", 4);
    assert_int_equal(sum(p, config, end - config), 0);
    assert_int_equal(fake_ram_u32(p, config + 36), pf->lapic_address);
    for (at = config + 44; at < end;) {
        const uint8_t *e = fake_ram_at(p, at, 8);

        assert_in_range(e[0], last, 4); // sorted by type, as the specification has it
        last = e[0];
        f->count[e[0]]++;
        f->entries++;
        if (e[0] == 0) {
            assert_int_equal(e[1], f->count[0] - 1); // APIC IDs 0, 1, 2, ...
            assert_true(e[3] & 1);
            f->boot_cpus += (e[3] & 2) != 0;
            assert_int_equal((e[3] & 2) != 0, e[1] == 0);
            assert_int_equal(fake_ram_u32(p, at + 4), pf->cpu_signature);
            assert_int_equal(fake_ram_u32(p, at + 8), pf->cpu_features);
        } else if (e[0] == 1) {
            if (memcmp(e + 2, "PCI   ", 6) == 0) {
                f->pci_bus = e[1];
            } else {
                assert_memory_equal(e + 2, "ISA   ", 6);
                f->isa_bus = e[1];
            }
        } else if (e[0] == 2) {
            assert_int_equal(e[1], pf->ioapic_id);
            assert_int_equal(e[3], 1);
            assert_int_equal(fake_ram_u32(p, at + 4), pf->ioapic_address);
        } else {
            read_interrupt(p, at, f);
        }
        at += e[0] == 0 ? 20 : 8;
    }
    assert_int_equal(at, end);
    assert_int_equal(fake_ram_u16(p, config + 34), f->entries);
}

static void reads_back(void **state)
{
    static const unsigned counts[] = {1, 3, MAX_CPUS};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        struct guest_platform pf = usual;
        struct fake_ram p;
        struct found f;
        char error[128] = "";

        pf.cpu_count = counts[i];
        fake_ram_init(&p, MIB(2));
        assert_int_equal(guest_mptable_write(&p.ram, &pf, error, sizeof(error)), STATUS_OK);
        assert_string_equal(error, "");
        read_tables(&p, &pf, &f);
        assert_int_equal(f.count[0], counts[i]);
        assert_int_equal(f.boot_cpus, 1);
        assert_int_equal(f.count[1], 1);
        assert_int_equal(f.isa_bus, 0);
        assert_int_equal(f.pci_bus, -1);
        assert_int_equal(f.pci_interrupts, 0);
        assert_int_equal(f.count[2], 1);
        assert_int_equal(f.isa_pins, 0xfffe); // the cascade's, 2, is the PIT's
        assert_int_equal(f.sci_flags, 0xd);
        assert_true(f.extint_on_lint0);
        assert_true(f.nmi_on_lint1);
        fake_ram_free(&p);
    }
}

static void names_the_pci_bus(void **state)
{
    struct guest_platform pf = usual;
    struct fake_ram p;
    struct found f;
    char error[128] = "";

    (void)state;
    pf.has_pci = true;
    pf.cpu_count = MAX_CPUS;
    fake_ram_init(&p, MIB(2));
    assert_int_equal(guest_mptable_write(&p.ram, &pf, error, sizeof(error)), STATUS_OK);
    read_tables(&p, &pf, &f);
    assert_int_equal(f.count[0], MAX_CPUS);
    assert_int_equal(f.count[1], 2);
    assert_int_equal(f.pci_bus, 0); // its own number
    assert_int_equal(f.isa_bus, 1);
    assert_int_equal(f.pci_interrupts, 31 * 4);
    assert_int_equal(f.pci_pins, 0xfffffffe);
    assert_int_equal(f.isa_pins, 0xfffe);
    assert_int_equal(f.sci_flags, 0xd);
    fake_ram_free(&p);
}

static void refuses_too_many_processors(void **state)
{
    struct guest_platform pf = usual;
    struct fake_ram p;
    char error[128];

    (void)state;
    fake_ram_init(&p, MIB(2));
    pf.cpu_count = MAX_CPUS + 1;
    assert_int_equal(guest_mptable_write(&p.ram, &pf, error, sizeof(error)), ERR_INVALID);
    assert_non_null(strstr(error, "65 CPUs"));
    pf.cpu_count = 0;
    assert_int_equal(guest_mptable_write(&p.ram, &pf, error, sizeof(error)), ERR_INVALID);
    assert_int_equal(p.writes, 0);
    fake_ram_free(&p);
}

static void reports_every_failed_write(void **state)
{
    struct fake_ram p;
    char error[128] = "";
    uint64_t all;

    (void)state;
    fake_ram_init(&p, MIB(2));
    assert_int_equal(guest_mptable_write(&p.ram, &usual, error, sizeof(error)), STATUS_OK);
    all = p.writes;
    for (uint64_t n = 1; n < all; n++) {
        p.writes = 0;
        p.fail_after = n;
        assert_int_equal(guest_mptable_write(&p.ram, &usual, error, sizeof(error)), ERR_RANGE);
        assert_non_null(strstr(error, "MP tables"));
    }
    fake_ram_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back),
        cmocka_unit_test(names_the_pci_bus),
        cmocka_unit_test(refuses_too_many_processors),
        cmocka_unit_test(reports_every_failed_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
