// SPDX-License-Identifier: Apache-2.0
// What stands for a BIOS: the reset vector, the interrupt vectors and their stubs, the answers; and
// how many triple faults restart a partition.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/guest/bios.h"
#include "hv/guest/bios_rules.h"
#include "hv/guest/e820.h"
#include "hv/partition/fault_limit.h"
#include "tests/unit/fake_guest_ram.h"

static void each_vector_has_a_stub_of_its_own(void **state)
{
    (void)state;
    static const uint8_t stub[] = {0xe6, GUEST_BIOS_PORT, 0xcf}; // OUT, IRET
    struct fake_ram p;
    fake_ram_init(&p, MIB(1));
    assert_int_equal(guest_bios_write(&p.ram), STATUS_OK);
    for (unsigned i = 0; i < 256; i++) {
        uint64_t at = ((uint64_t)fake_ram_u16(&p, i * 4 + 2) << 4) + fake_ram_u16(&p, i * 4);
        assert_int_equal(at, GUEST_BIOS + i * GUEST_BIOS_STEP);
        assert_memory_equal(fake_ram_at(&p, at, 3), stub, 3);
    }
    assert_int_equal(fake_ram_u32(&p, 0x400), 0); // the BIOS data area is another's
    fake_ram_free(&p);
}

// Opcodes whose length and meaning no operand size changes: MOV AL, OUT imm8, HLT, JMP rel8.
static void the_reset_vector_means_the_same_in_every_mode(void **state)
{
    (void)state;
    static const uint8_t code[] = {0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd};
    struct fake_ram p;
    fake_ram_init(&p, MIB(1));
    assert_int_equal(guest_bios_write(&p.ram), STATUS_OK);
    assert_memory_equal(fake_ram_at(&p, 0xffff0, 7), code, 7);
    assert_memory_equal(fake_ram_at(&p, 0xffff0, 16), guest_reset_code, 16);
    assert_int_equal(fake_ram_at(&p, 0xffffe, 1)[0], 0xfc); // model AT
    assert_int_equal(GUEST_RESET_PAGE + GUEST_RESET_OFFSET, 0xfffffff0);
    // Back to the HLT, not past it.
    assert_int_equal(4 + 3 + (int8_t)code[6], 4);
    fake_ram_free(&p);
}

static void reports_every_failed_write(void **state)
{
    (void)state;
    struct fake_ram p;
    fake_ram_init(&p, MIB(1));
    assert_int_equal(guest_bios_write(&p.ram), STATUS_OK);
    uint64_t writes = p.writes;
    assert_true(writes >= 3);
    for (uint64_t i = 1; i < writes; i++) {
        p.writes = 0;
        p.fail_after = i;
        assert_int_not_equal(guest_bios_write(&p.ram), STATUS_OK);
    }
    fake_ram_free(&p);
}

static void every_call_has_an_answer(void **state)
{
    (void)state;
    unsigned count, used = 0;
    const struct bios_rule *rules = bios_rules(&count);
    bool met[64] = {false};
    assert_true(count <= ARRAY_SIZE(met));
    for (unsigned vector = 0; vector < 256; vector++) {
        for (unsigned function = 0; function < 256; function++) {
            const struct bios_rule *r = bios_rule_find((uint8_t)vector, (uint8_t)function);
            assert_true(r >= rules && r < rules + count);
            assert_true(r->first <= vector && vector <= r->last);
            assert_true(r->function_first <= function && function <= r->function_last);
            assert_true(r->name[0] != 0);
            used += !met[r - rules];
            met[r - rules] = true;
        }
    }
    assert_int_equal(used, count); // no row is hidden by those before it
}

static void answers(void **state)
{
    (void)state;
    static const struct {
        uint8_t vector, function, answer;
        uint16_t value;
    } calls[] = {
        {0x00, 0x00, BIOS_NOTHING, 0},  {0x06, 0x12, BIOS_NOTHING, 0},
        {0x0d, 0xff, BIOS_NOTHING, 0},  {0x08, 0x00, BIOS_NOTHING, 0},
        {0x10, 0x0e, BIOS_NOTHING, 0},  {0x12, 0x00, BIOS_WORD, 0x413},
        {0x13, 0x42, BIOS_ERROR, 0x01}, {0x15, 0xe8, BIOS_ERROR, 0x86},
        {0x15, 0x87, BIOS_ERROR, 0x86}, {0x16, 0x00, BIOS_STOP, 0},
        {0x16, 0x01, BIOS_NO_KEY, 0},   {0x16, 0x02, BIOS_WORD, 0x417},
        {0x19, 0x00, BIOS_STOP, 0},     {0x1a, 0xb1, BIOS_ERROR, 0x81},
        {0x21, 0x4c, BIOS_NOTHING, 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        const struct bios_rule *r = bios_rule_find(calls[i].vector, calls[i].function);
        assert_int_equal(r->answer, calls[i].answer);
        assert_int_equal(r->value, calls[i].value);
    }
}

static void three_triple_faults_within_10_s(void **state)
{
    (void)state;
    const uint64_t s = 1000000;
    struct fault_limit f = {0};
    assert_false(fault_limit_reached(&f, 5 * s));
    assert_false(fault_limit_reached(&f, 6 * s));
    assert_true(fault_limit_reached(&f, 15 * s)); // 10 s after the first
    struct fault_limit slow = {0};
    for (unsigned i = 0; i < 100; i++) {
        assert_false(fault_limit_reached(&slow, i * 5 * s + i)); // each third 10 s later, and more
    }
    assert_false(fault_limit_reached(&slow, 501 * s));
    assert_false(fault_limit_reached(&slow, 506 * s));
    assert_true(fault_limit_reached(&slow, 507 * s)); // 501, 506, 507
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_vector_has_a_stub_of_its_own),
        cmocka_unit_test(the_reset_vector_means_the_same_in_every_mode),
        cmocka_unit_test(reports_every_failed_write),
        cmocka_unit_test(every_call_has_an_answer),
        cmocka_unit_test(answers),
        cmocka_unit_test(three_triple_faults_within_10_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
