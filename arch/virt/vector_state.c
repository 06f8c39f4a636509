// SPDX-License-Identifier: Apache-2.0
// Loads the x87 and SSE registers, and the others that XSAVE covers, from an image of their state
// after RESET. No compiled code uses them, so nothing is saved.
#include "arch/virt/vector_state.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/cpuid.h"
#include "arch/lib/string.h"
#include "arch/virt/reset_state.h"

// The image of FXRSTOR. For XRSTOR a header follows (SDM vol. 1, 10.5.1 and 13.4).
struct image {
    uint16_t fcw;
    uint16_t fsw;
    uint8_t ftw; // abridged: one bit for each register that is not empty
    uint8_t reserved1;
    uint16_t opcode;
    uint64_t instruction;
    uint64_t operand;
    uint32_t mxcsr;
    uint32_t mxcsr_mask;
    uint8_t registers[480];
    uint64_t in_use; // XSTATE_BV: components in the image; the others get their initial state
    uint8_t reserved2[56];
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct image, mxcsr) == 24, "SDM vol. 1, 10.5.1");
_Static_assert(offsetof(struct image, in_use) == 512, "SDM vol. 1, 13.4.2");
_Static_assert(sizeof(struct image) == 576, "SDM vol. 1, 13.4.2");

#define TAG_EMPTY 3u

static uint8_t abridged(uint64_t tags)
{
    uint8_t bits = 0;
    for (unsigned i = 0; i < 8; i++) {
        bits |= (uint8_t)((tags >> (2 * i) & TAG_EMPTY) != TAG_EMPTY ? 1u << i : 0);
    }
    return bits;
}

static void set_xcr0(uint64_t value)
{
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

// Loads all components that the processor has, so that nothing remains that a guest filled.
static void load_extended(const struct image *image)
{
    uint32_t leaf[4];
    cpuid(CPUID_XSAVE, 0, leaf);
    set_xcr0((uint64_t)leaf[3] << 32 | leaf[0]);
    __asm__ volatile("xrstor64 %0" : : "m"(*image), "a"(leaf[0]), "d"(leaf[3]));
    set_xcr0(reset_value(RESET_XCR0));
}

void vector_state_reset(void)
{
    struct image image;
    memset(&image, 0, sizeof(image));
    image.fcw = (uint16_t)reset_value(RESET_FCW);
    image.fsw = (uint16_t)reset_value(RESET_FSW);
    image.ftw = abridged(reset_value(RESET_FTW));
    image.mxcsr = (uint32_t)reset_value(RESET_MXCSR);
    image.in_use = XCR0_X87 | XCR0_SSE;

    uint32_t leaf[4];
    cpuid(CPUID_FEATURES, 0, leaf);
    bool xsave = (leaf[2] & CPUID_1_ECX_XSAVE) != 0;
    uint64_t cr0 = read_cr0(), cr4 = read_cr4();
    write_cr0(cr0 & ~(CR0_TS | CR0_EM));
    write_cr4(cr4 | CR4_OSFXSR | (xsave ? CR4_OSXSAVE : 0));
    // AMD's FXRSTOR and XRSTOR leave the x87 pointers unchanged unless an exception is pending.
    // FNINIT clears them (APM vol. 5, FXRSTOR and FNINIT).
    __asm__ volatile("fninit");
    if (xsave) {
        load_extended(&image);
    } else {
        __asm__ volatile("fxrstor64 %0" : : "m"(image));
    }
    write_cr4(cr4);
    write_cr0(cr0);
}
