// SPDX-License-Identifier: Apache-2.0
// Emulates one instruction of a vCPU. hv/exit/platform.c has the vCPU's side of the emulators
// (ports, device pages); the back end has the segments.
#include "hv/exit/emulation.h"

#include "arch/interrupt/exceptions.h"
#include "arch/virt/guest_state.h"
#include "hv/exit/exits.h"
#include "hv/exit/platform.h"
#include "hv/partition/counters.h"
#include "hv/partition/partition.h"
#include "hv/partition/vcpu.h"

static void get_segment(struct vcpu *v, unsigned segment, struct guest_segment *out)
{
    virt->get_segment(v, segment, out);
}

static const struct emulate_host host = {
    .mmio_read = platform_mmio_read,
    .mmio_write = platform_mmio_write,
    .segment = get_segment,
    .port_read = platform_port_read,
    .port_write = platform_string_write,
};

void emulation_begin(struct emulation *e, struct vcpu *v, struct guest_regs *regs)
{
    e->state.fetched_count = 0;
    virt->get_state(v, &e->state);
    e->context.fetched = e->state.fetched;
    e->context.fetched_count = e->state.fetched_count;
    e->byte_count = 0;
    e->undecoded = NULL;
    e->context.host = &host;
    e->context.vcpu = v;
    e->context.ram = &v->partition->ram;
    e->context.regs = regs;
    e->context.memo = &v->decode_memo;
    e->context.paging = &e->state.paging;
    e->context.cs_base = e->state.cs_base;
    e->context.rip = e->state.rip;
    e->context.rflags = e->state.rflags;
    e->context.mode = e->state.mode;
    e->context.real_mode = e->state.real_mode;
    e->context.hits = 0;
    e->context.split = NULL;
    e->context.debug = NULL;
    if (e->state.dr7 & DR7_ENABLED) {
        guest_debug_read(&e->debug, e->state.dr7, e->state.paging.cr4);
        e->context.debug = &e->debug;
    }
}

// How often in a row the guest may exit with the same instruction.
#define REFUSALS 64

// Whether a guest whose instruction can't be emulated may run on as it is. Another of the guest's
// processors may have rewritten the code since the exit; the processor then executes the new code.
// False if the guest exits with this instruction again and again.
static __attribute__((noinline, cold)) bool may_run_again(struct vcpu *v, uint64_t rip)
{
    uint64_t exits = counters_total(v);
    bool in_a_row = v->refused.rip == rip && v->refused.exits + 1 == exits;
    v->refused.rip = rip;
    v->refused.exits = exits;
    v->refused.times = in_a_row ? v->refused.times + 1 : 0;
    return v->refused.times < REFUSALS;
}

bool emulation_fetch(struct emulation *e, struct insn *insn)
{
    enum status s = emulate_fetch(&e->context, insn, e->bytes, &e->byte_count);
    switch (s) {
    case STATUS_OK:
        return true;
    case ERR_FAULT:
        // The page was unmapped after the exit: the processor would fault here too.
        virt->inject(e->context.vcpu, &e->context.exception, true);
        return false;
    case ERR_INVALID:
        // Another of the guest's CPUs rewrote the code after the exit.
        virt->inject(e->context.vcpu, &(struct guest_exception){.vector = EXCEPTION_UD}, false);
        return false;
    default:
        if (!may_run_again(e->context.vcpu, e->state.rip)) {
            bool plain = e->undecoded == NULL;
            exit_fault(e->context.vcpu, e->context.regs,
                       plain ? "an instruction that can't be emulated at" : e->undecoded,
                       plain ? e->context.cs_base + e->context.rip : e->undecoded_at);
        }
        return false;
    }
}

// Of the exceptions that the emulators raise (SDM vol. 3, table 6-1).
static bool has_error_code(const struct guest_exception *e)
{
    return e->vector >= EXCEPTION_DF && e->vector <= EXCEPTION_PF;
}

bool emulation_finish(struct emulation *e, enum status outcome, const char *what, uint64_t address)
{
    struct vcpu *v = e->context.vcpu;
    switch (outcome) {
    case STATUS_OK:
        virt->complete(v, e->context.rip, e->context.rflags, e->context.hits);
        return true;
    case ERR_FAULT:
        virt->inject(v, &e->context.exception, has_error_code(&e->context.exception));
        return true;
    default:
        return may_run_again(v, e->state.rip) || exit_fault(v, e->context.regs, what, address);
    }
}
