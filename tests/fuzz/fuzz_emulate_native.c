// SPDX-License-Identifier: Apache-2.0
// The emulators against the processor that the test runs on: the same instruction, with the same
// registers, flags and memory, executed by both in 64-bit mode. In memory, by linear address:
// nothing, two pages of RAM, the device's page, one of RAM that can only be read, nothing. For the
// processor the device's page is RAM too; the emulator's device keeps what is written. What the one
// faults on, the other must fault on, at the same address and after the same iterations.
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "docs/tables/insn_names.h"
#include "hv/emulate/emulate.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/native.h"
#include "tests/unit/fake_flat_ram.h"
#include "tests/unit/fake_vectors.h"

#define AREA         0x10000000u // linear
#define PAGES        6u
#define AREA_END     (AREA + PAGES * PAGE_SIZE)
#define DEVICE_PAGE  3u
#define FIXED_PAGE   4u // read-only
#define DEVICE_GPA   0xfee00000u
#define RAM_GPA      0x8000u // of page 0, which is not mapped
#define STATUS_FLAGS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)
#define MAX_COUNT    32u

struct __attribute__((packed)) input {
    uint8_t how; // bit 0: the operand's base register is aimed at the device
    uint16_t aim;
    uint16_t rflags;
    uint8_t fill; // of memory
    struct __attribute__((packed)) {
        uint8_t kind;
        uint16_t value;
    } regs[GPR_COUNT];
    uint8_t code[INSN_MAX_LENGTH];
};

static struct insn insn;
static uint8_t *const area = (uint8_t *)(uintptr_t)AREA;
static uint8_t device[PAGE_SIZE];

// ---- what the emulator asks --------------------------------------------------------------------

static enum status mmio_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value)
{
    (void)v;
    CHECK(address.v >= DEVICE_GPA && address.v + size <= DEVICE_GPA + PAGE_SIZE);
    *value = 0;
    memcpy(value, device + (address.v - DEVICE_GPA), size);
    return STATUS_OK;
}

static enum status mmio_write(struct vcpu *v, gpa_t address, unsigned size, uint64_t value)
{
    (void)v;
    CHECK(address.v >= DEVICE_GPA && address.v + size <= DEVICE_GPA + PAGE_SIZE);
    memcpy(device + (address.v - DEVICE_GPA), &value, size);
    return STATUS_OK;
}

static void get_segment(struct vcpu *v, unsigned segment, struct guest_segment *out)
{
    (void)v;
    (void)segment;
    *out = (struct guest_segment){0, 0xffffffff, 0xc93};
}

static const struct emulate_host host = {
    .mmio_read = mmio_read, .mmio_write = mmio_write, .segment = get_segment};

// ---- memory ------------------------------------------------------------------------------------

static gpa_t gpa_of(uint64_t linear)
{
    if ((linear - AREA) / PAGE_SIZE == DEVICE_PAGE)
        return gpa(DEVICE_GPA + (linear & PAGE_MASK));
    return gpa(RAM_GPA + (linear - AREA));
}

// Tables for the area, of four levels, and the same contents on both sides.
static void set_up_memory(uint8_t fill)
{
    uint32_t random = fill * 0x9e3779b1u + 1;

    CHECK(mprotect(area + PAGE_SIZE, (PAGES - 2) * PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
    flat_clear();
    flat_set_u64(0x1000, 0x2000 | 7);
    flat_set_u64(0x2000, 0x3000 | 7);
    flat_set_u64(0x3000 + 8 * (AREA >> 21), 0x4000 | 7);
    for (unsigned page = 1; page < PAGES - 1; page++) {
        uint8_t *to = page == DEVICE_PAGE ? device : flat.bytes + RAM_GPA + page * PAGE_SIZE;

        flat_set_u64(0x4000 + 8 * page,
                     gpa_of(AREA + page * PAGE_SIZE).v | (page == FIXED_PAGE ? 5 : 7));
        for (unsigned i = 0; i < PAGE_SIZE; i++) {
            random = random * 1103515245 + 12345;
            // Equal bytes in a row, for CMPS and SCAS to go on.
            to[i] = fill & 1 ? (uint8_t)(random >> 24) : fill;
        }
        memcpy(area + page * PAGE_SIZE, to, PAGE_SIZE);
    }
    CHECK(mprotect(area + FIXED_PAGE * PAGE_SIZE, PAGE_SIZE, PROT_READ) == 0);
}

static bool same_memory(void)
{
    for (unsigned page = 1; page < PAGES - 1; page++) {
        const uint8_t *mine =
            page == DEVICE_PAGE ? device : flat.bytes + RAM_GPA + page * PAGE_SIZE;

        if (memcmp(mine, area + page * PAGE_SIZE, PAGE_SIZE) != 0)
            return false;
    }
    return true;
}

// ---- which instructions, and what they address -------------------------------------------------

static bool in_area(uint64_t linear)
{
    return linear >= AREA && linear + insn.mem_size <= AREA_END;
}

// The access lies in the device's page, as a whole.
static bool in_device(uint64_t linear)
{
    uint64_t offset = linear - (AREA + DEVICE_PAGE * PAGE_SIZE);

    return offset < PAGE_SIZE && offset + insn.mem_size <= PAGE_SIZE;
}

static bool split(uint64_t linear)
{
    return (linear & PAGE_MASK) + insn.mem_size > PAGE_SIZE &&
           (in_device(linear & ~PAGE_MASK) || in_device((linear & ~PAGE_MASK) + PAGE_SIZE));
}

// FS and GS are the test's own; what is not an access to memory never comes to the emulator.
static bool usable(void)
{
    if (insn.op < INSN_ADD || insn.op > INSN_SCAS || insn.segment >= SEG_FS)
        return false;
    return insn.mem || insn.form == FORM_STRING;
}

static uint64_t pointer(const struct guest_regs *regs, unsigned reg)
{
    return insn.address_size == 8 ? regs->r[reg] : regs->r[reg] & 0xffffffff;
}

// Of a string instruction: how many iterations from the first on have an operand in the device and
// none that lies in two pages, one of them the device. All of them lie in the area.
static unsigned device_iterations(const struct guest_regs *regs, uint64_t rflags)
{
    bool source = insn.op == INSN_MOVS || insn.op == INSN_CMPS || insn.op == INSN_LODS;
    bool destination = insn.op != INSN_LODS;
    uint64_t step = rflags & RFLAGS_DF ? (uint64_t) - (int64_t)insn.mem_size : insn.mem_size;
    uint64_t from = pointer(regs, GPR_RSI), to = pointer(regs, GPR_RDI);
    unsigned n;

    for (n = 0; n < MAX_COUNT; n++, from += step, to += step) {
        if ((source && (!in_area(from) || split(from))) ||
            (destination && (!in_area(to) || split(to))))
            break;
        if (!(source && in_device(from)) && !(destination && in_device(to)))
            break;
    }
    return n;
}

// Where the operand is: of a bit string, and of POP, it is not where ModRM says.
static uint64_t operand_at(const struct guest_regs *regs, uint64_t linear)
{
    int64_t bit;

    if (insn.op == INSN_POP && insn.base == GPR_RSP)
        return linear + insn.operand_size;
    if (insn.op < INSN_BT || insn.op > INSN_BTC || insn.form != FORM_RM_REG)
        return linear;
    bit = insn.operand_size == 8   ? (int64_t)regs->r[insn.reg]
          : insn.operand_size == 4 ? (int32_t)regs->r[insn.reg]
                                   : (int16_t)regs->r[insn.reg];
    return linear + (uint64_t)(bit >> 3) / insn.operand_size * insn.operand_size;
}

// The stack lies in RAM of the area, and not in a page beside the device.
static bool stack_usable(const struct guest_regs *regs)
{
    uint64_t top = insn.op == INSN_PUSH ? regs->r[GPR_RSP] - insn.operand_size : regs->r[GPR_RSP];

    if (insn.op != INSN_PUSH && insn.op != INSN_POP)
        return true;
    return top >= AREA && top + 8 <= AREA_END &&
           !ranges_overlap(top, 8, AREA + DEVICE_PAGE * PAGE_SIZE, PAGE_SIZE);
}

// ---- the two executions ------------------------------------------------------------------------

static uint64_t number(uint8_t kind, uint16_t value)
{
    switch (kind % 8) {
    case 0:
        return value;
    case 1:
        return AREA + value % (PAGES * PAGE_SIZE);
    case 2:
        return AREA + DEVICE_PAGE * PAGE_SIZE - 16 + value % (PAGE_SIZE + 32);
    case 3:
        return (uint64_t) - (int64_t)value;
    case 4:
        return value * 0x0001000100010001ull;
    case 5:
        return (uint64_t)(value & 1) << 63 | (value >> 1);
    case 6: // with something above an address of 32 bits
        return (uint64_t)value << 48 | (AREA + value % (PAGES * PAGE_SIZE));
    default:
        return 0xffffffff - value;
    }
}

// Lets the base register make the address what is aimed at.
static void aim(struct guest_regs *regs, uint16_t where)
{
    uint64_t target = AREA + DEVICE_PAGE * PAGE_SIZE + where % PAGE_SIZE;
    uint64_t without;

    if (!insn.mem || insn.base == INSN_NO_REG || insn.base == insn.index)
        return;
    regs->r[insn.base] = 0;
    without = emulate_offset(&insn, regs, NATIVE_CODE);
    regs->r[insn.base] = target - without;
}

static enum status emulate(struct emulate_context *c, unsigned count)
{
    enum status status = STATUS_OK;

    for (unsigned i = 0; status == STATUS_OK && i < count && c->rip == NATIVE_CODE; i++) {
        uint64_t linear = operand_at(c->regs, emulate_offset(&insn, c->regs, c->rip));

        if (insn.form == FORM_STRING) {
            uint64_t from = pointer(c->regs, GPR_RSI), to = pointer(c->regs, GPR_RDI);
            bool source = insn.op == INSN_MOVS || insn.op == INSN_CMPS || insn.op == INSN_LODS;

            linear = source && in_device(from) ? from : to;
        }
        status = emulate_mmio(c, &insn, gpa_of(linear));
    }
    return status;
}

static void report(const struct native_state *n, const struct emulate_context *c)
{
    fprintf(stderr, "%s: signal %d at 0x%llx\n", insn_name((enum insn_op)insn.op), n->signal,
            (unsigned long long)n->fault);
    for (unsigned i = 0; i < GPR_COUNT; i++)
        fprintf(stderr, "r%u: processor %llx, emulator %llx\n", i, (unsigned long long)n->regs.r[i],
                (unsigned long long)c->regs->r[i]);
    fprintf(stderr, "flags: processor %llx, emulator %llx; rip %llx\n",
            (unsigned long long)n->rflags, (unsigned long long)c->rflags,
            (unsigned long long)c->rip);
}

// What a REP that faults leaves open, on both sides. With addresses of 32 bits, the upper halves of
// its count and pointers: Intel clears that of RCX at once and the pointers' for MOVS and STOS
// alone, and no manual says so. And the flags of CMPS and SCAS: the processor takes those from
// before the first iteration (SDM vol. 2, REP), the emulator is asked for one iteration at a time,
// as if an interrupt came behind each.
static uint64_t forget_what_is_open(struct guest_regs *regs, uint64_t rflags)
{
    static const unsigned used[] = {GPR_RCX, GPR_RSI, GPR_RDI};

    if (insn.form != FORM_STRING || insn.rep == REP_NONE)
        return rflags;
    for (unsigned i = 0; insn.address_size == 4 && i < sizeof(used) / sizeof(used[0]); i++)
        regs->r[used[i]] &= 0xffffffff;
    return insn.op == INSN_CMPS || insn.op == INSN_SCAS ? rflags & ~STATUS_FLAGS : rflags;
}

// What the processor checks before it accesses memory, so that the instruction never comes here: an
// alignment, and whether it knows the instruction at all.
static bool refused_before(const struct native_state *n)
{
    return n->signal == SIGILL || (n->signal == SIGSEGV && n->fault == 0 &&
                                   (insn.op >= INSN_VECTOR_LOAD || insn.op == INSN_CMPXCHG8B));
}

static void compare(struct native_state *n, struct emulate_context *c, enum status status)
{
    if (refused_before(n))
        return;
    if (n->signal != 0) {
        n->rflags = forget_what_is_open(&n->regs, n->rflags);
        c->rflags = forget_what_is_open(c->regs, c->rflags);
    }
    bool same = memcmp(&n->regs, c->regs, sizeof(n->regs)) == 0 &&
                ((n->rflags ^ c->rflags) & (STATUS_FLAGS | RFLAGS_DF)) == 0;

    if (n->signal == 0)
        same = same && status == STATUS_OK && c->rip == NATIVE_CODE + insn.length &&
               memcmp(n->vectors, fake_vectors.reg, sizeof(n->vectors)) == 0;
    else if (n->signal == SIGFPE)
        same = same && status == ERR_FAULT && c->exception.vector == EXCEPTION_DE;
    else
        same = same && n->signal == SIGSEGV && status == ERR_FAULT &&
               c->exception.vector == EXCEPTION_PF && c->exception.cr2 == n->fault;
    if (same && same_memory())
        return;
    report(n, c);
    abort();
}

static void run_both(struct guest_regs *regs, uint64_t rflags, unsigned count)
{
    const struct guest_paging paging = {.cr0 = CR0_PG | CR0_WP | CR0_PE,
                                        .cr3 = 0x1000,
                                        .cr4 = CR4_PAE | CR4_OSFXSR |
                                               (native_has_avx() ? CR4_OSXSAVE : 0),
                                        .efer = BIT(8) | BIT(10),
                                        .cpl = 3,
                                        .phys_bits = 40};
    struct emulate_context c = {.host = &host,
                                .ram = &flat.ram,
                                .regs = regs,
                                .paging = &paging,
                                .rip = NATIVE_CODE,
                                .rflags = rflags,
                                .mode = DECODE_64};
    struct native_state n = {.regs = *regs, .rflags = rflags};

    fake_vectors.wide_enabled = native_has_avx();
    for (unsigned i = 0; i < sizeof(n.vectors); i++)
        n.vectors[i / 32].byte[i % 32] = native_has_avx() || !(i & 16) ? (uint8_t)(i * 29 + 7) : 0;
    memcpy(fake_vectors.reg, n.vectors, sizeof(n.vectors));
    enum status status = emulate(&c, count);

    native_run((const uint8_t *)(uintptr_t)NATIVE_CODE, insn.length, &n);
    compare(&n, &c, status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_set_up;
    struct guest_regs regs;
    struct input in;
    unsigned count = 1;
    uint64_t rflags;

    if (!is_set_up) {
        native_set_up();
        CHECK(mmap(area, PAGES * PAGE_SIZE, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == area);
        is_set_up = true;
    }
    if (size < sizeof(in))
        return 0;
    memcpy(&in, data, sizeof(in));
    if (decode(in.code, sizeof(in.code), DECODE_64, &insn) != STATUS_OK || !usable())
        return 0;
    for (unsigned i = 0; i < GPR_COUNT; i++)
        regs.r[i] = number(in.regs[i].kind, in.regs[i].value);
    rflags = (in.rflags & (STATUS_FLAGS | RFLAGS_DF)) | 0x202;
    if (in.how & 1)
        aim(&regs, in.aim);

    if (insn.form == FORM_STRING) {
        count = device_iterations(&regs, rflags);
        if (insn.rep != REP_NONE && pointer(&regs, GPR_RCX) > count)
            regs.r[GPR_RCX] = count;
        if (insn.rep != REP_NONE && pointer(&regs, GPR_RCX) == 0)
            return 0;
    } else {
        count = in_device(operand_at(&regs, emulate_offset(&insn, &regs, NATIVE_CODE))) &&
                stack_usable(&regs);
    }
    if (count == 0)
        return 0;
    set_up_memory(in.fill);
    memcpy((void *)(uintptr_t)NATIVE_CODE, in.code, sizeof(in.code));
    run_both(&regs, rflags, count);
    return 0;
}
