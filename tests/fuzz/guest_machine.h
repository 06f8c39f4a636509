// SPDX-License-Identifier: Apache-2.0
// A guest for fuzzers of the emulators: its registers, segments, page tables and code are read from
// the input, so that chance finds instructions that reach memory and a device.
#ifndef TESTS_FUZZ_GUEST_MACHINE_H
#define TESTS_FUZZ_GUEST_MACHINE_H

#include "arch/cpu/msr.h"
#include "arch/cpu/register_bits.h"
#include "hv/emulate/emulate.h"
#include "tests/unit/fake_flat_ram.h"

#define GUEST_DEVICE 0xfee00000u // guest-physical page; linear too, unless the tables are spoiled
#define GUEST_CODE   0x8000u     // linear and guest-physical

// What the input says for the fuzzer's own use.
struct guest_choice {
    uint8_t flags;
    uint16_t address;
};

struct guest_machine {
    struct guest_regs regs;
    struct guest_paging paging;
    struct guest_segment segments[SEG_COUNT];
    struct emulate_context context;
    struct guest_debug debug; // in use if a bit of RFLAGS says so that is none
    uint8_t fetched[INSN_MAX_LENGTH];
    bool fetched_from_rip; // the bytes of the exit, if any, are those at RIP
};

extern struct guest_machine guest;

// For struct emulate_host.
void guest_machine_segment(struct vcpu *v, unsigned segment, struct guest_segment *out);

// Sets up `guest` and `flat` (fake_flat_ram.h). False: the input is too short.
bool guest_machine_set_up(const uint8_t *data, size_t size, struct guest_choice *choice);

#endif
