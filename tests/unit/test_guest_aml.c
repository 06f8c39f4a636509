// SPDX-License-Identifier: Apache-2.0
// The ACPI tables through ACPICA's eyes: iasl's disassembler knows what each must look like, and
// acpiexec, its interpreter, runs the methods as an operating system does.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv/guest/acpi.h"
#include "tests/unit/guest_acpi_fixture.h"

// Runs a shell command and gives its exit status; its output is added to `out`.
static int run(const char *command, char *out, size_t size)
{
    FILE *f = popen(command, "r");
    size_t used = strlen(out);

    assert_non_null(f);
    used += fread(out + used, 1, size - used - 1, f);
    out[used] = '\0';
    return pclose(f);
}

// Writes a table to the file DIR/SIGNATURE.dat.
static void save(const struct fake_ram *p, const char *dir, const char *signature)
{
    const uint64_t at = find_table(p, signature);
    const uint32_t length = fake_ram_u32(p, at + 4);
    char path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.dat", dir, signature);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(fake_ram_at(p, at, length), 1, length, f), length);
    fclose(f);
}

static void remove_folder(const char *dir)
{
    char command[64];
    char out[64] = "";

    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(run(command, out, sizeof(out)), 0);
}

// Disassembles a table and gives the source.
static char *disassemble(const struct fake_ram *p, const char *dir, const char *signature)
{
    const size_t size = 256 * 1024;
    char *text = calloc(1, size);
    char command[1024];

    save(p, dir, signature);
    snprintf(command, sizeof(command), "cd %s && iasl -d %s.dat 2>&1 && cat %s.dsl", dir, signature,
             signature);
    if (run(command, text, size) != 0) {
        fail_msg("iasl -d of %s: %s", signature, text);
    }
    if (strstr(text, "rror") != NULL || strstr(text, "nvalid") != NULL ||
        strstr(text, "ncorrect") != NULL) {
        fail_msg("iasl -d complains about %s: %s", signature, text);
    }
    return text;
}

static void iasl_understands_every_table(void **state)
{
    static const struct {
        const char *signature;
        const char *wanted[5];
    } tables[] = {
        {"RSDT", {"Root System Description Table", "ACPI Table Address   3"}},
        {"XSDT", {"Extended System Description Table", "ACPI Table Address   3"}},
        {"FACP",
         {"PM1A Event Block Address : 00000600", "PM1A Control Block Address : 00000604",
          "Reset Register Supported (V2) : 1", "Value to cause reset : 06"}},
        {"APIC",
         {"Processor Enabled : 1", "Local Apic ID : 01", "I/O APIC", "Interrupt Source Override",
          "Local APIC NMI"}},
        {"DSDT", {"_S5", "PNP0501", "PNP0B00", "0x03F8"}},
        {"MCFG",
         {"Base Address : 00000000E0000000", "Segment Group Number : 0000", "Start Bus Number : 00",
          "End Bus Number : 00"}},
        {"SSDT", {"PNP0A08", "PNP0A03", "PNP0C02", "_PRT", "_OSC"}},
    };
    const struct guest_platform pf = platform_with_pci();
    char dir[] = "/tmp/bulkhead-acpi-XXXXXX";
    struct fake_ram p;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_tables(&p, &pf);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        char *text = disassemble(&p, dir, tables[i].signature);

        for (size_t k = 0; k < ARRAY_SIZE(tables[i].wanted) && tables[i].wanted[k]; k++) {
            if (strstr(text, tables[i].wanted[k]) == NULL) {
                fail_msg("no \"%s\" in %s: %s", tables[i].wanted[k], tables[i].signature, text);
            }
        }
        free(text);
    }
    fake_ram_free(&p);
    remove_folder(dir);
}

// Runs a command of ACPICA's interpreter with the guest's DSDT and SSDT loaded, and gives the
// output.
static char *evaluate(const char *what)
{
    const size_t size = 256 * 1024;
    const struct guest_platform pf = platform_with_pci();
    char *text = calloc(1, size);
    char dir[] = "/tmp/bulkhead-acpi-XXXXXX";
    char command[512];
    struct fake_ram p;

    assert_non_null(mkdtemp(dir));
    write_tables(&p, &pf);
    save(&p, dir, "DSDT");
    save(&p, dir, "SSDT");
    snprintf(command, sizeof(command), "cd %s && acpiexec -b '%s' DSDT.dat SSDT.dat 2>&1", dir,
             what);
    if (run(command, text, size) != 0) {
        fail_msg("acpiexec: %s", text);
    }
    fake_ram_free(&p);
    remove_folder(dir);
    return text;
}

static void every_pci_pin_has_its_interrupt(void **state)
{
    char *text = evaluate("evaluate \\_SB.PCI0._PRT");
    const char *at = text;
    unsigned long long numbers[4];
    unsigned count = 0;

    (void)state;
    while ((at = strstr(at, "Contains 4 Elements:")) != NULL) {
        const unsigned device = 1 + count / 4;
        const unsigned pin = count % 4;

        for (unsigned i = 0; i < 4; i++) {
            at = strstr(at, "[Integer] = ");
            assert_non_null(at);
            at += strlen("[Integer] = ");
            numbers[i] = strtoull(at, NULL, 16);
        }
        assert_int_equal(numbers[0], device << 16 | 0xffff);
        assert_int_equal(numbers[1], pin);
        assert_int_equal(numbers[2], 0);
        assert_int_equal(numbers[3], GUEST_PCI_PIN_FIRST + (device + pin) % GUEST_PCI_PINS);
        count++;
    }
    assert_int_equal(count, 31 * 4);
    free(text);
}

// What the disassembled SSDT says of ranges is what the platform has.
static void pci_ranges_are_the_platform_s(void **state)
{
    const struct guest_platform pf = platform_with_pci();
    char dir[] = "/tmp/bulkhead-acpi-XXXXXX";
    const struct {
        int digits;
        uint32_t value;
        const char *what;
    } wanted[] = {
        {8, GUEST_PCI_WINDOW, "Range Minimum"},
        {8, GUEST_PCI_WINDOW + GUEST_PCI_WINDOW_SIZE - 1, "Range Maximum"},
        {8, GUEST_PCI_WINDOW_SIZE, "Length"},
        {8, GUEST_ECAM_ADDRESS, "Address Base"},
        {8, GUEST_ECAM_SIZE, "Address Length"},
        {4, 0x0cf8, "Range Minimum"},
        {4, 0x1000, "Range Minimum"},
        {4, 0xffff, "Range Maximum"},
    };
    struct fake_ram p;
    char *text;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_tables(&p, &pf);
    text = disassemble(&p, dir, "SSDT");
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        char line[64];

        snprintf(line, sizeof(line), "0x%0*X,%*s// %s", wanted[i].digits, wanted[i].value,
                 17 - wanted[i].digits, "", wanted[i].what);
        if (strstr(text, line) == NULL) {
            fail_msg("no \"%s\" in %s", line, text);
        }
    }
    free(text);
    fake_ram_free(&p);
    remove_folder(dir);
}

// The bytes of the buffer that _OSC returns.
static void expect_osc(const char *uuid, unsigned revision, const char *buffer,
                       const char *returned)
{
    char command[256];
    char *text;

    snprintf(command, sizeof(command), "evaluate \\_SB.PCI0._OSC (%s) %u 3 (%s)", uuid, revision,
             buffer);
    text = evaluate(command);
    if (strstr(text, returned) == NULL) {
        fail_msg("no \"%s\" in %s", returned, text);
    }
    free(text);
}

static void control_of_the_bus_is_not_granted(void **state)
{
    static const char pci[] = "5B4DDB33F71F1C4096577441C03DD766"; // as ToUUID orders its bytes
    static const char other[] = "5B4DDB33F71F1C4096577441C03DD767";

    (void)state;
    expect_osc(pci, 1, "010000001F0100001F000000", "11 00 00 00 1F 01 00 00 00 00 00 00");
    expect_osc(pci, 1, "000000001F01000004000000", "10 00 00 00 1F 01 00 00 00 00 00 00");
    expect_osc(pci, 1, "000000001F01000000000000", "00 00 00 00 1F 01 00 00 00 00 00 00");
    expect_osc(pci, 2, "010000001F0100001F000000", "09 00 00 00");
    expect_osc(other, 1, "010000001F0100001F000000", "05 00 00 00");
}

// Name(\_S5, Package {5, ...}): the number is GUEST_ACPI_S5_SLP_TYP. AML: NameOp, the name,
// PackageOp, its length, four elements, BytePrefix, the first.
static void s5_is_what_power_off_expects(void **state)
{
    struct fake_ram p;
    const uint8_t *aml;
    const uint8_t *name = NULL;
    uint64_t dsdt;
    uint32_t length;

    (void)state;
    write_tables(&p, &usual_platform);
    dsdt = find_table(&p, "DSDT");
    length = fake_ram_u32(&p, dsdt + 4);
    aml = fake_ram_at(&p, dsdt, length);
    for (uint32_t i = 36; i + 10 < length; i++) {
        if (memcmp(aml + i, "_S5_", 4) == 0) {
            name = aml + i;
        }
    }
    assert_non_null(name);
    assert_int_equal(name[4], 0x12);
    assert_int_equal(name[6], 4);
    assert_int_equal(name[7], 0x0a);
    assert_int_equal(name[8], GUEST_ACPI_S5_SLP_TYP);
    fake_ram_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iasl_understands_every_table),
        cmocka_unit_test(every_pci_pin_has_its_interrupt),
        cmocka_unit_test(pci_ranges_are_the_platform_s),
        cmocka_unit_test(control_of_the_bus_is_not_granted),
        cmocka_unit_test(s5_is_what_power_off_expects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
