// SPDX-License-Identifier: Apache-2.0
// AMD-Vi against a model of the unit: what it reports, what can't be given away, and units that
// misbehave.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/amdvi_fixture.h"

// ---- events --------------------------------------------------------------------------------

static void faults_are_told(void **state)
{
    (void)state;
    start();
    struct iommu_fault f;
    struct fake_interrupt i;
    bool lost = false;
    uint64_t pa;
    assert_false(amdvi_ops.take_fault(&f, &lost));
    fake_dma(0, EDU, 0x5008, true, &pa);
    fake_dma(1, FAR, 0x6000, false, &pa);
    fake_interrupt(0, NVME, APIC, 0x31, &i);
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, EDU);
    assert_int_equal(f.address, 0x5008);
    assert_true(f.write && !f.interrupt);
    assert_non_null(strstr(f.why, "not allowed"));
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, NVME);
    assert_true(f.interrupt);
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, FAR);
    assert_true(!f.write && !f.interrupt);
    assert_false(amdvi_ops.take_fault(&f, &lost));
    assert_false(lost);
    for (unsigned code = 0; code < 16; code++) {
        fake_log_event(0, (uint64_t)code << 60 | 0x1234, code);
        assert_true(amdvi_ops.take_fault(&f, &lost));
        assert_non_null(f.why);
        assert_int_equal(f.address, code);
        bool of_unit = code == 0 || code == 5 || code == 6 || code == 10;
        assert_int_equal(f.requester, of_unit ? 0 : 0x1234);
    }
    fake_unit[0].event_late = true;
    fake_dma(0, EDU, 0x5008, true, &pa);
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_non_null(strstr(f.why, "did not write out"));
}

static void the_quiet_are_refused_in_silence(void **state)
{
    (void)state;
    start();
    struct iommu_fault f;
    bool lost = false;
    uint64_t pa;
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    amdvi_ops.quiet(EDU);
    assert_reaches(EDU, 0x5000, RAM + 0x5000);
    assert_false(fake_dma(0, EDU, MIB(4), true, &pa));
    assert_false(amdvi_ops.take_fault(&f, &lost));
    assert_false(fake_dma(0, NVME, MIB(4), true, &pa)); // another's is told
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, NVME);
    amdvi_ops.detach(EDU);
    assert_int_equal(amdvi_ops.attach(EDU, &alpha), STATUS_OK);
    assert_false(fake_dma(0, EDU, MIB(4), true, &pa));
    assert_true(amdvi_ops.take_fault(&f, &lost));
    assert_int_equal(f.requester, EDU);
}

static void a_full_log_starts_again(void **state)
{
    (void)state;
    start();
    struct iommu_fault f;
    bool lost = false;
    uint64_t pa;
    for (unsigned round = 0; round < 3; round++) {
        lost = false;
        for (unsigned n = 0; n < 300; n++) {
            fake_dma(0, EDU, n * 0x1000, true, &pa);
        }
        unsigned taken = 0;
        for (; amdvi_ops.take_fault(&f, &lost); taken++) {
            assert_int_equal(f.address, taken * 0x1000);
        }
        assert_int_equal(taken, 255);
        assert_true(lost);
    }
    lost = false;
    assert_false(amdvi_ops.take_fault(&f, &lost));
    assert_false(lost);
}

static void make_config(void)
{
    memset(config, 0, sizeof(config));
    config[0x04 / 4] = 0x00100000; // it has capabilities
    config[0x34 / 4] = 0x40;
    config[0x40 / 4] = 0x0001640f; // its own, then at 0x64 MSI of 64 bits
    config[0x64 / 4] = 0x00f00005;
}

static void faults_are_announced(void **state)
{
    (void)state;
    start();
    make_config();
    struct iommu_fault f;
    bool lost = false;
    uint64_t pa;
    amdvi_ops.fault_nmi(300);
    assert_int_equal(config[0x64 / 4], 0x00f00005);
    amdvi_ops.fault_nmi(3);
    assert_int_equal(config[0x64 / 4], 0x00810005);
    assert_int_equal(config[0x68 / 4], 0xfee03000);
    assert_int_equal(config[0x6c / 4], 0);
    assert_int_equal(config[0x70 / 4], 0x400);
    assert_int_equal(config[0x04 / 4] & 0x404, 0x404);
    fake_dma(0, EDU, 0, true, &pa);
    fake_dma(0, EDU, 0, true, &pa);
    assert_int_equal(fake_unit[0].msis, 1);
    drain();
    fake_dma(0, EDU, 0, true, &pa);
    assert_int_equal(fake_unit[0].msis, 2);
    assert_int_equal(fake_unit[1].msis, 0);
    // In a storm they are held for a time, and are in the log all the same.
    drain();
    amdvi_ops.fault_hold(true);
    fake_dma(0, EDU, 0, true, &pa);
    assert_int_equal(fake_unit[0].msis, 2);
    assert_true(amdvi_ops.take_fault(&f, &lost));
    amdvi_ops.fault_hold(false);
    fake_dma(0, EDU, 0, true, &pa);
    assert_int_equal(fake_unit[0].msis, 3);
    // The scan has found no such capability.
    pci.function[1].msi = 0;
    assert_int_equal(probe(), STATUS_OK);
    make_config();
    config[0x04 / 4] = 0;
    amdvi_ops.fault_nmi(3);
    assert_int_equal(config[0x04 / 4], 0);
}

// ---- what can't be given away, and units that can't be used ---------------------------------

static void refuse(uint16_t id, enum status status, const char *what)
{
    assert_int_equal(amdvi_ops.check(&pci, function(id), error, sizeof(error)), status);
    if (strstr(error, what) == NULL) {
        fail_msg("'%s' is not in '%s'", what, error);
    }
}

static char said[512];

static void say(const char *text)
{
    strncat(said, text, sizeof(said) - strlen(said) - 2);
    strcat(said, "\n");
}

static void units_are_described(void **state)
{
    (void)state;
    start();
    ivrs_memory(&image, 0x22, 1, NVME, NVME + 7, 0x7f000000, 0x2000);
    assert_int_equal(probe(), STATUS_OK);
    said[0] = '\0';
    amdvi_ops.describe(say);
    assert_non_null(strstr(said, ", interrupt remapping; serves IOAPIC 5"));
    assert_non_null(strstr(said, "firmware reserves memory 0x7f000000-0x7f001fff (IVMD) for "
                                 "00:04.0-00:04.7\n"));
    // More than a line holds, and all that is left.
    amdvi.ivrs.range_count = 20;
    for (unsigned i = 0; i < 20; i++) {
        uint16_t id = (uint16_t)(i << 3);
        amdvi.ivrs.range[i] = (struct ivrs_range){.first = id, .last = id, .all = i == 1};
    }
    said[0] = '\0';
    amdvi_ops.describe(say);
    assert_non_null(strstr(said, " 00:00.0 all that no other unit names 00:02.0 00:03.0"));
    assert_non_null(strstr(said, " ...\n"));
}

static void functions_that_stay(void **state)
{
    (void)state;
    start();
    ivrs_memory(&image, 0x22, 1, NVME, NVME + 7, 0x7f000000, 0x2000);
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.check(&pci, function(EDU), error, sizeof(error)), STATUS_OK);
    assert_int_equal(amdvi_ops.check(&pci, function(OLD), error, sizeof(error)), STATUS_OK);
    assert_int_equal(amdvi_ops.check(&pci, function(FAR), error, sizeof(error)), STATUS_OK);
    refuse(NVME, ERR_DENIED, "00:04.0: firmware keeps memory 0x7f000000-0x7f001fff");
    refuse(0x0300, ERR_NOT_FOUND, "03:00.0: no IOMMU serves it");
    refuse(IOAPIC, ERR_DENIED, "00:14.0: its requests carry the same ID as those of IOAPIC 5");
    refuse(0x0002, ERR_DENIED, "00:00.2: it is the IOMMU itself");
    add_function(ALIAS);
    refuse(OLD, ERR_DENIED, "01:01.0: the IOMMU can't tell it from 00:1e.0");
    pci.function[pci.count - 1].group = function(OLD)->group;
    assert_int_equal(amdvi_ops.check(&pci, function(OLD), error, sizeof(error)), STATUS_OK);
}

static void machines_that_are_refused(void **state)
{
    (void)state;
    make_machine(FAKE_FEATURES);
    fake_ivrs = NULL;
    assert_int_equal(probe(), ERR_NOT_FOUND);
    make_machine(FAKE_FEATURES);
    fake_ivrs_status = ERR_CHECKSUM;
    assert_int_equal(probe(), ERR_CHECKSUM);
    assert_non_null(strstr(error, "IVRS"));
    make_machine(FAKE_FEATURES);
    fake_unit[1].no_answer = true;
    fake_unit[1].reg[0x30 / 8] = UINT64_MAX;
    assert_int_equal(probe(), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "0xfee80000"));
    make_machine(FAKE_FEATURES);
    ivrs_unit(&image, 0x11, 0x0201, FAKE_UNIT_BASE + MIB(5), 0);
    assert_int_equal(probe(), ERR_NO_MEMORY);
    // CPUs that 8 bits can't name.
    make_machine(FAKE_FEATURES_X);
    acpi.cpus[1].apic_id = 256;
    assert_int_equal(probe(), ERR_UNSUPPORTED);
    fake_x2apic = true;
    assert_int_equal(probe(), STATUS_OK);
    fake_unit[1].reg[0x30 / 8] = FAKE_FEATURES;
    assert_int_equal(probe(), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "0xfee80000"));
}

static void units_that_hang(void **state)
{
    (void)state;
    make_machine(FAKE_FEATURES);
    fake_unit[1].hangs = true;
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    assert_non_null(strstr(error, "0xfee80000"));
    make_machine(0); // so many commands that the buffer is full
    fake_unit[0].hangs = true;
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    make_machine(FAKE_FEATURES);
    fake_unit[0].status_stuck = true;
    assert_int_equal(probe(), STATUS_OK);
    assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_UNSUPPORTED);
    for (long pages = 0; pages < 8; pages++) {
        make_machine(FAKE_FEATURES);
        assert_int_equal(probe(), STATUS_OK);
        fake_heap_fail_after(pages);
        assert_int_equal(amdvi_ops.enable(error, sizeof(error)), ERR_NO_MEMORY);
        assert_non_null(strstr(error, "heap"));
    }
    fake_heap_fail_after(-1);
    // One that stops later must not be trusted any more.
    start();
    fake_unit[0].hangs = true;
    fake_panic_armed = true;
    if (setjmp(fake_panic) == 0) {
        amdvi_ops.detach(EDU);
        fail();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(the_quiet_are_refused_in_silence),
        cmocka_unit_test(a_full_log_starts_again),
        cmocka_unit_test(faults_are_announced),
        cmocka_unit_test(units_are_described),
        cmocka_unit_test(functions_that_stay),
        cmocka_unit_test(machines_that_are_refused),
        cmocka_unit_test(units_that_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
