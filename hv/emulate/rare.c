// SPDX-License-Identifier: Apache-2.0
// What each of the rare instructions reads, computes and writes. As in hv/emulate/emulate.c, the
// guest's state changes only after the device has accepted the access. Built for size.
#include "hv/emulate/rare.h"

#include "arch/lib/string.h"
#include "hv/emulate/compute.h"
#include "hv/emulate/split.h"

enum status emulate_exception(struct emulate_context *c, uint8_t vector)
{
    c->exception.vector = vector;
    c->exception.error_code = 0;
    return ERR_FAULT;
}

// Bytes `at` to `at` + `size` of the operand, which lies at `address` or at c->split.
static struct guest_span part_of(const struct emulate_context *c, gpa_t address, unsigned at,
                                 unsigned size)
{
    const struct guest_span *s = c->split;

    if (s == NULL)
        return (struct guest_span){{gpa(address.v + at)}, {size, 0}};
    if (at >= s->len[0])
        return (struct guest_span){{gpa(s->part[1].v + at - s->len[0])}, {size, 0}};
    unsigned first = s->len[0] - at < size ? s->len[0] - at : size;
    return (struct guest_span){{gpa(s->part[0].v + at), s->part[1]}, {first, size - first}};
}

// Both access the parts in the order of their addresses. If the device refuses a part, the parts
// before it are done; the guest is stopped.
enum status emulate_mmio_read_wide(struct emulate_context *c, gpa_t address, unsigned size,
                                   void *value)
{
    enum status status = STATUS_OK;

    for (unsigned at = 0; at < size && status == STATUS_OK; at += 8) {
        unsigned bytes = size - at < 8 ? size - at : 8;
        const struct guest_span part = part_of(c, address, at, bytes);
        uint64_t word;

        status = emulate_span_read(c, &part, &word);
        if (status == STATUS_OK)
            memcpy((uint8_t *)value + at, &word, bytes);
    }
    return status;
}

enum status emulate_mmio_write_wide(struct emulate_context *c, gpa_t address, unsigned size,
                                    const void *value)
{
    enum status status = STATUS_OK;

    for (unsigned at = 0; at < size && status == STATUS_OK; at += 8) {
        unsigned bytes = size - at < 8 ? size - at : 8;
        const struct guest_span part = part_of(c, address, at, bytes);
        uint64_t word = 0;

        memcpy(&word, (const uint8_t *)value + at, bytes);
        status = emulate_span_write(c, &part, word);
    }
    return status;
}

// ---- the stack ---------------------------------------------------------------------------------

// How many bytes of rSP are used (SDM vol. 1, 6.2.3).
static unsigned stack_width(struct emulate_context *c)
{
    struct guest_segment s;

    if (c->mode == DECODE_64)
        return 8;
    c->host->segment(c->vcpu, SEG_SS, &s);
    return s.attributes & SEGMENT_BIG ? 4 : 2;
}

// The stack's memory must be RAM. It is checked before the device is accessed, because a read of a
// device's register may change the device.
static enum status push_or_pop(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    bool push = insn->op == INSN_PUSH;
    unsigned size = insn->operand_size;
    unsigned width = stack_width(c);
    uint64_t top = guest_reg_read(c->regs, GPR_RSP, width, false);
    uint64_t at = (push ? top - size : top) & size_mask(width);
    uint64_t linear, value = 0;
    struct guest_span span;
    struct guest_fault fault;
    enum status status = emulate_linear(c, SEG_SS, at, size, push, &linear);

    if (status != STATUS_OK)
        return status;
    status = guest_span_walk(c->ram, c->paging, linear, size, push ? WALK_WRITE : WALK_READ, &span,
                             &fault);
    if (status == ERR_FAULT)
        return emulate_page_fault(c, &fault);
    if (status == STATUS_OK)
        status = guest_span_read(c->ram, &span, &value);
    if (status != STATUS_OK)
        return status;
    if (push) {
        status = operand_read(c, address, size, &value);
        if (status == STATUS_OK)
            status = guest_span_write(c->ram, &span, &value);
    } else {
        status = operand_write(c, address, size, value);
        at += size;
    }
    if (status != STATUS_OK)
        return status;
    emulate_touch(c, linear, size, push);
    guest_reg_write(c->regs, GPR_RSP, width, false, at);
    return STATUS_OK;
}

// ---- conditions --------------------------------------------------------------------------------

// Whether a condition holds, as CMOVcc and SETcc encode it (SDM vol. 2, B.1.4.7).
static bool holds(uint64_t condition, uint64_t rflags)
{
    bool sign_differs = !(rflags & RFLAGS_SF) != !(rflags & RFLAGS_OF);
    const bool is[8] = {
        rflags & RFLAGS_OF, rflags & RFLAGS_CF,
        rflags & RFLAGS_ZF, rflags & (RFLAGS_CF | RFLAGS_ZF),
        rflags & RFLAGS_SF, rflags & RFLAGS_PF,
        sign_differs,       sign_differs || (rflags & RFLAGS_ZF),
    };

    return is[condition >> 1 & 7] != (condition & 1);
}

// The register is written in any case: a 32-bit write clears the upper half.
static enum status conditional_move(struct emulate_context *c, const struct insn *insn,
                                    gpa_t address)
{
    uint64_t value;
    enum status status = operand_read(c, address, insn->mem_size, &value);

    if (status != STATUS_OK)
        return status;
    if (!holds((uint64_t)insn->imm, c->rflags))
        value = guest_reg_read(c->regs, insn->reg, insn->operand_size, false);
    guest_reg_write(c->regs, insn->reg, insn->operand_size, false, value);
    return STATUS_OK;
}

// ---- CMPXCHG8B, CMPXCHG16B ---------------------------------------------------------------------

// The processor writes in any case: the old value if it differs.
static enum status compare_exchange(struct emulate_context *c, const struct insn *insn,
                                    gpa_t address)
{
    unsigned half = insn->operand_size;
    uint64_t *r = c->regs->r;
    uint64_t mask = size_mask(half);
    uint64_t old[2], new[2];
    uint8_t bytes[16];
    enum status status = emulate_mmio_read_wide(c, address, insn->mem_size, bytes);

    if (status != STATUS_OK)
        return status;
    for (unsigned i = 0; i < 2; i++) {
        old[i] = 0;
        memcpy(&old[i], bytes + i * half, half);
    }
    bool equal = old[0] == (r[GPR_RAX] & mask) && old[1] == (r[GPR_RDX] & mask);
    new[0] = equal ? r[GPR_RBX] : old[0];
    new[1] = equal ? r[GPR_RCX] : old[1];
    for (unsigned i = 0; i < 2; i++)
        memcpy(bytes + i * half, &new[i], half);
    status = emulate_mmio_write_wide(c, address, insn->mem_size, bytes);
    if (status != STATUS_OK)
        return status;
    if (!equal) {
        guest_reg_write(c->regs, GPR_RAX, half, false, old[0]);
        guest_reg_write(c->regs, GPR_RDX, half, false, old[1]);
    }
    c->rflags = equal ? c->rflags | RFLAGS_ZF : c->rflags & ~RFLAGS_ZF;
    return STATUS_OK;
}

// ---- what the processor computes ---------------------------------------------------------------

static bool changes_memory(enum insn_op op)
{
    return (op >= INSN_ROL && op <= INSN_SAR) || op == INSN_SHLD || op == INSN_SHRD;
}

// Gathers the operands for hv/emulate/compute.c.
static void gather(const struct emulate_context *c, const struct insn *insn, uint64_t value,
                   struct computation *out)
{
    const uint64_t *r = c->regs->r;

    out->rflags = c->rflags;
    if (changes_memory(insn->op)) {
        bool by_cl = insn->op < INSN_SHLD ? insn->form == FORM_RM : insn->count_in_cl;

        out->rax = value;
        out->rcx = by_cl ? r[GPR_RCX] : (uint64_t)insn->imm;
        out->rdx = r[insn->reg];
        return;
    }
    out->rcx = value;
    out->rax = insn->op <= INSN_IDIV       ? r[GPR_RAX]
               : insn->op == INSN_IMUL_IMM ? (uint64_t)insn->imm
                                           : r[insn->reg];
    out->rdx = insn->op < INSN_ANDN || insn->op == INSN_MULX ? r[GPR_RDX] : r[insn->source2];
}

// Stores the results. For operands of 4 bytes `in` holds whole registers: the processor has cleared
// their upper halves, or kept them if BSF found no bit.
static void scatter(struct emulate_context *c, const struct insn *insn,
                    const struct computation *in)
{
    unsigned size = insn->operand_size < 4 ? insn->operand_size : 8;
    unsigned reg = insn->reg;

    if (insn->op <= INSN_IDIV) { // for bytes AX is the pair of results
        guest_reg_write(c->regs, GPR_RAX, size == 1 ? 2 : size, false, in->rax);
        if (size == 1)
            return;
        guest_reg_write(c->regs, GPR_RDX, size, false, in->rdx);
        return;
    }
    // The high half is written last, in case both go to the same register.
    if (insn->op == INSN_MULX)
        guest_reg_write(c->regs, insn->source2, size, false, in->rdx);
    if (insn->op >= INSN_BLSI && insn->op <= INSN_BLSR)
        reg = insn->source2;
    guest_reg_write(c->regs, reg, size, false, in->rax);
}

static enum status computed(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    struct computation computation;
    uint64_t value;
    // CRC32 has operands of two sizes.
    unsigned size = insn->op == INSN_CRC32 ? insn->mem_size : insn->operand_size;
    enum status status = operand_read(c, address, insn->mem_size, &value);

    if (status != STATUS_OK)
        return status;
    gather(c, insn, value, &computation);
    if (!compute(insn->op, size, &computation)) {
        bool divides = insn->op == INSN_DIV || insn->op == INSN_IDIV;
        return divides ? emulate_exception(c, EXCEPTION_DE) : ERR_UNSUPPORTED;
    }
    if (changes_memory(insn->op)) {
        status = operand_write(c, address, size, computation.rax & size_mask(size));
        if (status != STATUS_OK)
            return status;
    } else {
        scatter(c, insn, &computation);
    }
    c->rflags = computation.rflags;
    return STATUS_OK;
}

static enum status rotate_into(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    unsigned bits = 8 * insn->operand_size;
    unsigned count = (unsigned)insn->imm & (bits - 1);
    uint64_t value;
    enum status status = operand_read(c, address, insn->mem_size, &value);

    if (status != STATUS_OK)
        return status;
    if (count != 0)
        value = value >> count | value << (bits - count);
    guest_reg_write(c->regs, insn->reg, insn->operand_size, false, value);
    return STATUS_OK;
}

enum status emulate_rare(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    switch (insn->op) {
    case INSN_PUSH:
    case INSN_POP:
        return push_or_pop(c, insn, address);
    case INSN_CMOV:
        return conditional_move(c, insn, address);
    case INSN_SET:
        return operand_write(c, address, 1, holds((uint64_t)insn->imm, c->rflags));
    case INSN_CMPXCHG8B:
        return compare_exchange(c, insn, address);
    case INSN_RORX:
        return rotate_into(c, insn, address);
    default:
        return insn->op >= INSN_VECTOR_LOAD ? emulate_vector(c, insn, address)
                                            : computed(c, insn, address);
    }
}
