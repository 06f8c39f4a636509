// SPDX-License-Identifier: Apache-2.0
// A partition's ACPI tables as a guest finds them: by scanning, and by following pointers.
#include "tests/unit/guest_acpi_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <string.h>

#include "hv/guest/acpi.h"
#include "hv/guest/e820.h"

const struct guest_platform usual_platform = {
    .cpu_count = 2,
    .lapic_address = GUEST_LAPIC_ADDRESS,
    .ioapic_address = GUEST_IOAPIC_ADDRESS,
    .ioapic_id = 5,
    .sci_irq = GUEST_SCI_IRQ,
    .pm1_base = GUEST_PM1_BASE,
    .pm_timer_port = 0x608,
    .pm_timer_32bit = true,
    .reset_port = GUEST_RESET_PORT,
    .reset_value = GUEST_RESET_VALUE,
};

struct guest_platform platform_with_pci(void)
{
    struct guest_platform pf = usual_platform;

    pf.has_pci = true;
    return pf;
}

uint8_t table_sum(const struct fake_ram *p, uint64_t at, uint64_t size)
{
    const uint8_t *bytes = fake_ram_at(p, at, size);
    uint8_t total = 0;

    for (uint64_t i = 0; i < size; i++) {
        total = (uint8_t)(total + bytes[i]);
    }
    return total;
}

void write_tables(struct fake_ram *p, const struct guest_platform *pf)
{
    char error[128] = "";
    gpa_t rsdp = {0};

    fake_ram_init(p, MIB(2));
    assert_int_equal(guest_acpi_write(&p->ram, pf, &rsdp, error, sizeof(error)), STATUS_OK);
    assert_string_equal(error, "");
    assert_in_range(rsdp.v, 0xe0000, 0xfffff);
    assert_int_equal(rsdp.v % 16, 0);
    assert_memory_equal(fake_ram_at(p, rsdp.v, 8), "RSD PTR ", 8);
}

uint64_t scan_for_rsdp(const struct fake_ram *p)
{
    for (uint64_t at = 0xe0000; at < 0x100000; at += 16) {
        if (memcmp(fake_ram_at(p, at, 8), "RSD PTR ", 8) == 0 && table_sum(p, at, 20) == 0) {
            return at;
        }
    }
    fail_msg("no RSDP where kernels scan");
    return 0;
}

uint64_t find_table(const struct fake_ram *p, const char *signature)
{
    const uint64_t rsdp = scan_for_rsdp(p);
    const uint64_t rsdt = fake_ram_u32(p, rsdp + 16);
    const uint64_t xsdt = fake_ram_u64(p, rsdp + 24);
    const uint32_t entries = (fake_ram_u32(p, xsdt + 4) - 36) / 8;
    uint64_t found = 0;

    if (strcmp(signature, "XSDT") == 0) {
        return xsdt;
    }
    if (strcmp(signature, "RSDT") == 0) {
        return rsdt;
    }
    assert_int_equal((fake_ram_u32(p, rsdt + 4) - 36) / 4, entries);
    for (uint32_t i = 0; i < entries; i++) {
        const uint64_t at = fake_ram_u64(p, xsdt + 36 + 8 * i);

        assert_int_equal(fake_ram_u32(p, rsdt + 36 + 4 * i), at);
        if (memcmp(fake_ram_at(p, at, 4), signature, 4) == 0) {
            found = at;
        }
    }
    if (strcmp(signature, "DSDT") == 0) {
        found = fake_ram_u64(p, find_table(p, "FACP") + 140);
    }
    assert_int_not_equal(found, 0);
    assert_memory_equal(fake_ram_at(p, found, 4), signature, 4);
    return found;
}
