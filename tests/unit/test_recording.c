// SPDX-License-Identifier: Apache-2.0
// arch/cpu/recording.c on processors of either vendor, which answer #GP for the other's registers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/cpu/msr.h"
#include "arch/cpu/msr_access.h"
#include "arch/cpu/recording.h"

static struct msr {
    uint32_t number;
    uint64_t value;
} intel[] = {{MSR_DEBUGCTL, 0xc0},
             {MSR_RTIT_CTL, 0x2001},
             {MSR_PERF_GLOBAL_CTRL, 0x70000000full},
             {MSR_PEBS_ENABLE, 1}},
  amd[] = {{MSR_DEBUGCTL, 1},
           {MSR_PERF_CORE, 0x430076},
           {MSR_PERF_CORE + 1, 0x123},
           {MSR_PERF_CORE + 10, 0x5300c0},
           {MSR_PERF_LEGACY + 3, 0x430076},
           {MSR_IBS_OP_CTL, 1 << 17},
           {MSR_IBS_FETCH_CTL, 0}};
static struct msr *cpu;
static unsigned count, writes;

static struct msr *find(uint32_t number)
{
    for (unsigned i = 0; i < count; i++) {
        if (cpu[i].number == number)
            return &cpu[i];
    }
    return NULL;
}

bool msr_read_safe(uint32_t number, uint64_t *value)
{
    struct msr *m = find(number);
    if (m != NULL)
        *value = m->value;
    return m != NULL;
}

bool msr_write_safe(uint32_t number, uint64_t value)
{
    struct msr *m = find(number);
    assert_non_null(m);
    assert_int_not_equal(m->value, value); // what is off is not written
    m->value = value;
    writes++;
    return true;
}

static void test_intel(void **state)
{
    (void)state;
    cpu = intel;
    count = ARRAY_SIZE(intel);
    writes = 0;
    recording_stop();
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(intel[i].value, 0);
    assert_int_equal(writes, 4);
}

static void test_amd(void **state)
{
    (void)state;
    cpu = amd;
    count = ARRAY_SIZE(amd);
    writes = 0;
    recording_stop();
    for (unsigned i = 0; i < count; i++) // a counter itself may stay as it is
        assert_int_equal(amd[i].value, amd[i].number == MSR_PERF_CORE + 1 ? 0x123 : 0);
    assert_int_equal(writes, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intel),
        cmocka_unit_test(test_amd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
