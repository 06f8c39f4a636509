// SPDX-License-Identifier: Apache-2.0
// What a processor's registers hold after RESET and after INIT. Both back ends and the tests read
// this one table (SDM vol. 3, table "IA-32 and Intel 64 Processor States Following Power-up, Reset,
// or INIT"; APM vol. 2, 14.1.3). Numbers only.
#ifndef ARCH_VIRT_RESET_STATE_H
#define ARCH_VIRT_RESET_STATE_H

#include "arch/lib/types.h"

// Registers that code asks for by name. In the table, the MSRs follow them.
enum reset_id {
    RESET_RFLAGS,
    RESET_CR0,
    RESET_CR2,
    RESET_CR3,
    RESET_CR4,
    RESET_EFER,
    RESET_CODE_RIGHTS, // of CS; every base is 0, except CS's after a SIPI or from a loader
    RESET_DATA_RIGHTS, // of the other five segments
    RESET_LDTR_RIGHTS,
    RESET_TR_RIGHTS,
    RESET_LIMIT, // of every segment and table
    RESET_SELECTOR,
    RESET_GENERAL, // general registers except EDX, which holds the processor's signature
    RESET_DR0,     // to DR3
    RESET_DR6,
    RESET_DR7,
    RESET_FCW,
    RESET_FSW,
    RESET_FTW,
    RESET_FPU_POINTERS, // x87: last opcode, instruction and operand
    RESET_FPU_DATA,     // ST0 to ST7, MM0 to MM7
    RESET_MXCSR,
    RESET_VECTORS, // XMM, YMM, ZMM and mask registers
    RESET_PKRU,
    RESET_XCR0,
    RESET_TSC,
    RESET_PAT,
    RESET_VIRT_SPEC_CTRL,
    RESET_APIC, // TPR and CR8, the timer with IA32_TSC_DEADLINE, all the rest
    RESET_NAMED_COUNT,
};

// What resets the register.
enum reset_place {
    RESET_BY_BACK_END, // a field of the VMCB or VMCS, or loaded from one
    RESET_BY_MSR,      // the MSR itself, if no control block holds it
    RESET_BY_STATE,    // arch/virt/guest_state.c, arch/virt/vector_state.c
    RESET_BY_VAPIC,    // hv/interrupt/vapic.c, arch/interrupt/apic.c
    RESET_BY_NOTHING,  // a command, or a register that keeps its value
};

// Control blocks that hold an MSR. Where one does, the value is written there.
#define RESET_IN_VMCB BIT(0)
#define RESET_IN_VMCS BIT(1)

struct reset_register {
    const char *name;
    uint64_t value; // after RESET
    uint64_t kept;  // bits that INIT keeps; the others become those of `value`
    uint8_t place;  // enum reset_place
    uint8_t held;   // RESET_IN_...
    uint8_t reg;    // the CPUID register that holds `mask` (0 is EAX)
    uint32_t first; // MSR numbers, inclusive; 0: not an MSR
    uint32_t last;
    uint32_t leaf; // CPUID leaf; the MSR exists if the leaf has a bit of `mask`
    uint32_t mask; // 0: the MSR always exists
    uint32_t subleaf;
};

// The whole table. Its first RESET_NAMED_COUNT rows are those of enum reset_id.
const struct reset_register *reset_registers(unsigned *count);

// The value after RESET.
uint64_t reset_value(enum reset_id id);

// The value after RESET; or, with `init`, after INIT of a processor on which it was `before`.
uint64_t reset_after(enum reset_id id, bool init, uint64_t before);

#endif
