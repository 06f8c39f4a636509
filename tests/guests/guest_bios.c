// SPDX-License-Identifier: Apache-2.0
// bios.elf: calls the BIOS from real mode, as boot loaders do, and says what came back. Words of
// the command line:
//   last=N   then calls int N, with last_ax=, and does not expect to come back
#include "tests/guests/guest.h"

// Calls an interrupt in real mode with these registers, and comes back. (bios/call.asm)
struct bios_registers {
    uint32_t eax, flags;
};
extern const uint8_t bios_call_code[], bios_call_end[];
void bios_call(uint8_t vector, struct bios_registers *r);

enum { CODE_AT = 0x7000, CARRY = 1, ZERO = 0x40 };

static void call(uint8_t vector, uint16_t ax, uint16_t want_ax, uint32_t want_flags)
{
    struct bios_registers r = {.eax = 0x12340000u | ax};
    bios_call(vector, &r);
    check(r.eax == (0x12340000u | want_ax) && (r.flags & (CARRY | ZERO)) == want_flags,
          "int 0x%x, AX 0x%x: EAX 0x%x, flags 0x%x", vector, ax, r.eax, r.flags & (CARRY | ZERO));
}

void run_guest(void)
{
    memcpy((void *)(uintptr_t)CODE_AT, bios_call_code, (size_t)(bios_call_end - bios_call_code));
    call(0x10, 0x0e41, 0x0e41, 0);
    call(0x11, 0x1111, 0, 0);
    call(0x12, 0x1111, 639, 0);
    call(0x13, 0x4200, 0x0100, CARRY);
    call(0x13, 0x0201, 0x0101, CARRY); // told once
    call(0x15, 0xe820, 0x8620, CARRY);
    call(0x16, 0x0100, 0x0100, ZERO);
    call(0x1a, 0xb101, 0x8101, CARRY);
    call(0x21, 0x4c00, 0x4c00, 0);
    outb(0xb1, 0); // by the way: to the stubs' port, from elsewhere
    check(true, "a write to the port from elsewhere does nothing");
    check_summary();
    if (option_number("last", 0)) {
        struct bios_registers r = {.eax = (uint32_t)option_number("last_ax", 0)};
        bios_call((uint8_t)option_number("last", 0), &r);
        print("FAIL came back\n");
    }
}
