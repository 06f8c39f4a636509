// SPDX-License-Identifier: Apache-2.0
// The decoder against Zydis, on all opcodes with all ModRM bytes and on random bytes, in all
// modes. What is compared is in zydis_compare.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "docs/tables/insn_names.h"
#include "tests/unit/zydis_compare.h"

#define RANDOM_PER_MODE 700000u
#define BUFFER          24u

static unsigned failures;
static unsigned reported[ZYDIS_COMPARE_MNEMONICS];
static unsigned compared[INSN_SKINIT + 1];

static void complain(enum decode_mode mode, const uint8_t *bytes, const struct zydis_comparison *c)
{
    char text[3 * INSN_MAX_LENGTH + 1];

    for (unsigned i = 0; i < INSN_MAX_LENGTH; i++)
        snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02x ", bytes[i]);
    // A few of each kind tell more than all of one.
    if (failures++, reported[c->mnemonic]++ < 3)
        print_error("%d bit: %s: Zydis %s %u: %s\n", (int)mode, text, c->name, c->length,
                    c->difference);
}

static void check(enum decode_mode mode, const uint8_t *bytes)
{
    struct zydis_comparison c;

    zydis_compare(mode, bytes, INSN_MAX_LENGTH, &c);
    compared[c.compared]++;
    if (c.difference != NULL)
        complain(mode, bytes, &c);
}

static uint64_t random_state;

static uint32_t random_bits(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static void random_fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_bits();
}

static const enum decode_mode modes[] = {DECODE_16, DECODE_32, DECODE_64};

// Each opcode of each map with each ModRM byte under each of these prefixes; SIB, displacement and
// immediate are random.
static void test_all_opcodes(void **state)
{
    static const uint8_t prefixes[] = {0, 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x64, 0x2e, 0x41, 0x4f};
    uint8_t bytes[BUFFER];

    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        for (unsigned prefix = 0; prefix < sizeof(prefixes); prefix++) {
            for (unsigned opcode = 0; opcode < 0x400; opcode++) {
                for (unsigned modrm = 0; modrm < 0x100; modrm++) {
                    uint8_t *b = bytes;

                    random_fill(bytes, sizeof(bytes));
                    if (prefixes[prefix] != 0)
                        *b++ = prefixes[prefix];
                    if (opcode >= 0x100)
                        *b++ = 0x0f;
                    if (opcode >= 0x200)
                        *b++ = opcode >= 0x300 ? 0x3a : 0x38;
                    *b++ = (uint8_t)opcode;
                    *b = (uint8_t)modrm;
                    check(modes[m], bytes);
                }
            }
        }
    }
    assert_int_equal(failures, 0);
}

// The same behind VEX: each map and prefix that we know, with and without L, W and second source.
static void test_all_vex(void **state)
{
    uint8_t bytes[BUFFER];

    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        for (unsigned form = 0; form < 0x40; form++) { // 3 maps and none, 4 prefixes, L, W
            for (unsigned opcode = 0; opcode < 0x100; opcode++) {
                for (unsigned modrm = 0; modrm < 0x100; modrm++) {
                    unsigned second = (form & 7) | (form & 8) << 4;

                    random_fill(bytes, sizeof(bytes));
                    second |= random_bits() % 2 ? 0x78 : bytes[5] & 0x78;
                    bytes[0] = 0xc4;
                    bytes[1] = (uint8_t)((bytes[1] & 0xe0) | form >> 4);
                    bytes[2] = (uint8_t)second;
                    bytes[3] = (uint8_t)opcode;
                    bytes[4] = (uint8_t)modrm;
                    check(modes[m], bytes);
                    if (form >> 4 == 1 && !(form & 8)) { // the short form
                        bytes[1] = 0xc5;
                        bytes[2] = (uint8_t)(second | (bytes[5] & 0x80));
                        check(modes[m], bytes + 1);
                    }
                }
            }
        }
    }
    assert_int_equal(failures, 0);
}

// Several prefixes in any order, then an opcode that we know more often than not.
static void test_random(void **state)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x66, 0x67, 0x67,
                                       0xf0, 0xf2, 0xf3, 0xf3, 0x40, 0x48, 0x41, 0x44, 0x4f, 0x42};
    uint8_t bytes[BUFFER];

    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        for (unsigned i = 0; i < RANDOM_PER_MODE; i++) {
            unsigned count = random_bits() % 6;

            if (random_bits() % 64 == 0)
                count = 6 + random_bits() % 10;
            random_fill(bytes, sizeof(bytes));
            for (unsigned k = 0; k < count; k++)
                bytes[k] = prefixes[random_bits() % sizeof(prefixes)];
            if (random_bits() % 3 == 0)
                bytes[count] = 0x0f;
            if (random_bits() % 3 == 0) // SIB forms, and those without a base
                bytes[count + 1] = (uint8_t)((bytes[count + 1] & 0xf8) | (4 + random_bits() % 2));
            check(modes[m], bytes);
        }
    }
    assert_int_equal(failures, 0);
}

// The comparison is worth something only if every operation took part in it.
static void test_all_operations_seen(void **state)
{
    (void)state;
    for (unsigned op = INSN_NONE + 1; op <= INSN_SKINIT; op++) {
        if (compared[op] == 0)
            print_error("%s was never generated\n", insn_name(op));
        assert_true(compared[op] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_opcodes),
        cmocka_unit_test(test_all_vex),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_all_operations_seen),
    };

    random_state = 42;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
