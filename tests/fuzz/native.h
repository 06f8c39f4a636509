// SPDX-License-Identifier: Apache-2.0
// Executes one instruction on the processor that the test runs on, in 64-bit mode, with all general
// registers, vector registers and the flags given. Only for instructions whose accesses have been
// checked beforehand to lie in memory of the test's own, or in pages of it that fault.
#ifndef TESTS_FUZZ_NATIVE_H
#define TESTS_FUZZ_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/virt/guest_regs.h"
#include "arch/virt/vector_regs.h"

#define NATIVE_CODE 0x20000000u // where the instruction stands

struct native_state {
    struct guest_regs regs;
    uint64_t rflags;
    // All of YMM0 to YMM15 if the processor has them, else the low halves. After a signal as
    // before.
    struct vector_value vectors[16];
    int signal;     // that it raised, 0: none. Then the registers are those at the signal
    uint64_t fault; // SIGSEGV: the address
};

// Maps the code's page and takes hold of the signals. To be called before the first run, after
// libFuzzer has installed its handlers.
void native_set_up(void);

// Whether the processor has the wide registers.
bool native_has_avx(void);

// Executes `size` bytes, one instruction.
void native_run(const uint8_t *bytes, unsigned size, struct native_state *state);

#endif
