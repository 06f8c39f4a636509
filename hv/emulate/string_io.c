// SPDX-License-Identifier: Apache-2.0
// INS and OUTS, one element at a time. The element's memory is checked before the port is accessed.
// Reading a port may change the device, so an instruction that faults and is restarted must not
// have read it.
#include "hv/emulate/string_io.h"

#include "hv/emulate/split.h"
#include "hv/emulate/string.h"

// Elements that one exit may move: far more than guests move at once, and few enough that pending
// interrupts don't wait long.
#define MAX_ELEMENTS 512

static enum status move_element(struct emulate_context *c, const struct insn *insn)
{
    bool in = insn->op == INSN_INS;
    unsigned pointer = in ? GPR_RDI : GPR_RSI;
    unsigned size = insn->mem_size;
    uint16_t port = (uint16_t)c->regs->r[GPR_RDX];
    struct string_operand o;
    uint64_t value;
    enum status status = string_operand(c, insn, pointer, insn->segment, in, &o);

    if (status != STATUS_OK)
        return status;
    if (in) {
        status = emulate_span_write(c, &o.span, c->host->port_read(c->vcpu, port, size));
    } else {
        status = emulate_span_read(c, &o.span, &value);
        if (status == STATUS_OK)
            c->host->port_write(c->vcpu, port, size, (uint32_t)value);
    }
    if (status != STATUS_OK)
        return status;
    emulate_touch(c, o.linear, size, in);
    emulate_touch_port(c, port, size);
    string_move(c, insn, pointer);
    return STATUS_OK;
}

enum status string_io(struct emulate_context *c, const struct insn *insn)
{
    if (insn->op != INSN_INS && insn->op != INSN_OUTS)
        return ERR_UNSUPPORTED;
    if (string_count(c, insn) == 0) {
        emulate_advance(c, insn);
        return STATUS_OK;
    }
    for (unsigned i = 0; i < MAX_ELEMENTS; i++) {
        enum status status = move_element(c, insn);

        if (status != STATUS_OK)
            return status;
        // A trap comes after the iteration that causes it (SDM vol. 3, 18.3.1.4).
        if (string_end_iteration(c, insn) || (c->rflags & RFLAGS_TF) || c->hits)
            break;
    }
    return STATUS_OK;
}
