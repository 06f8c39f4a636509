// SPDX-License-Identifier: Apache-2.0
// Instructions with one operand in a device page: what each reads, computes and writes. The guest's
// state changes only after the device has accepted the access. The processor has already checked
// segment rights and paging, because second-level translation comes last.
#include "hv/emulate/emulate.h"

#include "hv/emulate/alu.h"
#include "hv/emulate/rare.h"
#include "hv/emulate/split.h"
#include "hv/emulate/string.h"

// The source operand: an immediate or a register.
static uint64_t source_operand(const struct emulate_context *c, const struct insn *insn)
{
    if (insn->form == FORM_RM_IMM)
        return (uint64_t)insn->imm & size_mask(insn->operand_size);
    return guest_reg_read(c->regs, insn->reg, insn->operand_size, insn->reg_high);
}

static void set_register(struct emulate_context *c, const struct insn *insn, uint64_t value)
{
    guest_reg_write(c->regs, insn->reg, insn->operand_size, insn->reg_high, value);
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
    uint64_t sign = BIT(8 * size - 1);

    return (value ^ sign) - sign;
}

static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

// What to add to the address given by ModRM. BT and its like with a register address a bit string:
// the result is the offset of the operand that holds the bit. POP computes its address with the RSP
// that it has already moved.
static __attribute__((noinline, cold)) uint64_t address_offset(const struct emulate_context *c,
                                                               const struct insn *insn)
{
    unsigned size = insn->operand_size;

    if (insn->op == INSN_POP)
        return insn->base == GPR_RSP ? size : 0;
    if (insn->form != FORM_RM_REG)
        return 0;
    int64_t bit = (int64_t)sign_extend(source_operand(c, insn), size);

    // Rounds down for negative bit numbers too.
    return (uint64_t)(bit >> 3) & ~(uint64_t)(size - 1);
}

// The linear address of the instruction's operand in memory.
static uint64_t operand_linear(struct emulate_context *c, const struct insn *insn)
{
    uint64_t linear = emulate_offset(insn, c->regs, c->rip);

    if (insn->op >= INSN_POP && insn->op <= INSN_BTC)
        linear += address_offset(c, insn);
    if (c->mode != DECODE_64 || insn->segment >= SEG_FS) {
        struct guest_segment s;

        c->host->segment(c->vcpu, insn->segment, &s);
        linear += s.base;
    }
    return c->mode == DECODE_64 ? linear : (uint32_t)linear;
}

// Whether the instruction addresses what the fault reported. Compares the page offset, which is the
// same in linear and physical addresses.
static bool addresses(uint64_t linear, const struct insn *insn, gpa_t address)
{
    return ((linear ^ address.v) & PAGE_MASK) == 0 &&
           (address.v & PAGE_MASK) + insn->mem_size <= PAGE_SIZE;
}

static bool writes_memory(const struct insn *insn)
{
    return insn->form != FORM_REG_RM && insn->op != INSN_CMP && insn->op != INSN_TEST &&
           insn->op != INSN_BT && insn->op != INSN_PUSH &&
           !(insn->op >= INSN_MUL && insn->op <= INSN_IDIV) &&
           !(insn->op >= INSN_BLSI && insn->op <= INSN_BLSR);
}

// MOV and similar instructions: they change no flags.
static enum status load(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    uint64_t value;
    enum status status = operand_read(c, address, insn->mem_size, &value);

    if (status != STATUS_OK)
        return status;
    if (insn->op == INSN_MOVSX || insn->op == INSN_MOVSXD)
        value = sign_extend(value, insn->mem_size);
    else if (insn->op == INSN_MOVBE)
        value = swap_bytes(value, insn->mem_size);
    set_register(c, insn, value);
    return STATUS_OK;
}

static enum status store(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    uint64_t value = source_operand(c, insn);

    if (insn->op == INSN_MOVBE)
        value = swap_bytes(value, insn->mem_size);
    return operand_write(c, address, insn->mem_size, value);
}

// Arithmetic into a register, and all forms of CMP and TEST: they only read memory.
static enum status read_only(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    uint64_t source = source_operand(c, insn);
    uint64_t value;
    enum status status = operand_read(c, address, insn->mem_size, &value);

    if (status != STATUS_OK)
        return status;
    if (insn->form != FORM_REG_RM) {
        alu_binary(insn->op, value, source, insn->mem_size, &c->rflags);
        return STATUS_OK;
    }
    source = alu_binary(insn->op, source, value, insn->mem_size, &c->rflags);
    if (insn->op != INSN_CMP)
        set_register(c, insn, source);
    return STATUS_OK;
}

// The value that a read-modify-write instruction writes, and the flags. `value` is what was read.
static uint64_t modify(const struct emulate_context *c, const struct insn *insn, uint64_t value,
                       uint64_t *rflags)
{
    unsigned size = insn->mem_size;
    uint64_t source = source_operand(c, insn);
    uint64_t rax;

    switch (insn->op) {
    case INSN_INC:
    case INSN_DEC:
    case INSN_NOT:
    case INSN_NEG:
        return alu_unary(insn->op, value, size, rflags);
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        return alu_bit(insn->op, value, source, size, rflags);
    case INSN_XCHG:
        return source;
    case INSN_XADD:
        return alu_binary(INSN_ADD, value, source, size, rflags);
    case INSN_CMPXCHG:
        // The processor writes in any case: the old value if it differs.
        rax = guest_reg_read(c->regs, GPR_RAX, size, false);
        alu_binary(INSN_CMP, rax, value, size, rflags);
        return rax == value ? source : value;
    default:
        return alu_binary(insn->op, value, source, size, rflags);
    }
}

static enum status read_modify_write(struct emulate_context *c, const struct insn *insn,
                                     gpa_t address)
{
    uint64_t rflags = c->rflags;
    uint64_t value;
    enum status status = operand_read(c, address, insn->mem_size, &value);

    if (status != STATUS_OK)
        return status;
    status = operand_write(c, address, insn->mem_size, modify(c, insn, value, &rflags));
    if (status != STATUS_OK)
        return status;
    if (insn->op == INSN_XCHG || insn->op == INSN_XADD)
        set_register(c, insn, value);
    else if (insn->op == INSN_CMPXCHG && !(rflags & RFLAGS_ZF))
        guest_reg_write(c->regs, GPR_RAX, insn->mem_size, false, value);
    c->rflags = rflags;
    return STATUS_OK;
}

static enum status bit_test(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    uint64_t value;
    enum status status = operand_read(c, address, insn->mem_size, &value);

    if (status == STATUS_OK)
        alu_bit(INSN_BT, value, source_operand(c, insn), insn->mem_size, &c->rflags);
    return status;
}

static enum status execute(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    switch (insn->op) {
    case INSN_MOV:
    case INSN_MOVNTI:
    case INSN_MOVBE:
    case INSN_MOVZX:
    case INSN_MOVSX:
    case INSN_MOVSXD:
        return insn->form == FORM_REG_RM ? load(c, insn, address) : store(c, insn, address);
    case INSN_CMP:
    case INSN_TEST:
        return read_only(c, insn, address);
    case INSN_ADD:
    case INSN_OR:
    case INSN_ADC:
    case INSN_SBB:
    case INSN_AND:
    case INSN_SUB:
    case INSN_XOR:
        return insn->form == FORM_REG_RM ? read_only(c, insn, address)
                                         : read_modify_write(c, insn, address);
    case INSN_BT:
        return bit_test(c, insn, address);
    case INSN_INC:
    case INSN_DEC:
    case INSN_NOT:
    case INSN_NEG:
    case INSN_XCHG:
    case INSN_XADD:
    case INSN_CMPXCHG:
    case INSN_BTS:
    case INSN_BTR:
    case INSN_BTC:
        return read_modify_write(c, insn, address);
    default: // the other instructions that emulate_mmio() accepts
        return emulate_rare(c, insn, address);
    }
}

// Executes an instruction with an operand on two pages, one of which was refused.
static __attribute__((noinline, cold)) enum status
execute_split(struct emulate_context *c, const struct insn *insn, gpa_t address, uint64_t linear)
{
    struct guest_span span;
    struct guest_fault fault;
    enum status status;

    if ((linear & PAGE_MASK) + insn->mem_size <= PAGE_SIZE)
        return ERR_INVALID;
    status = guest_span_walk(c->ram, c->paging, linear, insn->mem_size,
                             writes_memory(insn) ? WALK_WRITE : WALK_READ, &span, &fault);
    if (status == ERR_FAULT)
        return emulate_page_fault(c, &fault);
    if (status != STATUS_OK)
        return status;
    if (!emulate_span_has(c, &span, address))
        return ERR_INVALID;
    c->split = &span;
    status = execute(c, insn, address);
    c->split = NULL;
    return status;
}

enum status emulate_mmio(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    enum status status;

    if (insn->op - (unsigned)INSN_ADD >= INSN_MOVS - (unsigned)INSN_ADD || !insn->mem) {
        bool string = insn->op >= INSN_MOVS && insn->op <= INSN_SCAS;

        return string ? emulate_string_mmio(c, insn, address) : ERR_UNSUPPORTED;
    }
    uint64_t linear = operand_linear(c, insn);
    if (!addresses(linear, insn, address))
        status = execute_split(c, insn, address, linear);
    else if (insn->op == INSN_MOV && insn->form != FORM_REG_RM) // a driver's write, such as EOI
        status = c->host->mmio_write(c->vcpu, address, insn->mem_size, source_operand(c, insn));
    else
        status = execute(c, insn, address);
    if (status == STATUS_OK) {
        emulate_touch(c, linear, insn->mem_size, writes_memory(insn));
        emulate_advance(c, insn);
    }
    return status;
}
