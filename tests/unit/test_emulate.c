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
#include "tests/unit/fake_vectors.h"

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

// A rotate or shift: by an immediate, by one and by CL.
#define SHIFT(NAME, N)                                                                             \
    WIDTHS(NAME " $1, (%rsi) ", 0xd0, AT_RSI(N)), WIDTHS(NAME " %cl, (%rsi) ", 0xd2, AT_RSI(N)),   \
        WIDTHS(NAME " $0, (%rsi) ", 0xc0, AT_RSI(N), 0),                                           \
        WIDTHS(NAME " $7, (%rsi) ", 0xc0, AT_RSI(N), 7),                                           \
        WIDTHS(NAME " $0x65, (%rsi) ", 0xc0, AT_RSI(N), 0x65)
#define CONDITION(N)                                                                               \
    I("set (%rsi) " #N, 0x0f, 0x90 + (N), AT_RSI(0)),                                              \
        WORDS_0F("cmov (%rsi), %rcx " #N " ", 0x40 + (N), RCX_AT_RSI)
// VEX of three bytes, of which the second source is %rdx; 4 and 8 bytes.
#define VEX_RDX(NAME, MAP, PP, OP, ...)                                                            \
    I(NAME "l", 0xc4, 0xe0 | (MAP), 0x68 | (PP), OP, __VA_ARGS__),                                 \
        I(NAME "q", 0xc4, 0xe0 | (MAP), 0xe8 | (PP), OP, __VA_ARGS__)

static const struct row rows[] = {
    SHIFT("rol", 0),
    SHIFT("ror", 1),
    SHIFT("rcl", 2),
    SHIFT("rcr", 3),
    SHIFT("shl", 4),
    SHIFT("shr", 5),
    SHIFT("sal", 6),
    SHIFT("sar", 7),
    CONDITION(0),
    CONDITION(1),
    CONDITION(2),
    CONDITION(3),
    CONDITION(4),
    CONDITION(5),
    CONDITION(6),
    CONDITION(7),
    CONDITION(8),
    CONDITION(9),
    CONDITION(10),
    CONDITION(11),
    CONDITION(12),
    CONDITION(13),
    CONDITION(14),
    CONDITION(15),
    WORDS_0F("shld $9, %rcx, (%rsi) ", 0xa4, RCX_AT_RSI, 9),
    WORDS_0F("shld %cl, %rdx, (%rsi) ", 0xa5, 0x16),
    WORDS_0F("shrd $35, %rcx, (%rsi) ", 0xac, RCX_AT_RSI, 35),
    WORDS_0F("shrd %cl, %rdx, (%rsi) ", 0xad, 0x16),
    WIDTHS("mul (%rsi) ", 0xf6, AT_RSI(4)),
    WIDTHS("imul (%rsi) ", 0xf6, AT_RSI(5)),
    WORDS_0F("imul (%rsi), %rcx ", 0xaf, RCX_AT_RSI),
    I("imul $-3, (%rsi), %ecx", 0x6b, RCX_AT_RSI, 0xfd),
    I("imul $-3, (%rsi), %rcx", 0x48, 0x6b, RCX_AT_RSI, 0xfd),
    I("imul $0x1234, (%rsi), %cx", 0x66, 0x69, RCX_AT_RSI, 0x34, 0x12),
    I("imul $0x12345678, (%rsi), %rcx", 0x48, 0x69, RCX_AT_RSI, 0x78, 0x56, 0x34, 0x12),
    WORDS_0F("bsf (%rsi), %rcx ", 0xbc, RCX_AT_RSI),
    WORDS_0F("bsr (%rsi), %rcx ", 0xbd, RCX_AT_RSI),
    I("popcnt (%rsi), %cx", 0x66, 0xf3, 0x0f, 0xb8, RCX_AT_RSI),
    I("popcnt (%rsi), %ecx", 0xf3, 0x0f, 0xb8, RCX_AT_RSI),
    I("popcnt (%rsi), %rcx", 0xf3, 0x48, 0x0f, 0xb8, RCX_AT_RSI),
    I("tzcnt (%rsi), %cx", 0x66, 0xf3, 0x0f, 0xbc, RCX_AT_RSI),
    I("tzcnt (%rsi), %ecx", 0xf3, 0x0f, 0xbc, RCX_AT_RSI),
    I("tzcnt (%rsi), %rcx", 0xf3, 0x48, 0x0f, 0xbc, RCX_AT_RSI),
    I("lzcnt (%rsi), %cx", 0x66, 0xf3, 0x0f, 0xbd, RCX_AT_RSI),
    I("lzcnt (%rsi), %ecx", 0xf3, 0x0f, 0xbd, RCX_AT_RSI),
    I("lzcnt (%rsi), %rcx", 0xf3, 0x48, 0x0f, 0xbd, RCX_AT_RSI),
    I("cmpxchg8b (%rsi)", 0x0f, 0xc7, AT_RSI(1)),
    I("crc32b (%rsi), %ecx", 0xf2, 0x0f, 0x38, 0xf0, RCX_AT_RSI),
    I("crc32b (%rsi), %rcx", 0xf2, 0x48, 0x0f, 0x38, 0xf0, RCX_AT_RSI),
    I("crc32w (%rsi), %ecx", 0x66, 0xf2, 0x0f, 0x38, 0xf1, RCX_AT_RSI),
    I("crc32l (%rsi), %ecx", 0xf2, 0x0f, 0x38, 0xf1, RCX_AT_RSI),
    I("crc32q (%rsi), %rcx", 0xf2, 0x48, 0x0f, 0x38, 0xf1, RCX_AT_RSI),
    I("adcx (%rsi), %ecx", 0x66, 0x0f, 0x38, 0xf6, RCX_AT_RSI),
    I("adcx (%rsi), %rcx", 0x66, 0x48, 0x0f, 0x38, 0xf6, RCX_AT_RSI),
    I("adox (%rsi), %ecx", 0xf3, 0x0f, 0x38, 0xf6, RCX_AT_RSI),
    I("adox (%rsi), %rcx", 0xf3, 0x48, 0x0f, 0x38, 0xf6, RCX_AT_RSI),
    VEX_RDX("andn (%rsi), %rdx, %rcx ", 2, 0, 0xf2, RCX_AT_RSI),
    VEX_RDX("blsr (%rsi), %rdx ", 2, 0, 0xf3, AT_RSI(1)),
    VEX_RDX("blsmsk (%rsi), %rdx ", 2, 0, 0xf3, AT_RSI(2)),
    VEX_RDX("blsi (%rsi), %rdx ", 2, 0, 0xf3, AT_RSI(3)),
    VEX_RDX("bzhi %rdx, (%rsi), %rcx ", 2, 0, 0xf5, RCX_AT_RSI),
    VEX_RDX("pext (%rsi), %rdx, %rcx ", 2, 2, 0xf5, RCX_AT_RSI),
    VEX_RDX("pdep (%rsi), %rdx, %rcx ", 2, 3, 0xf5, RCX_AT_RSI),
    VEX_RDX("mulx (%rsi), %rdx, %rcx ", 2, 3, 0xf6, RCX_AT_RSI),
    VEX_RDX("mulx (%rsi), %rdx, %rdx ", 2, 3, 0xf6, 0x16),
    VEX_RDX("bextr %rdx, (%rsi), %rcx ", 2, 0, 0xf7, RCX_AT_RSI),
    VEX_RDX("shlx %rdx, (%rsi), %rcx ", 2, 1, 0xf7, RCX_AT_RSI),
    VEX_RDX("sarx %rdx, (%rsi), %rcx ", 2, 2, 0xf7, RCX_AT_RSI),
    VEX_RDX("shrx %rdx, (%rsi), %rcx ", 2, 3, 0xf7, RCX_AT_RSI),
    I("rorx $9, (%rsi), %ecx", 0xc4, 0xe3, 0x7b, 0xf0, RCX_AT_RSI, 9),
    I("rorx $0x60, (%rsi), %ecx", 0xc4, 0xe3, 0x7b, 0xf0, RCX_AT_RSI, 0x60),
    I("rorx $0x33, (%rsi), %rcx", 0xc4, 0xe3, 0xfb, 0xf0, RCX_AT_RSI, 0x33),
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
    guest.regs.r[GPR_RBX] = m.rflags; // where the machine has them in the meantime
    guest.regs.r[GPR_RSI] = DEVICE + OFFSET;
    guest.context.rflags = m.rflags;
    fake_device_set(OFFSET - 8, 8, word[0]);
    fake_device_set(OFFSET, 8, word[1]);
    fake_device_set(OFFSET + 8, 8, word[2]);

    enum status status = emulate_mmio(&guest.context, &insn, gpa(DEVICE + OFFSET));
    if (status == ERR_UNSUPPORTED && insn.op >= INSN_MUL)
        return; // this machine has no such instruction
    run_on_machine(r->bytes, r->size, &m);
    assert_int_equal(status, STATUS_OK);
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

// ---- quotients ---------------------------------------------------------------------------------

struct quotient {
    bool is_signed;
    uint8_t size;
    uint64_t high, low, divisor;
    bool fits;
    uint64_t quotient, remainder;
};

static const struct quotient quotients[] = {
    {false, 1, 0, 0x1234, 0x13, true, 0xf5, 5},
    {false, 1, 0, 0x1234, 0x12, false, 0, 0},
    {false, 2, 1, 2, 0x10, true, 0x1000, 2},
    {false, 2, 1, 2, 1, false, 0, 0},
    {false, 4, 0, 0xffffffff, 0, false, 0, 0},
    {false, 4, 1, 0, 0x10, true, 0x10000000, 0},
    {false, 8, 1, 0, 2, true, 0x8000000000000000, 0},
    {false, 8, 2, 0, 2, false, 0, 0},
    {true, 1, 0, 0xff80, 1, true, 0x80, 0}, // -128
    {true, 1, 0, 0xff80, 0xff, false, 0, 0},
    {true, 1, 0, 0xfff9, 2, true, 0xfd, 0xff}, // -7 = -3 * 2 - 1
    {true, 2, 0xffff, 0x8000, 0xffff, false, 0, 0},
    {true, 4, 0xffffffff, 0x80000000, 1, true, 0x80000000, 0},
    {true, 4, 0xffffffff, 0x80000000, 0xffffffff, false, 0, 0},
    {true, 4, 0, 0x80000000, 0xffffffff, true, 0x80000000, 0},
    {true, 4, 0, 0x80000001, 0xffffffff, false, 0, 0},
    {true, 4, 0, 0x80000000, 1, false, 0, 0},
    {true, 4, 0xffffffff, 0x7fffffff, 1, false, 0, 0},
    {true, 8, 0x8000000000000000, 0, 1, false, 0, 0},
    {true, 8, ~0ull, (uint64_t)-100, 7, true, (uint64_t)-14, (uint64_t)-2},
    {true, 8, 0, 5, 0, false, 0, 0},
};

static void test_division(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(quotients); i++) {
        const struct quotient *q = &quotients[i];
        uint8_t code[3] = {q->size == 8   ? 0x48
                           : q->size == 2 ? 0x66
                                          : 0x40,
                           q->size == 1 ? 0xf6 : 0xf7, q->is_signed ? AT_RSI(7) : AT_RSI(6)};
        enum status status;

        fake_guest_reset(DECODE_64);
        guest.regs.r[GPR_RAX] = q->low;
        guest.regs.r[GPR_RDX] = q->high;
        guest.regs.r[GPR_RSI] = DEVICE + OFFSET;
        fake_device_set(OFFSET, 8, q->divisor);
        status = execute(code, sizeof(code), DEVICE + OFFSET);
        if (!q->fits) {
            assert_int_equal(status, ERR_FAULT);
            assert_int_equal(guest.context.exception.vector, 0);
            assert_int_equal(guest.regs.r[GPR_RAX], q->low);
            assert_int_equal(guest.regs.r[GPR_RDX], q->high);
            assert_int_equal(guest.context.rip, 0x8000);
            continue;
        }
        assert_int_equal(status, STATUS_OK);
        if (q->size == 1) {
            assert_int_equal(guest.regs.r[GPR_RAX], q->remainder << 8 | q->quotient);
        } else {
            assert_int_equal(guest.regs.r[GPR_RAX], q->quotient);
            assert_int_equal(guest.regs.r[GPR_RDX], q->remainder);
        }
    }
}

// ---- the stack ---------------------------------------------------------------------------------

static void test_push(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RSI] = DEVICE;
    guest.regs.r[GPR_RSP] = 0x9000;
    fake_device_set(0x10, 8, 0x1122334455667788);
    assert_int_equal(RUN(DEVICE + 0x10, 0xff, 0x76, 0x10), STATUS_OK);
    assert_int_equal(guest.regs.r[GPR_RSP], 0x8ff8);
    assert_int_equal(flat_u64(0x8ff8), 0x1122334455667788);
    expect_access(0, false, DEVICE + 0x10, 8, 0x1122334455667788);
    assert_int_equal(guest.count, 1);

    // The dword of a 32-bit kernel; the word of a 16-bit stack, whose pointer wraps.
    fake_guest_reset(DECODE_32);
    guest.regs.r[GPR_RSP] = 0x9000;
    fake_device_set(0x10, 4, 0x00170020);
    assert_int_equal(RUN(DEVICE + 0x10, 0xff, 0x35, 0x10, 0, 0xe0, 0xfe), STATUS_OK);
    assert_int_equal(guest.regs.r[GPR_RSP], 0x8ffc);
    assert_int_equal(flat_u32(0x8ffc), 0x00170020);
    fake_guest_reset(DECODE_32);
    guest.segments[SEG_SS] = (struct guest_segment){0x1000, 0xffff, 0x93};
    guest.regs.r[GPR_RSP] = 0x50000;
    fake_device_set(0x10, 2, 0x4321);
    assert_int_equal(RUN(DEVICE + 0x10, 0x66, 0xff, 0x35, 0x10, 0, 0xe0, 0xfe), ERR_RANGE);
    guest.regs.r[GPR_RSP] = 0x52000;
    assert_int_equal(RUN(DEVICE + 0x10, 0x66, 0xff, 0x35, 0x10, 0, 0xe0, 0xfe), STATUS_OK);
    assert_int_equal(guest.regs.r[GPR_RSP], 0x51ffe);
    assert_int_equal(flat_u32(0x2ffe) & 0xffff, 0x4321);
}

static void test_pop(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RSI] = DEVICE;
    guest.regs.r[GPR_RSP] = 0x9000;
    flat_set_u64(0x9000, 0x99aabbccddeeff00);
    assert_int_equal(RUN(DEVICE + 0x10, 0x8f, 0x46, 0x10), STATUS_OK);
    assert_int_equal(guest.regs.r[GPR_RSP], 0x9008);
    expect_access(0, true, DEVICE + 0x10, 8, 0x99aabbccddeeff00);

    // An address from RSP is that after the pop.
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RSP] = 0x9000;
    flat_set_u64(0x9000, 7);
    guest.regs.r[GPR_RAX] = DEVICE - 0x9000;
    assert_int_equal(RUN(DEVICE, 0x8f, 0x04, 0x04), ERR_INVALID);
    assert_int_equal(RUN(DEVICE + 8, 0x8f, 0x04, 0x04), STATUS_OK);
    expect_access(0, true, DEVICE + 8, 8, 7);
}

// What the stack refuses is found before the device is accessed.
static void test_stack_faults(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_32);
    guest.segments[SEG_SS].limit = 0x8fff;
    guest.regs.r[GPR_RSP] = 0x9002;
    assert_int_equal(RUN(DEVICE, 0xff, 0x35, 0, 0, 0xe0, 0xfe), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_SS);
    guest.segments[SEG_SS].limit = 0xffffffff;
    guest.regs.r[GPR_RSP] = DEVICE + 0x100; // a stack in a device page
    assert_int_equal(RUN(DEVICE, 0xff, 0x35, 0, 0, 0xe0, 0xfe), ERR_RANGE);
    assert_int_equal(guest.count, 0);
    assert_int_equal(guest.regs.r[GPR_RSP], DEVICE + 0x100);
    guest.regs.r[GPR_RSP] = 0x9000;
    guest.read_status = ERR_DENIED;
    guest.write_status = ERR_DENIED;
    assert_int_equal(RUN(DEVICE, 0xff, 0x35, 0, 0, 0xe0, 0xfe), ERR_DENIED);
    assert_int_equal(RUN(DEVICE, 0x8f, 0x05, 0, 0, 0xe0, 0xfe), ERR_DENIED);
    assert_int_equal(guest.regs.r[GPR_RSP], 0x9000);
    assert_int_equal(guest.context.rip, 0x8000);
}

// ---- vector registers --------------------------------------------------------------------------

// With %xmm0 as register and %xmm1 as second source; the operand at (%rsi).
static const struct row vector_rows[] = {
    I("movups (%rsi), %xmm0", 0x0f, 0x10, 0x06),
    I("movups %xmm0, (%rsi)", 0x0f, 0x11, 0x06),
    I("movupd (%rsi), %xmm0", 0x66, 0x0f, 0x10, 0x06),
    I("movaps (%rsi), %xmm0", 0x0f, 0x28, 0x06),
    I("movapd %xmm0, (%rsi)", 0x66, 0x0f, 0x29, 0x06),
    I("movdqa (%rsi), %xmm0", 0x66, 0x0f, 0x6f, 0x06),
    I("movdqu %xmm0, (%rsi)", 0xf3, 0x0f, 0x7f, 0x06),
    I("lddqu (%rsi), %xmm0", 0xf2, 0x0f, 0xf0, 0x06),
    I("movntdqa (%rsi), %xmm0", 0x66, 0x0f, 0x38, 0x2a, 0x06),
    I("movntps %xmm0, (%rsi)", 0x0f, 0x2b, 0x06),
    I("movntpd %xmm0, (%rsi)", 0x66, 0x0f, 0x2b, 0x06),
    I("movntdq %xmm0, (%rsi)", 0x66, 0x0f, 0xe7, 0x06),
    I("movsldup (%rsi), %xmm0", 0xf3, 0x0f, 0x12, 0x06),
    I("movshdup (%rsi), %xmm0", 0xf3, 0x0f, 0x16, 0x06),
    I("movddup (%rsi), %xmm0", 0xf2, 0x0f, 0x12, 0x06),
    I("movss (%rsi), %xmm0", 0xf3, 0x0f, 0x10, 0x06),
    I("movss %xmm0, (%rsi)", 0xf3, 0x0f, 0x11, 0x06),
    I("movsd (%rsi), %xmm0", 0xf2, 0x0f, 0x10, 0x06),
    I("movsd %xmm0, (%rsi)", 0xf2, 0x0f, 0x11, 0x06),
    I("movd (%rsi), %xmm0", 0x66, 0x0f, 0x6e, 0x06),
    I("movd %xmm0, (%rsi)", 0x66, 0x0f, 0x7e, 0x06),
    I("movq (%rsi), %xmm0", 0x66, 0x48, 0x0f, 0x6e, 0x06),
    I("movq %xmm0, (%rsi)", 0x66, 0x48, 0x0f, 0x7e, 0x06),
    I("movq (%rsi), %xmm0 F3", 0xf3, 0x0f, 0x7e, 0x06),
    I("movq %xmm0, (%rsi) D6", 0x66, 0x0f, 0xd6, 0x06),
    I("movlps (%rsi), %xmm0", 0x0f, 0x12, 0x06),
    I("movlpd %xmm0, (%rsi)", 0x66, 0x0f, 0x13, 0x06),
    I("movhps (%rsi), %xmm0", 0x0f, 0x16, 0x06),
    I("movhpd %xmm0, (%rsi)", 0x66, 0x0f, 0x17, 0x06),
    I("cvtsi2ss (%rsi), %xmm0", 0xf3, 0x0f, 0x2a, 0x06),
    I("cvtsi2ssq (%rsi), %xmm0", 0xf3, 0x48, 0x0f, 0x2a, 0x06),
    I("cvtsi2sd (%rsi), %xmm0", 0xf2, 0x0f, 0x2a, 0x06),
    I("cvtsi2sdq (%rsi), %xmm0", 0xf2, 0x48, 0x0f, 0x2a, 0x06),
    I("pinsrb $5, (%rsi), %xmm0", 0x66, 0x0f, 0x3a, 0x20, 0x06, 0x25),
    I("pinsrw $3, (%rsi), %xmm0", 0x66, 0x0f, 0xc4, 0x06, 0x0b),
    I("pinsrd $2, (%rsi), %xmm0", 0x66, 0x0f, 0x3a, 0x22, 0x06, 0xf2),
    I("pinsrq $1, (%rsi), %xmm0", 0x66, 0x48, 0x0f, 0x3a, 0x22, 0x06, 1),
    I("insertps $0x25, (%rsi), %xmm0", 0x66, 0x0f, 0x3a, 0x21, 0x06, 0x25),
    I("insertps $0xb0, (%rsi), %xmm0", 0x66, 0x0f, 0x3a, 0x21, 0x06, 0xb0),
    I("pextrb $13, %xmm0, (%rsi)", 0x66, 0x0f, 0x3a, 0x14, 0x06, 0x1d),
    I("pextrw $7, %xmm0, (%rsi)", 0x66, 0x0f, 0x3a, 0x15, 0x06, 7),
    I("pextrd $3, %xmm0, (%rsi)", 0x66, 0x0f, 0x3a, 0x16, 0x06, 3),
    I("pextrq $1, %xmm0, (%rsi)", 0x66, 0x48, 0x0f, 0x3a, 0x16, 0x06, 1),
    I("extractps $2, %xmm0, (%rsi)", 0x66, 0x0f, 0x3a, 0x17, 0x06, 2),
    // AVX: the rest of the register becomes 0.
    I("vmovups (%rsi), %xmm0", 0xc5, 0xf8, 0x10, 0x06),
    I("vmovups (%rsi), %ymm0", 0xc5, 0xfc, 0x10, 0x06),
    I("vmovdqu %ymm0, (%rsi)", 0xc5, 0xfe, 0x7f, 0x06),
    I("vmovss (%rsi), %xmm0", 0xc5, 0xfa, 0x10, 0x06),
    I("vmovsd (%rsi), %xmm0, L", 0xc5, 0xff, 0x10, 0x06),
    I("vmovd (%rsi), %xmm0", 0xc5, 0xf9, 0x6e, 0x06),
    I("vmovq (%rsi), %xmm0", 0xc4, 0xe1, 0xf9, 0x6e, 0x06),
    I("vmovlps (%rsi), %xmm1, %xmm0", 0xc5, 0xf0, 0x12, 0x06),
    I("vmovhps (%rsi), %xmm1, %xmm0", 0xc5, 0xf0, 0x16, 0x06),
    I("vmovddup (%rsi), %ymm0", 0xc5, 0xff, 0x12, 0x06),
    I("vmovsldup (%rsi), %ymm0", 0xc5, 0xfe, 0x12, 0x06),
    I("vcvtsi2sd (%rsi), %xmm1, %xmm0", 0xc5, 0xf3, 0x2a, 0x06),
    I("vcvtsi2ss (%rsi), %xmm1, %xmm0, L", 0xc5, 0xf6, 0x2a, 0x06),
    I("vpinsrd $1, (%rsi), %xmm1, %xmm0", 0xc4, 0xe3, 0x71, 0x22, 0x06, 1),
    I("vinsertps $0x18, (%rsi), %xmm1, %xmm0", 0xc4, 0xe3, 0x71, 0x21, 0x06, 0x18),
    I("vbroadcastss (%rsi), %xmm0", 0xc4, 0xe2, 0x79, 0x18, 0x06),
    I("vbroadcastsd (%rsi), %ymm0", 0xc4, 0xe2, 0x7d, 0x19, 0x06),
    I("vbroadcastf128 (%rsi), %ymm0", 0xc4, 0xe2, 0x7d, 0x1a, 0x06),
    I("vpbroadcastb (%rsi), %ymm0", 0xc4, 0xe2, 0x7d, 0x78, 0x06),
    I("vpbroadcastw (%rsi), %xmm0", 0xc4, 0xe2, 0x79, 0x79, 0x06),
    I("vpbroadcastd (%rsi), %ymm0", 0xc4, 0xe2, 0x7d, 0x58, 0x06),
    I("vinsertf128 $1, (%rsi), %ymm1, %ymm0", 0xc4, 0xe3, 0x75, 0x18, 0x06, 1),
    I("vinserti128 $2, (%rsi), %ymm1, %ymm0", 0xc4, 0xe3, 0x75, 0x38, 0x06, 2),
    I("vextractf128 $1, %ymm0, (%rsi)", 0xc4, 0xe3, 0x7d, 0x19, 0x06, 1),
};

// Loads %ymm0 and %ymm1, executes, stores %ymm0.
__attribute__((target("avx"))) static void run_wide(const struct row *r, uint8_t *memory,
                                                    struct vector_value reg[2])
{
    memcpy(code_page, r->bytes, r->size);
    code_page[r->size] = 0xc3;
    __asm__ volatile("vmovups (%[reg]), %%ymm0\n\t"
                     "vmovups 32(%[reg]), %%ymm1\n\t"
                     "lea -128(%%rsp), %%rsp\n\t"
                     "call *%[code]\n\t"
                     "lea 128(%%rsp), %%rsp\n\t"
                     "vmovups %%ymm0, (%[reg])\n\t"
                     "vzeroupper"
                     :
                     : [reg] "r"(reg), [code] "r"(code_page), "S"(memory)
                     : "memory", "xmm0", "xmm1");
}

static void prepare_vectors(void)
{
    fake_guest_reset(DECODE_64);
    guest.paging.cr0 = CR0_PE;
    guest.paging.cr4 = CR4_OSFXSR | CR4_OSXSAVE | CR4_OSXMMEXCPT;
    guest.regs.r[GPR_RSI] = DEVICE + 0x100;
    fake_vectors = (struct fake_vectors){.wide_enabled = true};
    for (unsigned i = 0; i < 32; i++) {
        fake_vectors.reg[0].byte[i] = (uint8_t)(0x30 + i);
        fake_vectors.reg[1].byte[i] = (uint8_t)(0x91 + i);
        fake_device_set(0x100 + i, 1, 0xf1u - 5 * i);
    }
}

static void test_vectors_against_the_machine(void **state)
{
    static uint8_t memory[64] __attribute__((aligned(32)));
    unsigned compared = 0;

    (void)state;
    if (!__builtin_cpu_supports("avx2"))
        skip();
    for (unsigned i = 0; i < ARRAY_SIZE(vector_rows); i++) {
        const struct row *r = &vector_rows[i];
        struct vector_value reg[2];

        prepare_vectors();
        memcpy(reg, fake_vectors.reg, sizeof(reg));
        memcpy(memory, guest.device + 0x100, 32);
        run_wide(r, memory, reg);
        if (execute(r->bytes, r->size, DEVICE + 0x100) != STATUS_OK)
            fail_msg("%s is refused", r->name);
        if (memcmp(&fake_vectors.reg[0], &reg[0], 32) != 0)
            fail_msg("%s: another register", r->name);
        if (memcmp(guest.device + 0x100, memory, 32) != 0)
            fail_msg("%s: other memory", r->name);
        compared++;
    }
    assert_int_equal(compared, ARRAY_SIZE(vector_rows));
}

// The other registers, and access by parts of 8 bytes.
static void test_vector_numbers(void **state)
{
    (void)state;
    prepare_vectors();
    fake_vectors.reg[9] = fake_vectors.reg[1];
    assert_int_equal(RUN(DEVICE + 0x100, 0x44, 0x0f, 0x11, 0x0e), STATUS_OK); // movups %xmm9
    assert_int_equal(guest.count, 2);
    expect_access(0, true, DEVICE + 0x100, 8, 0x9897969594939291);
    expect_access(1, true, DEVICE + 0x108, 8, 0xa09f9e9d9c9b9a99);
    assert_int_equal(RUN(DEVICE + 0x100, 0xc5, 0x78, 0x10, 0x3e), STATUS_OK); // vmovups %xmm15
    assert_memory_equal(&fake_vectors.reg[15], &fake_vectors.reg[9], 16);
    assert_int_equal(fake_vectors.reg[15].byte[16], 0);
}

// The processor has looked, but the code may have changed since.
static void test_vectors_refused(void **state)
{
    static const uint8_t sse[] = {0x0f, 0x10, 0x06}, avx[] = {0xc5, 0xf8, 0x10, 0x06};
    static const struct {
        const uint8_t *code;
        uint64_t cr0_set, cr4_clear;
        bool narrow, real;
        uint8_t vector;
    } cases[] = {
        {sse, CR0_TS, 0, false, false, EXCEPTION_NM},
        {sse, CR0_EM, 0, false, false, EXCEPTION_UD},
        {sse, 0, CR4_OSFXSR, false, false, EXCEPTION_UD},
        {avx, CR0_TS, 0, false, false, EXCEPTION_NM},
        {avx, 0, CR4_OSXSAVE, false, false, EXCEPTION_UD},
        {avx, 0, 0, true, false, EXCEPTION_UD},
        {avx, 0, 0, false, true, EXCEPTION_UD},
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        prepare_vectors();
        guest.paging.cr0 |= cases[i].cr0_set;
        guest.paging.cr4 &= ~cases[i].cr4_clear;
        fake_vectors.wide_enabled = !cases[i].narrow;
        guest.context.real_mode = cases[i].real;
        assert_int_equal(execute(cases[i].code, cases[i].code == sse ? 3 : 4, DEVICE + 0x100),
                         ERR_FAULT);
        assert_int_equal(guest.context.exception.vector, cases[i].vector);
        assert_int_equal(guest.count, 0);
        assert_int_equal(guest.context.rip, 0x8000);
    }
    // SSE needs no XCR0.
    prepare_vectors();
    fake_vectors.wide_enabled = false;
    assert_int_equal(execute(sse, sizeof(sse), DEVICE + 0x100), STATUS_OK);

    // A conversion that is not exact where the guest wants to know.
    for (unsigned i = 0; i < 2; i++) {
        prepare_vectors();
        fake_vectors.refuse = true;
        guest.paging.cr4 &= i ? ~(uint64_t)CR4_OSXMMEXCPT : ~0ull;
        struct vector_value before = fake_vectors.reg[0];
        assert_int_equal(RUN(DEVICE + 0x100, 0xf3, 0x0f, 0x2a, 0x06), ERR_FAULT);
        assert_int_equal(guest.context.exception.vector, i ? EXCEPTION_UD : EXCEPTION_XM);
        assert_memory_equal(&before, &fake_vectors.reg[0], sizeof(before));
    }
    // The device refuses.
    prepare_vectors();
    guest.read_status = ERR_DENIED;
    guest.write_status = ERR_DENIED;
    assert_int_equal(execute(sse, sizeof(sse), DEVICE + 0x100), ERR_DENIED);
    assert_int_equal(RUN(DEVICE + 0x100, 0x0f, 0x11, 0x06), ERR_DENIED);
}

// CMPXCHG16B, equal and not; and the 8 bytes of a 32-bit guest.
static void test_cmpxchg16b(void **state)
{
    (void)state;
    for (unsigned equal = 0; equal < 2; equal++) {
        fake_guest_reset(DECODE_64);
        guest.regs.r[GPR_RSI] = DEVICE;
        guest.regs.r[GPR_RAX] = 0x1111;
        guest.regs.r[GPR_RDX] = 0x2222;
        guest.regs.r[GPR_RBX] = 0x3333;
        guest.regs.r[GPR_RCX] = 0x4444;
        guest.context.rflags = 2 | (equal ? 0 : RFLAGS_ZF) | RFLAGS_CF;
        fake_device_set(0, 8, 0x1111);
        fake_device_set(8, 8, equal ? 0x2222 : 0x2223);
        assert_int_equal(RUN(DEVICE, 0xf0, 0x48, 0x0f, 0xc7, 0x0e), STATUS_OK);
        assert_int_equal(guest.count, 4);
        assert_int_equal(fake_device_get(0, 8), equal ? 0x3333 : 0x1111);
        assert_int_equal(fake_device_get(8, 8), equal ? 0x4444 : 0x2223);
        assert_int_equal(guest.regs.r[GPR_RAX], 0x1111);
        assert_int_equal(guest.regs.r[GPR_RDX], equal ? 0x2222 : 0x2223);
        assert_int_equal(guest.context.rflags, 2 | (equal ? RFLAGS_ZF : 0) | RFLAGS_CF);
    }
}

// Each of the rare ones leaves all as it was when the device refuses.
static void test_rare_refused(void **state)
{
    static const struct row refused[] = {
        I("mul", 0xf7, 0x26),
        I("shl", 0xd1, 0x26),
        I("cmov", 0x0f, 0x44, 0x0e),
        I("set", 0x0f, 0x94, 0x06),
        I("imul", 0x0f, 0xaf, 0x0e),
        I("cmpxchg8b", 0x0f, 0xc7, 0x0e),
        I("rorx", 0xc4, 0xe3, 0x7b, 0xf0, 0x0e, 9),
    };

    (void)state;
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(refused); i++) {
        const struct row *r = &refused[i / 2];
        struct guest_regs before;
        bool writes =
            strcmp(r->name, "shl") == 0 || r->name[0] == 's' || strcmp(r->name, "cmpxchg8b") == 0;

        fake_guest_reset(DECODE_64);
        guest.regs.r[GPR_RSI] = DEVICE;
        guest.regs.r[GPR_RAX] = 3;
        fake_device_set(0, 8, 0x123456789);
        before = guest.regs;
        if (i & 1 && writes)
            guest.write_status = ERR_DENIED;
        else
            guest.read_status = strcmp(r->name, "set") == 0 ? STATUS_OK : ERR_DENIED;
        if (!(i & 1) && strcmp(r->name, "set") == 0)
            continue;
        assert_int_equal(execute(r->bytes, r->size, DEVICE), ERR_DENIED);
        assert_memory_equal(&before, &guest.regs, sizeof(before));
        assert_int_equal(guest.context.rflags, 2);
        assert_int_equal(guest.context.rip, 0x8000);
    }
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
        cmocka_unit_test(test_against_the_machine),
        cmocka_unit_test(test_device_accesses),
        cmocka_unit_test(test_address_must_match),
        cmocka_unit_test(test_bit_strings),
        cmocka_unit_test(test_device_refuses),
        cmocka_unit_test(test_not_memory),
        cmocka_unit_test(test_rip_wraps),
        cmocka_unit_test(test_division),
        cmocka_unit_test(test_push),
        cmocka_unit_test(test_pop),
        cmocka_unit_test(test_stack_faults),
        cmocka_unit_test(test_vectors_against_the_machine),
        cmocka_unit_test(test_vector_numbers),
        cmocka_unit_test(test_vectors_refused),
        cmocka_unit_test(test_cmpxchg16b),
        cmocka_unit_test(test_rare_refused),
    };

    code_page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code_page == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
