// SPDX-License-Identifier: Apache-2.0
// Accesses to device pages by every form of address and every instruction that may have one there.
// The registers are those of the local APIC that keep what they are given and do nothing: the
// timer's initial count, with the timer masked, the TPR and the logical destination.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

enum {
    APIC = 0xfee00000,
    IOAPIC = 0xfec00000,
    COUNT = 0x380, // 32 bits
    FIRST = 0x1234abcd,
};

static void set_count(uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(APIC + COUNT) = value;
}

static uint32_t get_count(void)
{
    return *(volatile uint32_t *)(uintptr_t)(APIC + COUNT);
}

// What the code did: its registers, and what is in the device's afterwards.
static void report_mmio(const char *name, const struct run *r, unsigned show)
{
    struct text t = {0};
    describe(&t, r, show);
    text_item(&t, "device", get_count());
    outcome(name, "%s", t.s);
}

#define MMIO64(name, show, text, ...)                                                              \
    do {                                                                                           \
        struct run r;                                                                              \
        run_init(&r, L64_0);                                                                       \
        set_count(FIRST);                                                                          \
        r.r[RDI] = APIC + COUNT;                                                                   \
        r.r[RAX] = 0x1122334455667788;                                                             \
        r.r[RCX] = 0x00ff00f0;                                                                     \
        __VA_ARGS__;                                                                               \
        RUN64(&r, text);                                                                           \
        report_mmio((name), &r, (show));                                                           \
    } while (0)

#define AF (SHOW_A | SHOW_ARITHMETIC)

static void moves(void)
{
    MMIO64("mmio.mov.load", SHOW_A, "mov eax, [rdi]", );
    MMIO64("mmio.mov.load-r8", SHOW_A, "mov r8d, [rdi]; mov rax, r8", );
    MMIO64("mmio.mov.store", SHOW_A, "mov [rdi], ecx", );
    MMIO64("mmio.mov.store-r15", SHOW_A, "mov r15d, 0x77665544; mov [rdi], r15d", );
    MMIO64("mmio.mov.store-imm", SHOW_A, "mov dword ptr [rdi], 0x13572468", );
    MMIO64("mmio.mov.moffs-load", SHOW_A, ".byte 0x67, 0xa1; .long 0xfee00380", );
    MMIO64("mmio.mov.moffs-store", SHOW_A, ".byte 0xa3; .quad 0xfee00380", );
    MMIO64("mmio.mov.movnti", SHOW_A, "movnti [rdi], ecx", );
    MMIO64("mmio.mov.movsxd", SHOW_A, "movsxd rax, dword ptr [rdi]", set_count(0x89abcdef));
    MMIO64("mmio.mov.movbe-load", SHOW_A, "movbe eax, [rdi]", );
    MMIO64("mmio.mov.movbe-store", SHOW_A, "movbe [rdi], ecx", );
    MMIO64("mmio.mov.xchg", SHOW_A, "xchg [rdi], eax", );
}

static void arithmetic(void)
{
    MMIO64("mmio.alu.add-load", AF, "add eax, [rdi]", );
    MMIO64("mmio.alu.or-load", AF, "or eax, [rdi]", );
    MMIO64("mmio.alu.adc-load", AF, "stc; adc eax, [rdi]", );
    MMIO64("mmio.alu.sbb-load", AF, "stc; sbb eax, [rdi]", );
    MMIO64("mmio.alu.and-load", AF, "and eax, [rdi]", );
    MMIO64("mmio.alu.sub-load", AF, "sub eax, [rdi]", );
    MMIO64("mmio.alu.xor-load", AF, "xor eax, [rdi]", );
    MMIO64("mmio.alu.cmp-load", AF, "cmp eax, [rdi]", );
    MMIO64("mmio.alu.add-store", AF, "add [rdi], eax", );
    MMIO64("mmio.alu.or-store", AF, "or [rdi], eax", );
    MMIO64("mmio.alu.adc-store", AF, "stc; adc [rdi], eax", );
    MMIO64("mmio.alu.sbb-store", AF, "stc; sbb [rdi], eax", );
    MMIO64("mmio.alu.and-store", AF, "and [rdi], eax", );
    MMIO64("mmio.alu.sub-store", AF, "sub [rdi], eax", );
    MMIO64("mmio.alu.xor-store", AF, "xor [rdi], eax", );
    MMIO64("mmio.alu.cmp-store", AF, "cmp [rdi], eax", );
    MMIO64("mmio.alu.test", AF, "test [rdi], eax", );
    MMIO64("mmio.alu.add-imm32", AF, "add dword ptr [rdi], 0x6dcb5433", );
    MMIO64("mmio.alu.add-imm8", AF, "add dword ptr [rdi], -1", );
    MMIO64("mmio.alu.or-imm", AF, "or dword ptr [rdi], 0x100", );
    MMIO64("mmio.alu.and-imm", AF, "and dword ptr [rdi], 0x0fff", );
    MMIO64("mmio.alu.cmp-imm", AF, "cmp dword ptr [rdi], 0x1234abcd", );
    MMIO64("mmio.alu.test-imm", AF, "test dword ptr [rdi], 0x80000000", );
    MMIO64("mmio.alu.inc", AF, "stc; inc dword ptr [rdi]", );
    MMIO64("mmio.alu.dec", AF, "dec dword ptr [rdi]", );
    MMIO64("mmio.alu.not", AF, "not dword ptr [rdi]", );
    MMIO64("mmio.alu.neg", AF, "neg dword ptr [rdi]", );
    MMIO64("mmio.alu.xadd", AF, "xadd [rdi], eax", );
    MMIO64("mmio.alu.cmpxchg-equal", AF, "cmpxchg [rdi], ecx", r.r[RAX] = FIRST);
    MMIO64("mmio.alu.cmpxchg-differs", AF, "cmpxchg [rdi], ecx", );
    MMIO64("mmio.alu.lock-add", AF, "lock add [rdi], eax", );
    MMIO64("mmio.alu.bt", SHOW_B, "bt dword ptr [rdi], 3; setc bl", );
    MMIO64("mmio.alu.bts", SHOW_B, "bts dword ptr [rdi], 4; setc bl", );
    MMIO64("mmio.alu.btr", SHOW_B, "btr dword ptr [rdi], 3; setc bl", );
    MMIO64("mmio.alu.btc", SHOW_B, "btc dword ptr [rdi], 0; setc bl", );
    MMIO64("mmio.alu.bt-register", SHOW_B, "mov eax, 35; bt [rdi], eax; setc bl",
           r.r[RDI] = APIC + COUNT - 4);
    MMIO64("mmio.alu.bts-register-back", SHOW_B, "mov eax, -28; bts [rdi], eax; setc bl",
           r.r[RDI] = APIC + COUNT + 4);
}

#define AT_ADDRESS(name, text, ...) MMIO64("mmio.address." name, SHOW_A, text, __VA_ARGS__)

static void addresses(void)
{
    AT_ADDRESS("disp8", "mov eax, [rdi+0x10]", r.r[RDI] -= 0x10);
    AT_ADDRESS("disp8-negative", "mov eax, [rdi-0x10]", r.r[RDI] += 0x10);
    AT_ADDRESS("disp32", "mov [rdi+0x380], ecx", r.r[RDI] = APIC);
    AT_ADDRESS("index", "mov [rdi+rbx], ecx", r.r[RBX] = 0x80; r.r[RDI] -= 0x80);
    AT_ADDRESS("index2", "mov [rdi+rbx*2], ecx", r.r[RBX] = 0x40; r.r[RDI] -= 0x80);
    AT_ADDRESS("index4", "mov eax, [rdi+rbx*4+4]", r.r[RBX] = 0x1f; r.r[RDI] -= 0x80);
    AT_ADDRESS("index8", "mov [rdi+rbx*8-0x80], ecx", r.r[RBX] = 0x10);
    AT_ADDRESS("index-only", "mov eax, [rbx*8+0x380]", r.r[RBX] = APIC / 8);
    AT_ADDRESS("rsp", "mov rsp, rdi; mov [rsp], ecx; mov rsp, 0x66f00", );
    AT_ADDRESS("rbp", "mov [rbp], ecx", r.r[RBP] = r.r[RDI]);
    AT_ADDRESS("r12", "mov r12, rdi; mov [r12], ecx", );
    AT_ADDRESS("r13", "mov r13, rdi; mov [r13+0], ecx", );
    AT_ADDRESS("r8-r9", "mov r9, 0x40; lea r8, [rdi-0x100]; mov [r8+r9*4], ecx", );
    AT_ADDRESS("addr32", "mov rdi, 0x55fee00380; mov [edi], ecx", );
    AT_ADDRESS("addr32-wraps", "mov [edi+0x7fffffff], ecx", r.r[RDI] = APIC + COUNT + 0x80000001);
    AT_ADDRESS("rip", ".byte 0x8b, 0x05; .long 0xfee00380 - 0x80000006", r.r[RDI] = 0;
               r.code = WINDOW; window_map(0, frame_entry(0, PTE_ALL)));
    AT_ADDRESS("fs", "mov fs:[rdi], ecx", r.r[RDI] = COUNT; wrmsr(0xc0000100, APIC));
    AT_ADDRESS("gs", "mov eax, gs:[0x80]", wrmsr(0xc0000101, APIC + COUNT - 0x80));
    AT_ADDRESS("ds-ignored", ".byte 0x3e, 0x89, 0x0f", );
    AT_ADDRESS("alias", "mov [rdi], ecx", r.r[RDI] = WINDOW + COUNT;
               window_map(0, (uint64_t)APIC | PTE_ALL | 0x18));
    wrmsr(0xc0000100, 0);
    wrmsr(0xc0000101, 0);
}

static void strings(void)
{
    MMIO64("mmio.string.movs-from", SHOW_SI | SHOW_DI | SHOW_DATA8, "movsd", r.r[RSI] = r.r[RDI];
           r.r[RDI] = LOW_DATA);
    MMIO64("mmio.string.movs-to", SHOW_DATA8, "movsd", r.r[RSI] = LOW_DATA);
    MMIO64("mmio.string.rep-movs-to", SHOW_C | SHOW_DATA8, "rep movsd", r.r[RSI] = LOW_DATA;
           r.r[RCX] = 1);
    MMIO64("mmio.string.movs-down", SHOW_C | SHOW_DATA8, "std; movsd; cld", r.r[RSI] = LOW_DATA);
    MMIO64("mmio.string.movs-device-device", SHOW_C, "movsd", r.r[RSI] = APIC + 0x80);
    MMIO64("mmio.string.stos", SHOW_A | SHOW_DI, "stosd", );
    MMIO64("mmio.string.rep-stos", SHOW_A | SHOW_C, "rep stosd", r.r[RCX] = 1);
    MMIO64("mmio.string.rep-stos-zero", SHOW_A | SHOW_C, "rep stosd", r.r[RCX] = 0);
    MMIO64("mmio.string.lods", SHOW_A, "lodsd", r.r[RSI] = r.r[RDI]);
    MMIO64("mmio.string.scas", SHOW_ARITHMETIC, "scasd", );
    MMIO64("mmio.string.repne-scas", SHOW_C | SHOW_ARITHMETIC, "repne scasd", r.r[RCX] = 1);
    MMIO64("mmio.string.cmps", SHOW_ARITHMETIC, "cmpsd", r.r[RSI] = LOW_DATA);
    MMIO64("mmio.string.repe-cmps", SHOW_C | SHOW_ARITHMETIC, "repe cmpsd", r.r[RSI] = LOW_DATA;
           r.r[RCX] = 1);
    window_map(0, 0);
    MMIO64("mmio.string.movs-fault-from", SHOW_C, "rep movsd", r.r[RSI] = WINDOW; r.r[RCX] = 1);
    MMIO64("mmio.string.movs-fault-to", SHOW_C, "rep movsd", r.r[RSI] = r.r[RDI]; r.r[RDI] = WINDOW;
           r.r[RCX] = 1);
}

// By a segment whose base is the device's page.
static void segment_forms(void)
{
    static const struct {
        const char *name, *bytes;
        unsigned length;
        unsigned where;
    } rows[] = {
        {"mmio.segment.disp", "\x65\x89\x0d\x80\x03\x00\x00", 7, AT(P32_0) | AT(P32_3)},
        {"mmio.segment.base", "\x65\x89\x0f", 3, AT(P32_0) | AT(P32_3)},
        {"mmio.segment.16bit-si-disp", "\x67\x65\x89\x4c\x10", 5, AT(P32_0) | AT(P32_3)},
        {"mmio.segment.16bit-bx-di", "\x67\x65\x89\x09", 4, AT(P32_0)},
        {"mmio.segment.16bit-disp16", "\x67\x65\x89\x0e\x80\x03", 6, AT(P32_0)},
        {"mmio.segment.16bit-bp", "\x67\x65\x8b\x4e\x00", 5, AT(P32_0)},
        {"mmio.segment.limit", "\x65\x89\x8f\x00\x10\x00\x00", 7, AT(P32_0) | AT(P32_3)},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (enum place place = 0; place < PLACES; place++) {
            struct text name = {0};
            struct run r;
            if (!(rows[i].where & AT(place)))
                continue;
            // QEMU has no segment limits, and what lies behind the page is nobody's.
            if (rows[i].bytes[4] == 0x10 && !reserved_bits_checked())
                continue;
            text_add(&name, rows[i].name);
            text_add(&name, ".");
            text_add(&name, place_name(place));
            run_init(&r, place);
            set_count(FIRST);
            r.r[RDI] = COUNT;
            r.r[RSI] = COUNT - 0x10;
            r.r[RBX] = 0;
            r.r[RBP] = COUNT;
            run_bytes(&r, rows[i].bytes, rows[i].length);
            report_mmio(name.s, &r, SHOW_C);
        }
    }
}

static void other_places(void)
{
    // Ring 3, by a page of its own; and code at the end of a page whose second half is elsewhere.
    window_map(2, (uint64_t)APIC | PTE_ALL | 0x18);
    CHECK64("mmio.place.ring3", L64_3, SHOW_A, "mov [rdi], ecx; mov eax, [rdi]",
            r.r[RDI] = WINDOW + 0x2000 + COUNT);
    window_map(2, (uint64_t)APIC | PTE_P | PTE_U | 0x18);
    CHECK64("mmio.place.read-only", L64_3, 0, "mov [rdi], ecx", r.r[RDI] = WINDOW + 0x2000 + COUNT);
    CHECK64("mmio.place.compat", C32_0, SHOW_A, "mov [rdi], ecx; mov eax, [rdi]",
            r.r[RDI] = APIC + COUNT);
    CHECK64("mmio.place.prot32", P32_0, SHOW_A, "mov [rdi], ecx; mov eax, [rdi]",
            r.r[RDI] = APIC + COUNT);
    window_map(2, 0);
    window_map(0, frame_entry(0, PTE_ALL));
    window_map(1, frame_entry(1, PTE_ALL));
    for (unsigned before = 1; before < 6; before++) {
        static const char *const names[] = {
            "mmio.place.split-insn1", "mmio.place.split-insn2", "mmio.place.split-insn3",
            "mmio.place.split-insn4", "mmio.place.split-insn5",
        };
        struct run r;
        run_init(&r, L64_0);
        set_count(FIRST);
        r.code = WINDOW + ENGINE_PAGE - before;
        r.r[RDI] = APIC;
        run_bytes(&r, CODE("\x89\x8f\x80\x03\x00\x00"));
        report_mmio(names[before - 1], &r, 0);
    }
    window_map(0, 0);
    window_map(1, 0);
}

// Reads that are narrower than the APIC promises to serve (SDM vol. 3, 10.4.1). Bochs ends at such
// a write.
static void widths(void)
{
    MMIO64("mmio.width.byte", SHOW_A, "mov al, [rdi]", );
    MMIO64("mmio.width.byte-high", SHOW_A, "mov ah, [rdi]", );
    MMIO64("mmio.width.movzx8", SHOW_A, "movzx eax, byte ptr [rdi]", );
    MMIO64("mmio.width.movsx8", SHOW_A, "movsx rax, byte ptr [rdi]", );
    MMIO64("mmio.width.movzx16", SHOW_A, "movzx eax, word ptr [rdi]", );
    MMIO64("mmio.width.movsx16", SHOW_A, "movsx eax, word ptr [rdi]", );
}

static uint32_t ioapic_window(uint32_t reg)
{
    *(volatile uint32_t *)(uintptr_t)IOAPIC = reg;
    return *(volatile uint32_t *)(uintptr_t)(IOAPIC + 0x10);
}

static void ioapic(void)
{
    CHECK64("mmio.ioapic.select", L64_0, SHOW_A, "mov dword ptr [rdi], 0x11; mov eax, [rdi]",
            r.r[RDI] = IOAPIC);
    CHECK64("mmio.ioapic.window", L64_0, SHOW_A,
            "mov dword ptr [rdi], 0x3e; mov dword ptr [rdi+0x10], 0x10041; mov eax, [rdi+0x10]",
            r.r[RDI] = IOAPIC);
    CHECK64("mmio.ioapic.or", L64_0, SHOW_A,
            "mov dword ptr [rdi], 0x3e; or dword ptr [rdi+0x10], 0x2000; mov eax, [rdi+0x10]",
            r.r[RDI] = IOAPIC);
    CHECK64("mmio.ioapic.xchg", L64_0, SHOW_A,
            "mov dword ptr [rdi], 0x3e; mov eax, 0x10042; xchg eax, [rdi+0x10]", r.r[RDI] = IOAPIC);
    outcome("mmio.ioapic.after", "0x%x", ioapic_window(0x3e));
    *(volatile uint32_t *)(uintptr_t)(IOAPIC + 0x10) = 0x10000;
}

void checks_mmio(void)
{
    lapic_write(LAPIC_LVT_TIMER, 0x10000 | TIMER_VECTOR);
    moves();
    arithmetic();
    addresses();
    strings();
    segment_forms();
    other_places();
    widths();
    ioapic();
    set_count(0);
    lapic_write(LAPIC_TPR, 0);
}
