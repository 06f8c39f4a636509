// SPDX-License-Identifier: Apache-2.0
// Operands on two pages, of which one or both are no RAM: each instruction must end as it does with
// its operand in one page, wherever the boundary is and whichever half is RAM.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/emulate/string_io.h"
#include "tests/unit/fake_device.h"
#include "tests/unit/fake_vectors.h"

#define EFER_LMA BIT(10)
#define PTE      0x7ull // present, writable, user
#define TABLE    0xc000u
#define PORT     0x1f0

// Linear pages; the device's page is where it is.
#define DEVICE_FIRST 0x10000u // the device, then RAM
#define RAM_FIRST    0x12000u // RAM, then the device
#define DEVICE_TWICE 0x14000u
#define RAM_TWICE    0x16000u
#define LOW_RAM      0x4000u
#define HIGH_RAM     0x5000u

static void map(unsigned linear, uint64_t first, uint64_t second)
{
    flat_set_u64(TABLE + linear / PAGE_SIZE * 8, first | PTE);
    flat_set_u64(TABLE + (linear / PAGE_SIZE + 1) * 8, second | PTE);
}

static void reset(void)
{
    fake_guest_reset(DECODE_64);
    flat_set_u64(0x9000, 0xa000 | PTE);
    flat_set_u64(0xa000, 0xb000 | PTE);
    flat_set_u64(0xb000, TABLE | PTE);
    for (uint64_t i = 0; i < 16; i++)
        flat_set_u64(TABLE + i * 8, i << 12 | PTE);
    map(DEVICE_FIRST, DEVICE, HIGH_RAM);
    map(RAM_FIRST, LOW_RAM, DEVICE);
    map(DEVICE_TWICE, DEVICE, DEVICE);
    map(RAM_TWICE, LOW_RAM, HIGH_RAM);
    guest.paging.cr0 = CR0_PG | BIT(16);
    guest.paging.cr3 = 0x9000;
    guest.paging.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE;
    guest.paging.efer = EFER_LMA;
    guest.regs.r[GPR_RAX] = 0x1122334455667788;
    guest.regs.r[GPR_RCX] = 0x8877665544332211;
    guest.regs.r[GPR_RDX] = PORT;
    guest.port_value = 0xa1b2c3d4;
}

static uint8_t *byte_at(uint64_t linear)
{
    uint64_t page = flat_u64(TABLE + linear / PAGE_SIZE * 8) & ~PAGE_MASK;
    return (page == DEVICE ? guest.device : flat.bytes + page) + (linear & PAGE_MASK);
}

struct row {
    uint8_t length, size; // of the operand at (%rdi) or (%rsi)
    uint8_t bytes[6];
};

static const struct row rows[] = {
    {3, 2, {0x66, 0x89, 0x07}},             // mov %ax, (%rdi)
    {2, 4, {0x89, 0x07}},                   // mov %eax, (%rdi)
    {3, 8, {0x48, 0x89, 0x07}},             // mov %rax, (%rdi)
    {2, 4, {0x8b, 0x07}},                   // mov (%rdi), %eax
    {3, 8, {0x48, 0x8b, 0x07}},             // mov (%rdi), %rax
    {3, 2, {0x0f, 0xb7, 0x07}},             // movzwl (%rdi), %eax
    {3, 4, {0x48, 0x63, 0x07}},             // movslq (%rdi), %rax
    {3, 4, {0x0f, 0xc3, 0x07}},             // movnti %eax, (%rdi)
    {3, 4, {0xf0, 0x01, 0x07}},             // lock add %eax, (%rdi)
    {3, 8, {0x48, 0x03, 0x07}},             // add (%rdi), %rax
    {2, 4, {0x39, 0x07}},                   // cmp %eax, (%rdi)
    {3, 8, {0x48, 0x87, 0x07}},             // xchg %rax, (%rdi)
    {4, 4, {0xf0, 0x0f, 0xc1, 0x07}},       // lock xadd %eax, (%rdi)
    {4, 4, {0xf0, 0x0f, 0xb1, 0x0f}},       // lock cmpxchg %ecx, (%rdi)
    {5, 8, {0xf0, 0x48, 0x0f, 0xb1, 0x0f}}, // lock cmpxchg %rcx, (%rdi)
    {5, 4, {0xf0, 0x0f, 0xba, 0x2f, 0x05}}, // lock bts $5, (%rdi)
    {2, 4, {0xff, 0x07}},                   // incl (%rdi)
    {2, 4, {0xf7, 0x1f}},                   // negl (%rdi)
    {2, 8, {0x48, 0xab}},                   // stosq
    {2, 2, {0x66, 0xad}},                   // lodsw
    {1, 4, {0xaf}},                         // scasl
};

// Runs it with its operand at a linear address; `reported` is where the processor says it was.
static enum status run(const struct row *r, uint64_t linear, uint64_t reported)
{
    reset();
    for (unsigned i = 0; i < 8; i++)
        *byte_at(linear + i) = (uint8_t)(0x88 - 0x11 * i + (i == 7 ? 1 : 0));
    guest.regs.r[GPR_RDI] = guest.regs.r[GPR_RSI] = linear;
    struct insn insn = fake_guest_code(r->bytes, r->length);
    assert_int_equal(insn.mem_size, r->size);
    return emulate_mmio(&guest.context, &insn, gpa(reported));
}

struct result {
    struct guest_regs regs;
    uint64_t rflags, rip;
    uint8_t memory[8];
};

static struct result result(uint64_t linear)
{
    struct result r = {guest.regs, guest.context.rflags, guest.context.rip, {0}};
    r.regs.r[GPR_RDI] -= linear;
    r.regs.r[GPR_RSI] -= linear;
    for (unsigned i = 0; i < 8; i++)
        r.memory[i] = *byte_at(linear + i);
    return r;
}

static void test_all(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
        const struct row *r = &rows[n];
        assert_int_equal(run(r, DEVICE_TWICE + 0x100, DEVICE + 0x100), STATUS_OK);
        struct result whole = result(DEVICE_TWICE + 0x100);
        for (unsigned k = 1; k < r->size; k++) { // bytes in the second page
            uint64_t linear = RAM_FIRST + PAGE_SIZE - r->size + k;
            assert_int_equal(run(r, linear, DEVICE), STATUS_OK);
            struct result split = result(linear);
            assert_memory_equal(&split, &whole, sizeof(whole));
            for (unsigned i = 0; i < guest.count; i++) { // only its own half was the device's
                assert_int_equal(guest.log[i].address, DEVICE);
                assert_int_equal(guest.log[i].size, k);
            }

            linear = DEVICE_FIRST + PAGE_SIZE - r->size + k;
            assert_int_equal(run(r, linear, DEVICE + PAGE_SIZE - r->size + k), STATUS_OK);
            split = result(linear);
            assert_memory_equal(&split, &whole, sizeof(whole));

            linear = DEVICE_TWICE + PAGE_SIZE - r->size + k; // both; either may be reported
            assert_int_equal(run(r, linear, DEVICE), STATUS_OK);
            split = result(linear);
            assert_memory_equal(&split, &whole, sizeof(whole));
        }
    }
}

// What is no such access, and what can't be: nothing is changed.
static void test_refused(void **state)
{
    (void)state;
    for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
        const struct row *r = &rows[n];
        uint64_t last = PAGE_SIZE - 1, at = 0;
        assert_int_equal(run(r, RAM_TWICE + last, HIGH_RAM), ERR_INVALID); // RAM is not refused
        assert_int_equal(run(r, RAM_FIRST + last, LOW_RAM + last), ERR_INVALID);
        assert_int_equal(run(r, RAM_FIRST + last, DEVICE + 1), ERR_INVALID);
        assert_int_equal(run(r, DEVICE_FIRST + last, DEVICE + at), ERR_INVALID);
        assert_int_equal(guest.count, 0);
        assert_int_equal(guest.context.rip, 0x8000);
    }
}

static void test_faults(void **state)
{
    (void)state;
    struct insn insn;
    const struct row *store = &rows[1];
    reset();
    // The page behind is not there: the processor would find that before it writes.
    flat_set_u64(TABLE + (DEVICE_FIRST / PAGE_SIZE + 1) * 8, 0);
    guest.regs.r[GPR_RDI] = DEVICE_FIRST + PAGE_SIZE - 1;
    insn = fake_guest_code(store->bytes, store->length);
    assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(DEVICE + PAGE_SIZE - 1)), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_PF);
    assert_int_equal(guest.context.exception.cr2, DEVICE_FIRST + PAGE_SIZE);
    assert_int_equal(guest.count, 0);
    // The device refuses its half: RAM is as it was.
    reset();
    guest.write_status = ERR_DENIED;
    guest.regs.r[GPR_RDI] = RAM_FIRST + PAGE_SIZE - 1;
    insn = fake_guest_code(store->bytes, store->length);
    assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(DEVICE)), ERR_DENIED);
    assert_int_equal(*byte_at(RAM_FIRST + PAGE_SIZE - 1), 0);
    guest.read_status = ERR_DENIED;
    insn = fake_guest_code(rows[3].bytes, rows[3].length);
    assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(DEVICE)), ERR_DENIED);
    assert_int_equal(guest.context.rip, 0x8000);
}

// MOVS and CMPS with both operands split.
static void test_two_operands(void **state)
{
    (void)state;
    static const uint8_t movsq[] = {0x48, 0xa5}, cmpsl[] = {0xa7};
    reset();
    guest.regs.r[GPR_RSI] = RAM_FIRST + PAGE_SIZE - 3;
    guest.regs.r[GPR_RDI] = DEVICE_FIRST + PAGE_SIZE - 5;
    for (unsigned i = 0; i < 8; i++)
        *byte_at(RAM_FIRST + PAGE_SIZE - 3 + i) = (uint8_t)(i + 1);
    struct insn insn = fake_guest_code(movsq, sizeof(movsq));
    assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(DEVICE)), STATUS_OK);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(*byte_at(DEVICE_FIRST + PAGE_SIZE - 5 + i), i + 1);
    guest.regs.r[GPR_RSI] -= 8;
    guest.regs.r[GPR_RDI] -= 8;
    guest.context.rip = 0x8000;
    insn = fake_guest_code(cmpsl, sizeof(cmpsl));
    assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(DEVICE)), STATUS_OK);
    assert_true(guest.context.rflags & RFLAGS_ZF);
}

// MOVDQU and VMOVDQU, at every cut.
static void test_wide(void **state)
{
    (void)state;
    static const struct row loads[] = {{4, 16, {0xf3, 0x0f, 0x6f, 0x07}}, // movdqu (%rdi), %xmm0
                                       {4, 32, {0xc5, 0xfe, 0x6f, 0x07}}};
    static const struct row stores[] = {{4, 16, {0xf3, 0x0f, 0x7f, 0x07}}, // movdqu %xmm0, (%rdi)
                                        {4, 32, {0xc5, 0xfe, 0x7f, 0x07}}};
    for (unsigned n = 0; n < 2; n++) {
        for (unsigned k = 1; k < loads[n].size; k++) { // bytes in the first page
            uint64_t ends = (k % 2 ? RAM_FIRST : DEVICE_FIRST) + PAGE_SIZE, at = ends - k;
            uint64_t reported = k % 2 ? DEVICE : DEVICE + PAGE_SIZE - k;
            fake_vectors = (struct fake_vectors){.wide_enabled = true};
            for (unsigned i = 0; i < 32; i++)
                fake_vectors.reg[0].byte[i] = (uint8_t)(i + 1);
            assert_int_equal(run(&stores[n], at, reported), STATUS_OK);
            for (unsigned i = 0; i < loads[n].size; i++)
                assert_int_equal(*byte_at(at + i), i + 1);
            fake_vectors.reg[0] = (struct vector_value){0};
            guest.context.rip = 0x8000;
            struct insn insn = fake_guest_code(loads[n].bytes, loads[n].length);
            assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(reported)), STATUS_OK);
            for (unsigned i = 0; i < 32; i++)
                assert_int_equal(fake_vectors.reg[0].byte[i], i < loads[n].size ? i + 1 : 0);
        }
    }
}

// INS and OUTS: to the device, and half of it.
static void test_string_io(void **state)
{
    (void)state;
    static const uint8_t insl[] = {0x6d}, outsl[] = {0x6f};
    static const uint32_t places[] = {DEVICE_TWICE + 0x80, DEVICE_FIRST + PAGE_SIZE - 1,
                                      RAM_FIRST + PAGE_SIZE - 1};
    for (unsigned n = 0; n < ARRAY_SIZE(places); n++) {
        reset();
        guest.regs.r[GPR_RDI] = guest.regs.r[GPR_RSI] = places[n];
        struct insn insn = fake_guest_code(insl, sizeof(insl));
        assert_int_equal(string_io(&guest.context, &insn), STATUS_OK);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(*byte_at(places[n] + i), 0xa1b2c3d4u >> 8 * i & 0xff);
        guest.context.rip = 0x8000;
        insn = fake_guest_code(outsl, sizeof(outsl));
        assert_int_equal(string_io(&guest.context, &insn), STATUS_OK);
        const struct fake_access *last = &guest.log[guest.count - 1];
        assert_true(last->write && last->address == PORT && last->value == 0xa1b2c3d4);
        // A device that does not answer.
        unsigned count = guest.count;
        guest.read_status = guest.write_status = ERR_RANGE;
        guest.context.rip = 0x8000;
        guest.regs.r[GPR_RSI] = places[n];
        insn = fake_guest_code(outsl, sizeof(outsl));
        assert_int_equal(string_io(&guest.context, &insn), ERR_RANGE);
        assert_int_equal(guest.count, count); // nothing went to the port
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_two_operands),
        cmocka_unit_test(test_wide),   cmocka_unit_test(test_string_io),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
