// SPDX-License-Identifier: Apache-2.0
// String instructions. Those with two operands in memory may have either or both in a device page;
// the other is reached through the guest's page tables, with all the faults that can raise.
#include "hv/emulate_string.h"

#include "hv/emulate_alu.h"
#include "hv/guest_mem.h"

uint64_t string_offset(const struct emulate_context *c, const struct insn *insn, unsigned reg)
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
        // REPE goes on while equal, REPNE while not.
        if (insn->op == INSN_CMPS || insn->op == INSN_SCAS)
            last = last || !(c->rflags & RFLAGS_ZF) == (insn->rep == REP_F3);
    }
    if (last)
        emulate_advance(c, insn);
    return last;
}

// One operand in memory.
struct operand {
    struct guest_span span;
    uint64_t linear;
    bool ram; // else in a device page, and in one alone
};

static enum status find_operand(struct emulate_context *c, const struct insn *insn, unsigned reg,
                                unsigned segment, bool write, struct operand *out)
{
    struct guest_fault fault;
    uint64_t linear;
    enum status status =
        emulate_linear(c, segment, string_offset(c, insn, reg), insn->mem_size, write, &linear);

    if (status != STATUS_OK)
        return status;
    status = guest_span_walk(c->partition, c->paging, linear, insn->mem_size,
                             write ? WALK_WRITE : WALK_READ, &out->span, &fault);
    if (status == ERR_FAULT)
        return emulate_page_fault(c, &fault);
    if (status != STATUS_OK)
        return status;
    out->linear = linear;
    out->ram = guest_ram_contains(c->partition, out->span.part[0], out->span.len[0]) &&
               (out->span.len[1] == 0 ||
                guest_ram_contains(c->partition, out->span.part[1], out->span.len[1]));
    return !out->ram && out->span.len[1] != 0 ? ERR_INVALID : STATUS_OK;
}

static enum status read_operand(struct emulate_context *c, const struct insn *insn,
                                const struct operand *o, uint64_t *value)
{
    *value = 0; // little-endian: a shorter copy fills the low bytes
    if (o->ram)
        return guest_span_read(c->partition, &o->span, value);
    return emulate_mmio_read(c->vcpu, o->span.part[0], insn->mem_size, value);
}

static enum status write_operand(struct emulate_context *c, const struct insn *insn,
                                 const struct operand *o, uint64_t value)
{
    if (o->ram)
        return guest_span_write(c->partition, &o->span, &value);
    return emulate_mmio_write(c->vcpu, o->span.part[0], insn->mem_size, value);
}

static bool is_at(const struct operand *o, gpa_t address)
{
    return !o->ram && o->span.part[0].v == address.v;
}

// MOVS and CMPS. Both operands are found before either is accessed.
static enum status move_or_compare(struct emulate_context *c, const struct insn *insn,
                                   gpa_t address)
{
    bool move = insn->op == INSN_MOVS;
    struct operand source, other;
    uint64_t a, b;
    enum status status;

    status = find_operand(c, insn, GPR_RSI, insn->segment, false, &source);
    if (status != STATUS_OK)
        return status;
    status = find_operand(c, insn, GPR_RDI, SEG_ES, move, &other);
    if (status != STATUS_OK)
        return status;
    if (!is_at(&source, address) && !is_at(&other, address))
        return ERR_INVALID;

    status = read_operand(c, insn, &source, &a);
    if (status != STATUS_OK)
        return status;
    if (move) {
        status = write_operand(c, insn, &other, a);
    } else {
        status = read_operand(c, insn, &other, &b);
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

// STOS, LODS and SCAS: the one operand is the one that faulted.
static enum status one_operand(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    unsigned pointer = insn->op == INSN_LODS ? GPR_RSI : GPR_RDI;
    uint64_t rax = guest_reg_read(c->regs, GPR_RAX, insn->mem_size, false);
    uint64_t linear, value;
    enum status status = emulate_linear(c, insn->segment, string_offset(c, insn, pointer),
                                        insn->mem_size, insn->op == INSN_STOS, &linear);

    if (status != STATUS_OK)
        return status;
    if (((linear ^ address.v) & PAGE_MASK) || (address.v & PAGE_MASK) + insn->mem_size > PAGE_SIZE)
        return ERR_INVALID;
    if (insn->op == INSN_STOS)
        status = emulate_mmio_write(c->vcpu, address, insn->mem_size, rax);
    else
        status = emulate_mmio_read(c->vcpu, address, insn->mem_size, &value);
    if (status != STATUS_OK)
        return status;
    if (insn->op == INSN_LODS)
        guest_reg_write(c->regs, GPR_RAX, insn->mem_size, false, value);
    else if (insn->op == INSN_SCAS)
        alu_binary(INSN_CMP, rax, value, insn->mem_size, &c->rflags);
    emulate_touch(c, linear, insn->mem_size, insn->op == INSN_STOS);
    string_move(c, insn, pointer);
    return STATUS_OK;
}

enum status emulate_string_mmio(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    enum status status;

    // With a count of 0 nothing is accessed, so the code has changed since it faulted.
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
