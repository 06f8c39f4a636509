// SPDX-License-Identifier: Apache-2.0
// Parts of a guest processor's state, independent of the vendor. The back ends gather them, and
// emulation works on them. Relies on nothing.
#ifndef ARCH_VIRT_GUEST_CPU_H
#define ARCH_VIRT_GUEST_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/types.h"

// How code is decoded, from the code segment: real mode and 16-bit segments, 32-bit segments (also
// in compatibility mode), 64-bit mode.
enum decode_mode {
    DECODE_16 = 16,
    DECODE_32 = 32,
    DECODE_64 = 64,
};

// Segment registers as x86 numbers them.
enum insn_segment {
    SEG_ES,
    SEG_CS,
    SEG_SS,
    SEG_DS,
    SEG_FS,
    SEG_GS,
    SEG_COUNT,
};

// An exception for the guest, with what event injection needs. There is no error code in real mode,
// or if the vector has none.
struct guest_exception {
    uint8_t vector;
    uint32_t error_code;
    uint64_t cr2; // #PF only
};

// A segment register. `attributes` has the VMCB's layout (AMD APM volume 2, appendix B): type in
// bits 0-3, S 4, DPL 5-6, P 7, L 9, D/B 10, G 11.
struct guest_segment {
    uint64_t base;
    uint32_t limit; // offset of the last byte
    uint16_t attributes;
};

#define SEGMENT_WRITABLE    BIT(1) // of a data segment
#define SEGMENT_READABLE    BIT(1) // of a code segment
#define SEGMENT_EXPAND_DOWN BIT(2) // of a data segment
#define SEGMENT_CODE        BIT(3)
#define SEGMENT_PRESENT     BIT(7)
#define SEGMENT_BIG         BIT(10)

// The guest's registers that a walk of its page tables needs.
struct guest_paging {
    uint64_t cr0;
    uint64_t cr3;
    uint64_t cr4;
    uint64_t efer;
    uint8_t cpl;
    bool ac;           // RFLAGS.AC: allows supervisor access to user pages despite SMAP
    uint8_t phys_bits; // the guest's physical address width (CPUID 0x80000008), 32 to 52
};

// The guest's debug registers.
#define BREAKPOINTS 4

struct guest_debug {
    uint64_t address[BREAKPOINTS]; // DR0 to DR3
    uint64_t dr7;
    bool ports; // CR4.DE
};

#endif
