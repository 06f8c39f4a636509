// SPDX-License-Identifier: Apache-2.0
// Moves between a device page and a vector register. The only computation is the conversion of an
// integer. No other is needed: a compiler loads a device's register first and computes afterwards.
#include "arch/lib/string.h"
#include "arch/virt/vector_regs.h"
#include "hv/emulate/rare.h"

// Whether the guest may use the vector registers (SDM vol. 3, 14.1, and tables 2-16 of vol. 2). The
// processor checked this before the exit, but memory may hold another instruction by now.
static enum status check_use(struct emulate_context *c, const struct insn *insn)
{
    uint64_t cr0 = c->paging->cr0;
    uint64_t cr4 = c->paging->cr4;
    bool usable = insn->vector ? !c->real_mode && (cr4 & CR4_OSXSAVE) && vector_wide_enabled()
                               : !(cr0 & CR0_EM) && (cr4 & CR4_OSFXSR);

    if (!usable)
        return emulate_exception(c, EXCEPTION_UD);
    return cr0 & CR0_TS ? emulate_exception(c, EXCEPTION_NM) : STATUS_OK;
}

// The offset in the register of the part that the instruction moves.
static unsigned part_offset(const struct insn *insn)
{
    unsigned whole = insn->mem_size == 16 ? 32 : 16;

    switch (insn->op) {
    case INSN_VECTOR_INSERT:
    case INSN_VECTOR_EXTRACT:
        return (unsigned)insn->imm * insn->mem_size & (whole - 1);
    case INSN_VECTOR_INSERTPS:
        return (unsigned)insn->imm >> 2 & 12;
    case INSN_VECTOR_HIGH:
    case INSN_VECTOR_STORE_HIGH:
        return 8;
    default:
        return 0;
    }
}

// The byte of memory that a byte of the register comes from, for moves that repeat bytes.
static unsigned repeated(const struct insn *insn, unsigned byte)
{
    unsigned element = insn->operand_size;

    switch (insn->op) {
    case INSN_VECTOR_EVEN:
        return byte & ~element;
    case INSN_VECTOR_ODD:
        return byte | element;
    default:
        return byte & (insn->mem_size - 1u);
    }
}

// The register's new value, made from memory and from the old value of the register or `source2`.
static void merge(const struct insn *insn, const struct vector_value *memory,
                  struct vector_value *value)
{
    unsigned length = insn->vector ? insn->vector : 16;

    switch (insn->op) {
    case INSN_VECTOR_BROADCAST:
    case INSN_VECTOR_EVEN:
    case INSN_VECTOR_ODD:
        for (unsigned i = 0; i < length; i++)
            value->byte[i] = memory->byte[repeated(insn, i)];
        break;
    case INSN_VECTOR_LOAD:
        memset(value, 0, sizeof(*value));
        // fall through
    default:
        memcpy(value->byte + part_offset(insn), memory->byte, insn->mem_size);
    }
    for (unsigned i = 0; insn->op == INSN_VECTOR_INSERTPS && i < 4; i++) {
        if (insn->imm >> i & 1)
            memset(value->byte + 4 * i, 0, 4);
    }
    memset(value->byte + length, 0, sizeof(*value) - length);
}

// Replaces the integer in `memory` by the number that it converts to. False: #XM.
static bool converted(struct insn *insn, struct vector_value *memory)
{
    bool to_double = insn->op == INSN_VECTOR_TO_DOUBLE;
    uint64_t number = 0;

    memcpy(&number, memory->byte, insn->mem_size);
    if (!vector_convert(number, insn->mem_size, to_double, &number))
        return false;
    memcpy(memory->byte, &number, sizeof(number));
    insn->mem_size = to_double ? 8 : 4;
    return true;
}

static enum status load(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    struct vector_value memory, value;
    struct insn part = *insn;
    bool converts = insn->op == INSN_VECTOR_TO_SINGLE || insn->op == INSN_VECTOR_TO_DOUBLE;
    enum status status = emulate_mmio_read_wide(c, address, insn->mem_size, memory.byte);

    if (status != STATUS_OK)
        return status;
    if (converts && !converted(&part, &memory))
        return emulate_exception(c, c->paging->cr4 & CR4_OSXMMEXCPT ? EXCEPTION_XM : EXCEPTION_UD);
    vector_read(insn->vector ? insn->source2 : insn->reg, insn->vector, &value);
    merge(&part, &memory, &value);
    vector_write(insn->reg, insn->vector, &value);
    return STATUS_OK;
}

enum status emulate_vector(struct emulate_context *c, const struct insn *insn, gpa_t address)
{
    struct vector_value value;
    enum status status = check_use(c, insn);

    if (status != STATUS_OK)
        return status;
    if (insn->op < INSN_VECTOR_STORE)
        return load(c, insn, address);
    vector_read(insn->reg, insn->vector, &value);
    return emulate_mmio_write_wide(c, address, insn->mem_size, value.byte + part_offset(insn));
}
