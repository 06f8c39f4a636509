// SPDX-License-Identifier: Apache-2.0
// String instructions in the emulator: INS and OUTS with ports, MOVS and its kin with a device
// page. Repeat counts, direction, address sizes, segments, page crossings, faults in the middle.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/emulate/string_io.h"
#include "tests/unit/fake_device.h"

#define PORT   0x1f0
#define BUFFER 0x3000u

static enum status io(const uint8_t *bytes, size_t size)
{
    struct insn insn = fake_guest_code(bytes, size);

    return string_io(&guest.context, &insn);
}

static enum status mmio(const uint8_t *bytes, size_t size, uint64_t address)
{
    struct insn insn = fake_guest_code(bytes, size);

    return emulate_mmio(&guest.context, &insn, gpa(address));
}

#define BYTES(...)         (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define IO(...)            io(BYTES(__VA_ARGS__))
#define MMIO(ADDRESS, ...) mmio(BYTES(__VA_ARGS__), ADDRESS)

#define EFER_LMA BIT(10)
#define PTE      0x7ull // present, writable, user
#define TABLE    0xc000u

// 64-bit paging: linear 0 to 2 MiB through one page table, identical but where a test changes it.
static void turn_paging_on(void)
{
    flat_set_u64(0x9000, 0xa000 | PTE);
    flat_set_u64(0xa000, 0xb000 | PTE);
    flat_set_u64(0xb000, TABLE | PTE);
    for (uint64_t i = 0; i < 16; i++)
        flat_set_u64(TABLE + i * 8, i << 12 | PTE);
    flat_set_u64(TABLE + 16 * 8, DEVICE | PTE); // linear 0x10000
    guest.paging.cr0 = CR0_PG;
    guest.paging.cr3 = 0x9000;
    guest.paging.cr4 = CR4_PAE;
    guest.paging.efer = EFER_LMA;
}

static void test_single(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDX] = PORT;
    guest.regs.r[GPR_RSI] = BUFFER;
    guest.regs.r[GPR_RCX] = 77;
    flat_set_u32(BUFFER, 0x44332211);
    assert_int_equal(IO(0x6f), STATUS_OK); // outsl
    assert_int_equal(guest.count, 1);
    assert_true(guest.log[0].write);
    assert_int_equal(guest.log[0].address, PORT);
    assert_int_equal(guest.log[0].size, 4);
    assert_int_equal(guest.log[0].value, 0x44332211);
    assert_int_equal(guest.regs.r[GPR_RSI], BUFFER + 4);
    assert_int_equal(guest.regs.r[GPR_RCX], 77); // no REP
    assert_int_equal(guest.context.rip, 0x8001);

    guest.regs.r[GPR_RDI] = BUFFER;
    guest.port_value = 0xaabbccdd;
    guest.context.rflags |= RFLAGS_DF;
    assert_int_equal(IO(0x66, 0x6d), STATUS_OK); // insw, downwards
    assert_int_equal(flat_u32(BUFFER), 0x4433ccdd);
    assert_int_equal(guest.regs.r[GPR_RDI], BUFFER - 2);
    assert_int_equal(guest.context.rip, 0x8003);
}

static void test_rep(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_32);
    guest.regs.r[GPR_RDX] = 0xabcd0000 | PORT; // a port has 16 bits
    guest.regs.r[GPR_RDI] = BUFFER;
    guest.regs.r[GPR_RCX] = 5;
    guest.port_value = 0x10;
    assert_int_equal(IO(0xf3, 0x6c), STATUS_OK);
    assert_int_equal(guest.count, 5);
    assert_int_equal(guest.log[4].address, PORT);
    assert_memory_equal(flat.bytes + BUFFER, "\x10\x11\x12\x13\x14\0", 6);
    assert_int_equal(guest.regs.r[GPR_RCX], 0);
    assert_int_equal(guest.regs.r[GPR_RDI], BUFFER + 5);
    assert_int_equal(guest.context.rip, 0x8002);

    // Nothing to do.
    guest.count = 0;
    assert_int_equal(IO(0xf3, 0x6c), STATUS_OK);
    assert_int_equal(guest.count, 0);
    assert_int_equal(guest.context.rip, 0x8004);
}

// With many elements the guest comes back for the rest.
static void test_long_rep(void **state)
{
    unsigned calls = 0;
    uint64_t rip;

    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDX] = PORT;
    guest.regs.r[GPR_RSI] = 0x1000;
    guest.regs.r[GPR_RCX] = 1000;
    do {
        rip = guest.context.rip;
        assert_int_equal(IO(0xf3, 0x6e), STATUS_OK);
        calls++;
        assert_int_equal(guest.regs.r[GPR_RSI] + guest.regs.r[GPR_RCX], 0x1000 + 1000);
    } while (guest.context.rip == rip);
    assert_true(calls > 1);
    assert_int_equal(guest.regs.r[GPR_RCX], 0);
    assert_int_equal(guest.count, 1000);
    assert_int_equal(guest.context.rip, 0x8002);
}

// Registers are used and changed at the address size.
static void test_address_sizes(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RDX] = PORT;
    guest.regs.r[GPR_RDI] = 0xffffffff00000000 | BUFFER;
    guest.regs.r[GPR_RCX] = 0xffffffff00000002;
    assert_int_equal(IO(0xf3, 0x67, 0x6c), STATUS_OK);
    assert_int_equal(guest.count, 2);
    assert_int_equal(guest.regs.r[GPR_RDI], BUFFER + 2);
    assert_int_equal(guest.regs.r[GPR_RCX], 0);

    fake_guest_reset(DECODE_16);
    guest.context.real_mode = true;
    for (unsigned s = 0; s < SEG_COUNT; s++)
        guest.segments[s] = (struct guest_segment){.base = 0, .limit = 0xffff, .attributes = 0};
    guest.regs.r[GPR_RDX] = PORT;
    guest.regs.r[GPR_RSI] = 0x1230ffff;
    guest.regs.r[GPR_RCX] = 0x99990002;
    flat.bytes[0xffff] = 0x61;
    flat.bytes[0] = 0x62;
    assert_int_equal(IO(0xf3, 0x6e), STATUS_OK);
    assert_int_equal(guest.log[0].value, 0x61);
    assert_int_equal(guest.log[1].value, 0x62); // wrapped
    assert_int_equal(guest.regs.r[GPR_RSI], 0x12300001);
    assert_int_equal(guest.regs.r[GPR_RCX], 0x99990000);

    // A word at the end of the segment does not wrap: it exceeds the limit.
    guest.regs.r[GPR_RSI] = 0xffff;
    assert_int_equal(IO(0x6f), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_GP);
}

static void test_segments(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_32);
    guest.regs.r[GPR_RDX] = PORT;
    guest.segments[SEG_ES] = (struct guest_segment){.base = 0x100, .limit = 7, .attributes = 0xc93};
    guest.segments[SEG_GS] = (struct guest_segment){.base = 0x200, .limit = 7, .attributes = 0xc91};
    guest.regs.r[GPR_RDI] = 4;
    guest.regs.r[GPR_RSI] = 4;
    guest.port_value = 0x5a5a5a5a;
    flat_set_u32(0x204, 0x12345678);
    assert_int_equal(IO(0x65, 0x6f), STATUS_OK); // outsl %gs:
    assert_int_equal(guest.log[0].value, 0x12345678);
    assert_int_equal(IO(0x65, 0x6d), STATUS_OK); // insl: always ES
    assert_int_equal(flat_u32(0x104), 0x5a5a5a5a);

    // Beyond the limit, and a segment that is not writable, not readable, or not there.
    guest.count = 0;
    assert_int_equal(IO(0x6d), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_GP);
    assert_int_equal(guest.context.exception.error_code, 0);
    guest.regs.r[GPR_RDI] = 0;
    guest.regs.r[GPR_RSI] = 0;
    guest.segments[SEG_ES].attributes = 0xc91;
    assert_int_equal(IO(0x6d), ERR_FAULT);
    guest.segments[SEG_CS].attributes = 0xc99;
    assert_int_equal(IO(0x2e, 0x6f), ERR_FAULT);
    guest.segments[SEG_CS].attributes = 0xc9b;
    assert_int_equal(IO(0x2e, 0x6f), STATUS_OK);
    guest.segments[SEG_DS].attributes = 0;
    assert_int_equal(IO(0x6f), ERR_FAULT);
    guest.segments[SEG_SS].attributes = 0;
    assert_int_equal(IO(0x36, 0x6f), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_SS);
    assert_int_equal(guest.count, 1);

    // Expand-down: what is above the limit.
    guest.regs.r[GPR_RSI] = 0x1000;
    guest.segments[SEG_DS] = (struct guest_segment){.base = 0, .limit = 0xfff, .attributes = 0xc97};
    assert_int_equal(IO(0x6f), STATUS_OK);
    guest.regs.r[GPR_RSI] = 0xfff;
    assert_int_equal(IO(0x6f), ERR_FAULT);
    guest.segments[SEG_DS].attributes = 0x97; // 16 bit: up to 0xffff
    guest.regs.r[GPR_RSI] = 0xfffd;
    assert_int_equal(IO(0x6f), ERR_FAULT);
    guest.regs.r[GPR_RSI] = 0xfffc;
    assert_int_equal(IO(0x6f), STATUS_OK);
}

static void test_not_canonical(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RSI] = 0x7ffffffffffe;
    assert_int_equal(IO(0x6f), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_GP);
    guest.segments[SEG_FS].base = 0xffff800000000000; // the base counts, the limit does not
    guest.segments[SEG_FS].limit = 0;
    guest.regs.r[GPR_RSI] = (uint64_t)-8;
    assert_int_equal(IO(0x64, 0x6f), ERR_FAULT);
    guest.segments[SEG_FS].base = BUFFER + 8;
    assert_int_equal(IO(0x64, 0x6f), STATUS_OK);
}

// A page fault in the middle: what is complete stays, what faults has not touched the port.
static void test_page_fault(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    turn_paging_on();
    guest.regs.r[GPR_RDX] = PORT;
    guest.regs.r[GPR_RDI] = 0x4000 - 6;
    guest.regs.r[GPR_RCX] = 4;
    guest.port_value = 0x11111111;
    flat_set_u64(TABLE + 4 * 8, 0x4000 | BIT(0)); // not writable; supervisors obey with WP
    guest.paging.cr0 |= BIT(16);
    assert_int_equal(IO(0xf3, 0x6d), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_PF);
    assert_int_equal(guest.context.exception.cr2, 0x4000);
    assert_int_equal(guest.context.exception.error_code, PF_PRESENT | PF_WRITE);
    assert_int_equal(guest.count, 1);
    assert_int_equal(guest.regs.r[GPR_RCX], 3);
    assert_int_equal(guest.regs.r[GPR_RDI], 0x4000 - 2);
    assert_int_equal(guest.context.rip, 0x8000);
    assert_int_equal(flat_u32(0x3ffe) & 0xffff, 0); // the half before was not written

    // The guest mends it, and the instruction goes on.
    flat_set_u64(TABLE + 4 * 8, 0x5000 | PTE);
    assert_int_equal(IO(0xf3, 0x6d), STATUS_OK);
    assert_int_equal(guest.count, 4);
    assert_int_equal(flat_u32(0x3ffe) & 0xffff, 0x1112);
    assert_int_equal(flat_u32(0x5000) & 0xffff, 0x1111);
    assert_int_equal(guest.context.rip, 0x8002);

    // A buffer in a device page is written there.
    guest.count = 0;
    guest.regs.r[GPR_RDI] = 0x10000;
    assert_int_equal(IO(0x6d), STATUS_OK);
    assert_int_equal(guest.count, 2);
    assert_int_equal(guest.log[1].address, DEVICE);
}

static void test_other_instructions(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    assert_int_equal(IO(0xec), ERR_UNSUPPORTED);
    assert_int_equal(IO(0xa4), ERR_UNSUPPORTED);
    assert_int_equal(guest.context.rip, 0x8000);
}

static void test_stos_lods_scas(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    guest.regs.r[GPR_RAX] = 0xaabbccdd;
    guest.regs.r[GPR_RDI] = DEVICE + 0x10;
    guest.regs.r[GPR_RCX] = 2;
    assert_int_equal(MMIO(DEVICE + 0x10, 0xf3, 0xab), STATUS_OK);
    assert_int_equal(guest.context.rip, 0x8000); // one iteration a call
    assert_int_equal(guest.regs.r[GPR_RCX], 1);
    assert_int_equal(MMIO(DEVICE + 0x14, 0xf3, 0xab), STATUS_OK);
    assert_int_equal(guest.context.rip, 0x8002);
    assert_int_equal(fake_device_get(0x10, 8), 0xaabbccddaabbccdd);
    assert_int_equal(MMIO(DEVICE + 0x18, 0xf3, 0xab), ERR_INVALID); // the count is 0

    guest.regs.r[GPR_RSI] = DEVICE + 0x12;
    guest.context.rflags |= RFLAGS_DF;
    assert_int_equal(MMIO(DEVICE + 0x12, 0x66, 0xad), STATUS_OK);
    assert_int_equal(guest.regs.r[GPR_RAX], 0xaabbaabb);
    assert_int_equal(guest.regs.r[GPR_RSI], DEVICE + 0x10);
    assert_int_equal(MMIO(DEVICE + 0x12, 0x66, 0xad), ERR_INVALID); // not there any more

    // REPNE SCAS stops at the first equal byte, REPE at the first other one.
    fake_guest_reset(DECODE_64);
    fake_device_set(0, 4, 0x00420000);
    guest.regs.r[GPR_RAX] = 0x42;
    guest.regs.r[GPR_RDI] = DEVICE;
    guest.regs.r[GPR_RCX] = 9;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(guest.context.rip, 0x8000);
        assert_int_equal(MMIO(DEVICE + i, 0xf2, 0xae), STATUS_OK);
    }
    assert_int_equal(guest.context.rip, 0x8002);
    assert_int_equal(guest.regs.r[GPR_RCX], 6);
    assert_int_equal(guest.context.rflags & RFLAGS_ZF, RFLAGS_ZF);
    assert_int_equal(MMIO(DEVICE + 3, 0xf3, 0xae), STATUS_OK);
    assert_int_equal(guest.context.rip, 0x8004);
    assert_int_equal(guest.context.rflags & RFLAGS_ZF, 0);
}

static void test_movs(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    turn_paging_on();
    flat_set_u32(0x2ffe, 0xdeadbeef); // crosses into the next page
    flat_set_u64(TABLE + 3 * 8, 0x3000 | PTE);
    guest.regs.r[GPR_RSI] = 0x2ffe;
    guest.regs.r[GPR_RDI] = 0x10020;
    assert_int_equal(MMIO(DEVICE + 0x20, 0xa5), STATUS_OK);
    assert_int_equal(guest.count, 1);
    assert_int_equal(fake_device_get(0x20, 4), 0xdeadbeef);
    assert_int_equal(guest.regs.r[GPR_RSI], 0x3002);
    assert_int_equal(guest.regs.r[GPR_RDI], 0x10024);
    assert_int_equal(guest.context.rip, 0x8001);

    // From the device into RAM, and within the device.
    guest.regs.r[GPR_RSI] = 0x10020;
    guest.regs.r[GPR_RDI] = 0x2000;
    assert_int_equal(MMIO(DEVICE + 0x20, 0xa5), STATUS_OK);
    assert_int_equal(flat_u32(0x2000), 0xdeadbeef);
    guest.regs.r[GPR_RSI] = 0x10020;
    guest.regs.r[GPR_RDI] = 0x10040;
    assert_int_equal(MMIO(DEVICE + 0x20, 0xa5), STATUS_OK);
    assert_int_equal(fake_device_get(0x40, 4), 0xdeadbeef);

    // Neither is what faulted.
    assert_int_equal(MMIO(DEVICE + 0x60, 0xa5), ERR_INVALID);

    // The other side is not mapped: a page fault, and the device was not read.
    guest.count = 0;
    guest.regs.r[GPR_RSI] = 0x10020;
    guest.regs.r[GPR_RDI] = 0x11000;
    guest.paging.cpl = 3;
    assert_int_equal(MMIO(DEVICE + 0x20, 0xa5), ERR_FAULT);
    assert_int_equal(guest.context.exception.vector, EXCEPTION_PF);
    assert_int_equal(guest.context.exception.cr2, 0x11000);
    assert_int_equal(guest.context.exception.error_code, PF_WRITE | PF_USER);
    assert_int_equal(guest.count, 0);
    assert_int_equal(guest.regs.r[GPR_RSI], 0x10020);

    // The device refuses.
    guest.regs.r[GPR_RDI] = 0x2000;
    guest.read_status = ERR_DENIED;
    assert_int_equal(MMIO(DEVICE + 0x20, 0xa5), ERR_DENIED);
    assert_int_equal(guest.regs.r[GPR_RDI], 0x2000);
}

static void test_cmps(void **state)
{
    (void)state;
    fake_guest_reset(DECODE_64);
    turn_paging_on();
    fake_device_set(0, 2, 0x0505);
    flat.bytes[0x2000] = 5;
    flat.bytes[0x2001] = 6;
    guest.regs.r[GPR_RSI] = 0x10000;
    guest.regs.r[GPR_RDI] = 0x2000;
    guest.regs.r[GPR_RCX] = 10;
    assert_int_equal(MMIO(DEVICE, 0xf3, 0xa6), STATUS_OK);
    assert_int_equal(guest.context.rflags & RFLAGS_ZF, RFLAGS_ZF);
    assert_int_equal(guest.context.rip, 0x8000);
    assert_int_equal(MMIO(DEVICE + 1, 0xf3, 0xa6), STATUS_OK);
    // 5 - 6: the source is the minuend.
    assert_int_equal(guest.context.rflags & (RFLAGS_ZF | RFLAGS_CF | RFLAGS_SF),
                     RFLAGS_CF | RFLAGS_SF);
    assert_int_equal(guest.context.rip, 0x8002);
    assert_int_equal(guest.regs.r[GPR_RCX], 8);
    assert_int_equal(guest.regs.r[GPR_RSI], 0x10002);
    assert_int_equal(guest.regs.r[GPR_RDI], 0x2002);
}

// An instruction that crosses into a page that is not there faults only if it needs it.
static void test_fetch_across_pages(void **state)
{
    uint8_t bytes[INSN_MAX_LENGTH];
    struct insn insn;
    size_t got;

    (void)state;
    fake_guest_reset(DECODE_64);
    turn_paging_on();
    flat_set_u64(TABLE + 8 * 8, 0);
    guest.context.rip = 0x7ffe;
    flat.bytes[0x7ffe] = 0x0f;
    flat.bytes[0x7fff] = 0xa2;
    assert_int_equal(emulate_fetch(&guest.context, &insn, bytes, &got), STATUS_OK);
    assert_int_equal(insn.op, INSN_CPUID);
    assert_int_equal(got, 2);

    guest.context.rip = 0x7fff; // a2: an absolute address follows
    assert_int_equal(emulate_fetch(&guest.context, &insn, bytes, &got), ERR_FAULT);
    assert_int_equal(guest.context.exception.cr2, 0x8000);
    assert_int_equal(got, 1);

    flat_set_u64(TABLE + 8 * 8, 0x6000 | PTE);
    flat_set_u64(0x6000, 0x1122334455667788);
    assert_int_equal(emulate_fetch(&guest.context, &insn, bytes, &got), STATUS_OK);
    assert_int_equal(insn.disp, 0x1122334455667788);

    flat.bytes[0x7fff] = 0x06; // no such thing
    assert_int_equal(emulate_fetch(&guest.context, &insn, bytes, &got), ERR_UNSUPPORTED);
}

// Bytes that the processor has handed over are taken first; memory gives only what they lack.
static void test_fetched_bytes(void **state)
{
    static const uint8_t store[] = {0x89, 0x07}; // mov %eax, (%rdi)
    static const uint8_t begun[] = {0x0f};
    uint8_t bytes[INSN_MAX_LENGTH];
    struct insn insn;
    size_t got;

    (void)state;
    fake_guest_reset(DECODE_64);
    turn_paging_on();
    flat_set_u64(TABLE + 8 * 8, 0); // the code's page is gone
    guest.context.rip = 0x8000;
    guest.context.fetched = store;
    guest.context.fetched_count = sizeof(store);
    assert_int_equal(emulate_fetch(&guest.context, &insn, bytes, &got), STATUS_OK);
    assert_int_equal(insn.op, INSN_MOV);
    assert_int_equal(insn.length, 2);
    assert_int_equal(got, 2);
    assert_memory_equal(bytes, store, sizeof(store));

    guest.context.fetched = begun;
    guest.context.fetched_count = sizeof(begun);
    assert_int_equal(emulate_fetch(&guest.context, &insn, bytes, &got), ERR_FAULT);
    flat_set_u64(TABLE + 8 * 8, 0x6000 | PTE);
    flat.bytes[0x6000] = 0xf4; // not looked at
    flat.bytes[0x6001] = 0xa2;
    assert_int_equal(emulate_fetch(&guest.context, &insn, bytes, &got), STATUS_OK);
    assert_int_equal(insn.op, INSN_CPUID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),         cmocka_unit_test(test_rep),
        cmocka_unit_test(test_long_rep),       cmocka_unit_test(test_address_sizes),
        cmocka_unit_test(test_segments),       cmocka_unit_test(test_not_canonical),
        cmocka_unit_test(test_page_fault),     cmocka_unit_test(test_other_instructions),
        cmocka_unit_test(test_stos_lods_scas), cmocka_unit_test(test_movs),
        cmocka_unit_test(test_cmps),           cmocka_unit_test(test_fetch_across_pages),
        cmocka_unit_test(test_fetched_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
