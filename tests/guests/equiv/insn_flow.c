// SPDX-License-Identifier: Apache-2.0
// Transfers of control: far calls and returns, call gates, IRET in its forms, task switches,
// SYSCALL and SYSENTER with their ways back.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

enum {
    TARGET = LOW_CODE + 0x800, // ends the run, wherever it came from
    MSR_SYSENTER_CS = 0x174,
    MSR_SYSENTER_ESP = 0x175,
    MSR_SYSENTER_EIP = 0x176,
    MSR_FS_BASE = 0xc0000100,
    MSR_GS_BASE = 0xc0000101,
    MSR_KERNEL_GS_BASE = 0xc0000102,
};
#define MSR_STAR   0xc0000081u
#define MSR_LSTAR  0xc0000082u
#define MSR_CSTAR  0xc0000083u
#define MSR_SFMASK 0xc0000084u

static void put_target(void)
{
    static const uint8_t end[2] = {0xcd, VECTOR_END};
    memcpy((void *)(uintptr_t)TARGET, end, sizeof(end));
}

// A far pointer, offset then selector, is what [rDI] holds.
static void far_pointer(uint32_t offset, uint16_t selector)
{
    uint8_t *data = (uint8_t *)(uintptr_t)LOW_DATA;
    memcpy(data, &offset, sizeof(offset));
    memcpy(data + 4, &selector, sizeof(selector));
}

static void far_check(const char *name, enum place place, const char *code, size_t length,
                      uint16_t selector)
{
    struct run r;
    run_init(&r, place);
    far_pointer(place_is_16(place) ? TARGET - LOW_BASE : TARGET, selector);
    run_bytes(&r, code, length);
    report(name, &r, SHOW_CS | SHOW_SP);
}

#define FAR_CALL CODE("\xff\x1f")
#define FAR_JUMP CODE("\xff\x2f")

static void far_transfers(void)
{
    static const enum place in[] = {P32_0, P32_3, C32_0, C32_3, L64_0, L64_3};
    for (unsigned i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        bool user = place_ring(in[i]) == 3;
        bool is_long = place_is_long(in[i]);
        uint16_t same = user ? SEL_CODE32_3 : SEL_CODE32;
        uint16_t gate = is_long ? SEL_GATE64 | 3 : SEL_GATE32 | 3;
        far_check("insn.far-call.same", in[i], FAR_CALL, same);
        far_check("insn.far-jmp.same", in[i], FAR_JUMP, same);
        far_check("insn.far-call.gate", in[i], FAR_CALL, gate);
        far_check("insn.far-jmp.gate", in[i], FAR_JUMP, gate);
        far_check("insn.far-call.data", in[i], FAR_CALL, SEL_DATA);
        far_check("insn.far-call.null", in[i], FAR_CALL, 0);
        far_check("insn.far-call.absent", in[i], FAR_CALL, SEL_ABSENT_CODE);
        far_check("insn.far-jmp.absent-gate", in[i], FAR_JUMP, SEL_ABSENT_GATE | 3);
        far_check("insn.far-jmp.other-ring", in[i], FAR_JUMP, user ? SEL_CODE32 : SEL_CODE32_3);
        far_check("insn.far-jmp.conforming", in[i], FAR_JUMP, SEL_CONFORMING);
        far_check("insn.far-call.tss-ring", in[i], FAR_CALL, user ? SEL_TSS32 | 3 : SEL_LDT);
    }
    CHECK64("insn.far-ret.same", L64_0, SHOW_CS | SHOW_SP, "retfq",
            uint64_t *s = (uint64_t *)(uintptr_t)STACK_START;
            s[0] = TARGET; s[1] = SEL_CODE64);
    CHECK64("insn.far-ret.outer", L64_0, SHOW_CS, "retfq",
            uint64_t *s = (uint64_t *)(uintptr_t)STACK_START;
            s[0] = TARGET; s[1] = SEL_CODE64_3; s[2] = STACK_START; s[3] = SEL_DATA_3);
    CHECK64("insn.far-ret.outer-null-ss", L64_0, SHOW_CS, "retfq",
            uint64_t *s = (uint64_t *)(uintptr_t)STACK_START;
            s[0] = TARGET; s[1] = SEL_CODE64_3; s[2] = STACK_START; s[3] = 0);
    CHECK64("insn.far-ret.inner", L64_3, SHOW_CS, "retfq",
            uint64_t *s = (uint64_t *)(uintptr_t)STACK_START;
            s[0] = TARGET; s[1] = SEL_CODE64);
    CHECK64("insn.far-ret.noncanonical", L64_0, SHOW_CS, "retfq",
            uint64_t *s = (uint64_t *)(uintptr_t)STACK_START;
            s[0] = 1ull << 63; s[1] = SEL_CODE64);
}

// IRET of five words in long mode, from what the caller gives.
static void iret_check(const char *name, enum place place, uint64_t cs, uint64_t flags, uint64_t ss,
                       uint64_t rip)
{
    struct run r;
    uint64_t *s = (uint64_t *)(uintptr_t)STACK_START;
    run_init(&r, place);
    s[0] = rip;
    s[1] = cs;
    s[2] = flags;
    s[3] = STACK_START;
    s[4] = ss;
    run_bytes(&r, CODE("\x48\xcf"));
    report(name, &r, SHOW_CS | SHOW_FLAGS);
}

static void irets(void)
{
    iret_check("insn.iret.same", L64_0, SEL_CODE64, 2, SEL_DATA, TARGET);
    iret_check("insn.iret.outer", L64_0, SEL_CODE64_3, 0x202, SEL_DATA_3, TARGET);
    iret_check("insn.iret.compat", L64_0, SEL_CODE32_3, 0x3002, SEL_DATA_3, TARGET);
    iret_check("insn.iret.same", L64_3, SEL_CODE64_3, 0x3cd7, SEL_DATA_3, TARGET);
    iret_check("insn.iret.inner", L64_3, SEL_CODE64, 2, SEL_DATA, TARGET);
    iret_check("insn.iret.null-cs", L64_0, 0, 2, SEL_DATA, TARGET);
    iret_check("insn.iret.data-cs", L64_0, SEL_DATA, 2, SEL_DATA, TARGET);
    iret_check("insn.iret.absent-cs", L64_0, SEL_ABSENT_CODE, 2, SEL_DATA, TARGET);
    iret_check("insn.iret.null-ss-ring3", L64_0, SEL_CODE64_3, 2, 0, TARGET);
    iret_check("insn.iret.null-ss-ring0", L64_0, SEL_CODE64, 2, 0, TARGET);
    iret_check("insn.iret.absent-ss", L64_0, SEL_CODE64_3, 2, SEL_ABSENT_DATA, TARGET);
    iret_check("insn.iret.noncanonical", L64_0, SEL_CODE64, 2, SEL_DATA, 1ull << 63);
    iret_check("insn.iret.rf", L64_0, SEL_CODE64, 0x10002, SEL_DATA, TARGET);
    CHECK64("insn.iret.nested-task", L64_0, 0, "iretq", r.rflags |= FLAG_NT);
}

static void irets_protected(void)
{
    static const struct {
        const char *name;
        enum place place;
        uint32_t cs, flags, ss;
    } rows[] = {
        {"insn.iret.same", P32_0, SEL_CODE32, 2, SEL_DATA},
        {"insn.iret.same", P32_3, SEL_CODE32_3, 0x3ed7, SEL_DATA_3},
        {"insn.iret.outer", P32_0, SEL_CODE32_3, 0x3202, SEL_DATA_3},
        {"insn.iret.inner", P32_3, SEL_CODE32, 2, SEL_DATA},
        {"insn.iret.bad-ss", P32_0, SEL_CODE32_3, 2, SEL_DATA},
        // The back link of the TSS is empty.
        {"insn.iret.nested-task", P32_0, SEL_CODE32, 2, SEL_DATA},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run r;
        uint32_t *s = (uint32_t *)(uintptr_t)STACK_START;
        run_init(&r, rows[i].place);
        if (i == sizeof(rows) / sizeof(rows[0]) - 1)
            r.rflags |= FLAG_NT;
        s[0] = TARGET;
        s[1] = rows[i].cs;
        s[2] = rows[i].flags;
        s[3] = STACK_START;
        s[4] = rows[i].ss;
        run_bytes(&r, CODE("\xcf"));
        report(rows[i].name, &r, SHOW_CS | SHOW_FLAGS);
    }
}

static void iret_to_v86(void)
{
    struct run r;
    if (!place_usable(V86))
        return;
    uint32_t *s = (uint32_t *)(uintptr_t)STACK_START;
    run_init(&r, P32_0);
    s[0] = TARGET - LOW_BASE;
    s[1] = LOW_BASE >> 4;
    s[2] = 2 | FLAG_VM | FLAG_IOPL3;
    s[3] = STACK_START - LOW_BASE;
    for (unsigned i = 4; i < 9; i++)
        s[i] = LOW_BASE >> 4;
    run_bytes(&r, CODE("\xcf"));
    report("insn.iret.to-v86", &r, SHOW_CS | SHOW_FLAGS);
}

// VT-x leaves task switches to the hypervisor.
static void task_switches(void)
{
    static const struct {
        const char *name;
        const char *code;
        uint16_t selector;
    } rows[] = {
        {"insn.task-switch.jmp", "\xff\x2f", SEL_OTHER_TSS32},
        {"insn.task-switch.call", "\xff\x1f", SEL_OTHER_TSS32},
        {"insn.task-switch.gate", "\xff\x2f", SEL_TASK_GATE},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run r;
        run_init(&r, P32_0);
        segments_other_task(TARGET);
        far_pointer(0, rows[i].selector);
        run_bytes(&r, rows[i].code, 2);
        report(rows[i].name, &r, SHOW_A | SHOW_CS | SHOW_FLAGS);
    }
    far_check("insn.task-switch.busy", P32_0, FAR_JUMP, SEL_TSS32);
    far_check("insn.task-switch.absent", P32_0, FAR_JUMP, SEL_ABSENT_TSS);
    far_check("insn.task-switch.user", P32_3, FAR_JUMP, SEL_OTHER_TSS32);
    far_check("insn.task-switch.long", L64_0, FAR_JUMP, SEL_OTHER_TSS32);
}

static void fast_call(const char *name, enum place place, const char *code, size_t length)
{
    struct run r;
    run_init(&r, place);
    r.r[RCX] = TARGET;
    r.r[RDX] = TARGET;
    r.r[11] = 0x3ed7;
    r.rflags |= FLAG_DF | FLAG_CF;
    run_bytes(&r, code, length);
    report(name, &r, SHOW_CS | SHOW_FLAGS);
}

#define SYSCALL  CODE("\x0f\x05")
#define SYSRET   CODE("\x0f\x07")
#define SYSRETQ  CODE("\x48\x0f\x07")
#define SYSENTER CODE("\x0f\x34")
#define SYSEXIT  CODE("\x0f\x35")
#define SYSEXITQ CODE("\x48\x0f\x35")

static void fast_calls(void)
{
    uint64_t efer = rdmsr(MSR_EFER_NUMBER);
    wrmsr(MSR_EFER_NUMBER, efer | EFER_SCE);
    wrmsr(MSR_STAR, (uint64_t)(SEL_CODE32_3 & ~3) << 48 | (uint64_t)SEL_CODE64 << 32 | TARGET);
    wrmsr(MSR_LSTAR, TARGET);
    wrmsr(MSR_CSTAR, TARGET);
    wrmsr(MSR_SFMASK, FLAG_DF);
    fast_call("insn.syscall.on", L64_3, SYSCALL);
    fast_call("insn.syscall.on", L64_0, SYSCALL);
    fast_call("insn.syscall.on", C32_3, SYSCALL);
    fast_call("insn.sysret.on", L64_0, SYSRET);
    fast_call("insn.sysret.on64", L64_0, SYSRETQ);
    fast_call("insn.sysret.on", L64_3, SYSRET);
    fast_call("insn.sysret.on", C32_0, SYSRET);
    CHECK64("insn.syscall.registers", L64_3, 0, "syscall", );
    wrmsr(MSR_EFER_NUMBER, efer);

    wrmsr(MSR_SYSENTER_CS, SEL_CODE64);
    wrmsr(MSR_SYSENTER_ESP, STACK_START);
    wrmsr(MSR_SYSENTER_EIP, TARGET);
    fast_call("insn.sysenter.on", L64_3, SYSENTER);
    fast_call("insn.sysenter.on", C32_3, SYSENTER);
    fast_call("insn.sysexit.on", L64_0, SYSEXIT);
    fast_call("insn.sysexit.on64", L64_0, SYSEXITQ);
    fast_call("insn.sysexit.on", L64_3, SYSEXIT);
    wrmsr(MSR_SYSENTER_CS, SEL_CODE32);
    fast_call("insn.sysenter.on", P32_3, SYSENTER);
    wrmsr(MSR_SYSENTER_CS, 0x18); // so that the code segment of ring 3 is the third behind it
    fast_call("insn.sysexit.on", P32_0, SYSEXIT);
    fast_call("insn.sysexit.on", P32_3, SYSEXIT);
    wrmsr(MSR_SYSENTER_CS, 0);
}

static void swapgs(void)
{
    struct run r;
    wrmsr(MSR_GS_BASE, 0x1111);
    wrmsr(MSR_KERNEL_GS_BASE, 0x2222);
    run_init(&r, L64_0);
    run_bytes(&r, CODE("\x0f\x01\xf8"));
    outcome("insn.swapgs.effect", "GS base 0x%lx, other 0x%lx", rdmsr(MSR_GS_BASE),
            rdmsr(MSR_KERNEL_GS_BASE));
    wrmsr(MSR_GS_BASE, 0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void checks_flow(void)
{
    put_target();
    segments_gate_target(TARGET);
    far_transfers();
    irets();
    irets_protected();
    iret_to_v86();
    task_switches();
    fast_calls();
    swapgs();
}
