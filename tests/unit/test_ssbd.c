// SPDX-License-Identifier: Apache-2.0
// Which way to SSBD there is on real machines, and who decides on a core with two threads.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/virt/ssbd.h"

// CPUID 0x80000008 EBX.
#define IBPB      (1u << 12)
#define IBRS      (1u << 14)
#define STIBP     (1u << 15)
#define SSBD      (1u << 24)
#define VIRT_SSBD (1u << 25)
#define SSB_NO    (1u << 26)

static void real_machines(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct ssbd_identity cpu;
        enum ssbd_way way;
        uint64_t bit; // of LS_CFG, where that is the way
    } machines[] = {
        {"Opteron 6174", {true, 0x00100f91, 0, true}, SSBD_NOT_OFFERED, 0},
        {"FX-8350", {true, 0x00600f20, IBPB, true}, SSBD_BY_LS_CFG, 1ull << 54},
        {"A10-7850K", {true, 0x00630f01, IBPB, true}, SSBD_BY_LS_CFG, 1ull << 54},
        {"Athlon 5350", {true, 0x00700f01, IBPB, true}, SSBD_BY_LS_CFG, 1ull << 33},
        {"GX-412TC", {true, 0x00730f01, 0, true}, SSBD_BY_LS_CFG, 1ull << 33},
        {"Ryzen 7 1700", {true, 0x00800f11, IBPB | 7, true}, SSBD_BY_LS_CFG, 1ull << 10},
        {"EPYC 7551", {true, 0x00800f12, IBPB | 7, true}, SSBD_BY_LS_CFG, 1ull << 10},
        {"Ryzen 7 2700X", {true, 0x00800f82, IBPB | 7, true}, SSBD_BY_LS_CFG, 1ull << 10},
        {"Ryzen 5 2400G", {true, 0x00810f10, IBPB | 7, true}, SSBD_BY_LS_CFG, 1ull << 10},
        {"Ryzen 7 3700X", {true, 0x00870f10, IBPB | STIBP | SSBD, true}, SSBD_NOT_OFFERED, 0},
        {"EPYC 7742", {true, 0x00830f10, IBPB | IBRS | STIBP | SSBD, true}, SSBD_NOT_OFFERED, 0},
        {"Hygon C86 7185", {true, 0x00900f01, IBPB, true}, SSBD_BY_LS_CFG, 1ull << 10},
        {"Ryzen 9 5950X",
         {true, 0x00a20f10, IBPB | IBRS | STIBP | SSBD, true},
         SSBD_NOT_OFFERED,
         0},
        {"EPYC 9654", {true, 0x00a10f11, IBPB | IBRS | STIBP | SSBD, true}, SSBD_NOT_OFFERED, 0},
        {"family 1Ah, LS_CFG readable", {true, 0x00b40f40, IBPB, true}, SSBD_NOT_OFFERED, 0},
        {"EPYC 7551 as a guest of KVM, virt-ssbd",
         {true, 0x00800f12, IBPB | VIRT_SSBD, false},
         SSBD_BY_VIRT,
         0},
        {"the same with amd-ssbd too",
         {true, 0x00800f12, IBPB | SSBD | VIRT_SSBD, false},
         SSBD_NOT_OFFERED,
         0},
        {"the same without either", {true, 0x00800f12, IBPB, false}, SSBD_NOT_OFFERED, 0},
        {"one that is not affected", {true, 0x00800f12, IBPB | SSB_NO, true}, SSBD_NOT_OFFERED, 0},
        {"Core i7-6700", {false, 0x000506e3, 0, false}, SSBD_NOT_OFFERED, 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
        struct ssbd_choice c = ssbd_choose(&machines[i].cpu);
        if (c.way != machines[i].way || (c.way == SSBD_BY_LS_CFG && c.bit != machines[i].bit)) {
            fail_msg("%s: way %d, bit 0x%llx", machines[i].name, c.way, (unsigned long long)c.bit);
        }
    }
}

// It is on for a core while one of its threads wants it, whoever's they are.
static void threads_of_a_core(void **state)
{
    (void)state;
    struct ssbd_wish wishes[] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {16, 0}};
    for (uint32_t id = 0; id < 4; id++) {
        assert_false(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, id));
    }
    wishes[3].wanted = 1;
    assert_false(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, 0));
    assert_false(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, 1));
    assert_true(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, 2)); // its sibling
    assert_true(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, 3));
    assert_false(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, 16));
    assert_false(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 0, 2)); // without threads
    wishes[2].wanted = 1;
    wishes[3].wanted = 0;
    assert_true(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, 3));
    wishes[2].wanted = 0;
    assert_false(ssbd_wanted_on_core(wishes, ARRAY_SIZE(wishes), 1, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_machines),
        cmocka_unit_test(threads_of_a_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
