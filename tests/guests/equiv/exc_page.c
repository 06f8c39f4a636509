// SPDX-License-Identifier: Apache-2.0
// Page faults, with every bit of the error code, in the window whose pages are set up for each.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

enum {
    LEAF7_EBX_SMEP = 1 << 7,
    LEAF7_EBX_SMAP = 1 << 20,
    LEAF7_ECX_PKU = 1 << 3,
};

enum access {
    READ,
    WRITE,
    EXECUTE,
    READ_MODIFY_WRITE,
    PUSH,
};

static const struct {
    const char *name;
    enum place place;
    enum access access;
    uint64_t bits; // of the page, 0: none there
    uint64_t cr0_clear, cr4_set;
    uint32_t rflags;
    uint32_t need_ebx; // feature of CPUID leaf 7
} rows[] = {
    {"exc.pf.absent-read0", L64_0, READ, 0, 0, 0, 0, 0},
    {"exc.pf.absent-write0", L64_0, WRITE, 0, 0, 0, 0, 0},
    {"exc.pf.absent-execute0", L64_0, EXECUTE, 0, 0, 0, 0, 0},
    {"exc.pf.absent-read3", L64_3, READ, 0, 0, 0, 0, 0},
    {"exc.pf.absent-write3", L64_3, WRITE, 0, 0, 0, 0, 0},
    {"exc.pf.absent-execute3", L64_3, EXECUTE, 0, 0, 0, 0, 0},
    {"exc.pf.absent-rmw3", L64_3, READ_MODIFY_WRITE, 0, 0, 0, 0, 0},
    {"exc.pf.absent-push3", L64_3, PUSH, 0, 0, 0, 0, 0},
    {"exc.pf.supervisor-read3", L64_3, READ, PTE_P | PTE_W, 0, 0, 0, 0},
    {"exc.pf.supervisor-write3", L64_3, WRITE, PTE_P | PTE_W, 0, 0, 0, 0},
    {"exc.pf.supervisor-execute3", L64_3, EXECUTE, PTE_P | PTE_W, 0, 0, 0, 0},
    {"exc.pf.read-only-write3", L64_3, WRITE, PTE_P | PTE_U, 0, 0, 0, 0},
    {"exc.pf.read-only-rmw3", L64_3, READ_MODIFY_WRITE, PTE_P | PTE_U, 0, 0, 0, 0},
    {"exc.pf.read-only-read3", L64_3, READ, PTE_P | PTE_U, 0, 0, 0, 0},
    {"exc.pf.read-only-write0", L64_0, WRITE, PTE_P | PTE_U, 0, 0, 0, 0},
    {"exc.pf.read-only-write0-no-wp", L64_0, WRITE, PTE_P | PTE_U, CR0_WP, 0, 0, 0},
    {"exc.pf.read-only-write3-no-wp", L64_3, WRITE, PTE_P | PTE_U, CR0_WP, 0, 0, 0},
    {"exc.pf.nx-execute0", L64_0, EXECUTE, PTE_P | PTE_W | PTE_NX, 0, 0, 0, 0},
    {"exc.pf.nx-execute3", L64_3, EXECUTE, PTE_ALL | PTE_NX, 0, 0, 0, 0},
    {"exc.pf.nx-read3", L64_3, READ, PTE_ALL | PTE_NX, 0, 0, 0, 0},
    {"exc.pf.reserved-read3", L64_3, READ, PTE_ALL | 1ull << 51, 0, 0, 0, 0},
    {"exc.pf.reserved-write0", L64_0, WRITE, PTE_ALL | 1ull << 51, 0, 0, 0, 0},
    {"exc.pf.smep-execute", L64_0, EXECUTE, PTE_ALL, 0, CR4_SMEP, 0, LEAF7_EBX_SMEP},
    {"exc.pf.smap-read", L64_0, READ, PTE_ALL, 0, CR4_SMAP, 0, LEAF7_EBX_SMAP},
    {"exc.pf.smap-write", L64_0, WRITE, PTE_ALL, 0, CR4_SMAP, 0, LEAF7_EBX_SMAP},
    {"exc.pf.smap-read-ac", L64_0, READ, PTE_ALL, 0, CR4_SMAP, FLAG_AC, LEAF7_EBX_SMAP},
    {"exc.pf.smap-supervisor", L64_0, READ, PTE_P | PTE_W, 0, CR4_SMAP, 0, LEAF7_EBX_SMAP},
};

static void do_access(struct run *r, enum access access)
{
    switch (access) {
    case READ:
        RUN64(r, "mov eax, [rdi+8]");
        break;
    case WRITE:
        RUN64(r, "mov [rdi+8], eax");
        break;
    case READ_MODIFY_WRITE:
        RUN64(r, "add dword ptr [rdi+8], 1");
        break;
    case PUSH:
        r->r[RSP] = r->r[RDI] + 0x10;
        RUN64(r, "push rax");
        break;
    case EXECUTE:
        RUN64(r, "jmp rdi");
        break;
    }
}

static void run_rows_of_pages(void)
{
    static const uint8_t end[2] = {0xcd, VECTOR_END};
    uint32_t ebx = cpuid(0, 0).eax >= 7 ? cpuid(7, 0).ebx : 0;
    memcpy(engine_frames[0], end, sizeof(end));
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run r;
        if ((ebx & rows[i].need_ebx) != rows[i].need_ebx) {
            outcome(rows[i].name, "this processor can't");
            continue;
        }
        run_init(&r, rows[i].place);
        // With SMEP and SMAP the code has to be where ring 0's may be.
        if (rows[i].cr4_set)
            engine_low_table[LOW_CODE / ENGINE_PAGE] &= ~(uint64_t)PTE_U;
        flush_page(LOW_CODE);
        window_map(1, rows[i].bits ? frame_entry(0, rows[i].bits) : 0);
        r.r[RDI] = WINDOW + ENGINE_PAGE;
        r.cr0_clear = rows[i].cr0_clear;
        r.cr4_set = rows[i].cr4_set;
        r.rflags |= rows[i].rflags;
        do_access(&r, rows[i].access);
        engine_low_table[LOW_CODE / ENGINE_PAGE] |= PTE_U;
        flush_page(LOW_CODE);
        r.moved = r.vector == VECTOR_END ? 0 : r.moved;
        report_as(rows[i].name, &r, 0);
    }
    window_map(1, 0);
}

// Tables above the page: their rights count too.
static void upper_levels(void)
{
    uint64_t *entry = &engine_pd[WINDOW >> 30][0], before = *entry;
    window_map(0, frame_entry(0, PTE_ALL));
    *entry = before & ~(uint64_t)PTE_W;
    flush_page(WINDOW);
    CHECK64("exc.pf.table-read-only", L64_3, 0, "mov [rdi], eax", r.r[RDI] = WINDOW);
    *entry = before & ~(uint64_t)PTE_U;
    flush_page(WINDOW);
    CHECK64("exc.pf.table-supervisor", L64_3, 0, "mov eax, [rdi]", r.r[RDI] = WINDOW);
    *entry = before | 1ull << 51;
    flush_page(WINDOW);
    CHECK64("exc.pf.table-reserved", L64_3, 0, "mov eax, [rdi]", r.r[RDI] = WINDOW);
    *entry = before | PTE_NX;
    flush_page(WINDOW);
    CHECK64("exc.pf.table-nx", L64_3, 0, "jmp rdi", r.r[RDI] = WINDOW);
    *entry = 0;
    flush_page(WINDOW);
    CHECK64("exc.pf.table-absent", L64_3, 0, "mov eax, [rdi]", r.r[RDI] = WINDOW + 0x123);
    *entry = before;
    flush_page(WINDOW);
}

// Accesses and instructions that begin on a page that is there and end on one that is not.
static void crossing(void)
{
    uint8_t *code = (uint8_t *)(uintptr_t)WINDOW;
    static const uint8_t load[] = {0x8b, 0x05, 0, 0, 0, 0}, in[] = {0x66, 0xe5, 0x61};
    static const uint8_t cpuid_code[] = {0x0f, 0xa2}, rdmsr_code[] = {0x0f, 0x32};
    static const struct {
        const char *name;
        const uint8_t *bytes;
        unsigned length, before;
        enum place place;
    } instructions[] = {
        {"exc.pf.split-insn-load", load, 6, 2, L64_3},
        {"exc.pf.split-insn-in", in, 3, 2, L64_0},
        {"exc.pf.split-insn-cpuid", cpuid_code, 2, 1, L64_3},
        {"exc.pf.split-insn-rdmsr", rdmsr_code, 2, 1, L64_0},
    };
    window_map(0, frame_entry(0, PTE_ALL));
    window_map(1, 0);
    CHECK64("exc.pf.split-read", L64_3, 0, "mov eax, [rdi]", r.r[RDI] = WINDOW + 0xffd);
    CHECK64("exc.pf.split-write", L64_3, 0, "mov [rdi], rax", r.r[RDI] = WINDOW + 0xffc);
    CHECK64("exc.pf.split-write-first", L64_3, 0, "mov [rdi], rax", window_map(0, 0);
            window_map(1, frame_entry(1, PTE_ALL)); r.r[RDI] = WINDOW + 0xffc);
    window_map(0, frame_entry(0, PTE_ALL));
    window_map(1, 0);
    for (unsigned i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
        struct run r;
        run_init(&r, instructions[i].place);
        r.code = WINDOW + ENGINE_PAGE - instructions[i].before;
        r.in_place = true;
        memcpy(code + ENGINE_PAGE - instructions[i].before, instructions[i].bytes,
               instructions[i].before);
        run_bytes(&r, NULL, instructions[i].length);
        report_as(instructions[i].name, &r, 0);
    }
}

static void protection_keys(void)
{
    if (cpuid(0, 0).eax < 7 || !(cpuid(7, 0).ecx & LEAF7_ECX_PKU))
        return;
    window_map(0, frame_entry(0, PTE_ALL | PTE_KEY(1)));
    CHECK64("exc.pf.key-access", L64_3, 0,
            "mov eax, 4; xor ecx, ecx; xor edx, edx; wrpkru; mov eax, [rdi]", r.r[RDI] = WINDOW;
            r.cr4_set = CR4_PKE);
    CHECK64("exc.pf.key-write", L64_3, 0,
            "mov eax, 8; xor ecx, ecx; xor edx, edx; wrpkru; mov eax, [rdi]; mov [rdi], eax",
            r.r[RDI] = WINDOW;
            r.cr4_set = CR4_PKE);
    CHECK64("exc.pf.key-write0-no-wp", L64_0, 0,
            "mov eax, 8; xor ecx, ecx; xor edx, edx; wrpkru; mov [rdi], eax", r.r[RDI] = WINDOW;
            r.cr4_set = CR4_PKE; r.cr0_clear = CR0_WP);
    CHECK64("insn.rdpkru-wrpkru.back", L64_3, SHOW_A | SHOW_D,
            "xor eax, eax; xor ecx, ecx; xor edx, edx; wrpkru; rdpkru", r.cr4_set = CR4_PKE);
    CHECK64("insn.rdpkru-wrpkru.bad-ecx", L64_3, 0, "mov ecx, 1; rdpkru", r.cr4_set = CR4_PKE);
}

void checks_page_faults(void)
{
    run_rows_of_pages();
    upper_levels();
    crossing();
    protection_keys();
}
