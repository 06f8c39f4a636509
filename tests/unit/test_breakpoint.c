// SPDX-License-Identifier: Apache-2.0
// Breakpoints on accesses that are done for the guest: which are met, and that every kind of
// emulated instruction looks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hv/emulate/string_io.h"
#include "tests/unit/fake_device.h"

#define PORT   0x1f0
#define BUFFER 0x3000u

enum { WRITE = 1, IO = 2, ACCESS = 3, BYTES_1 = 0, BYTES_2 = 1, BYTES_8 = 2, BYTES_4 = 3 };

static struct guest_debug debug;

static void set(unsigned n, uint64_t address, unsigned condition, unsigned length)
{
    debug.address[n] = address;
    debug.dr7 |= 1ull << (2 * n) | (uint64_t)(condition | length << 2) << (16 + 4 * n);
}

static void clear(void)
{
    debug = (struct guest_debug){.ports = true, .dr7 = 0x400};
}

static void test_data(void **state)
{
    (void)state;
    clear();
    set(0, 0x1000, WRITE, BYTES_4);
    set(1, 0x1002, ACCESS, BYTES_1);
    set(2, 0x1000, IO, BYTES_8); // no data
    set(3, 0x2007, ACCESS, BYTES_8);
    assert_int_equal(breakpoint_data(&debug, 0x1000, 4, false), DR6_HIT(1));
    assert_int_equal(breakpoint_data(&debug, 0x1000, 2, true), DR6_HIT(0));
    assert_int_equal(breakpoint_data(&debug, 0x1000, 2, false), 0);
    assert_int_equal(breakpoint_data(&debug, 0xfff, 1, true), 0);
    assert_int_equal(breakpoint_data(&debug, 0xffd, 4, true), DR6_HIT(0));
    assert_int_equal(breakpoint_data(&debug, 0xffc, 4, true), 0);
    assert_int_equal(breakpoint_data(&debug, 0x1003, 8, true), DR6_HIT(0));
    assert_int_equal(breakpoint_data(&debug, 0x1004, 8, true), 0);
    // Its low bits do not count: it covers 0x2000 to 0x2007.
    assert_int_equal(breakpoint_data(&debug, 0x2000, 1, false), DR6_HIT(3));
    assert_int_equal(breakpoint_data(&debug, 0x2008, 1, false), 0);
    // Where addresses end.
    set(1, UINT64_MAX, ACCESS, BYTES_1);
    debug.address[1] = UINT64_MAX;
    assert_int_equal(breakpoint_data(&debug, UINT64_MAX - 3, 4, false), DR6_HIT(1));
    assert_int_equal(breakpoint_data(&debug, 0, 1, false), 0);
}

static void test_enable_bits(void **state)
{
    (void)state;
    for (unsigned n = 0; n < BREAKPOINTS; n++) {
        clear();
        set(n, 0x1000, ACCESS, BYTES_1);
        assert_int_equal(breakpoint_data(&debug, 0x1000, 1, false), DR6_HIT(n));
        debug.dr7 = (debug.dr7 & ~DR7_ENABLED) | 2ull << (2 * n); // the global bit
        assert_int_equal(breakpoint_data(&debug, 0x1000, 1, false), DR6_HIT(n));
        debug.dr7 &= ~DR7_ENABLED;
        assert_int_equal(breakpoint_data(&debug, 0x1000, 1, false), 0);
    }
}

static void test_ports(void **state)
{
    (void)state;
    clear();
    set(0, 0x60, IO, BYTES_1);
    set(1, 0x62, IO, BYTES_2);
    set(2, 0x60, ACCESS, BYTES_1); // no port
    assert_int_equal(breakpoint_port(&debug, 0x60, 1), DR6_HIT(0));
    assert_int_equal(breakpoint_port(&debug, 0x61, 1), 0);
    assert_int_equal(breakpoint_port(&debug, 0x60, 4), DR6_HIT(0) | DR6_HIT(1));
    debug.ports = false; // CR4.DE
    assert_int_equal(breakpoint_port(&debug, 0x60, 4), 0);
}

static void begin(enum decode_mode mode)
{
    fake_guest_reset(mode);
    clear();
    guest.context.debug = &debug;
    guest.regs.r[GPR_RDX] = PORT;
}

static uint64_t mmio(const uint8_t *bytes, size_t size)
{
    struct insn insn = fake_guest_code(bytes, size);
    guest.context.hits = 0;
    assert_int_equal(emulate_mmio(&guest.context, &insn, gpa(DEVICE + 0x80)), STATUS_OK);
    return guest.context.hits;
}

#define MMIO(...) mmio((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void test_emulated_accesses(void **state)
{
    (void)state;
    begin(DECODE_64);
    set(0, DEVICE + 0x80, WRITE, BYTES_4);
    set(1, DEVICE + 0x80, ACCESS, BYTES_4);
    uint64_t read = DR6_HIT(1), written = DR6_HIT(0) | DR6_HIT(1);
    guest.regs.r[GPR_RSI] = guest.regs.r[GPR_RDI] = DEVICE + 0x80;
    assert_int_equal(MMIO(0x8b, 0x06), read);                // mov eax, [rsi]
    assert_int_equal(MMIO(0x89, 0x06), written);             // mov [rsi], eax
    assert_int_equal(MMIO(0xc7, 0x06, 1, 0, 0, 0), written); // mov dword [rsi], 1
    assert_int_equal(MMIO(0x03, 0x06), read);                // add eax, [rsi]
    assert_int_equal(MMIO(0x01, 0x06), written);             // add [rsi], eax
    assert_int_equal(MMIO(0x39, 0x06), read);                // cmp [rsi], eax
    assert_int_equal(MMIO(0x85, 0x06), read);                // test [rsi], eax
    assert_int_equal(MMIO(0x0f, 0xa3, 0x1e), read);          // bt [rsi], ebx
    assert_int_equal(MMIO(0x0f, 0xab, 0x1e), written);       // bts [rsi], ebx
    assert_int_equal(MMIO(0xf7, 0x16), written);             // not dword [rsi]
    assert_int_equal(MMIO(0x87, 0x06), written);             // xchg [rsi], eax
    assert_int_equal(MMIO(0x0f, 0xb6, 0x06), read);          // movzx eax, byte [rsi]
    assert_int_equal(MMIO(0xad), read);                      // lodsd
    assert_int_equal(MMIO(0xab), written);                   // stosd
    guest.regs.r[GPR_RDI] = DEVICE + 0x80;
    assert_int_equal(MMIO(0xaf), read); // scasd
    // The other operand, in RAM, counts too.
    set(2, BUFFER, ACCESS, BYTES_4);
    guest.regs.r[GPR_RSI] = BUFFER;
    guest.regs.r[GPR_RDI] = DEVICE + 0x80;
    assert_int_equal(MMIO(0xa5), written | DR6_HIT(2)); // movsd
    guest.regs.r[GPR_RSI] = BUFFER;
    guest.regs.r[GPR_RDI] = DEVICE + 0x80;
    assert_int_equal(MMIO(0xa7), read | DR6_HIT(2)); // cmpsd
}

static void test_segment_base(void **state)
{
    (void)state;
    begin(DECODE_32);
    guest.segments[SEG_DS].base = 0xfffff000;
    guest.regs.r[GPR_RSI] = DEVICE + 0x1080; // wraps to the register
    set(0, DEVICE + 0x80, ACCESS, BYTES_4);
    assert_int_equal(MMIO(0x8b, 0x06), DR6_HIT(0));
}

static uint64_t string(const uint8_t *bytes, size_t size)
{
    struct insn insn = fake_guest_code(bytes, size);
    guest.context.hits = 0;
    assert_int_equal(string_io(&guest.context, &insn), STATUS_OK);
    return guest.context.hits;
}

#define STRING(...) string((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

// The trap comes behind the iteration that met the breakpoint.
static void test_string_io(void **state)
{
    (void)state;
    begin(DECODE_64);
    set(0, BUFFER + 2, WRITE, BYTES_1);
    guest.regs.r[GPR_RDI] = guest.regs.r[GPR_RSI] = BUFFER;
    guest.regs.r[GPR_RCX] = 5;
    assert_int_equal(STRING(0xf3, 0x6c), DR6_HIT(0)); // rep insb
    assert_int_equal(guest.regs.r[GPR_RCX], 2);
    assert_int_equal(guest.context.rip, 0x8000);
    assert_int_equal(STRING(0xf3, 0x6c), 0);
    assert_int_equal(guest.regs.r[GPR_RCX], 0);
    assert_int_equal(guest.context.rip, 0x8002);

    set(1, PORT, IO, BYTES_2);
    guest.regs.r[GPR_RCX] = 3;
    assert_int_equal(STRING(0xf3, 0x6e), DR6_HIT(1)); // rep outsb: reading meets no DR0
    assert_int_equal(guest.regs.r[GPR_RCX], 2);
}

// A single step is one iteration.
static void test_step(void **state)
{
    (void)state;
    begin(DECODE_64);
    guest.context.rflags |= RFLAGS_TF;
    guest.regs.r[GPR_RDI] = BUFFER;
    guest.regs.r[GPR_RCX] = 2;
    assert_int_equal(STRING(0xf3, 0x6c), 0);
    assert_int_equal(guest.regs.r[GPR_RCX], 1);
    assert_int_equal(guest.context.rip, 0x8000);
    assert_int_equal(STRING(0xf3, 0x6c), 0);
    assert_int_equal(guest.regs.r[GPR_RCX], 0);
    assert_int_equal(guest.context.rip, 0x8002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),         cmocka_unit_test(test_enable_bits),
        cmocka_unit_test(test_ports),        cmocka_unit_test(test_emulated_accesses),
        cmocka_unit_test(test_segment_base), cmocka_unit_test(test_string_io),
        cmocka_unit_test(test_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
