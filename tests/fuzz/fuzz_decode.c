// SPDX-License-Identifier: Apache-2.0
// Fuzzes the decoder with libFuzzer, in all three modes: no input may make it look beyond its
// bytes, its answers must agree with each other when the same instruction is cut short or followed
// by something else, and with those of Zydis.
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/zydis_compare.h"

// A copy that ends where its heap block ends: the sanitizer sees what is read behind it.
static enum status decode_exact(const uint8_t *data, size_t size, enum decode_mode mode,
                                struct insn *out)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    enum status status;

    CHECK(copy != NULL);
    memcpy(copy, data, size);
    status = decode(copy, size, mode, out);
    free(copy);
    return status;
}

static void check_mode(const uint8_t *data, size_t size, enum decode_mode mode)
{
    struct insn insn, again;
    enum status status = decode_exact(data, size, mode, &insn);

    switch (status) {
    case STATUS_OK:
        CHECK(insn.length >= 1 && insn.length <= INSN_MAX_LENGTH && insn.length <= size);
        CHECK(insn.op > INSN_NONE && insn.op <= INSN_SKINIT);
        CHECK(insn.mem_size <= 32 && insn.operand_size <= 8 && insn.segment < SEG_COUNT);
        CHECK(insn.base <= 15 || insn.base == INSN_NO_REG);
        CHECK(insn.index <= 15 || insn.index == INSN_NO_REG);
        CHECK(!insn.reg_high || insn.reg < 4);
        CHECK(decode_exact(data, insn.length, mode, &again) == STATUS_OK);
        CHECK(again.length == insn.length && again.op == insn.op && again.imm == insn.imm &&
              again.disp == insn.disp && again.segment == insn.segment);
        for (size_t cut = 0; cut < insn.length; cut++)
            CHECK(decode_exact(data, cut, mode, &again) == ERR_TRUNCATED);
        break;
    case ERR_TRUNCATED:
        CHECK(size < INSN_MAX_LENGTH);
        break;
    default:
        CHECK(status == ERR_UNSUPPORTED || status == ERR_INVALID);
    }
}

static void compare_mode(const uint8_t *data, size_t size, enum decode_mode mode)
{
    struct zydis_comparison c;

    zydis_compare(mode, data, size, &c);
    if (c.difference != NULL) {
        fprintf(stderr, "%d bit: Zydis %s %u: %s\n", (int)mode, c.name, c.length, c.difference);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum decode_mode modes[] = {DECODE_16, DECODE_32, DECODE_64};

    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        check_mode(data, size, modes[i]);
        compare_mode(data, size < INSN_MAX_LENGTH ? size : INSN_MAX_LENGTH, modes[i]);
    }
    return 0;
}
