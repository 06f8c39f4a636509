// SPDX-License-Identifier: Apache-2.0
// The decoder on chosen instructions: every field of typical ones, the ends of input, and what it
// must refuse. The breadth is in test_decode_zydis.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/virt/guest_regs.h"
#include "docs/tables/insn_names.h"
#include "hv/emulate/decode.h"

#define NONE INSN_NO_REG

struct row {
    enum decode_mode mode;
    uint8_t bytes[15];
    struct insn insn;
};

// Fields that are not named are 0, as are those of hv/emulate/decode.h's defaults but these.
#define MEM  .mem = true
#define FLAT .base = NONE, .index = NONE

static const struct row rows[] = {
    // mov %eax, 0xb0(%rdi): an EOI
    {DECODE_64,
     {0x89, 0x87, 0xb0, 0, 0, 0},
     {.length = 6,
      .op = INSN_MOV,
      .form = FORM_RM_REG,
      .operand_size = 4,
      .mem_size = 4,
      .address_size = 8,
      MEM,
      .segment = SEG_DS,
      .base = GPR_RDI,
      .index = NONE,
      .disp = 0xb0}},
    // movl $0, 0xffffffffff5fb0b0
    {DECODE_64,
     {0xc7, 0x04, 0x25, 0xb0, 0xb0, 0x5f, 0xff, 0, 0, 0, 0},
     {.length = 11,
      .op = INSN_MOV,
      .form = FORM_RM_IMM,
      .operand_size = 4,
      .mem_size = 4,
      .address_size = 8,
      MEM,
      .segment = SEG_DS,
      FLAT,
      .disp = -0xa04f50}},
    // mov 0x12345678(%r12,%r9,4), %r15
    {DECODE_64,
     {0x4f, 0x8b, 0xbc, 0x8c, 0x78, 0x56, 0x34, 0x12},
     {.length = 8,
      .op = INSN_MOV,
      .form = FORM_REG_RM,
      .operand_size = 8,
      .mem_size = 8,
      .address_size = 8,
      MEM,
      .reg = 15,
      .segment = SEG_DS,
      .base = 12,
      .index = 9,
      .scale = 2,
      .disp = 0x12345678}},
    // mov %ah, -1(%rbp), and with a REX prefix %spl
    {DECODE_64,
     {0x88, 0x65, 0xff},
     {.length = 3,
      .op = INSN_MOV,
      .form = FORM_RM_REG,
      .operand_size = 1,
      .mem_size = 1,
      .address_size = 8,
      MEM,
      .reg = GPR_RAX,
      .reg_high = true,
      .segment = SEG_SS,
      .base = GPR_RBP,
      .index = NONE,
      .disp = -1}},
    {DECODE_64,
     {0x40, 0x88, 0x65, 0xff},
     {.length = 4,
      .op = INSN_MOV,
      .form = FORM_RM_REG,
      .operand_size = 1,
      .mem_size = 1,
      .address_size = 8,
      MEM,
      .reg = GPR_RSP,
      .segment = SEG_SS,
      .base = GPR_RBP,
      .index = NONE,
      .disp = -1}},
    // movl $-2, %gs:8(%rip)
    {DECODE_64,
     {0x65, 0xc7, 0x05, 8, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff},
     {.length = 11,
      .op = INSN_MOV,
      .form = FORM_RM_IMM,
      .operand_size = 4,
      .mem_size = 4,
      .address_size = 8,
      MEM,
      .segment = SEG_GS,
      FLAT,
      .rip_relative = true,
      .disp = 8,
      .imm = -2}},
    // movzwl (%rax), %ecx and movsbq (%rax), %rcx: the sizes differ
    {DECODE_64,
     {0x0f, 0xb7, 0x08},
     {.length = 3,
      .op = INSN_MOVZX,
      .form = FORM_REG_RM,
      .operand_size = 4,
      .mem_size = 2,
      .address_size = 8,
      MEM,
      .reg = GPR_RCX,
      .segment = SEG_DS,
      .base = GPR_RAX,
      .index = NONE}},
    {DECODE_64,
     {0x48, 0x0f, 0xbe, 0x08},
     {.length = 4,
      .op = INSN_MOVSX,
      .form = FORM_REG_RM,
      .operand_size = 8,
      .mem_size = 1,
      .address_size = 8,
      MEM,
      .reg = GPR_RCX,
      .segment = SEG_DS,
      .base = GPR_RAX,
      .index = NONE}},
    // movabs %al, 0x8877665544332211
    {DECODE_64,
     {0xa2, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88},
     {.length = 9,
      .op = INSN_MOV,
      .form = FORM_RM_REG,
      .operand_size = 1,
      .mem_size = 1,
      .address_size = 8,
      MEM,
      .segment = SEG_DS,
      FLAT,
      .disp = (int64_t)0x8877665544332211}},
    // mov 0xfee00020, %eax in 32-bit code: zero-extended
    {DECODE_32,
     {0xa1, 0x20, 0, 0xe0, 0xfe},
     {.length = 5,
      .op = INSN_MOV,
      .form = FORM_REG_RM,
      .operand_size = 4,
      .mem_size = 4,
      .address_size = 4,
      MEM,
      .segment = SEG_DS,
      FLAT,
      .disp = 0xfee00020}},
    // lock orw $-3, %es:0x10(%bp,%si) in 32-bit code: every size is prefixed
    {DECODE_32,
     {0x26, 0xf0, 0x66, 0x67, 0x83, 0x4a, 0x10, 0xfd},
     {.length = 8,
      .op = INSN_OR,
      .form = FORM_RM_IMM,
      .operand_size = 2,
      .mem_size = 2,
      .address_size = 2,
      .lock = true,
      MEM,
      .reg = GPR_RCX,
      .segment = SEG_ES,
      .base = GPR_RBP,
      .index = GPR_RSI,
      .disp = 0x10,
      .imm = -3}},
    // rep stosl in 16-bit code with 32-bit addresses
    {DECODE_16,
     {0xf3, 0x66, 0x67, 0xab},
     {.length = 4,
      .op = INSN_STOS,
      .form = FORM_STRING,
      .operand_size = 4,
      .mem_size = 4,
      .address_size = 4,
      .rep = REP_F3,
      .segment = SEG_ES,
      FLAT}},
    // fs rep movsb: the override is the source's. REX.W is of no use to bytes.
    {DECODE_64,
     {0x64, 0xf3, 0x48, 0xa4},
     {.length = 4,
      .op = INSN_MOVS,
      .form = FORM_STRING,
      .operand_size = 1,
      .mem_size = 1,
      .address_size = 8,
      .rep = REP_F3,
      .segment = SEG_FS,
      FLAT}},
    // out %al, $0x80: ports are not sign-extended
    {DECODE_64,
     {0xe6, 0x80},
     {.length = 2,
      .op = INSN_OUT,
      .form = FORM_PORT,
      .operand_size = 1,
      .mem_size = 1,
      .address_size = 8,
      .segment = SEG_DS,
      FLAT,
      .imm = 0x80}},
    // mov %r10, %cr8, with a ModRM.mod that does not count
    {DECODE_64,
     {0x45, 0x0f, 0x22, 0x02},
     {.length = 4,
      .op = INSN_MOV_TO_CR,
      .form = FORM_REG_RM,
      .operand_size = 8,
      .mem_size = 8,
      .address_size = 8,
      .reg = 8,
      .rm = 10,
      .segment = SEG_DS,
      FLAT}},
    // lock mov %cr0, %eax: CR8 on AMD
    {DECODE_32,
     {0xf0, 0x0f, 0x20, 0xc0},
     {.length = 4,
      .op = INSN_MOV_FROM_CR,
      .form = FORM_RM_REG,
      .operand_size = 4,
      .mem_size = 4,
      .address_size = 4,
      .lock = true,
      .reg = 8,
      .segment = SEG_DS,
      FLAT}},
};

static void check_row(const struct row *r)
{
    struct insn got;

    memset(&got, 0xee, sizeof(got));
    assert_int_equal(decode(r->bytes, 15, r->mode, &got), STATUS_OK);
    assert_int_equal(got.length, r->insn.length);
    assert_string_equal(insn_name(got.op), insn_name(r->insn.op));
    assert_int_equal(got.form, r->insn.form);
    assert_int_equal(got.operand_size, r->insn.operand_size);
    assert_int_equal(got.mem_size, r->insn.mem_size);
    assert_int_equal(got.address_size, r->insn.address_size);
    assert_int_equal(got.rep, r->insn.rep);
    assert_int_equal(got.lock, r->insn.lock);
    // What has no register operand leaves `reg` without meaning: ModRM extends the opcode there.
    if (got.form == FORM_RM_REG || got.form == FORM_REG_RM) {
        assert_int_equal(got.reg, r->insn.reg);
        assert_int_equal(got.reg_high, r->insn.reg_high);
    }
    assert_int_equal(got.mem, r->insn.mem);
    if (!got.mem)
        assert_int_equal(got.rm, r->insn.rm);
    assert_int_equal(got.rip_relative, r->insn.rip_relative);
    assert_int_equal(got.segment, r->insn.segment);
    assert_int_equal(got.base, r->insn.base);
    assert_int_equal(got.index, r->insn.index);
    assert_int_equal(got.scale, r->insn.scale);
    assert_int_equal(got.disp, r->insn.disp);
    assert_int_equal(got.imm, r->insn.imm);
}

static void test_fields(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

// Cut anywhere, an instruction is short; given exactly, it is complete. The bytes lie at the end
// of a heap block, so that the sanitizer sees a look beyond.
static void test_every_cut(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t size = 0; size <= rows[i].insn.length; size++) {
            uint8_t *bytes = test_malloc(size + 1);
            struct insn got;

            memcpy(bytes + 1, rows[i].bytes, size);
            assert_int_equal(decode(bytes + 1, size, rows[i].mode, &got),
                             size < rows[i].insn.length ? ERR_TRUNCATED : STATUS_OK);
            test_free(bytes);
        }
    }
}

// 15 bytes are the processor's limit, however many there are.
static void test_longest(void **state)
{
    uint8_t bytes[32];
    struct insn got;

    (void)state;
    memset(bytes, 0x66, sizeof(bytes));
    memcpy(bytes + 13, (uint8_t[]){0x0f, 0xa2}, 2);
    assert_int_equal(decode(bytes, sizeof(bytes), DECODE_64, &got), STATUS_OK);
    assert_int_equal(got.length, 15);
    assert_int_equal(got.op, INSN_CPUID);

    memset(bytes, 0x66, sizeof(bytes));
    memcpy(bytes + 14, (uint8_t[]){0x0f, 0xa2}, 2);
    assert_int_equal(decode(bytes, sizeof(bytes), DECODE_64, &got), ERR_INVALID);
    assert_int_equal(decode(bytes, 15, DECODE_64, &got), ERR_INVALID);
    assert_int_equal(decode(bytes, 14, DECODE_64, &got), ERR_TRUNCATED);

    memset(bytes, 0xf3, sizeof(bytes)); // nothing but prefixes
    assert_int_equal(decode(bytes, sizeof(bytes), DECODE_16, &got), ERR_INVALID);
    assert_int_equal(decode(bytes, 14, DECODE_16, &got), ERR_TRUNCATED);

    // The immediate ends behind the limit.
    memset(bytes, 0x2e, sizeof(bytes));
    memcpy(bytes + 9, (uint8_t[]){0xc7, 0x00, 1, 2, 3, 4}, 6);
    assert_int_equal(decode(bytes, sizeof(bytes), DECODE_64, &got), STATUS_OK);
    assert_int_equal(got.imm, 0x04030201);
    memcpy(bytes + 10, (uint8_t[]){0xc7, 0x00, 1, 2, 3, 4}, 6);
    bytes[9] = 0x2e;
    assert_int_equal(decode(bytes, sizeof(bytes), DECODE_64, &got), ERR_INVALID);
}

static void test_prefix_order(void **state)
{
    struct insn got;

    (void)state;
    // REX counts only directly before the opcode.
    assert_int_equal(decode((uint8_t[15]){0x48, 0x66, 0x89, 0x00}, 15, DECODE_64, &got), STATUS_OK);
    assert_int_equal(got.operand_size, 2);
    assert_int_equal(decode((uint8_t[15]){0x66, 0x48, 0x89, 0x00}, 15, DECODE_64, &got), STATUS_OK);
    assert_int_equal(got.operand_size, 8);
    assert_int_equal(decode((uint8_t[15]){0x48, 0x41, 0x89, 0x00}, 15, DECODE_64, &got), STATUS_OK);
    assert_int_equal(got.operand_size, 4);
    assert_int_equal(got.base, 8);
    // The last of a kind counts; ES, CS, SS and DS don't in 64-bit mode.
    assert_int_equal(decode((uint8_t[15]){0xf3, 0xf2, 0xa4}, 15, DECODE_32, &got), STATUS_OK);
    assert_int_equal(got.rep, REP_F2);
    assert_int_equal(decode((uint8_t[15]){0x64, 0x2e, 0xa4}, 15, DECODE_32, &got), STATUS_OK);
    assert_int_equal(got.segment, SEG_CS);
    assert_int_equal(decode((uint8_t[15]){0x64, 0x2e, 0xa4}, 15, DECODE_64, &got), STATUS_OK);
    assert_int_equal(got.segment, SEG_FS);
}

static void test_refused(void **state)
{
    static const struct {
        enum decode_mode mode;
        uint8_t bytes[15];
        enum status status;
    } bad[] = {
        {DECODE_64, {0x90}, ERR_UNSUPPORTED},                         // nop
        {DECODE_64, {0x50}, ERR_UNSUPPORTED},                         // push
        {DECODE_32, {0x40}, ERR_UNSUPPORTED},                         // inc %eax, not REX
        {DECODE_32, {0x63, 0x00}, ERR_UNSUPPORTED},                   // arpl
        {DECODE_64, {0x0f, 0x01, 0xca}, ERR_UNSUPPORTED},             // clac
        {DECODE_64, {0x0f, 0x10, 0xc1}, ERR_UNSUPPORTED},             // movups without memory
        {DECODE_64, {0x0f, 0x58, 0x00}, ERR_UNSUPPORTED},             // addps
        {DECODE_64, {0x0f, 0xb8, 0x00}, ERR_UNSUPPORTED},             // popcnt without its prefix
        {DECODE_64, {0x66, 0xc5, 0xf8, 0x10, 0x00}, ERR_UNSUPPORTED}, // a prefix before VEX
        {DECODE_64, {0xc5, 0xf0, 0x10, 0x00}, ERR_UNSUPPORTED},       // a source too many
        {DECODE_32, {0xc5, 0x30}, ERR_UNSUPPORTED},                   // lds
        {DECODE_64, {0xf0, 0xd1, 0x00}, ERR_INVALID},                 // lock rol
        {DECODE_64, {0x0f, 0xc7, 0xc8}, ERR_INVALID},                 // cmpxchg8b without memory
        {DECODE_64, {0x66, 0x0f, 0xc3, 0x00}, ERR_UNSUPPORTED},
        {DECODE_64, {0x82, 0x00, 0x00}, ERR_INVALID},       // 32-bit code only
        {DECODE_64, {0x0f, 0xc3, 0xc0}, ERR_INVALID},       // movnti to a register
        {DECODE_64, {0x0f, 0x20, 0xc8}, ERR_INVALID},       // cr1
        {DECODE_64, {0x44, 0x0f, 0x21, 0xc0}, ERR_INVALID}, // dr8
        {DECODE_64, {0xf0, 0x89, 0x00}, ERR_INVALID},       // lock mov
        {DECODE_64, {0xf0, 0x01, 0xc0}, ERR_INVALID},       // lock add to a register
        {DECODE_64, {0xf0, 0x03, 0x00}, ERR_INVALID},       // lock add from memory
        {DECODE_64, {0xf0, 0x39, 0x00}, ERR_INVALID},       // lock cmp
        {DECODE_64, {0xf0, 0x0f, 0xa2}, ERR_INVALID},       // lock cpuid
        {DECODE_64, {0xf0, 0x0f, 0x20, 0xd0}, ERR_INVALID}, // lock mov %cr2
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct insn got;

        assert_int_equal(decode(bad[i].bytes, 15, bad[i].mode, &got), bad[i].status);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(insn_name(INSN_CMPXCHG), "cmpxchg");
    assert_string_equal(insn_name(INSN_SKINIT), "skinit");
    assert_string_equal(insn_name((enum insn_op)250), "(unknown)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),  cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_longest), cmocka_unit_test(test_prefix_order),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
