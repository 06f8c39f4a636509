// SPDX-License-Identifier: Apache-2.0
// String instructions. Each operand in memory may be in RAM, in a device page, or on two pages of
// which one is a device page. All are accessed through the guest's page tables, which can raise
// faults.
#include "hv/emulate/string.h"

#include "hv/emulate/alu.h"
#include "hv/emulate/split.h"

static uint64_t string_offset(const struct emulate_context *c, const struct insn *insn,
                              unsigned reg)
{
    return guest_reg_read(c->regs, reg, insn->address_size, false);
}

uint64_t string_count(const struct emulate_context *c, const struct insn *insn)
{
    return insn->rep == REP_NONE ? 1 : string_offset(c, insn, GPR_RCX);
}

void string_move(struct emulate_context *c, const struct insn *insn, unsigned reg)
{
    uint64_t offset = string_offset(c, insn, reg);

    offset = c->rflags & RFLAGS_DF ? offset - insn->mem_size : offset + insn->mem_size;
    guest_reg_write(c->regs, reg, insn->address_size, false, offset);
}

bool string_end_iteration(struct emulate_context *c, const struct insn *insn)
{
    bool last = true;

    if (insn->rep != REP_NONE) {
        uint64_t count = string_offset(c, insn, GPR_RCX) - 1;

        guest_reg_write(c->regs, GPR_RCX, insn->address_size, false, count);
        last = (count & size_mask(insn->address_size)) == 0;
        // REPE continues while the operands are equal, REPNE while they differ.
        if (insn->op == INSN_CMPS || insn->op == INSN_SCAS)
            last = last || !(c->rflags & RFLAGS_ZF) == (insn->rep == REP_F3);
    }
    if (last)
        emulate_advance(c, insn);
    return last;
}

enum status string_operand(struct emulate_context *c, const struct insn *insn, unsigned reg,
                           unsigned segment, bool write, struct string_operand *out)
{
    struct guest_fault fault;
    enum status status = emulate_linear(c, segment, string_offset(c, insn, reg), insn->mem_size,
                                        write, &out->linear);

    if (status != STATUS_OK)
        return status;
    status = guest_span_walk(c->ram, c->paging, out->linear, insn->mem_size,
                             write ? WALK_WRITE : WALK_READ, &out->span, &fault);
    return status == ERR_FAULT ? emulate_page_fault(c, &fault) : status;
}

// MOVS and CMPS. Both operands' addresses are translated before either is accessed.
static enum status move_or_compare(struct emulate_context *c, const struct insn *insn,
                                   gpa_t address)
{
    bool move = insn->op == INSN_MOVS;
    struct string_operand source, other;
    uint64_t a, b;
    enum status status;

    status = string_operand(c, insn, GPR_RSI, insn->segment, false, &source);
    if (status != STATUS_OK)
        return status;
    status = string_operand(c, insn, GPR_RDI, SEG_ES, move, &other);
    if (status != STATUS_OK)
        return status;
    if (!emulate_span_has(c, &source.span, address) && !emulate_span_has(c, &other.span, address))
        return ERR_INVALID;

    status = emulate_span_read(c, &source.span, &a);
    if (status != STATUS_OK)
        return status;
    if (move) {
        status = emulate_span_write(c, &other.span, a);
    } else {
        status = emulate_span_read(c, &other.span, &b);
        if (status == STATUS_OK)
            alu_binary(INSN_CMP, a, b, insn->mem_size, &c->rflags);
    }
    if (status == STATUS_OK) {
        emulate_touch(c, source.linear, insn->mem_size, false);
        emulate_touch(c, other.linear, insn->mem_size, move);
        string_move(c, insn, GPR_RSI);
        string_move(c, insn, GPR_RDI);
    }
    return status;
}

// STOS, LODS and SCAS: their only operand is the one that faulted.
static enum status one_operand(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    unsigned pointer = insn->op == INSN_LODS ? GPR_RSI : GPR_RDI;
    bool write = insn->op == INSN_STOS;
    uint64_t rax = guest_reg_read(c->regs, GPR_RAX, insn->mem_size, false);
    uint64_t value;
    struct string_operand o;
    enum status status = string_operand(c, insn, pointer, insn->segment, write, &o);

    if (status != STATUS_OK)
        return status;
    if (!emulate_span_has(c, &o.span, address))
        return ERR_INVALID;
    status = write ? emulate_span_write(c, &o.span, rax) : emulate_span_read(c, &o.span, &value);
    if (status != STATUS_OK)
        return status;
    if (insn->op == INSN_LODS)
        guest_reg_write(c->regs, GPR_RAX, insn->mem_size, false, value);
    else if (insn->op == INSN_SCAS)
        alu_binary(INSN_CMP, rax, value, insn->mem_size, &c->rflags);
    emulate_touch(c, o.linear, insn->mem_size, write);
    string_move(c, insn, pointer);
    return STATUS_OK;
}

enum status emulate_string_mmio(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    enum status status;

    // With a count of 0 nothing is accessed, so the code has changed since the fault.
    if (string_count(c, insn) == 0)
        return ERR_INVALID;
    if (insn->op == INSN_MOVS || insn->op == INSN_CMPS)
        status = move_or_compare(c, insn, address);
    else
        status = one_operand(c, insn, address);
    if (status == STATUS_OK)
        string_end_iteration(c, insn);
    return status;
}
