// SPDX-License-Identifier: Apache-2.0
// Page tables: accessed and dirty bits, page sizes, what flushes a translation, and paging outside
// long mode.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

#define PAGE_TABLE static uint64_t __attribute__((aligned(4096)))

enum {
    SECOND = WINDOW + 0x200000, // where other sizes of page are mapped
    APIC = 0xfee00000,
};

PAGE_TABLE legacy_directory[512];
PAGE_TABLE legacy_table[512];
PAGE_TABLE legacy_pointers[512];

static void report_entry(const char *name, const struct run *r, uint64_t entry)
{
    struct text t = {0};
    describe(&t, r, 0);
    text_add(&t, entry & PTE_A ? " accessed" : " not accessed");
    text_add(&t, entry & PTE_D ? " dirty" : " clean");
    outcome(name, "%s", t.s);
}

#define BITS64(name, place, page, target, text, ...)                                               \
    do {                                                                                           \
        struct run r;                                                                              \
        run_init(&r, (place));                                                                     \
        window_map((page), (target));                                                              \
        r.r[RDI] = WINDOW + (page) * (uint64_t)ENGINE_PAGE;                                        \
        __VA_ARGS__;                                                                               \
        RUN64(&r, text);                                                                           \
        report_entry((name), &r, engine_window_table[page]);                                       \
    } while (0)

static void accessed_and_dirty(void)
{
    BITS64("mode.page.bits-untouched", L64_3, 3, frame_entry(0, PTE_ALL), "nop", );
    BITS64("mode.page.bits-read", L64_3, 3, frame_entry(0, PTE_ALL), "mov eax, [rdi]", );
    BITS64("mode.page.bits-write", L64_3, 3, frame_entry(0, PTE_ALL), "mov [rdi], eax", );
    BITS64("mode.page.bits-execute", L64_3, 3, frame_entry(0, PTE_ALL), "call rdi",
           memcpy(engine_frames[0], "\xc3", 1));
    BITS64("mode.page.bits-write-fault", L64_3, 3, frame_entry(0, PTE_P | PTE_U),
           "mov [rdi], eax", );
    BITS64("mode.page.bits-cmpxchg-fails", L64_3, 3, frame_entry(0, PTE_ALL),
           "cmpxchg [rdi], ecx", );
    BITS64("mode.page.bits-mmio-read", L64_0, 3, APIC | 0x18 | PTE_ALL, "mov eax, [rdi+0x80]", );
    BITS64("mode.page.bits-mmio-write", L64_0, 3, APIC | 0x18 | PTE_ALL, "mov [rdi+0x80], eax",
           r.r[RAX] = 0);
    BITS64("mode.page.bits-ins", L64_0, 3, frame_entry(0, PTE_ALL), "insb", r.r[RDX] = 0x3ff);
    BITS64("mode.page.bits-outs", L64_0, 3, frame_entry(0, PTE_ALL), "mov rsi, rdi; outsb",
           r.r[RDX] = 0x3ff);
    BITS64("mode.page.bits-movs-to-mmio", L64_0, 3, frame_entry(0, PTE_ALL),
           "mov rsi, rdi; mov edi, 0xfee00380; movsd", );
    BITS64("mode.page.bits-movs-from-mmio", L64_0, 3, frame_entry(0, PTE_ALL),
           "mov esi, 0xfee00080; movsd", );
    uint64_t *table = &engine_pd[WINDOW >> 30][0];
    *table &= ~(uint64_t)PTE_A;
    BITS64("mode.page.bits-table", L64_3, 3, frame_entry(0, PTE_ALL), "mov eax, [rdi]", );
    outcome("mode.page.bits-table-above", "%s", *table & PTE_A ? "accessed" : "not accessed");
    window_map(3, 0);
}

static void sizes(void)
{
    uint64_t *directory = &engine_pd[WINDOW >> 30][1];
    uint64_t low = 0; // the first 2 MiB, with the data pages in them
    CHECK64("mode.page.size-2m-absent", L64_3, 0, "mov eax, [rdi]", r.r[RDI] = SECOND);
    *directory = low | PTE_ALL | PTE_PS;
    flush_page(SECOND);
    CHECK64("mode.page.size-2m", L64_3, SHOW_A, "mov eax, [rdi]", r.r[RDI] = SECOND + LOW_DATA);
    CHECK64("mode.page.size-2m-write", L64_3, SHOW_DATA8, "mov [rdi], ecx",
            r.r[RDI] = SECOND + LOW_DATA);
    outcome("mode.page.size-2m-bits", "0x%lx", *directory & (PTE_A | PTE_D));
    *directory = low | PTE_ALL | PTE_PS | 1 << 13;
    flush_page(SECOND);
    CHECK64("mode.page.size-2m-reserved", L64_3, 0, "mov eax, [rdi]", r.r[RDI] = SECOND + LOW_DATA);
    *directory = 0;
    flush_page(SECOND);
    if (cpuid(0x80000001, 0).edx & 1u << 26) {
        engine_pdpt[5] = PTE_ALL | PTE_PS;
        CHECK64("mode.page.size-1g", L64_3, SHOW_A, "mov eax, [rdi]",
                r.r[RDI] = (5ull << 30) + LOW_DATA);
        outcome("mode.page.size-1g-bits", "0x%lx", engine_pdpt[5] & (PTE_A | PTE_D));
        engine_pdpt[5] = PTE_ALL | PTE_PS | 1 << 13;
        flush_page((5ull << 30) + LOW_DATA);
        CHECK64("mode.page.size-1g-reserved", L64_3, 0, "mov eax, [rdi]",
                r.r[RDI] = (5ull << 30) + LOW_DATA);
        engine_pdpt[5] = 0;
        flush_page((5ull << 30) + LOW_DATA);
    }
    engine_pml4[1] = (uint64_t)engine_pdpt | PTE_ALL | PTE_PS;
    CHECK64("mode.page.size-pml4-reserved", L64_3, 0, "mov eax, [rdi]",
            r.r[RDI] = (1ull << 39) + LOW_DATA);
    engine_pml4[1] = 0;
}

// What a page shows after its entry was changed and flushed in one way or another.
static void flushes(void)
{
    *(volatile uint32_t *)engine_frames[0] = 0x11111111;
    *(volatile uint32_t *)engine_frames[1] = 0x22222222;
    static const char *const names[] = {"mode.page.flush-invlpg", "mode.page.flush-cr3",
                                        "mode.page.flush-cr4-pge", "mode.page.flush-global"};
    for (unsigned how = 0; how < 4; how++) {
        struct run r;
        run_init(&r, L64_0);
        r.cr4_set = CR4_PGE;
        r.r[RDI] = WINDOW + 4 * ENGINE_PAGE;
        r.r[RBX] = (uint64_t)&engine_window_table[4];
        r.r[RDX] = frame_entry(1, PTE_ALL);
        window_map(4, frame_entry(0, PTE_ALL | (how == 3 ? PTE_G : 0)));
        switch (how) {
        case 0:
            RUN64(&r, "mov eax, [rdi]; mov [rbx], rdx; invlpg [rdi]; mov ecx, [rdi]");
            break;
        case 1:
            RUN64(&r, "mov eax, [rdi]; mov [rbx], rdx; mov rsi, cr3; mov cr3, rsi; mov ecx, [rdi]");
            break;
        case 2:
            RUN64(&r, "mov eax, [rdi]; mov [rbx], rdx; mov rsi, cr4; mov rcx, rsi; btr rcx, 7; "
                      "mov cr4, rcx; mov cr4, rsi; mov ecx, [rdi]");
            break;
        default:
            RUN64(&r, "mov eax, [rdi]; mov [rbx], rdx; invlpg [rdi]; mov ecx, [rdi]");
            break;
        }
        report_as(names[how], &r, SHOW_A | SHOW_C);
    }
    window_map(4, 0);
}

// ---- outside long mode

static void run_paged(const char *name, enum place place, bool pae, const char *bytes,
                      size_t length, uint32_t address, uint64_t cr4)
{
    struct run r;
    run_init(&r, place);
    r.cr0_set = CR0_PG;
    r.cr3 = (uint64_t)(pae ? legacy_pointers : legacy_directory);
    r.cr4_set = cr4 | (pae ? CR4_PAE : 0);
    r.r[RDI] = address;
    run_bytes(&r, bytes, length);
    report(name, &r, SHOW_A);
}

#define LOAD  CODE("\x8b\x07")
#define STORE CODE("\x89\x07")

static void paging32(void)
{
    uint32_t *directory = (uint32_t *)legacy_directory, *table = (uint32_t *)legacy_table;
    uint32_t window = WINDOW >> 22;
    for (unsigned i = 0; i < 4; i++) // 16 MiB: the guest itself
        directory[i] = i << 22 | PTE_ALL | PTE_PS;
    directory[window] = (uint32_t)(uintptr_t)table | PTE_ALL;
    table[0] = (uint32_t)(uintptr_t)engine_frames[0] | PTE_ALL;
    table[1] = 0;
    table[2] = (uint32_t)(uintptr_t)engine_frames[0] | PTE_P | PTE_U;
    table[3] = (uint32_t)(uintptr_t)engine_frames[0] | PTE_P | PTE_W;
    run_paged("mode.page32.read", P32_3, false, LOAD, WINDOW, CR4_PSE);
    run_paged("mode.page32.write", P32_3, false, STORE, WINDOW + 8, CR4_PSE);
    outcome("mode.page32.bits", "0x%x 0x%x", table[0] & (PTE_A | PTE_D),
            directory[window] & (PTE_A | PTE_D));
    run_paged("mode.page32.absent", P32_3, false, LOAD, WINDOW + 0x1008, CR4_PSE);
    run_paged("mode.page32.read-only", P32_3, false, STORE, WINDOW + 0x2008, CR4_PSE);
    run_paged("mode.page32.supervisor", P32_3, false, LOAD, WINDOW + 0x3008, CR4_PSE);
    run_paged("mode.page32.supervisor", P32_0, false, LOAD, WINDOW + 0x3008, CR4_PSE);
    run_paged("mode.page32.table-absent", P32_3, false, LOAD, WINDOW + 0x400000, CR4_PSE);
    directory[window + 1] = PTE_ALL | PTE_PS;
    run_paged("mode.page32.4m", P32_3, false, LOAD, WINDOW + 0x400000 + LOW_DATA, CR4_PSE);
    directory[window + 2] = PTE_ALL | PTE_PS | 1 << 21;
    run_paged("mode.page32.4m-reserved", P32_3, false, LOAD, WINDOW + 0x800000, CR4_PSE);
    directory[window + 3] = (APIC & 0xffc00000) | PTE_ALL | PTE_PS | 0x18;
    run_paged("mode.page32.mmio", P32_3, false, CODE("\xc7\x07\x20\x00\x00\x00\x8b\x07"),
              WINDOW + 0xc00000 + 0x200080, CR4_PSE);
    run_paged("mode.page32.cpuid", P32_3, false, CODE("\x31\xc0\x0f\xa2\x93"), WINDOW, CR4_PSE);
    run_paged("mode.page32.ins", P32_0, false, CODE("\x66\xba\xff\x03\x6c"), WINDOW + 0x1000,
              CR4_PSE);
}

static void paging_pae(void)
{
    memset(legacy_directory, 0, sizeof(legacy_directory));
    memset(legacy_table, 0, sizeof(legacy_table));
    memset(legacy_pointers, 0, sizeof(legacy_pointers));
    // The first and the third GiB have the same directory.
    legacy_pointers[0] = legacy_pointers[2] = (uint64_t)legacy_directory | PTE_P;
    for (uint64_t i = 0; i < 8; i++)
        legacy_directory[i] = i << 21 | PTE_ALL | PTE_PS;
    legacy_directory[8] = (uint64_t)legacy_table | PTE_ALL;
    legacy_table[0] = frame_entry(0, PTE_ALL);
    legacy_table[2] = frame_entry(0, PTE_ALL | PTE_NX);
    legacy_table[3] = frame_entry(0, PTE_ALL | 1ull << 55);
    uint32_t at = WINDOW + 0x1000000;
    run_paged("mode.page-pae.read", P32_3, true, LOAD, at, 0);
    run_paged("mode.page-pae.write", P32_3, true, STORE, at + 8, 0);
    outcome("mode.page-pae.bits", "0x%lx 0x%lx", legacy_table[0] & (PTE_A | PTE_D),
            legacy_directory[8] & (PTE_A | PTE_D));
    run_paged("mode.page-pae.absent", P32_3, true, STORE, at + 0x1000, 0);
    run_paged("mode.page-pae.reserved", P32_3, true, LOAD, at + 0x3000, 0);
    run_paged("mode.page-pae.pointer-absent", P32_3, true, LOAD, 0x40000000, 0);
    run_paged("mode.page-pae.cpuid", P32_3, true, CODE("\x31\xc0\x0f\xa2\x93"), at, 0);
    run_paged("mode.page-pae.ins", P32_0, true, CODE("\x66\xba\xff\x03\x6c"), at + 0x1000, 0);
    run_paged("mode.page-pae.2m", P32_3, true, LOAD, WINDOW + LOW_DATA, 0);
}

// Mode switches that a kernel makes by hand.
static void switches(void)
{
    struct run r;
    run_init(&r, REAL);
    run_bytes(&r,
              CODE("\x0f\x20\xc0\x0c\x01\x0f\x22\xc0\x0f\x20\xc1\x24\xfe\x0f\x22\xc0\x66\x83\xe1"
                   "\x01"));
    report("mode.switch.real-protected-real", &r, SHOW_C);
    run_init(&r, REAL);
    run_bytes(&r,
              CODE("\xb8\x01\x00\x0f\x01\xf0\x0f\x20\xc1\x0f\x20\xc0\x24\xfe\x0f\x22\xc0\x66\x83"
                   "\xe1\x01"));
    report("insn.lmsw.pe", &r, SHOW_C);
}

// Refused by the processor, or else there would be no way back.
static void refused_switches(void)
{
    if (!reserved_bits_checked())
        return;
    CHECK64("mode.switch.long-pae-off", L64_0, 0, "mov rax, cr4; btr rax, 5; mov cr4, rax", );
    CHECK64("mode.switch.long-pg-off", L64_0, 0, "mov rax, cr0; btr rax, 31; mov cr0, rax", );
    CHECK64("mode.switch.long-pe-off", L64_0, 0, "mov rax, cr0; btr rax, 0; mov cr0, rax", );
    struct run r;
    run_init(&r, P32_0);
    run_bytes(&r, CODE("\x0f\x20\xc0\x0d\x00\x00\x00\x80\x24\xfe\x0f\x22\xc0"));
    report("mode.switch.pg-without-pe", &r, 0);
}

void checks_paging(void)
{
    accessed_and_dirty();
    sizes();
    flushes();
    paging32();
    paging_pae();
    switches();
    refused_switches();
}
