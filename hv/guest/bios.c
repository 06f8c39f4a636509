// SPDX-License-Identifier: Apache-2.0
// The page of the BIOS. Relies on guest_write() to put it into RAM.
#include "hv/guest/bios.h"

#include "arch/lib/string.h"
#include "hv/guest/e820.h"
#include "hv/memory/guest_mem.h"

#define BIOS_SEGMENT 0xf000u

// This code means the same in 16-, 32- and 64-bit mode: it makes the keyboard controller pulse the
// reset line. The last byte but one is the machine's model, AT, by which old programs recognise a
// PC.
const uint8_t guest_reset_code[GUEST_RESET_SIZE] = {
    0xb0, 0xfe, // mov al, 0xfe
    0xe6, 0x64, // out 0x64, al
    0xf4,       // hlt
    0xeb, 0xfd, // jmp to the hlt
    0,    0,    0, 0, 0, 0, 0, 0xfc, 0,
};

// IP tells the hypervisor which interrupt it was.
static const uint8_t stub[GUEST_BIOS_STEP] = {
    0xe6, GUEST_BIOS_PORT, // out GUEST_BIOS_PORT, al
    0xcf,                  // iret
    0x90,                  // nop
};

_Static_assert(GUEST_BIOS_VECTORS *GUEST_BIOS_STEP <= GUEST_RESET_OFFSET, "they are apart");
_Static_assert(GUEST_BIOS_STEP == sizeof(uint32_t), "as the vectors");
_Static_assert(GUEST_BIOS % PAGE_SIZE == 0 && GUEST_BIOS + PAGE_SIZE == GUEST_FIRMWARE_END,
               "the last page of the first MiB");

enum status guest_bios_write(const struct guest_ram *ram)
{
    uint32_t words[GUEST_BIOS_VECTORS];
    uint32_t offset = (uint32_t)GUEST_BIOS - (BIOS_SEGMENT << 4);
    enum status s = guest_write(ram, gpa(GUEST_BIOS + GUEST_RESET_OFFSET), guest_reset_code,
                                sizeof(guest_reset_code));
    for (unsigned i = 0; i < GUEST_BIOS_VECTORS; i++) {
        words[i] = BIOS_SEGMENT << 16 | (offset + i * GUEST_BIOS_STEP);
    }
    if (s == STATUS_OK) {
        s = guest_write(ram, gpa(0), words, sizeof(words)); // the real-mode interrupt vectors
    }
    for (unsigned i = 0; i < GUEST_BIOS_VECTORS; i++) {
        memcpy(&words[i], stub, sizeof(stub));
    }
    return s == STATUS_OK ? guest_write(ram, gpa(GUEST_BIOS), words, sizeof(words)) : s;
}
