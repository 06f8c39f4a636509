// SPDX-License-Identifier: Apache-2.0
// Executes one decoded instruction that accessed a device page: registers, flags and RIP end as
// the processor would have left them. The device itself is reached by functions of
// the vCPU's side (struct emulate_host). Relies on the decoder and on the guest page-table walk.
#ifndef HV_EMULATE_EMULATE_H
#define HV_EMULATE_EMULATE_H

#include "arch/cpu/register_bits.h"
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

// What the emulators ask of the vCPU's side.
struct emulate_host {
    // `size` is 1, 2, 4 or 8, or what lies on one page of an operand that is split between two;
    // `value` zero-extended. An error ends the instruction.
    enum status (*mmio_read)(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value);
    enum status (*mmio_write)(struct vcpu *v, gpa_t address, unsigned size, uint64_t value);
    // One segment register (enum insn_segment) as it stands. Called only when it matters.
    void (*segment)(struct vcpu *v, unsigned segment, struct guest_segment *out);
    // INS and OUTS; `size` is 1, 2 or 4.
    uint32_t (*port_read)(struct vcpu *v, uint16_t port, unsigned size);
    void (*port_write)(struct vcpu *v, uint16_t port, unsigned size, uint32_t value);
};

// The processor state that an instruction works on. What is not written back by the emulation is
// `paging`, `mode` and `cs_base`; `rflags` and `rip` are the caller's to store.
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
    // The first bytes at rip, if the processor has handed them over with the exit (decode assists);
    // at most INSN_MAX_LENGTH.
    const uint8_t *fetched;
    uint8_t fetched_count;
    struct guest_exception exception; // written on ERR_FAULT
    const struct guest_span *split;   // the operand while it is one on two pages; else NULL
    // The breakpoints that are set, or NULL if none is; and those that were met, as bits of DR6.
    const struct guest_debug *debug;
    uint64_t hits;
};

// Fetches and decodes the instruction at c->rip. `bytes` gets what was fetched, *got how much, for
// a report, whatever the result. Errors of decode(), and of guest_fetch(): ERR_FAULT with
// c->exception, ERR_RANGE if the code is not in RAM.
enum status emulate_fetch(struct emulate_context *c, struct insn *out,
                          uint8_t bytes[INSN_MAX_LENGTH], size_t *got);

// Executes a memory instruction whose access to the device address `address` (exact, as the
// nested page fault reports it) was refused by the second-level tables. One iteration of a REP
// instruction per call: rip moves on only with the last, so the guest comes again.
//   STATUS_OK        done; regs, rflags, rip are new
//   ERR_FAULT        c->exception is to be injected; nothing was changed
//   ERR_UNSUPPORTED  the instruction is not one that accesses memory, or can't be executed here
//   ERR_INVALID      the instruction doesn't address `address`: code that changed under us
//   others           of the host's mmio_read(), mmio_write() or guest memory; registers,
//                    rflags and rip are as before
enum status emulate_mmio(struct emulate_context *c, const struct insn *insn, gpa_t address);

// Moves rip behind the instruction.
static inline void emulate_advance(struct emulate_context *c, const struct insn *insn)
{
    c->rip += insn->length;
    if (c->mode != DECODE_64)
        c->rip &= 0xffffffff;
}

// Notes which breakpoints the instruction's access to memory, or to a port, meets.
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

// The offset in its segment that the instruction's ModRM form addresses, cut to the address size.
// `rip` is that of the instruction itself.
uint64_t emulate_offset(const struct insn *insn, const struct guest_regs *regs, uint64_t rip);

// Makes c->exception a page fault; returns ERR_FAULT.
enum status emulate_page_fault(struct emulate_context *c, const struct guest_fault *fault);

// The linear address of [offset, offset + size) in a segment, or ERR_FAULT with c->exception
// (#SS(0) for the stack segment, else #GP(0)) when the segment does not allow the access.
enum status emulate_linear(struct emulate_context *c, unsigned segment, uint64_t offset,
                           unsigned size, bool write, uint64_t *linear);

#endif
