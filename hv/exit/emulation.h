// SPDX-License-Identifier: Apache-2.0
// Emulates one instruction of a vCPU: gathers its state, fetches and decodes, runs one of the
// emulators (hv/emulate/emulate.c, hv/emulate/string_io.c), and puts the outcome back into the
// guest.
#ifndef HV_EXIT_EMULATION_H
#define HV_EXIT_EMULATION_H

#include "arch/virt/virt.h"
#include "hv/emulate/emulate.h"

struct emulation {
    struct virt_state state;
    struct emulate_context context;
    struct guest_debug debug;
    // The report's text for an instruction that can't be decoded, and the address in it. NULL: the
    // usual text, and the instruction's address.
    const char *undecoded;
    uint64_t undecoded_at;
    uint8_t bytes[INSN_MAX_LENGTH];
    size_t byte_count;
};

// Gathers the state. Call on the vCPU's CPU, in an exit.
void emulation_begin(struct emulation *e, struct vcpu *v, struct guest_regs *regs);

// Fetches and decodes the instruction at RIP. False if the guest got an exception, or its partition
// has ended with a report.
bool emulation_fetch(struct emulation *e, struct insn *insn);

// Puts the outcome of an emulator into the guest: new RIP and flags, or an exception. True if the
// guest continues. An error that only the guest can have caused ends its partition; `what` and
// `address` describe it in the report.
bool emulation_finish(struct emulation *e, enum status outcome, const char *what, uint64_t address);

#endif
