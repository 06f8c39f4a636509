// SPDX-License-Identifier: Apache-2.0
// The emulator. Each instruction of the table is executed twice with the same registers and flags:
// by this machine on a word of its own memory, and by the emulator on a register of the fake
// device. Registers, flags and memory must end alike.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tests/unit/fake_device.h"

#define FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF | RFLAGS_DF)

// Executes one instruction on the machine. Its operand is addressed by %rsi; %rax, %rcx and %rdx
// are its registers.
struct machine {
    uint64_t rax, rcx, rdx, rsi, rdi, rflags;
};

static uint8_t *code_page;

// The instruction, and a return behind it.
static void run_on_machine(const uint8_t *bytes, size_t size, struct machine *m)
{
    uint64_t function = (uint64_t)(uintptr_t)code_page;

    memcpy(code_page, bytes, size);
    code_page[size] = 0xc3;
    // The stack pointer is moved out of the red zone, which PUSHF would overwrite.
    __asm__ volatile("lea -256(%%rsp), %%rsp\n\t"
                     "push %[flags]\n\t"
                     "popfq\n\t"
                     "call *%[function]\n\t"
                     "pushfq\n\t"
                     "cld\n\t"
                     "pop %[flags]\n\t"
                     "lea 256(%%rsp), %%rsp"
                     : "+a"(m->rax), "+c"(m->rcx), "+d"(m->rdx), "+S"(m->rsi),
                       "+D"(m->rdi), [flags] "+b"(m->rflags)
                     : [function] "r"(function)
                     : "memory", "cc");
}

// Instructions with their operand at (%rsi) or, for strings, where they have it.
struct row {
    const char *name;
    uint8_t size;
    uint8_t bytes[12];
};

#define I(NAME, ...)                                                                               \
    {                                                                                              \
        NAME, sizeof((uint8_t[]){__VA_ARGS__}),                                                    \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

// The four widths of an instruction whose opcode's lowest bit says "byte"; then a ModRM byte, and
// what follows.
#define WIDTHS(NAME, OP, ...)                                                                      \
    I(NAME "b", OP, __VA_ARGS__), I(NAME "w", 0x66, (OP) + 1, __VA_ARGS__),                        \
        I(NAME "l", (OP) + 1, __VA_ARGS__), I(NAME "q", 0x48, (OP) + 1, __VA_ARGS__)
#define WIDTHS_0F(NAME, OP, ...)                                                                   \
    I(NAME "b", 0x0f, OP, __VA_ARGS__), I(NAME "w", 0x66, 0x0f, (OP) + 1, __VA_ARGS__),            \
        I(NAME "l", 0x0f, (OP) + 1, __VA_ARGS__), I(NAME "q", 0x48, 0x0f, (OP) + 1, __VA_ARGS__)
// Without a byte form.
#define WORDS_0F(NAME, OP, ...)                                                                    \
    I(NAME "w", 0x66, 0x0f, OP, __VA_ARGS__), I(NAME "l", 0x0f, OP, __VA_ARGS__),                  \
        I(NAME "q", 0x48, 0x0f, OP, __VA_ARGS__)

#define RCX_AT_RSI  0x0e // ModRM: reg 1, (%rsi)
#define AT_RSI(EXT) (0x06 | (EXT) << 3)

#define ARITHMETIC(NAME, N)                                                                        \
    WIDTHS(NAME " %rcx, (%rsi) ", (N) << 3, RCX_AT_RSI),                                           \
        WIDTHS(NAME " (%rsi), %rcx ", ((N) << 3) + 2, RCX_AT_RSI),                                 \
        I(NAME "b $0x80, (%rsi)", 0x80, AT_RSI(N), 0x80),                                          \
        I(NAME "w $0x8001, (%rsi)", 0x66, 0x81, AT_RSI(N), 0x01, 0x80),                            \
        I(NAME "l $0x80000001, (%rsi)", 0x81, AT_RSI(N), 0x01, 0, 0, 0x80),                        \
        I(NAME "q $-0x7fffffff, (%rsi)", 0x48, 0x81, AT_RSI(N), 0x01, 0, 0, 0x80),                 \
        I(NAME "w $-1, (%rsi)", 0x66, 0x83, AT_RSI(N), 0xff),                                      \
        I(NAME "l $-1, (%rsi)", 0x83, AT_RSI(N), 0xff),                                            \
        I(NAME "q $-1, (%rsi)", 0x48, 0x83, AT_RSI(N), 0xff),                                      \
        I(NAME "b %ch, (%rsi)", (N) << 3, 0x2e), I(NAME "b (%rsi), %ah", ((N) << 3) + 2, 0x26)

static const struct row rows[] = {
    ARITHMETIC("add", 0),
    ARITHMETIC("or", 1),
    ARITHMETIC("adc", 2),
    ARITHMETIC("sbb", 3),
    ARITHMETIC("and", 4),
    ARITHMETIC("sub", 5),
    ARITHMETIC("xor", 6),
    ARITHMETIC("cmp", 7),
    I("lock add %ecx, (%rsi)", 0xf0, 0x01, RCX_AT_RSI),
    WIDTHS("test %rcx, (%rsi) ", 0x84, RCX_AT_RSI),
    I("testb $0x81, (%rsi)", 0xf6, AT_RSI(0), 0x81),
    I("testw $0x8100, (%rsi)", 0x66, 0xf7, AT_RSI(0), 0x00, 0x81),
    I("testl $0x80000100, (%rsi)", 0xf7, AT_RSI(0), 0x00, 0x01, 0, 0x80),
    I("testq $-0x7fffff00, (%rsi)", 0x48, 0xf7, AT_RSI(0), 0x00, 0x01, 0, 0x80),
    WIDTHS("inc (%rsi) ", 0xfe, AT_RSI(0)),
    WIDTHS("dec (%rsi) ", 0xfe, AT_RSI(1)),
    WIDTHS("not (%rsi) ", 0xf6, AT_RSI(2)),
    WIDTHS("neg (%rsi) ", 0xf6, AT_RSI(3)),
    WIDTHS("mov %rcx, (%rsi) ", 0x88, RCX_AT_RSI),
    WIDTHS("mov (%rsi), %rcx ", 0x8a, RCX_AT_RSI),
    I("mov %dh, (%rsi)", 0x88, 0x36),
    I("mov (%rsi), %ah", 0x8a, 0x26),
    I("movb $0x85, (%rsi)", 0xc6, AT_RSI(0), 0x85),
    I("movw $0x8586, (%rsi)", 0x66, 0xc7, AT_RSI(0), 0x86, 0x85),
    I("movl $0x85868788, (%rsi)", 0xc7, AT_RSI(0), 0x88, 0x87, 0x86, 0x85),
    I("movq $-0x7a797878, (%rsi)", 0x48, 0xc7, AT_RSI(0), 0x88, 0x87, 0x86, 0x85),
    WORDS_0F("movzb (%rsi), %rcx ", 0xb6, RCX_AT_RSI),
    WORDS_0F("movzw (%rsi), %rcx ", 0xb7, RCX_AT_RSI),
    WORDS_0F("movsb (%rsi), %rcx ", 0xbe, RCX_AT_RSI),
    WORDS_0F("movsw (%rsi), %rcx ", 0xbf, RCX_AT_RSI),
    I("movslq (%rsi), %rcx", 0x48, 0x63, RCX_AT_RSI),
    I("movsxd (%rsi), %ecx", 0x63, RCX_AT_RSI),
    I("movnti %ecx, (%rsi)", 0x0f, 0xc3, RCX_AT_RSI),
    I("movnti %rcx, (%rsi)", 0x48, 0x0f, 0xc3, RCX_AT_RSI),
    I("movbe (%rsi), %cx", 0x66, 0x0f, 0x38, 0xf0, RCX_AT_RSI),
    I("movbe (%rsi), %ecx", 0x0f, 0x38, 0xf0, RCX_AT_RSI),
    I("movbe (%rsi), %rcx", 0x48, 0x0f, 0x38, 0xf0, RCX_AT_RSI),
    I("movbe %cx, (%rsi)", 0x66, 0x0f, 0x38, 0xf1, RCX_AT_RSI),
    I("movbe %ecx, (%rsi)", 0x0f, 0x38, 0xf1, RCX_AT_RSI),
    I("movbe %rcx, (%rsi)", 0x48, 0x0f, 0x38, 0xf1, RCX_AT_RSI),
    WIDTHS("xchg %rcx, (%rsi) ", 0x86, RCX_AT_RSI),
    I("xchg %ch, (%rsi)", 0x86, 0x2e),
    WIDTHS_0F("xadd %rcx, (%rsi) ", 0xc0, RCX_AT_RSI),
    WIDTHS_0F("cmpxchg %rcx, (%rsi) ", 0xb0, RCX_AT_RSI),
    WORDS_0F("bt $0x87, (%rsi) ", 0xba, AT_RSI(4), 0x87),
    WORDS_0F("bts $0x1f, (%rsi) ", 0xba, AT_RSI(5), 0x1f),
    WORDS_0F("btr $0x00, (%rsi) ", 0xba, AT_RSI(6), 0x00),
    WORDS_0F("btc $0x3f, (%rsi) ", 0xba, AT_RSI(7), 0x3f),
    WIDTHS("lods ", 0xac, 0x90), // the NOP behind it fills the place of ModRM
};

static const uint64_t numbers[] = {
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x7fffffff,
    0x80000000,
    0xffffffff,
    0x7fffffffffffffff,
    0x8000000000000000,
    0xffffffffffffffff,
    0x0123456789abcdef,
    0xfedcba9876543210,
};

#define OFFSET 0xf0 // of the device register

static void compare(const struct row *r, uint64_t memory, uint64_t register_value, uint64_t flags)
{
    uint64_t word[3] = {0x5555555555555555, memory, 0xaaaaaaaaaaaaaaaa};
    struct machine m = {.rax = numbers[(memory ^ register_value) % 16] ^ memory,
                        .rcx = register_value,
                        .rdx = ~register_value,
                        .rsi = (uint64_t)(uintptr_t)&word[1],
                        .rdi = 0,
                        .rflags = flags | 2};
    struct insn insn;
    bool same;

    if (register_value & 1) // for CMPXCHG: equal now and then
        m.rax = memory;
    fake_guest_reset(DECODE_64);
    insn = fake_guest_code(r->bytes, r->bytes[r->size - 1] == 0x90 ? r->size - 1u : r->size);
    guest.regs.r[GPR_RAX] = m.rax;
    guest.regs.r[GPR_RCX] = m.rcx;
    guest.regs.r[GPR_RDX] = m.rdx;
    guest.regs.r[GPR_RSI] = DEVICE + OFFSET;
    guest.context.rflags = m.rflags;
    fake_device_set(OFFSET - 8, 8, word[0]);
    fake_device_set(OFFSET, 8, word[1]);
    fake_device_set(OFFSET + 8, 8, word[2]);

    run_on_machine(r->bytes, r->size, &m);
    assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(DEVICE + OFFSET)), STATUS_OK);
    assert_int_equal(guest.context.rip, 0x8000u + insn.length);

    same = guest.regs.r[GPR_RAX] == m.rax && guest.regs.r[GPR_RCX] == m.rcx &&
           guest.regs.r[GPR_RDX] == m.rdx && !((guest.context.rflags ^ m.rflags) & FLAGS) &&
           guest.regs.r[GPR_RSI] - (DEVICE + OFFSET) == m.rsi - (uint64_t)(uintptr_t)&word[1] &&
           memcmp(guest.device + OFFSET - 8, word, sizeof(word)) == 0;
    if (!same)
        fail_msg("%s: memory 0x%llx, register 0x%llx, flags 0x%llx: machine has flags 0x%llx rax "
                 "0x%llx rcx 0x%llx memory 0x%llx, we 0x%llx 0x%llx 0x%llx 0x%llx",
                 r->name, (unsigned long long)memory, (unsigned long long)register_value,
                 (unsigned long long)flags, (unsigned long long)m.rflags & FLAGS,
                 (unsigned long long)m.rax, (unsigned long long)m.rcx, (unsigned long long)word[1],
                 (unsigned long long)guest.context.rflags & FLAGS,
                 (unsigned long long)guest.regs.r[GPR_RAX],
                 (unsigned long long)guest.regs.r[GPR_RCX],
                 (unsigned long long)fake_device_get(OFFSET, 8));
}

static void test_against_the_machine(void **state)
{
    static const uint64_t flags[] = {0, RFLAGS_CF, RFLAGS_ZF | RFLAGS_OF | RFLAGS_DF,
                                     FLAGS & ~RFLAGS_DF};

    (void)state;
    for (unsigned r = 0; r < ARRAY_SIZE(rows); r++)
        for (unsigned a = 0; a < ARRAY_SIZE(numbers); a++)
            for (unsigned b = 0; b < ARRAY_SIZE(numbers); b++)
                for (unsigned f = 0; f < ARRAY_SIZE(flags); f++)
                    compare(&rows[r], numbers[a], numbers[b], flags[f]);
}

// One instruction, from its bytes; `address` is what the fault reported.
static enum status execute(const uint8_t *bytes, size_t size, uint64_t address)
{
    struct insn insn = fake_guest_code(bytes, size);

    return emulate_mmio(&guest.context, &insn, gpa(address));
}

#define RUN(ADDRESS, ...)                                                                          \
    execute((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), ADDRESS)

static void expect_access(unsigned n, bool write, uint64_t address, unsigned size, uint64_t value)
{
    assert_true(n < guest.count);
    assert_int_equal(guest.log[n].write, write);
    assert_int_equal(guest.log[n].address, address);
    assert_int_equal(guest.log[n].size, size);
    assert_int_equal(guest.log[n].value, value);
}

// What the device sees: one access of the right size, or a read and then a write.
static void test_device_accesses(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDI] = DEVICE;
    guest.regs.r[GPR_RAX] = 0x1122334455667788;
    assert_int_equal(RUN(DEVICE + 0xb0, 0x89, 0x87, 0xb0, 0, 0, 0), STATUS_OK);
    assert_int_equal(guest.count, 1);
    expect_access(0, true, DEVICE + 0xb0, 4, 0x55667788);

    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDI] = DEVICE;
    fake_device_set(0x80, 4, 0x10);
    assert_int_equal(RUN(DEVICE + 0x80, 0x83, 0x8f, 0x80, 0, 0, 0, 0x01), STATUS_OK); // orl $1
    assert_int_equal(guest.count, 2);
    expect_access(0, false, DEVICE + 0x80, 4, 0x10);
    expect_access(1, true, DEVICE + 0x80, 4, 0x11);

    // CMPXCHG writes even when it does not exchange.
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDI] = DEVICE;
    guest.regs.r[GPR_RAX] = 5;
    assert_int_equal(RUN(DEVICE, 0xf0, 0x0f, 0xb1, 0x0f), STATUS_OK);
    assert_int_equal(guest.count, 2);
    expect_access(1, true, DEVICE, 4, 0);
    assert_int_equal(guest.regs.r[GPR_RAX], 0);

    // CMP, TEST and BT only read.
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDI] = DEVICE;
    assert_int_equal(RUN(DEVICE, 0x83, 0x3f, 0x01), STATUS_OK);
    assert_int_equal(RUN(DEVICE, 0x85, 0x07), STATUS_OK);
    assert_int_equal(RUN(DEVICE, 0x0f, 0xba, 0x27, 0x01), STATUS_OK);
    assert_int_equal(guest.count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_false(guest.log[i].write);
}

// The page offset of the operand must be that of the fault.
static void test_address_must_match(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDI] = DEVICE;
    assert_int_equal(RUN(DEVICE + 4, 0x89, 0x07), ERR_INVALID);
    guest.regs.r[GPR_RDI] = DEVICE + 0xffe; // split between pages
    assert_int_equal(RUN(DEVICE + 0xffc, 0x89, 0x07), ERR_INVALID);
    assert_int_equal(RUN(DEVICE + 0x1004, 0x89, 0x07), ERR_INVALID);
    assert_int_equal(guest.count, 0);
    assert_int_equal(guest.context.rip, 0x8000);
    assert_int_equal(RUN(DEVICE + 0xffe, 0x66, 0x89, 0x07), STATUS_OK);

    // A segment's base counts: FS in 64-bit mode, any in 32-bit mode.
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDI] = 0x30;
    guest.segments[SEG_FS].base = DEVICE;
    guest.segments[SEG_DS].base = 0x123;
    assert_int_equal(RUN(DEVICE + 0x30, 0x64, 0x89, 0x07), STATUS_OK);
    guest.context.rip = 0x8000;
    assert_int_equal(RUN(DEVICE + 0x30, 0x89, 0x07), STATUS_OK); // DS has no base here
    fake_guest_reset(DECODE_32);
    guest.segments[SEG_DS].base = 0x123;
    guest.regs.r[GPR_RDI] = DEVICE - 0x123 + 8;
    assert_int_equal(RUN(DEVICE + 8, 0x89, 0x07), STATUS_OK);

    // Relative to RIP: of the next instruction.
    fake_guest_reset(DECODE_64);
    assert_int_equal(RUN(DEVICE + 0x16, 0xc7, 0x05, 0x0c, 0, 0, 0, 1, 0, 0, 0), STATUS_OK);
    expect_access(0, true, DEVICE + 0x16, 4, 1);

    // Base, index and scale.
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RBX] = DEVICE + 0x800;
    guest.regs.r[15] = (uint64_t)-0x10;
    assert_int_equal(RUN(DEVICE + 0x790, 0x42, 0x8b, 0x44, 0xbb, 0xd0), STATUS_OK);
}

// A bit number in a register reaches beyond the operand, in both directions.
static void test_bit_strings(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDI] = DEVICE + 0x100;
    guest.regs.r[GPR_RCX] = 32 * 5 + 3;
    assert_int_equal(RUN(DEVICE + 0x114, 0x0f, 0xab, 0x0f), STATUS_OK); // bts
    expect_access(1, true, DEVICE + 0x114, 4, 8);
    guest.regs.r[GPR_RCX] = 0xffffffff; // -1: the highest bit of the word before
    assert_int_equal(RUN(DEVICE + 0xfc, 0x0f, 0xab, 0x0f), STATUS_OK);
    expect_access(3, true, DEVICE + 0xfc, 4, 0x80000000);
    assert_int_equal(guest.context.rflags & RFLAGS_CF, 0);
    assert_int_equal(RUN(DEVICE + 0xfc, 0x0f, 0xb3, 0x0f), STATUS_OK); // btr
    assert_int_equal(guest.context.rflags & RFLAGS_CF, RFLAGS_CF);
    expect_access(5, true, DEVICE + 0xfc, 4, 0);
    assert_int_equal(RUN(DEVICE + 0x100, 0x0f, 0xa3, 0x0f), ERR_INVALID);
}

// The device refuses: nothing has changed.
static void test_device_refuses(void **state)
{
    struct guest_regs before;

    (void)state;
    for (unsigned writes = 0; writes < 2; writes++) {
        fake_guest_reset(DECODE_64);
        guest.regs.r[GPR_RDI] = DEVICE;
        guest.regs.r[GPR_RCX] = 7;
        guest.regs.r[GPR_RAX] = 9;
        before = guest.regs;
        if (writes)
            guest.write_status = ERR_DENIED;
        else
            guest.read_status = ERR_DENIED;
        assert_int_equal(RUN(DEVICE, 0x0f, 0xc1, 0x0f), ERR_DENIED); // xadd
        assert_int_equal(RUN(DEVICE, 0x87, 0x0f), ERR_DENIED);       // xchg
        assert_int_equal(RUN(DEVICE, 0x0f, 0xb1, 0x0f), ERR_DENIED); // cmpxchg
        assert_int_equal(RUN(DEVICE, 0x29, 0x0f), ERR_DENIED);       // sub
        assert_memory_equal(&guest.regs, &before, sizeof(before));
        assert_int_equal(guest.context.rflags, 2);
        assert_int_equal(guest.context.rip, 0x8000);
    }
}

static void test_not_memory(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    assert_int_equal(RUN(DEVICE, 0x89, 0xc8), ERR_UNSUPPORTED); // register to register
    assert_int_equal(RUN(DEVICE, 0x0f, 0xa2), ERR_UNSUPPORTED);
    assert_int_equal(RUN(DEVICE, 0x0f, 0x01, 0x38), ERR_UNSUPPORTED); // invlpg
    assert_int_equal(RUN(DEVICE, 0x6d), ERR_UNSUPPORTED);
}

static void test_rip_wraps(void **state)
{
    struct insn insn = {.length = 6};

    (void)state;
    fake_guest_reset(DECODE_32);
    guest.context.rip = 0xfffffffe;
    emulate_advance(&guest.context, &insn);
    assert_int_equal(guest.context.rip, 4);
    guest.context.mode = DECODE_64;
    guest.context.rip = 0xfffffffe;
    emulate_advance(&guest.context, &insn);
    assert_int_equal(guest.context.rip, 0x100000004);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_machine), cmocka_unit_test(test_device_accesses),
        cmocka_unit_test(test_address_must_match),  cmocka_unit_test(test_bit_strings),
        cmocka_unit_test(test_device_refuses),      cmocka_unit_test(test_not_memory),
        cmocka_unit_test(test_rip_wraps),
    };

    code_page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code_page == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
