// SPDX-License-Identifier: Apache-2.0
// Control-register bits: which may be set, and what they change for instructions of ring 3.

#include "tests/guests/equiv/cpu.h"
#include "tests/guests/equiv/segments.h"

static bool leaf7_ebx(unsigned bit)
{
    return cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx & 1u << bit;
}

static bool leaf7_ecx(unsigned bit)
{
    return cpuid(0, 0).eax >= 7 && cpuid(7, 0).ecx & 1u << bit;
}

static bool leaf1_ecx(unsigned bit)
{
    return cpuid(1, 0).ecx & 1u << bit;
}

// ---- what MOV to a control register takes

static const struct {
    const char *name;
    uint64_t flip;
} cr0_rows[] =
    {
        {"insn.mov-to-cr0.mp", CR0_MP},        {"insn.mov-to-cr0.em", CR0_EM},
        {"insn.mov-to-cr0.ts", CR0_TS},        {"insn.mov-to-cr0.et", CR0_ET},
        {"insn.mov-to-cr0.ne", CR0_NE},        {"insn.mov-to-cr0.wp", CR0_WP},
        {"insn.mov-to-cr0.am", CR0_AM},        {"insn.mov-to-cr0.cd", 1 << 30},
        {"insn.mov-to-cr0.nw-alone", 1 << 29}, {"insn.mov-to-cr0.cd-nw", 3 << 29},
        {"insn.mov-to-cr0.reserved", 1 << 6},  {"insn.mov-to-cr0.reserved-high", 1ull << 40},
},
  cr4_rows[] = {
      {"insn.mov-to-cr4.vme-pvi", 3},
      {"insn.mov-to-cr4.tsd", CR4_TSD},
      {"insn.mov-to-cr4.de", CR4_DE},
      {"insn.mov-to-cr4.pse", CR4_PSE},
      {"insn.mov-to-cr4.mce", 1 << 6},
      {"insn.mov-to-cr4.pge", CR4_PGE},
      {"insn.mov-to-cr4.pce", CR4_PCE},
      {"insn.mov-to-cr4.osfxsr", CR4_OSFXSR},
      {"insn.mov-to-cr4.osxmmexcpt", CR4_OSXMMEXCPT},
      {"insn.mov-to-cr4.umip", CR4_UMIP},
      {"insn.mov-to-cr4.fsgsbase", CR4_FSGSBASE},
      {"insn.mov-to-cr4.pcide", CR4_PCIDE},
      {"insn.mov-to-cr4.osxsave", CR4_OSXSAVE},
      {"insn.mov-to-cr4.smep", CR4_SMEP},
      {"insn.mov-to-cr4.pke", CR4_PKE},
};

// Bits that no processor here has, or that CPUID hides.
static const struct {
    const char *name;
    uint64_t flip;
} cr4_reserved[] = {
    {"insn.mov-to-cr4.reserved.la57", 1 << 12},   {"insn.mov-to-cr4.reserved.vmxe", 1 << 13},
    {"insn.mov-to-cr4.reserved.smxe", 1 << 14},   {"insn.mov-to-cr4.reserved.bit15", 1 << 15},
    {"insn.mov-to-cr4.reserved.bit19", 1 << 19},  {"insn.mov-to-cr4.reserved.cet", 1 << 23},
    {"insn.mov-to-cr4.reserved.bit31", 1u << 31}, {"insn.mov-to-cr4.reserved.bit40", 1ull << 40},
};

// Writes the register with bits inverted, reads it, and puts it back.
static void flip_cr0(const char *name, uint64_t flip)
{
    struct run r;
    run_init(&r, L64_0);
    r.r[RSI] = read_cr0();
    r.r[RAX] = r.r[RSI] ^ flip;
    RUN64(&r, "mov cr0, rax; mov rcx, cr0; mov cr0, rsi");
    report_as(name, &r, r.ended ? SHOW_C : 0);
}

static void flip_cr4(const char *name, uint64_t flip)
{
    struct run r;
    run_init(&r, L64_0);
    r.r[RSI] = read_cr4();
    r.r[RAX] = r.r[RSI] ^ flip;
    RUN64(&r, "mov cr4, rax; mov rcx, cr4; mov cr4, rsi");
    report_as(name, &r, r.ended ? SHOW_C : 0);
}

// Bits that are reserved where CPUID does not show the feature.
static uint64_t cr4_unknown(void)
{
    uint64_t unknown = 0;
    unknown |= leaf7_ecx(2) ? 0 : CR4_UMIP;
    unknown |= leaf7_ebx(0) ? 0 : CR4_FSGSBASE;
    unknown |= leaf1_ecx(17) ? 0 : CR4_PCIDE;
    unknown |= leaf1_ecx(26) ? 0 : CR4_OSXSAVE;
    unknown |= leaf7_ebx(7) ? 0 : CR4_SMEP;
    unknown |= leaf7_ecx(3) ? 0 : CR4_PKE;
    return unknown;
}

static void control_bits(void)
{
    for (unsigned i = 0; i < sizeof(cr0_rows) / sizeof(cr0_rows[0]); i++)
        flip_cr0(cr0_rows[i].name, cr0_rows[i].flip);
    for (unsigned i = 0; i < sizeof(cr4_rows) / sizeof(cr4_rows[0]); i++) {
        if (reserved_bits_checked() || !(cr4_rows[i].flip & cr4_unknown()))
            flip_cr4(cr4_rows[i].name, cr4_rows[i].flip);
    }
    if (reserved_bits_checked()) {
        for (unsigned i = 0; i < sizeof(cr4_reserved) / sizeof(cr4_reserved[0]); i++)
            flip_cr4(cr4_reserved[i].name, cr4_reserved[i].flip);
    }
    if (!reserved_bits_checked())
        return;
    CHECK64("insn.mov-to-cr3.pcide-high-bit", L64_0, 0,
            "mov rax, cr3; bts rax, 63; mov cr3, rax", );
    CHECK64("insn.mov-to-cr3.beyond-width", L64_0, 0,
            "mov rsi, cr3; mov rax, rsi; bts rax, 60; mov cr3, rax; mov cr3, rsi", );
    CHECK64("insn.mov-to-cr4.pcide-cr3", L64_0, 0,
            "mov rsi, cr3; mov rax, rsi; or rax, 5; "
            "mov cr3, rax; mov rcx, cr4; bts rcx, 17; mov cr4, rcx; mov cr3, rsi", );
}

// ---- what they change

#define IF_THERE(feature, name, ...)                                                               \
    do {                                                                                           \
        if (feature)                                                                               \
            CHECK64(name, __VA_ARGS__);                                                            \
        else                                                                                       \
            outcome(name, "this processor can't");                                                 \
    } while (0)

static void user_instructions(void)
{
    CHECK64("insn.rdtsc.tsd-ring3", L64_3, 0, "rdtsc", r.cr4_set = CR4_TSD);
    CHECK64("insn.rdtsc.tsd-ring0", L64_0, 0, "rdtsc", r.cr4_set = CR4_TSD);
    CHECK64("insn.rdtscp.tsd-ring3", L64_3, 0, "rdtscp", r.cr4_set = CR4_TSD);
    CHECK64("insn.rdtsc.grows", L64_3, SHOW_B,
            "rdtsc; mov ebx, eax; mov ecx, edx; rdtsc; sub eax, "
            "ebx; sbb edx, ecx; setc bl; movzx ebx, bl", );
    CHECK64("insn.rdpmc.pce-ring3", L64_3, 0, "mov ecx, 0x4000000; rdpmc", r.cr4_set = CR4_PCE);
    bool umip = leaf7_ecx(2);
    IF_THERE(umip, "insn.sgdt.umip", L64_3, 0, "sgdt [rdi]", r.cr4_set = CR4_UMIP);
    IF_THERE(umip, "insn.sidt.umip", L64_3, 0, "sidt [rdi]", r.cr4_set = CR4_UMIP);
    IF_THERE(umip, "insn.sldt.umip", L64_3, 0, "sldt eax", r.cr4_set = CR4_UMIP);
    IF_THERE(umip, "insn.str.umip", L64_3, 0, "str eax", r.cr4_set = CR4_UMIP);
    IF_THERE(umip, "insn.smsw.umip", L64_3, 0, "smsw eax", r.cr4_set = CR4_UMIP);
    bool bases = leaf7_ebx(0);
    IF_THERE(bases, "insn.rdfsbase.ring3", L64_3, SHOW_C,
             "wrfsbase rax; rdfsbase rcx; xor eax, eax; wrfsbase rax", r.cr4_set = CR4_FSGSBASE;
             r.r[RAX] = 0x7fff12345678);
    IF_THERE(bases, "insn.rdfsbase.gs", L64_3, SHOW_C,
             "wrgsbase rax; rdgsbase rcx; xor eax, eax; wrgsbase rax", r.cr4_set = CR4_FSGSBASE;
             r.r[RAX] = 0x7fff12345678);
    IF_THERE(bases, "insn.rdfsbase.noncanonical", L64_3, 0, "wrfsbase rax",
             r.cr4_set = CR4_FSGSBASE;
             r.r[RAX] = 1ull << 63);
    wrmsr(0xc0000100, 0);
    bool clac = leaf7_ebx(20);
    IF_THERE(clac, "insn.cli-sti.stac", L64_0, SHOW_FLAGS, "stac", );
    IF_THERE(clac, "insn.cli-sti.clac", L64_0, SHOW_FLAGS, "clac", r.rflags |= FLAG_AC);
    IF_THERE(clac, "insn.cli-sti.stac-ring3", L64_3, 0, "stac", );
    bool invpcid = leaf7_ebx(10);
    IF_THERE(invpcid, "insn.invpcid.all", L64_0, 0,
             "mov qword ptr [rdi], 0; mov qword ptr [rdi+8], 0; mov eax, 2; invpcid rax, [rdi]", );
    IF_THERE(invpcid, "insn.invpcid.bad-type", L64_0, 0, "mov eax, 4; invpcid rax, [rdi]", );
    IF_THERE(invpcid, "insn.invpcid.bad-pcid", L64_0, 0,
             "xor eax, eax; mov qword ptr [rdi], 0x1000; invpcid rax, [rdi]", );
    IF_THERE(invpcid, "insn.invpcid.ring3", L64_3, 0, "mov eax, 2; invpcid rax, [rdi]", );
    IF_THERE(leaf1_ecx(17), "insn.mov-to-cr3.pcid", L64_0, SHOW_C,
             "mov rsi, cr3; mov rcx, rsi; "
             "or rcx, 5; mov cr3, rcx; mov rcx, cr3; and ecx, 0xfff; mov cr3, rsi",
             r.cr4_set = CR4_PCIDE);
}

// ---- extended state

static void extended_state(void)
{
    bool there = leaf1_ecx(26);
    uint64_t osxsave = CR4_OSXSAVE;
    IF_THERE(there, "insn.xgetbv.on", L64_3, SHOW_A | SHOW_D, "xor ecx, ecx; xgetbv",
             r.cr4_set = osxsave);
    IF_THERE(there, "insn.xgetbv.bad", L64_3, 0, "mov ecx, 5; xgetbv", r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsetbv.ring3", L64_3, 0, "xor ecx, ecx; xor edx, edx; mov eax, 3; xsetbv",
             r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsetbv.x87-sse", L64_0, SHOW_A,
             "xor ecx, ecx; xor edx, edx; mov eax, 3; xsetbv; xgetbv", r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsetbv.avx", L64_0, SHOW_A,
             "xor ecx, ecx; xor edx, edx; mov eax, 7; xsetbv; xgetbv", r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsetbv.no-x87", L64_0, 0,
             "xor ecx, ecx; xor edx, edx; mov eax, 2; xsetbv", r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsetbv.avx-no-sse", L64_0, 0,
             "xor ecx, ecx; xor edx, edx; mov eax, 5; xsetbv", r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsetbv.reserved", L64_0, 0,
             "xor ecx, ecx; mov edx, 0x40000000; mov eax, 3; xsetbv", r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsetbv.bad-register", L64_0, 0,
             "mov ecx, 1; xor edx, edx; mov eax, 3; xsetbv", r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsave.legacy", L64_3, SHOW_B,
             "mov eax, 3; xor edx, edx; xsave [rdi]; mov ebx, [rdi+0x200]", r.cr4_set = osxsave;
             memset((void *)(uintptr_t)LOW_DATA, 0, 2 * ENGINE_PAGE));
    IF_THERE(there, "insn.xsave.unaligned", L64_3, 0, "mov eax, 3; xor edx, edx; xsave [rdi+8]",
             r.cr4_set = osxsave);
    IF_THERE(there, "insn.xsave.bad-header", L64_3, 0, "mov eax, 3; xor edx, edx; xrstor [rdi]",
             r.cr4_set = osxsave);
    bool supervisor = there && cpuid(0xd, 1).eax & 1u << 3;
    IF_THERE(supervisor, "insn.xsaves.ring3", L64_3, 0, "mov eax, 3; xor edx, edx; xsaves [rdi]",
             r.cr4_set = osxsave);
    IF_THERE(supervisor, "insn.xsaves.ring0", L64_0, SHOW_B,
             "mov eax, 3; xor edx, edx; xsaves [rdi]; mov ebx, [rdi+0x20c]", r.cr4_set = osxsave);
    CHECK64("insn.xsave.off", L64_3, 0, "xsave [rdi]", );
}

static void cpuid_fields(void)
{
    CHECK64("insn.cpuid.osxsave-follows", L64_3, SHOW_C, "mov eax, 1; cpuid; and ecx, 0x8000000",
            r.cr4_set = leaf1_ecx(26) ? CR4_OSXSAVE : 0);
    CHECK64("insn.cpuid.osxsave-clear", L64_3, SHOW_C, "mov eax, 1; cpuid; and ecx, 0x8000000", );
    CHECK64("insn.cpuid.upper-cleared", L64_3, SHOW_A | SHOW_C,
            "mov rax, -1; mov eax, eax; bts "
            "rax, 40; mov rcx, rax; mov eax, 0x80000000; bts rax, 40; cpuid; shr rax, 32; shr rcx, "
            "32", );
}

static void cpuid_features(void)
{
    outcome("insn.cpuid.leaf1-ring0", "x2apic and hypervisor bits 0x%x",
            cpuid(1, 0).ecx & (1u << 31 | 1u << 21));
    outcome("cpuid.features.1-ecx", "0x%x", cpuid(1, 0).ecx & ~(1u << 31));
    outcome("cpuid.features.1-edx", "0x%x", cpuid(1, 0).edx);
    outcome("cpuid.features.7-ebx", "0x%x", cpuid(7, 0).ebx);
    outcome("cpuid.features.7-ecx", "0x%x", cpuid(7, 0).ecx);
    outcome("cpuid.features.80000001-ecx", "0x%x", cpuid(0x80000001, 0).ecx);
    outcome("cpuid.features.80000001-edx", "0x%x", cpuid(0x80000001, 0).edx);
    outcome("cpuid.brand", "0x%x 0x%x", cpuid(0x80000002, 0).eax, cpuid(0x80000004, 0).edx);
    outcome("cpuid.beyond-extended", "0x%x", cpuid(0x8ffffff0, 0).eax);
}

void checks_enabled(void)
{
    cpuid_features();
    control_bits();
    user_instructions();
    extended_state();
    cpuid_fields();
}
