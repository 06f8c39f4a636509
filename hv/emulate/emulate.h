// SPDX-License-Identifier: Apache-2.0
// Executes one decoded instruction that accessed a device page. Registers, flags and RIP end up as
// the processor would have left them. The device is reached by functions of the vCPU's side (struct
// emulate_host). Relies on the decoder and on the guest page-table walk.
#ifndef HV_EMULATE_EMULATE_H
#define HV_EMULATE_EMULATE_H

#include "arch/interrupt/exceptions.h"
#include "arch/lib/status.h"
#include "arch/lib/types.h"
#include "arch/virt/guest_cpu.h"
#include "arch/virt/guest_regs.h"
#include "hv/emulate/breakpoint.h"
#include "hv/emulate/decode.h"
#include "hv/memory/guest_walk.h"

struct decode_memo;
struct guest_ram;
struct vcpu;

// What the emulators call on the vCPU's side.
struct emulate_host {
    // `size` is 1, 2, 4 or 8, or the part of a split operand that lies on one page. `value` is
    // zero-extended. An error ends the instruction.
    enum status (*mmio_read)(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value);
    enum status (*mmio_write)(struct vcpu *v, gpa_t address, unsigned size, uint64_t value);
    // The current state of one segment register (enum insn_segment). Called only when it matters.
    void (*segment)(struct vcpu *v, unsigned segment, struct guest_segment *out);
    // INS and OUTS; `size` is 1, 2 or 4.
    uint32_t (*port_read)(struct vcpu *v, uint16_t port, unsigned size);
    void (*port_write)(struct vcpu *v, uint16_t port, unsigned size, uint32_t value);
};

// The processor state that an instruction works on. Emulation reads `paging`, `mode` and `cs_base`
// only. It updates `rflags` and `rip`; the caller stores them.
struct emulate_context {
    const struct emulate_host *host;
    struct vcpu *vcpu;
    const struct guest_ram *ram;
    struct guest_regs *regs;
    struct decode_memo *memo; // the vCPU's own, or NULL
    const struct guest_paging *paging;
    uint64_t cs_base; // 0 in 64-bit mode
    uint64_t rip;
    uint64_t rflags;
    enum decode_mode mode;
    bool real_mode; // CR0.PE = 0 or virtual-8086: segments have no rights
    // The first bytes at rip, if the processor reported them with the exit (decode assists). At
    // most INSN_MAX_LENGTH.
    const uint8_t *fetched;
    uint8_t fetched_count;
    struct guest_exception exception; // written on ERR_FAULT
    const struct guest_span *split;   // an operand that lies on two pages; else NULL
    // The enabled breakpoints, or NULL if there are none; and those that were hit, as bits of DR6.
    const struct guest_debug *debug;
    uint64_t hits;
};

// Fetches and decodes the instruction at c->rip. Whatever the result, `bytes` and *got are the
// fetched bytes and their number, for a report. Errors are those of decode() and guest_fetch():
// ERR_FAULT with c->exception, ERR_RANGE if the code is not in RAM.
enum status emulate_fetch(struct emulate_context *c, struct insn *out,
                          uint8_t bytes[INSN_MAX_LENGTH], size_t *got);

// Executes a memory instruction whose access to a device was refused by the second-level tables, at
// `address` as the nested page fault reports it, to the byte. A call does one iteration of a REP
// instruction. rip moves only with the last one; before that the guest executes the instruction
// again.
//   STATUS_OK        done; regs, rflags, rip are new
//   ERR_FAULT        c->exception is to be injected; nothing was changed
//   ERR_UNSUPPORTED  the instruction accesses no memory, or can't be emulated here
//   ERR_INVALID      the instruction doesn't address `address`: its code has changed
//   others           errors of the host's mmio_read() and mmio_write() or of guest memory;
//                    registers, rflags and rip are unchanged
enum status emulate_mmio(struct emulate_context *c, const struct insn *insn, gpa_t address);

// Moves rip past the instruction.
static inline void emulate_advance(struct emulate_context *c, const struct insn *insn)
{
    c->rip += insn->length;
    if (c->mode != DECODE_64)
        c->rip &= 0xffffffff;
}

// Notes which breakpoints the instruction's access to memory, or to a port, hits.
static inline void emulate_touch(struct emulate_context *c, uint64_t linear, unsigned size,
                                 bool write)
{
    if (c->debug != NULL)
        c->hits |= breakpoint_data(c->debug, linear, size, write);
}

static inline void emulate_touch_port(struct emulate_context *c, uint16_t port, unsigned size)
{
    if (c->debug != NULL)
        c->hits |= breakpoint_port(c->debug, port, size);
}

// The offset in its segment that the instruction's ModRM form addresses, truncated to the address
// size. `rip` is the address of the instruction itself.
uint64_t emulate_offset(const struct insn *insn, const struct guest_regs *regs, uint64_t rip);

// Makes c->exception a page fault. Returns ERR_FAULT.
enum status emulate_page_fault(struct emulate_context *c, const struct guest_fault *fault);

// The linear address of [offset, offset + size) in a segment. ERR_FAULT with c->exception if the
// segment does not allow the access: #SS(0) for the stack segment, else #GP(0).
enum status emulate_linear(struct emulate_context *c, unsigned segment, uint64_t offset,
                           unsigned size, bool write, uint64_t *linear);

#endif
