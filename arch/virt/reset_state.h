// SPDX-License-Identifier: Apache-2.0
// What the registers of a processor hold after RESET and after INIT: one table, which both back
// ends read and the tests too (SDM vol. 3, table "IA-32 and Intel 64 Processor States Following
// Power-up, Reset, or INIT"; APM vol. 2, 14.1.3). Numbers only.
#ifndef ARCH_VIRT_RESET_STATE_H
#define ARCH_VIRT_RESET_STATE_H

#include "arch/lib/types.h"

// The registers that code asks for by name. The MSRs follow in the table.
enum reset_id {
    RESET_RFLAGS,
    RESET_CR0,
    RESET_CR2,
    RESET_CR3,
    RESET_CR4,
    RESET_EFER,
    RESET_CODE_RIGHTS, // of CS; all bases are 0, but that SIPI or a loader gives CS
    RESET_DATA_RIGHTS, // of the other five
    RESET_LDTR_RIGHTS,
    RESET_TR_RIGHTS,
    RESET_LIMIT, // of every segment and table
    RESET_SELECTOR,
    RESET_GENERAL, // general registers, but EDX: the processor's signature
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

// Who sets it.
enum reset_place {
    RESET_BY_BACK_END, // a field of the VMCB or VMCS, or loaded from one
    RESET_BY_MSR,      // the MSR itself, where no control block holds it
    RESET_BY_STATE,    // arch/virt/guest_state.c, arch/virt/vector_state.c
    RESET_BY_VAPIC,    // hv/interrupt/vapic.c, arch/interrupt/apic.c
    RESET_BY_NOBODY,   // it holds nothing (a command), or goes on
};

// Which control blocks hold an MSR, so that it is written there instead.
#define RESET_IN_VMCB BIT(0)
#define RESET_IN_VMCS BIT(1)

struct reset_register {
    const char *name;
    uint64_t value; // after RESET
    uint64_t kept;  // bits that INIT leaves as they are; it makes the others `value`'s
    uint8_t place;  // enum reset_place
    uint8_t held;   // RESET_IN_...
    uint8_t reg;    // the register of CPUID (EAX is 0) with bits
    uint32_t first; // MSR numbers, inclusive; 0: it is none
    uint32_t last;
    uint32_t leaf; // of CPUID, subleaf `subleaf`: the MSR is there if it has one of `mask`
    uint32_t mask; // 0: it is always there
    uint32_t subleaf;
};

// The whole table; the first RESET_NAMED_COUNT rows are those of enum reset_id.
const struct reset_register *reset_registers(unsigned *count);

// After RESET.
uint64_t reset_value(enum reset_id id);

// After RESET, or after INIT of a processor on which it was `before`.
uint64_t reset_after(enum reset_id id, bool init, uint64_t before);

#endif
