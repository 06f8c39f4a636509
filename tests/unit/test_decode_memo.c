// SPDX-License-Identifier: Apache-2.0
// The memo of decoded instructions says nothing but what the decoder says, whatever came before.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/emulate/decode_memo.h"
#include "tests/unit/fake_device.h"

static const enum decode_mode modes[] = {DECODE_16, DECODE_32, DECODE_64};

static struct decode_memo memo;

static const struct insn *find(const uint8_t *bytes, enum decode_mode mode)
{
    struct decode_key key = decode_memo_key(bytes, mode);

    return decode_memo_find(&memo, &key);
}

static void keep(const uint8_t *bytes, enum decode_mode mode)
{
    struct decode_key key = decode_memo_key(bytes, mode);
    struct insn insn;

    assert_int_equal(decode(bytes, INSN_MAX_LENGTH, mode, &insn), STATUS_OK);
    decode_memo_keep(&memo, &key, &insn);
}

static void assert_same(const struct insn *a, const struct insn *b)
{
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->form, b->form);
    assert_int_equal(a->operand_size, b->operand_size);
    assert_int_equal(a->mem_size, b->mem_size);
    assert_int_equal(a->address_size, b->address_size);
    assert_int_equal(a->rep, b->rep);
    assert_int_equal(a->lock, b->lock);
    assert_int_equal(a->reg, b->reg);
    assert_int_equal(a->reg_high, b->reg_high);
    assert_int_equal(a->mem, b->mem);
    assert_int_equal(a->rm, b->rm);
    assert_int_equal(a->rm_high, b->rm_high);
    assert_int_equal(a->rip_relative, b->rip_relative);
    assert_int_equal(a->segment, b->segment);
    assert_int_equal(a->base, b->base);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->scale, b->scale);
    assert_true(a->disp == b->disp);
    assert_true(a->imm == b->imm);
}

static void test_empty(void **state)
{
    uint8_t bytes[INSN_MAX_LENGTH] = {0};

    (void)state;
    memset(&memo, 0, sizeof(memo));
    for (unsigned first = 0; first < 256; first++) {
        bytes[0] = (uint8_t)first;
        for (size_t m = 0; m < ARRAY_SIZE(modes); m++)
            assert_null(find(bytes, modes[m]));
    }
}

// Each byte of the instruction counts, none behind it does, and the mode does.
static void test_every_byte_counts(void **state)
{
    static const struct {
        uint8_t length;
        uint8_t bytes[INSN_MAX_LENGTH];
    } rows[] = {
        {1, {0xab}},                                                  // stos
        {2, {0x89, 0x06}},                                            // mov %eax, (%rsi)
        {7, {0x89, 0x04, 0x25, 0xb0, 0x00, 0xe0, 0xfe}},              // mov %eax, abs
        {8, {0x44, 0x89, 0x04, 0x25, 0xb0, 0x00, 0xe0, 0xfe}},        // mov %r8d, abs
        {9, {0x65, 0x44, 0x89, 0x04, 0x25, 0xb0, 0x00, 0xe0, 0xfe}},  // in GS
        {11, {0xc7, 0x04, 0x25, 0xb0, 0x00, 0xe0, 0xfe, 1, 2, 3, 4}}, // movl $, abs
        {15, {0x3e, 0x3e, 0x3e, 0x3e, 0xc7, 0x04, 0x25, 0xb0, 0x00, 0xe0, 0xfe, 1, 2, 3, 4}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t bytes[INSN_MAX_LENGTH];
        struct insn right;

        memset(&memo, 0, sizeof(memo));
        memcpy(bytes, rows[i].bytes, sizeof(bytes));
        memset(bytes + rows[i].length, 0xcc, sizeof(bytes) - rows[i].length);
        assert_int_equal(decode(bytes, sizeof(bytes), DECODE_64, &right), STATUS_OK);
        assert_int_equal(right.length, rows[i].length);
        keep(bytes, DECODE_64);
        assert_non_null(find(bytes, DECODE_64));
        assert_same(find(bytes, DECODE_64), &right);
        assert_null(find(bytes, DECODE_32));
        assert_null(find(bytes, DECODE_16));
        for (unsigned bit = 0; bit < 8 * INSN_MAX_LENGTH; bit++) {
            const struct insn *found;

            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            found = find(bytes, DECODE_64);
            if (bit / 8 < rows[i].length)
                assert_null(found);
            else if (bit / 8 > 1) // the second byte chooses the slot: it may be a miss
                assert_non_null(found);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

// Random instructions out of few bytes, a handful at a time so that they come again, and one of
// them made anew now and then: always what the decoder says, found or not.
static void test_fetch_agrees_with_decoder(void **state)
{
    static const uint8_t some[] = {0x89, 0x8b, 0xc7, 0x06, 0x46, 0x86, 0x44, 0x48, 0x66, 0x67,
                                   0xf0, 0x0f, 0xb6, 0x24, 0x25, 0x00, 0x80, 0xab, 0xf3, 0x65};
    static uint8_t pool[12][INSN_MAX_LENGTH];
    unsigned hits = 0;

    (void)state;
    memset(&memo, 0, sizeof(memo));
    for (unsigned round = 0; round < 200000; round++) {
        enum decode_mode mode = modes[next_random() % ARRAY_SIZE(modes)];
        uint8_t *bytes = pool[next_random() % ARRAY_SIZE(pool)];
        uint8_t fetched[INSN_MAX_LENGTH];
        struct insn right, got;
        enum status status;
        size_t count;

        if (next_random() % 8 == 0) {
            for (unsigned i = 0; i < INSN_MAX_LENGTH; i++)
                bytes[i] = some[next_random() % (i < 3 ? ARRAY_SIZE(some) : 2)];
        }
        fake_guest_reset(mode);
        memcpy(flat.bytes + guest.context.rip, bytes, INSN_MAX_LENGTH);
        guest.context.memo = &memo;
        hits += find(bytes, mode) != NULL;
        status = decode(bytes, INSN_MAX_LENGTH, mode, &right);
        assert_int_equal(emulate_fetch(&guest.context, &got, fetched, &count), status);
        assert_int_equal(count, INSN_MAX_LENGTH);
        assert_memory_equal(fetched, bytes, INSN_MAX_LENGTH);
        if (status == STATUS_OK)
            assert_same(&got, &right);
    }
    assert_true(hits > 1000);
}

// The guest rewrites its code: the next fetch sees the new instruction.
static void test_rewritten_code(void **state)
{
    static const uint8_t store[] = {0x89, 0x46, 0x10};
    static const uint8_t load[] = {0x8b, 0x46, 0x10};

    (void)state;
    memset(&memo, 0, sizeof(memo));
    fake_guest_reset(DECODE_64);
    guest.context.memo = &memo;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(fake_guest_code(store, sizeof(store)).form, FORM_RM_REG);
        assert_int_equal(fake_guest_code(load, sizeof(load)).form, FORM_REG_RM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_fetch_agrees_with_decoder),
        cmocka_unit_test(test_rewritten_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
