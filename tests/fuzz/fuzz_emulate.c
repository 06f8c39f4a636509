// SPDX-License-Identifier: Apache-2.0
// Lets the emulators fetch and execute any instruction, in any mode, with any registers, segments
// and page tables. What is checked holds whatever a guest does: only what the instruction names
// changes, and nothing at all if it fails; the device is accessed where the processor said, in the
// instruction's direction and size; a string instruction touches the port once for each element
// that it moves, with the value that its memory has.
#include <string.h>

#include "hv/emulate/decode_memo.h"
#include "hv/emulate/string.h"
#include "hv/emulate/string_io.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest_machine.h"
#include "tests/fuzz/walk_model.h"
#include "tests/unit/fake_vectors.h"

#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

// A/D bits of a page table entry, the only ones that a walk may set, in each byte.
#define ACCESSED_DIRTY 0x60

#define BLOCK 512 // of RAM, compared at a time

static struct insn insn;
static struct flat_ram ram_before;

// ---- device and ports ------------------------------------------------------------------------

static struct {
    unsigned reads, writes;
    unsigned parts;   // of these, how many were of an operand on two pages
    unsigned fail_at; // which access the device refuses; 0: none
    bool refused;
    gpa_t address; // where the processor says the access was
} device;

static enum status note_access(gpa_t address, unsigned size)
{
    unsigned whole = insn.mem_size > 8 ? 8 : insn.mem_size;
    bool part = size != whole;

    CHECK((address.v & PAGE_MASK) + size <= PAGE_SIZE);
    CHECK(!guest_ram_contains(&flat.ram, address, size));
    if (part) {
        CHECK(size < whole);
        CHECK((address.v & PAGE_MASK) == 0 || ((address.v + size) & PAGE_MASK) == 0);
        device.parts++;
    } else if (insn.op != INSN_MOVS && insn.op != INSN_CMPS && insn.op != INSN_INS &&
               insn.op != INSN_OUTS) {
        CHECK(address.v - device.address.v <= insn.mem_size - size);
    }
    device.refused = device.reads + device.writes == device.fail_at;
    return device.refused ? ERR_DENIED : STATUS_OK;
}

static enum status mmio_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value)
{
    (void)v;
    device.reads++;
    *value = (address.v * 0x9e3779b97f4a7c15ull) & size_mask(size);
    return note_access(address, size);
}

static enum status mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value)
{
    (void)v;
    (void)value;
    device.writes++;
    return note_access(address, size);
}

static struct {
    unsigned count;
    uint32_t value; // the last
    struct guest_span span;
} port;

static uint64_t string_linear(unsigned pointer)
{
    uint64_t linear = guest_reg_read(&guest.regs, pointer, insn.address_size, false);

    if (guest.context.mode != DECODE_64 || insn.segment >= SEG_FS)
        linear += guest.segments[insn.segment].base;
    return guest.context.mode == DECODE_64 ? linear : linear & 0xffffffff;
}

static void find_element(unsigned pointer, unsigned access)
{
    struct guest_fault fault;

    CHECK(guest_span_walk(&flat.ram, &guest.paging, string_linear(pointer), insn.mem_size, access,
                          &port.span, &fault) == STATUS_OK);
}

// Page table entries that the element hit may have got their bits since.
static void check_element(void)
{
    uint32_t there = 0;

    if (guest_span_read(&flat.ram, &port.span, &there) != STATUS_OK)
        return; // some of it is the device's
    CHECK(((there ^ port.value) & size_mask(insn.mem_size) & ~0x60606060ull) == 0);
}

static uint32_t port_read(struct vcpu *v, uint16_t number, unsigned size)
{
    (void)v;
    CHECK(insn.op == INSN_INS && size == insn.mem_size && size <= 4);
    CHECK(number == (uint16_t)guest.regs.r[GPR_RDX]);
    if (port.count++ > 0)
        check_element();
    find_element(GPR_RDI, WALK_WRITE);
    port.value = (uint32_t)(port.count * 0x9e3779b1u & size_mask(size));
    return port.value;
}

static void port_write(struct vcpu *v, uint16_t number, unsigned size, uint32_t value)
{
    (void)v;
    CHECK(insn.op == INSN_OUTS && size == insn.mem_size && size <= 4);
    CHECK(number == (uint16_t)guest.regs.r[GPR_RDX]);
    port.count++;
    port.value = value;
    find_element(GPR_RSI, WALK_READ);
    check_element();
}

static const struct emulate_host host = {
    .mmio_read = mmio_read,
    .mmio_write = mmio_write,
    .segment = guest_machine_segment,
    .port_read = port_read,
    .port_write = port_write,
};

// ---- what may change -------------------------------------------------------------------------

// Of the rare instructions.
static bool rare(void)
{
    return insn.op == INSN_POP || (insn.op >= INSN_PUSH && insn.op < INSN_MOVS);
}

static bool may_change_rare(unsigned reg)
{
    switch (insn.op) {
    case INSN_PUSH:
    case INSN_POP:
        return reg == GPR_RSP;
    case INSN_CMPXCHG8B:
    case INSN_MUL:
    case INSN_IMUL_RAX:
    case INSN_DIV:
    case INSN_IDIV:
        return reg == GPR_RAX || (reg == GPR_RDX && insn.mem_size > 1);
    case INSN_BLSI:
    case INSN_BLSMSK:
    case INSN_BLSR:
        return reg == insn.source2;
    case INSN_MULX:
        return reg == insn.source2 || reg == insn.reg;
    default:
        return insn.form == FORM_REG_RM && insn.op < INSN_VECTOR_LOAD && reg == insn.reg;
    }
}

static bool may_change(unsigned reg)
{
    bool string = insn.form == FORM_STRING;

    if (rare())
        return may_change_rare(reg);
    switch (reg) {
    case GPR_RSI:
    case GPR_RDI:
        if (string)
            return true;
        break;
    case GPR_RCX:
        if (string && insn.rep != REP_NONE)
            return true;
        break;
    case GPR_RAX:
        if (insn.op == INSN_LODS || insn.op == INSN_CMPXCHG)
            return true;
        break;
    default:
        break;
    }
    if (string || insn.op == INSN_CMP || insn.op == INSN_TEST || insn.op == INSN_BT)
        return false;
    return (insn.form == FORM_REG_RM || insn.op == INSN_XCHG || insn.op == INSN_XADD) &&
           reg == insn.reg;
}

static bool changes_flags(void)
{
    if (insn.op == INSN_CRC32 || (insn.op >= INSN_MULX && insn.op <= INSN_SHRX))
        return false;
    if (insn.op == INSN_CMPXCHG8B || (insn.op >= INSN_MUL && insn.op <= INSN_BZHI))
        return true;
    return (insn.op >= INSN_ADD && insn.op <= INSN_NEG && insn.op != INSN_NOT) ||
           insn.op == INSN_XADD || insn.op == INSN_CMPXCHG ||
           (insn.op >= INSN_BT && insn.op <= INSN_BTC) || insn.op == INSN_CMPS ||
           insn.op == INSN_SCAS;
}

static void check_unchanged(const struct guest_regs *regs, uint64_t rip, uint64_t rflags)
{
    CHECK(memcmp(regs, &guest.regs, sizeof(*regs)) == 0);
    CHECK(guest.context.rip == rip && guest.context.rflags == rflags);
}

// The first and the last byte that changed otherwise than by bits that walks set.
struct change {
    size_t first, last; // 0: none; nothing is executed from there
};

static void find_change(size_t begin, struct change *out)
{
    for (size_t i = begin; i < begin + BLOCK; i++) {
        uint8_t changed = ram_before.bytes[i] ^ flat.bytes[i];

        if ((changed & ~ACCESSED_DIRTY) == 0 && (changed & ~flat.bytes[i]) == 0)
            continue;
        out->first = out->first == 0 ? i : out->first;
        out->last = i;
    }
}

// RAM has changed nowhere but in the bytes of one write and in the bits that walks set.
static void check_ram(bool write_allowed)
{
    struct change change = {0, 0};

    for (size_t i = 0; i < sizeof(flat.bytes); i += BLOCK) {
        if (memcmp(ram_before.bytes + i, flat.bytes + i, BLOCK) != 0)
            find_change(i, &change);
    }
    CHECK(change.first == 0 || write_allowed);
    // Two pages that lie apart may share it.
    CHECK(change.last - change.first < 8 || (change.first & PAGE_MASK) > PAGE_SIZE - 8 ||
          (change.last & PAGE_MASK) > PAGE_SIZE - 8 || (change.first & PAGE_MASK) < 8);
}

static void check_exception(void)
{
    uint8_t vector = guest.context.exception.vector;

    CHECK(vector == EXCEPTION_PF || vector == EXCEPTION_GP || vector == EXCEPTION_SS ||
          (vector == EXCEPTION_DE && (insn.op == INSN_DIV || insn.op == INSN_IDIV)) ||
          ((vector == EXCEPTION_UD || vector == EXCEPTION_NM) && insn.op >= INSN_VECTOR_LOAD));
    CHECK(vector == EXCEPTION_PF ? guest.context.exception.error_code < 32
                                 : guest.context.exception.error_code == 0);
}

static uint64_t next_rip(uint64_t rip)
{
    return guest.context.mode == DECODE_64 ? rip + insn.length : (uint32_t)(rip + insn.length);
}

// ---- the two ways an instruction is executed ---------------------------------------------------

// Where the processor would report the access; in the device, if the fuzzer can't say.
static gpa_t faulting_address(uint16_t choice)
{
    unsigned pointer = insn.op == INSN_LODS || (choice & 1) ? GPR_RSI : GPR_RDI;
    uint64_t linear = insn.form == FORM_STRING
                          ? guest_reg_read(&guest.regs, pointer, insn.address_size, false)
                          : emulate_offset(&insn, &guest.regs, guest.context.rip);
    unsigned segment =
        insn.form == FORM_STRING && pointer == GPR_RDI ? (unsigned)SEG_ES : insn.segment;
    uint32_t error;
    gpa_t out;

    if (guest.context.mode != DECODE_64 || segment >= SEG_FS)
        linear += guest.segments[segment].base;
    if (guest_walk(&flat.ram, &guest.paging, linear, WALK_READ, &out, &error) == STATUS_OK &&
        !guest_ram_contains(&flat.ram, out, 1))
        return out;
    return gpa(GUEST_DEVICE + (choice & PAGE_MASK));
}

static void check_rare_accesses(void)
{
    unsigned parts = insn.mem_size > 8 ? insn.mem_size / 8u : 1;
    bool writes_only = insn.op == INSN_POP || insn.op == INSN_SET || insn.op >= INSN_VECTOR_STORE;
    bool both = (insn.op >= INSN_ROL && insn.op <= INSN_SAR) || insn.op == INSN_SHLD ||
                insn.op == INSN_SHRD || insn.op == INSN_CMPXCHG8B;

    CHECK(device.reads == (writes_only ? 0 : parts));
    CHECK(device.writes == (writes_only || both ? parts : 0));
}

static void check_device_accesses(void)
{
    if (rare()) {
        if (device.parts == 0)
            check_rare_accesses();
        return;
    }
    bool reads_only = insn.op == INSN_CMP || insn.op == INSN_TEST || insn.op == INSN_BT ||
                      insn.op == INSN_LODS || insn.op == INSN_SCAS || insn.op == INSN_CMPS;

    unsigned most = device.parts > 0 ? 2 : 1; // of an operand

    CHECK(device.writes <= most && device.reads <= (insn.op == INSN_CMPS ? 2 : 1) * most);
    CHECK(device.reads + device.writes > 0);
    if (insn.op == INSN_MOVS || insn.op == INSN_CMPS || device.parts > 0)
        return;
    if (insn.op == INSN_STOS || (insn.op >= INSN_MOV && insn.op <= INSN_MOVNTI))
        CHECK(device.reads + device.writes == 1 &&
              (device.reads == 1) == (insn.form == FORM_REG_RM));
    else
        CHECK(device.reads == 1 && device.writes == !(reads_only || insn.form == FORM_REG_RM));
}

static void run_mmio(uint16_t choice)
{
    struct guest_regs regs = guest.regs;
    uint64_t rip = guest.context.rip, rflags = guest.context.rflags;
    enum status status;

    device.address = faulting_address(choice);
    status = emulate_mmio(&guest.context, &insn, device.address);
    if (status == ERR_FAULT)
        check_exception();
    if (status != STATUS_OK) {
        check_unchanged(&regs, rip, rflags);
        if (insn.mem_size <= 8 && device.parts == 0) // else the first may have been written
            CHECK(device.writes == (device.fail_at != 0 && device.fail_at == device.reads + 1 &&
                                    device.writes != 0));
        check_ram(false);
        return;
    }
    CHECK(!device.refused);
    check_device_accesses();
    for (unsigned i = 0; i < GPR_COUNT; i++)
        CHECK(regs.r[i] == guest.regs.r[i] || may_change(i));
    CHECK(((rflags ^ guest.context.rflags) & ~(changes_flags() ? STATUS_FLAGS : 0)) == 0);
    CHECK(guest.context.rip == next_rip(rip) ||
          (guest.context.rip == rip && insn.form == FORM_STRING && insn.rep != REP_NONE));
    check_ram(insn.op == INSN_MOVS || insn.op == INSN_PUSH || device.parts > 0);
}

static void run_string_io(void)
{
    unsigned pointer = insn.op == INSN_INS ? GPR_RDI : GPR_RSI;
    struct guest_regs expected = guest.regs;
    uint64_t mask = size_mask(insn.address_size);
    uint64_t rip = guest.context.rip, rflags = guest.context.rflags;
    uint64_t count = insn.rep == REP_NONE ? 1 : expected.r[GPR_RCX] & mask;
    enum status status = string_io(&guest.context, &insn);

    CHECK(port.count <= count);
    if (status == ERR_DENIED && insn.op == INSN_INS)
        port.count--; // the device did not take what the port gave
    else if (port.count > 0 && insn.op == INSN_INS)
        check_element();
    uint64_t moved = port.count * (uint64_t)insn.mem_size;
    if (port.count > 0) {
        uint64_t offset = expected.r[pointer];

        offset = rflags & RFLAGS_DF ? offset - moved : offset + moved;
        guest_reg_write(&expected, pointer, insn.address_size, false, offset);
        if (insn.rep != REP_NONE)
            guest_reg_write(&expected, GPR_RCX, insn.address_size, false, count - port.count);
    }
    switch (status) {
    case STATUS_OK:
        CHECK(port.count > 0 || count == 0);
        if (port.count == count)
            rip = next_rip(rip);
        else // a long one may pause; a trap comes behind its iteration
            CHECK(port.count >= 64 || (rflags & RFLAGS_TF) || guest.context.hits);
        CHECK(!(rflags & RFLAGS_TF) || port.count <= 1);
        break;
    case ERR_FAULT:
        check_exception();
        CHECK(port.count < count);
        break;
    default:
        CHECK(status == ERR_RANGE || status == ERR_INVALID || status == ERR_DENIED);
        CHECK(port.count < count);
    }
    check_unchanged(&expected, rip, rflags);
    if (insn.op == INSN_OUTS)
        check_ram(false);
}

// The instruction at RIP, in each way that it can be got.
static bool fetch(void)
{
    uint8_t bytes[INSN_MAX_LENGTH];
    struct guest_regs regs = guest.regs;
    uint64_t rip = guest.context.rip, rflags = guest.context.rflags;
    struct insn again;
    size_t got;
    enum status status = emulate_fetch(&guest.context, &insn, bytes, &got);

    check_unchanged(&regs, rip, rflags);
    check_ram(false);
    if (status == ERR_FAULT)
        check_exception();
    if (status != STATUS_OK)
        return false;
    CHECK(insn.length <= got && got <= INSN_MAX_LENGTH);
    // Now the memo knows it, if all its bytes were there.
    guest.context.fetched_count = 0;
    status = emulate_fetch(&guest.context, &again, bytes, &got);
    if (status == STATUS_OK && guest.fetched_from_rip)
        CHECK(again.length == insn.length && again.op == insn.op && again.disp == insn.disp &&
              again.imm == insn.imm && again.reg == insn.reg && again.base == insn.base);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decode_memo memo;
    struct guest_choice choice;

    memset(&memo, 0, sizeof(memo));
    memset(&device, 0, sizeof(device));
    memset(&port, 0, sizeof(port));
    fake_vectors.wide_enabled = true;
    if (!guest_machine_set_up(data, size, &choice))
        return 0;
    guest.context.host = &host;
    // The tables that it has, walked for addresses that it has.
    for (unsigned access = 0; access < 6; access++) {
        if ((access & 3) != 3)
            compare_walk(&guest.paging, guest.regs.r[choice.address % GPR_COUNT], access);
    }
    guest.context.memo = choice.flags & 1 ? &memo : NULL;
    device.fail_at = choice.flags >> 6;
    ram_before = flat;
    if (!fetch())
        return 0;
    ram_before = flat;
    if (insn.op == INSN_INS || insn.op == INSN_OUTS)
        run_string_io();
    else if (insn.mem || insn.form == FORM_STRING)
        run_mmio(choice.address);
    else
        CHECK(emulate_mmio(&guest.context, &insn, gpa(GUEST_DEVICE)) == ERR_UNSUPPORTED);
    return 0;
}
