// SPDX-License-Identifier: Apache-2.0
// Every instruction with an operand in memory that Zydis knows, in all modes, is either one that
// the emulator executes, or matches a row of docs/tables/emulation_gaps.c, which says why not. No
// row is there in vain, and the document's list of those that are executed is right.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <Zydis/Zydis.h>

#include "arch/lib/types.h"
#include "docs/tables/emulation_gaps.h"
#include "hv/emulate/decode.h"

#define BUFFER 24u

static struct {
    enum decode_mode mode;
    ZydisMachineMode machine;
    ZydisStackWidth stack;
    ZydisDecoder decoder;
} modes[] = {
    {DECODE_16, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16, {0}},
    {DECODE_32, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32, {0}},
    {DECODE_64, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, {0}},
};

static unsigned executed, missing;
static bool mnemonic_executed[ZYDIS_MNEMONIC_MAX_VALUE + 1];
static bool reported[ZYDIS_MNEMONIC_MAX_VALUE + 1];
static bool *used; // for each name of each row, in their order

static const char *encoding_name(ZydisInstructionEncoding encoding)
{
    static const char *const names[] = {"LEGACY", "3DNOW", "XOP", "VEX", "EVEX", "MVEX"};

    return names[encoding];
}

static const char *text_of(enum emulation_gap_kind kind, const ZydisDecodedInstruction *insn)
{
    switch (kind) {
    case GAP_EXTENSION:
        return ZydisISAExtGetString(insn->meta.isa_ext);
    case GAP_CATEGORY:
        return ZydisCategoryGetString(insn->meta.category);
    case GAP_ENCODING:
        return encoding_name(insn->encoding);
    default:
        return ZydisMnemonicGetString(insn->mnemonic);
    }
}

// Whether a name of the row's list is `text`; `count` moves over its names.
static bool row_names(const struct emulation_gap *gap, const char *text, unsigned *count)
{
    bool found = false;

    for (const char *name = gap->names; *name != '\0';) {
        size_t length = strcspn(name, " ");

        if (strlen(text) == length && strncmp(name, text, length) == 0) {
            used[*count] = true;
            found = true;
        }
        (*count)++;
        name += length;
        name += strspn(name, " ");
    }
    return found;
}

static bool has_reason(const ZydisDecodedInstruction *insn)
{
    unsigned rows, count = 0;
    const struct emulation_gap *gaps = emulation_gaps(&rows);
    bool found = false;

    for (unsigned i = 0; i < rows; i++)
        found |= row_names(&gaps[i], text_of(gaps[i].kind, insn), &count);
    return found;
}

// LEA and its like compute an address, and NOP and prefetches raise no fault.
static bool accesses_memory(const ZydisDecodedInstruction *insn,
                            const ZydisDecodedOperand *operands)
{
    if (insn->meta.category == ZYDIS_CATEGORY_WIDENOP ||
        insn->meta.category == ZYDIS_CATEGORY_PREFETCH)
        return false;
    for (unsigned i = 0; i < insn->operand_count; i++) {
        if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            operands[i].mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            return true;
    }
    return false;
}

static bool executes(enum decode_mode mode, const uint8_t *bytes)
{
    struct insn insn;

    if (decode(bytes, INSN_MAX_LENGTH, mode, &insn) != STATUS_OK)
        return false;
    return insn.op >= INSN_MOVS ? insn.op <= INSN_SCAS : insn.mem && insn.op >= INSN_ADD;
}

static void check(unsigned m, const uint8_t *bytes)
{
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&modes[m].decoder, bytes, INSN_MAX_LENGTH, &insn, operands)) ||
        !accesses_memory(&insn, operands))
        return;
    if (executes(modes[m].mode, bytes)) {
        executed++;
        mnemonic_executed[insn.mnemonic] = true;
        return;
    }
    if (has_reason(&insn) || reported[insn.mnemonic])
        return;
    reported[insn.mnemonic] = true;
    missing++;
    print_error("%d bit: %s (%s, %s, %s) is neither executed nor in a row\n", (int)modes[m].mode,
                ZydisMnemonicGetString(insn.mnemonic), encoding_name(insn.encoding),
                ZydisISAExtGetString(insn.meta.isa_ext),
                ZydisCategoryGetString(insn.meta.category));
}

// What comes behind the prefixes: an opcode of a map, each ModRM.reg, and an operand in memory with
// and without SIB, which gathers need. The rest is 0, but for the byte that selects a 3DNow!
// operation.
static void check_opcodes(unsigned m, const uint8_t *prefixes, unsigned count, unsigned opcodes)
{
    uint8_t bytes[BUFFER] = {0};

    memcpy(bytes, prefixes, count);
    for (unsigned i = 0; i < opcodes * 16; i++) {
        bytes[count] = (uint8_t)(i >> 4);
        bytes[count + 1] = (uint8_t)((i & 7) << 3 | (i & 8 ? 4 : 0));
        bytes[count + 2] = 0;
        check(m, bytes);
    }
}

static void check_legacy(unsigned m, const uint8_t *prefixes, unsigned count)
{
    static const uint8_t maps[][2] = {{0}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
    uint8_t bytes[BUFFER] = {0};

    memcpy(bytes, prefixes, count);
    for (unsigned map = 0; map < 4; map++) {
        unsigned more = map < 2 ? map : 2;

        memcpy(bytes + count, maps[map], 2);
        check_opcodes(m, bytes, count + more, 256);
    }
}

static void test_legacy(void **state)
{
    static const uint8_t prefixes[] = {0x90, 0x66, 0xf2, 0xf3};

    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        for (unsigned p = 0; p < 4; p++) {
            for (unsigned w = 0; w < (modes[m].mode == DECODE_64 ? 2 : 1); w++) {
                uint8_t bytes[2];
                unsigned count = 0;

                if (p != 0)
                    bytes[count++] = prefixes[p];
                if (w != 0)
                    bytes[count++] = 0x48;
                check_legacy(m, bytes, count);
            }
        }
        for (unsigned n = 0; n < 256; n++) {
            const uint8_t bytes[BUFFER] = {0x0f, 0x0f, 0, (uint8_t)n};
            const uint8_t bytes_16[BUFFER] = {0x0f, 0x0f, 0x07, (uint8_t)n};

            check(m, modes[m].mode == DECODE_16 ? bytes_16 : bytes);
        }
    }
    assert_int_equal(missing, 0);
}

// VEX and XOP: map, prefix, L, W, with and without a second source.
static void test_vex(void **state)
{
    static const uint8_t first[] = {0xc4, 0x8f};

    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        for (unsigned i = 0; i < 2 * 32 * 32; i++) {
            unsigned selector = i & 31;
            uint8_t bytes[BUFFER] = {first[i >> 10], (uint8_t)(0xe0 | (i >> 5 & 31))};

            bytes[2] =
                (uint8_t)((selector & 7) | (selector & 8) << 4 | (selector & 16 ? 0x78 : 0x70));
            check_opcodes(m, bytes, 3, 256);
        }
    }
    assert_int_equal(missing, 0);
}

// EVEX: the same, with and without a mask, and three lengths.
static void test_evex(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        for (unsigned i = 0; i < 8 * 4 * 2 * 2 * 2 * 4; i++) {
            uint8_t bytes[BUFFER] = {0x62, (uint8_t)(0xf0 | (i & 7))};

            bytes[2] = (uint8_t)((i >> 3 & 3) | 4 | (i >> 5 & 1) << 7 | (i >> 6 & 1 ? 0x78 : 0x70));
            bytes[3] = (uint8_t)(8 | (i >> 7 & 1) | (i >> 8 & 3) << 5);
            check_opcodes(m, bytes, 4, 256);
        }
    }
    assert_int_equal(missing, 0);
}

// Of a kind, by number: NULL where it has no more.
static const char *text_at(enum emulation_gap_kind kind, unsigned i)
{
    switch (kind) {
    case GAP_EXTENSION:
        return i <= ZYDIS_ISA_EXT_MAX_VALUE ? ZydisISAExtGetString((ZydisISAExt)i) : NULL;
    case GAP_CATEGORY:
        return i <= ZYDIS_CATEGORY_MAX_VALUE ? ZydisCategoryGetString((ZydisInstructionCategory)i)
                                             : NULL;
    case GAP_ENCODING:
        return i <= ZYDIS_INSTRUCTION_ENCODING_EVEX ? encoding_name((ZydisInstructionEncoding)i)
                                                    : NULL;
    default:
        return i <= ZYDIS_MNEMONIC_MAX_VALUE ? ZydisMnemonicGetString((ZydisMnemonic)i) : NULL;
    }
}

// Zydis 4.0 does not know all that 4.1 does.
static bool known_to_zydis(enum emulation_gap_kind kind, const char *name, size_t length)
{
    const char *text;

    for (unsigned i = 0; (text = text_at(kind, i)) != NULL; i++) {
        if (strlen(text) == length && strncmp(name, text, length) == 0)
            return true;
    }
    return false;
}

// Names that only a newer Zydis knows can't be needed by this one.
static void test_rows_are_needed(void **state)
{
    unsigned rows, count = 0;
    const struct emulation_gap *gaps = emulation_gaps(&rows);
    unsigned vain = 0;

    (void)state;
    for (unsigned i = 0; i < rows; i++) {
        assert_true(gaps[i].reason[0] != '\0' && gaps[i].title[0] != '\0');
        for (const char *name = gaps[i].names; *name != '\0'; count++) {
            size_t length = strcspn(name, " ");

            if (!used[count] && known_to_zydis(gaps[i].kind, name, length)) {
                vain++;
                print_error("no instruction needs the row of %.*s\n", (int)length, name);
            }
            name += length;
            name += strspn(name, " ");
        }
    }
    assert_int_equal(vain, 0);
}

static bool is_listed(const char *text)
{
    unsigned groups;
    const struct emulation_executed *list = emulation_executed(&groups);

    for (unsigned i = 0; i < groups; i++) {
        size_t length;

        for (const char *name = list[i].names; *name != '\0'; name += length) {
            name += strspn(name, " ");
            length = strcspn(name, " ");
            if (strlen(text) == length && strncmp(name, text, length) == 0)
                return true;
        }
    }
    return false;
}

// The document lists what is executed, no more and no less.
static void test_executed_are_listed(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++) {
        const char *name = ZydisMnemonicGetString((ZydisMnemonic)i);

        if (mnemonic_executed[i] != is_listed(name))
            fail_msg("%s is %s", name,
                     mnemonic_executed[i] ? "executed, but not listed"
                                          : "listed, but not executed");
    }
    assert_true(executed > 10000);
}

static int set_up(void **state)
{
    unsigned rows, names = 0;
    const struct emulation_gap *gaps = emulation_gaps(&rows);

    (void)state;
    for (unsigned m = 0; m < 3; m++) {
        if (!ZYAN_SUCCESS(ZydisDecoderInit(&modes[m].decoder, modes[m].machine, modes[m].stack)))
            return -1;
    }
    for (unsigned i = 0; i < rows; i++)
        names += (unsigned)strlen(gaps[i].names);
    used = calloc(names + 1, sizeof(*used));
    return used == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(used);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_vex),
        cmocka_unit_test(test_evex),
        cmocka_unit_test(test_rows_are_needed),
        cmocka_unit_test(test_executed_are_listed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
