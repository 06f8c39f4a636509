// SPDX-License-Identifier: Apache-2.0
// Runs code in a mode and a ring until the first exception; see engine.h. modes.asm has the ways
// into the modes, segments.c and pages.c the tables.

#include "tests/guests/equiv/engine.h"

#include "tests/guests/equiv/segments.h"

// What modes.asm loads and stores in the low area.
struct legacy_state {
    uint32_t r[8];
    uint32_t eip, flags, cs, ss, ds, fs, vector, error;
    uint32_t cr0, cr3, cr4, real;
    uint32_t long_cr0, long_cr3, long_cr4, unused;
    uint64_t rsp;
};
_Static_assert(offsetof(struct legacy_state, eip) == 0x20, "modes.inc");
_Static_assert(offsetof(struct legacy_state, cr0) == 0x40, "modes.inc");
_Static_assert(offsetof(struct legacy_state, rsp) == 0x60, "modes.inc");

// What long_enter loads.
struct long_state {
    uint64_t r[16], rip, rflags, ss, ds, cs;
};

static const struct {
    const char *name;
    uint16_t cs, ds;
    bool is_16;
} places[PLACES] = {
    [REAL] = {"real", LOW_BASE >> 4, LOW_BASE >> 4, true},
    [V86] = {"v86", LOW_BASE >> 4, LOW_BASE >> 4, true},
    [P16_0] = {"prot16-ring0", SEL_CODE16, SEL_DATA16, true},
    [P16_3] = {"prot16-ring3", SEL_CODE16_3, SEL_DATA16_3, true},
    [P32_0] = {"prot32-ring0", SEL_CODE32, SEL_DATA, false},
    [P32_3] = {"prot32-ring3", SEL_CODE32_3, SEL_DATA_3, false},
    [C32_0] = {"compat-ring0", SEL_CODE32, SEL_DATA, false},
    [C32_3] = {"compat-ring3", SEL_CODE32_3, SEL_DATA_3, false},
    [L64_0] = {"long-ring0", SEL_CODE64, SEL_DATA, false},
    [L64_3] = {"long-ring3", SEL_CODE64_3, SEL_DATA_3, false},
};

void long_enter(const struct long_state *state);
void legacy_enter(void);
extern const uint8_t long_leave[], low_code[], low_code_end[];
extern uint64_t long_saved_rsp;

static struct legacy_state *const legacy = (struct legacy_state *)(uintptr_t)LOW_LEGACY;
static struct run *now;
static uint64_t cr0_before, cr3_before, cr4_before;

const char *place_name(enum place place)
{
    return places[place].name;
}

bool place_is_16(enum place place)
{
    return places[place].is_16;
}

// Bochs does not end virtual-8086 mode at #VMEXIT.
bool place_usable(enum place place)
{
    return place != V86 || !option_is("v86", "no");
}

bool place_is_long(enum place place)
{
    return place >= C32_0;
}

unsigned place_ring(enum place place)
{
    return place == V86 ? 3 : place == REAL ? 0 : places[place].cs & 3;
}

uint64_t place_offset(enum place place, uint64_t linear)
{
    return places[place].is_16 ? linear - LOW_BASE : linear;
}

void run_init(struct run *r, enum place place)
{
    uint8_t *data = (uint8_t *)(uintptr_t)LOW_DATA;
    memset(r, 0, sizeof(*r));
    r->place = place;
    r->code = LOW_CODE;
    r->rflags = 2 | (place == V86 ? FLAG_VM | FLAG_IOPL3 : 0);
    for (unsigned i = 0; i < 16; i++)
        r->r[i] = 0x10101010u * (i & 7);
    r->r[RSP] = place_offset(place, STACK_START);
    r->r[RDI] = place_offset(place, LOW_DATA);
    r->r[RSI] = place_offset(place, LOW_DATA + 0x100);
    for (unsigned i = 0; i < 2 * ENGINE_PAGE; i++)
        data[i] = (uint8_t)(i * 7 + 1);
}

// ---- long mode

enum {
    DR7_WHAT0 = 3 << 16, // 0: execution
    DR6_HIT0 = 1 << 0,
};

// Breakpoints on execution come before the instruction: RF is the way past them.
static void record_step(struct run *r, struct trap_frame *frame)
{
    r->step[r->steps++] = (struct step){
        .moved = (int)(frame->rip - r->code),
        .dr6 = (uint32_t)read_dr6(),
        .flags = (uint32_t)frame->rflags,
    };
    if (read_dr6() & DR6_HIT0 && !(read_dr7() & DR7_WHAT0))
        frame->rflags |= FLAG_RF;
    write_dr6(DR6_NONE);
}

static void on_trap(struct trap_frame *frame)
{
    struct run *r = now;
    const uint64_t saved[16] = {
        frame->rax, frame->rcx, frame->rdx, frame->rbx, frame->rsp, frame->rbp,
        frame->rsi, frame->rdi, frame->r8,  frame->r9,  frame->r10, frame->r11,
        frame->r12, frame->r13, frame->r14, frame->r15,
    };
    if (!r) {
        print("FAIL unexpected vector %lu error 0x%lx rip 0x%lx cr2 0x%lx\n", frame->vector,
              frame->error, frame->rip, read_cr2());
        finish();
    }
    if (frame->vector == 1 && r->steps < r->max_steps) {
        record_step(r, frame);
        return;
    }
    r->cr2 = read_cr2();
    r->dr6 = read_dr6();
    write_dr7(DR7_NONE);
    write_cr3(cr3_before);
    write_cr4(cr4_before);
    write_cr0(cr0_before);
    if (frame->vector == VECTOR_PENDING)
        lapic_eoi();
    memcpy(r->r, saved, sizeof(saved));
    r->vector = (unsigned)frame->vector;
    r->error = (uint32_t)frame->error;
    r->rflags = frame->rflags;
    r->rip_after = frame->rip;
    r->cs_after = (uint16_t)frame->cs;
    r->ss_after = (uint16_t)frame->ss;
    frame->rip = (uint64_t)long_leave;
    frame->cs = SEL_CODE64;
    frame->ss = SEL_DATA;
    frame->rflags = 2;
    frame->rsp = long_saved_rsp;
}

static void run_long(struct run *r)
{
    struct long_state state = {
        .rip = r->code,
        .rflags = r->rflags,
        .cs = places[r->place].cs,
        .ss = r->ss ? r->ss : places[r->place].ds,
        .ds = r->ds ? r->ds : places[r->place].ds,
    };
    memcpy(state.r, r->r, sizeof(state.r));
    write_cr0((cr0_before | r->cr0_set) & ~r->cr0_clear);
    write_cr4((cr4_before | r->cr4_set) & ~r->cr4_clear);
    now = r;
    long_enter(&state);
    now = NULL;
}

// ---- the other modes

static void run_legacy(struct run *r)
{
    for (unsigned i = 0; i < 8; i++)
        legacy->r[i] = (uint32_t)r->r[i];
    legacy->eip = (uint32_t)place_offset(r->place, r->code);
    legacy->flags = (uint32_t)r->rflags;
    legacy->cs = places[r->place].cs;
    legacy->ss = r->ss ? r->ss : places[r->place].ds;
    legacy->ds = r->ds ? r->ds : places[r->place].ds;
    legacy->fs = r->place == V86 || r->place == REAL ? legacy->ds : SEL_APIC;
    legacy->vector = legacy->error = 0;
    legacy->cr0 = (uint32_t)(((cr0_before & ~CR0_PG) | r->cr0_set) & ~r->cr0_clear);
    legacy->cr3 = (uint32_t)r->cr3;
    legacy->cr4 = (uint32_t)(((cr4_before & ~(uint64_t)CR4_PAE) | r->cr4_set) & ~r->cr4_clear);
    legacy->real = r->place == REAL;
    legacy->long_cr0 = (uint32_t)cr0_before;
    legacy->long_cr3 = (uint32_t)cr3_before;
    legacy->long_cr4 = (uint32_t)cr4_before;
    segments_fill_tss32();
    legacy_enter();
    r->cr2 = read_cr2();
    r->dr6 = read_dr6();
    write_dr7(DR7_NONE);
    for (unsigned i = 0; i < 8; i++)
        r->r[i] = legacy->r[i];
    r->vector = legacy->vector;
    r->error = legacy->error;
    r->rflags = legacy->flags;
    r->cs_after = (uint16_t)legacy->cs;
    r->rip_after = legacy->eip + (place_is_16(r->place) ? LOW_BASE : 0);
    if (r->place == REAL) {
        r->rip_after = (uint64_t)(uint16_t)legacy->cs * 16 + (uint16_t)legacy->eip;
        r->rflags &= 0xffff;
        r->error = 0;
    }
}

void run_bytes(struct run *r, const void *bytes, size_t length)
{
    static const uint8_t end[2] = {0xcd, VECTOR_END};
    uint8_t *code = (uint8_t *)r->code;
    if (!r->in_place) {
        memcpy(code, bytes, length);
        memcpy(code + length, end, sizeof(end));
    }
    memcpy(r->start, r->r, sizeof(r->start));
    cr0_before = read_cr0();
    cr3_before = read_cr3();
    cr4_before = read_cr4();
    write_cr2(0);
    write_dr6(DR6_NONE);
    if (place_is_long(r->place))
        run_long(r);
    else
        run_legacy(r);
    segments_reload(!place_is_long(r->place));
    r->moved = (int)(r->rip_after - r->code);
    r->ended = r->vector == VECTOR_END || (r->vector == 13 && r->moved == (int)length);
    if (r->vector == VECTOR_END)
        r->moved -= (int)sizeof(end);
}

// A spurious interrupt needs no answer.
static void ignore(struct trap_frame *frame)
{
    (void)frame;
}

static const unsigned taken_vectors[] = {VECTOR_SOFT, VECTOR_END, VECTOR_PENDING};

static void set_handlers(void (*handler)(struct trap_frame *frame))
{
    for (unsigned i = 0; i < 32; i++)
        set_handler(i, handler);
    for (unsigned i = 0; i < sizeof(taken_vectors) / sizeof(taken_vectors[0]); i++)
        set_handler(taken_vectors[i], handler);
}

void engine_start(void)
{
    memcpy((void *)(uintptr_t)LOW_BASE, low_code, (size_t)(low_code_end - low_code));
    pages_start();
    segments_start();
    set_handlers(on_trap);
    set_handler(VECTOR_SPURIOUS, ignore);
    if (cpuid(0x80000001, 0).edx & 1u << 20)
        wrmsr(MSR_EFER_NUMBER, rdmsr(MSR_EFER_NUMBER) | EFER_NXE);
    // Firmware and loaders leave some of these set and some clear.
    write_cr0(CR0_PG | CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP);
    write_cr4(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT);
}

void engine_stop(void)
{
    set_handlers(NULL);
    segments_stop();
    pages_stop();
}
