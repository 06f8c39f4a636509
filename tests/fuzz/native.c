// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tests/fuzz/native.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

// At an address that needs no register.
#define FRAME 0x20000800u

struct frame {
    uint64_t r[GPR_COUNT];
    uint64_t rflags;
    uint64_t code;
    uint64_t host_rsp;
    uint64_t back;
    uint64_t wide;
    uint64_t unused[11];
    struct vector_value vectors[16];
};

_Static_assert(offsetof(struct frame, rflags) == 128, "the assembly below");
_Static_assert(offsetof(struct frame, back) == 152, "the assembly below");
_Static_assert(offsetof(struct frame, wide) == 160, "the assembly below");
_Static_assert(offsetof(struct frame, vectors) == 256, "the assembly below");

static struct frame *const frame = (struct frame *)(uintptr_t)FRAME;

void native_enter(void);
extern const char native_back[];

// Loads everything from the frame, jumps to the instruction, which jumps back, and stores it.
__asm__(".set FRAME, 0x20000800\n"
        "native_enter:\n"
        "    push %rbx\n    push %rbp\n    push %r12\n    push %r13\n    push %r14\n    push %r15\n"
        "    mov %rsp, FRAME+144\n"
        "    testb $1, FRAME+160\n    jz 1f\n"
        "    .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    vmovups FRAME+256+32*\\n, %ymm\\n\n    .endr\n    jmp 2f\n"
        "1:\n    .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    movups FRAME+256+32*\\n, %xmm\\n\n    .endr\n2:\n"
        "    pushq FRAME+128\n    popfq\n"
        "    mov FRAME+0, %rax\n    mov FRAME+8, %rcx\n    mov FRAME+16, %rdx\n"
        "    mov FRAME+24, %rbx\n    mov FRAME+32, %rsp\n    mov FRAME+40, %rbp\n"
        "    mov FRAME+48, %rsi\n    mov FRAME+56, %rdi\n    mov FRAME+64, %r8\n"
        "    mov FRAME+72, %r9\n    mov FRAME+80, %r10\n    mov FRAME+88, %r11\n"
        "    mov FRAME+96, %r12\n    mov FRAME+104, %r13\n    mov FRAME+112, %r14\n"
        "    mov FRAME+120, %r15\n"
        "    jmp *FRAME+136\n"
        "native_back:\n"
        "    mov %rax, FRAME+0\n    mov %rcx, FRAME+8\n    mov %rdx, FRAME+16\n"
        "    mov %rbx, FRAME+24\n    mov %rsp, FRAME+32\n    mov %rbp, FRAME+40\n"
        "    mov %rsi, FRAME+48\n    mov %rdi, FRAME+56\n    mov %r8, FRAME+64\n"
        "    mov %r9, FRAME+72\n    mov %r10, FRAME+80\n    mov %r11, FRAME+88\n"
        "    mov %r12, FRAME+96\n    mov %r13, FRAME+104\n    mov %r14, FRAME+112\n"
        "    mov %r15, FRAME+120\n"
        "    mov FRAME+144, %rsp\n"
        "    pushfq\n    popq FRAME+128\n    cld\n"
        "    testb $1, FRAME+160\n    jz 1f\n"
        "    .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    vmovups %ymm\\n, FRAME+256+32*\\n\n    .endr\n    vzeroupper\n    jmp 2f\n"
        "1:\n    .irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    movups %xmm\\n, FRAME+256+32*\\n\n    .endr\n2:\n"
        "    pop %r15\n    pop %r14\n    pop %r13\n    pop %r12\n    pop %rbp\n    pop %rbx\n"
        "    ret\n");

static volatile sig_atomic_t running;
static struct native_state *current;
static sigjmp_buf home;

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
static struct sigaction others[NSIG];

static void on_signal(int number, siginfo_t *info, void *context)
{
    static const int reg_of[GPR_COUNT] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                          REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                          REG_R12, REG_R13, REG_R14, REG_R15};
    const greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;

    if (!running) { // a failure of the test itself
        sigaction(number, &others[number], NULL);
        return;
    }
    for (unsigned i = 0; i < GPR_COUNT; i++)
        current->regs.r[i] = (uint64_t)gregs[reg_of[i]];
    current->rflags = (uint64_t)gregs[REG_EFL];
    current->signal = number;
    current->fault = (uint64_t)(uintptr_t)info->si_addr;
    siglongjmp(home, 1);
}

void native_set_up(void)
{
    static uint8_t stack[0x10000];
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    if (mmap((void *)(uintptr_t)NATIVE_CODE, 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED ||
        sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL) != 0) {
        perror("native_set_up");
        abort();
    }
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, &others[signals[i]]);
}

bool native_has_avx(void)
{
    return __builtin_cpu_supports("avx");
}

void native_run(const uint8_t *bytes, unsigned size, struct native_state *state)
{
    // jmp *FRAME+152
    static const uint8_t jump_back[] = {0xff, 0x24, 0x25, 0x98, 0x08, 0x00, 0x20};
    uint8_t *code = (uint8_t *)(uintptr_t)NATIVE_CODE;

    memcpy(code, bytes, size);
    memcpy(code + size, jump_back, sizeof(jump_back));
    memcpy(frame->r, state->regs.r, sizeof(frame->r));
    frame->rflags = state->rflags;
    frame->code = NATIVE_CODE;
    frame->back = (uint64_t)(uintptr_t)native_back;
    frame->wide = native_has_avx();
    memcpy(frame->vectors, state->vectors, sizeof(frame->vectors));
    state->signal = 0;
    current = state;
    if (sigsetjmp(home, 1) == 0) {
        running = 1;
        native_enter();
        memcpy(state->regs.r, frame->r, sizeof(frame->r));
        memcpy(state->vectors, frame->vectors, sizeof(frame->vectors));
        state->rflags = frame->rflags;
    }
    running = 0;
}
