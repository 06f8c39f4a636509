// SPDX-License-Identifier: Apache-2.0
// Attacks by instructions: random bytes, and those that reach for the machine, with random operands
// in rings 0 and 3; CPUID, MSRs, hypercalls, control registers.

#include "tests/guests/hostile/hostile.h"

enum {
    FILL_EVERY = 128, // actions in one fill of the code pages
    MSR_APIC_BASE = 0x1b,
    MSR_X2APIC_ICR = 0x830,
    RFLAGS_IF = 1 << 9,
    CR0_PE = 1,
    CR4_PAE = 1 << 5,
};
#define CR0_PG (1ull << 31)

// ---- code in the sandbox

static uint64_t sandbox_base(const struct hostile_cpu *cpu)
{
    return SANDBOX + cpu->index * (uint64_t)SANDBOX_STEP;
}

// What a register of random code may hold: numbers, and addresses of the sandbox.
static uint64_t random_register(struct hostile_cpu *cpu)
{
    if (random_below(cpu, 2))
        return random_value(cpu);
    return sandbox_base(cpu) + random_below(cpu, SANDBOX_PAGES * HOSTILE_PAGE);
}

// Starts somewhere in the code pages, in one of the modes that the descriptor tables know.
static void enter_at(struct hostile_cpu *cpu, uint64_t offset)
{
    static const uint16_t codes[] = {SEL_CODE64,      SEL_CODE64, SEL_USER_CODE64, SEL_USER_CODE64,
                                     SEL_USER_CODE32, SEL_CODE32, SEL_CODE16};
    struct sandbox_regs *regs = &cpu->regs;
    for (unsigned i = 0; i < 16; i++)
        regs->r[i] = random_register(cpu);
    regs->cs = codes[random_below(cpu, sizeof(codes) / sizeof(codes[0]))];
    regs->ss = regs->cs & 3 ? SEL_USER_DATA : SEL_DATA;
    regs->rip = sandbox_base(cpu) + offset;
    regs->rsp = sandbox_base(cpu) + SANDBOX_PAGES * HOSTILE_PAGE - 256;
    // Arithmetic flags, direction, alignment check; single steps now and then.
    regs->rflags = 2 | RFLAGS_IF | (random64(cpu) & 0x40cd5) | (random_below(cpu, 64) ? 0 : 0x100);
    sandbox_enter(cpu, cpu->sandbox_cr3);
}

// Turns what would reset this guest or take its tables away into something else, nearly always:
// OUT, LGDT and LIDT, MOV to a control register. OUT to a port of its own always, and what makes
// QEMU abort at the next interrupt because TR is void: LTR, where it takes a null selector, and MOV
// to a segment register of number 6 or 7, which QEMU 10 takes for LDTR and TR.
static void tame(struct hostile_cpu *cpu, uint8_t *code, unsigned size)
{
    for (unsigned i = 0; i + 2 < size; i++) {
        bool out = (code[i] & 0xfe) == 0xee || (code[i] & 0xfe) == 0x6e;
        bool table = code[i] == 0x0f && code[i + 1] == 0x01 && (code[i + 2] & 0x30) == 0x10 &&
                     code[i + 2] < 0xc0;
        bool control = code[i] == 0x0f && code[i + 1] == 0x22;
        bool task = code[i] == 0x0f && code[i + 1] == 0x00 && (code[i + 2] & 0x38) == 0x18;
        bool segment = code[i] == 0x8e && (code[i + 1] & 0x30) == 0x30;
        if (task || segment || (code[i] & 0xfe) == 0xe6 ||
            ((out || table || control) && random_below(cpu, 4096)))
            code[i] = 0x90;
    }
    memset(code + size - 2, 0x90, 2);
}

// Code is made and tamed here, and then copied: an NMI of the CPU that watches may end the attempt
// meanwhile, and what is not tamed yet must not be run by the next one.
#define CODE_SIZE (SANDBOX_CODE_PAGES * HOSTILE_PAGE)
static uint64_t drafts[HOSTILE_CPUS][CODE_SIZE / 8];

static void fill_random(struct hostile_cpu *cpu)
{
    uint64_t *draft = drafts[cpu->index];
    for (unsigned i = 0; i < CODE_SIZE / 8; i++)
        draft[i] = random64(cpu);
    tame(cpu, (uint8_t *)draft, CODE_SIZE);
    memcpy(cpu->code, draft, CODE_SIZE);
}

static void random_code(struct hostile_cpu *cpu)
{
    if (cpu->action % FILL_EVERY == 0)
        fill_random(cpu);
    enter_at(cpu, random_below(cpu, CODE_SIZE));
}

// Instructions that exit, that belong to virtualization, or that move between modes; a ModR/M byte
// follows where `modrm` says so, random but for the bits that select the instruction.
struct opcode {
    uint8_t bytes[4], length;
    int8_t reg; // of ModR/M; ANY: random; NO: no ModR/M
};
enum { NO = -1, ANY = -2 };

static const struct opcode opcodes[] = {
    {{0x0f, 0x01, 0xd8}, 3, NO},        // VMRUN
    {{0x0f, 0x01, 0xd9}, 3, NO},        // VMMCALL
    {{0x0f, 0x01, 0xda}, 3, NO},        // VMLOAD
    {{0x0f, 0x01, 0xdb}, 3, NO},        // VMSAVE
    {{0x0f, 0x01, 0xdc}, 3, NO},        // STGI
    {{0x0f, 0x01, 0xdd}, 3, NO},        // CLGI
    {{0x0f, 0x01, 0xde}, 3, NO},        // SKINIT
    {{0x0f, 0x01, 0xdf}, 3, NO},        // INVLPGA
    {{0x0f, 0x01, 0xc1}, 3, NO},        // VMCALL
    {{0x0f, 0x01, 0xc2}, 3, NO},        // VMLAUNCH
    {{0x0f, 0x01, 0xc3}, 3, NO},        // VMRESUME
    {{0x0f, 0x01, 0xc4}, 3, NO},        // VMXOFF
    {{0x0f, 0x01, 0xd4}, 3, NO},        // VMFUNC
    {{0xf3, 0x0f, 0xc7}, 3, 6},         // VMXON
    {{0x66, 0x0f, 0xc7}, 3, 6},         // VMCLEAR
    {{0x0f, 0xc7}, 2, ANY},             // VMPTRLD, VMPTRST, XSAVES, RDRAND, ...
    {{0x0f, 0x78}, 2, ANY},             // VMREAD
    {{0x0f, 0x79}, 2, ANY},             // VMWRITE
    {{0x66, 0x0f, 0x38, 0x80}, 4, ANY}, // INVEPT
    {{0x66, 0x0f, 0x38, 0x81}, 4, ANY}, // INVVPID
    {{0x66, 0x0f, 0x38, 0x82}, 4, ANY}, // INVPCID
    {{0x0f, 0x37}, 2, NO},              // GETSEC
    {{0x0f, 0x01, 0xcf}, 3, NO},        // ENCLS
    {{0x0f, 0x01, 0xd7}, 3, NO},        // ENCLU
    {{0x0f, 0xaa}, 2, NO},              // RSM
    {{0x0f, 0x33}, 2, NO},              // RDPMC
    {{0x0f, 0x01, 0xc8}, 3, NO},        // MONITOR
    {{0x0f, 0x01, 0xc9}, 3, NO},        // MWAIT
    {{0x0f, 0x01, 0xfa}, 3, NO},        // MONITORX
    {{0x0f, 0x01, 0xfb}, 3, NO},        // MWAITX
    {{0x0f, 0x01, 0xd1}, 3, NO},        // XSETBV
    {{0x0f, 0x01, 0xd0}, 3, NO},        // XGETBV
    {{0x0f, 0x09}, 2, NO},              // WBINVD
    {{0xf3, 0x0f, 0x09}, 3, NO},        // WBNOINVD
    {{0x0f, 0x08}, 2, NO},              // INVD
    {{0x0f, 0x01}, 2, 7},               // INVLPG, SWAPGS, RDTSCP, RDPRU
    {{0x0f, 0x01, 0xfe}, 3, NO},        // INVLPGB
    {{0x0f, 0x01, 0xff}, 3, NO},        // TLBSYNC
    {{0x0f, 0x01, 0xc5}, 3, NO},        // PCONFIG
    {{0x0f, 0x01, 0xe8}, 3, NO},        // SERIALIZE
    {{0x0f, 0x01}, 2, 6},               // LMSW
    {{0x0f, 0x01}, 2, 4},               // SMSW
    {{0x0f, 0x01}, 2, 0},               // SGDT, and the register forms of row 0
    {{0x0f, 0x01}, 2, 1},               // SIDT, and those of row 1
    {{0x0f, 0x00}, 2, ANY},             // SLDT, STR, LLDT, LTR, VERR, VERW
    {{0x0f, 0x20}, 2, ANY},             // MOV from CRn
    {{0x0f, 0x21}, 2, ANY},             // MOV from DRn
    {{0x0f, 0x23}, 2, ANY},             // MOV to DRn
    {{0x0f, 0x06}, 2, NO},              // CLTS
    {{0x0f, 0xa2}, 2, NO},              // CPUID
    {{0x0f, 0x31}, 2, NO},              // RDTSC
    {{0x0f, 0x32}, 2, NO},              // RDMSR
    {{0x0f, 0x30}, 2, NO},              // WRMSR
    {{0x0f, 0x05}, 2, NO},              // SYSCALL
    {{0x0f, 0x07}, 2, NO},              // SYSRET
    {{0x0f, 0x34}, 2, NO},              // SYSENTER
    {{0x0f, 0x35}, 2, NO},              // SYSEXIT
    {{0xf4}, 1, NO},                    // HLT
    {{0xfa}, 1, NO},                    // CLI
    {{0xfb}, 1, NO},                    // STI
    {{0xf1}, 1, NO},                    // ICEBP
    {{0x8e}, 1, 2},                     // MOV to SS
    {{0x0f, 0x0b}, 2, NO},              // UD2
    {{0x0f, 0xff}, 2, ANY},             // UD0
    {{0xcd}, 1, NO},                    // INT, any vector
    {{0xcf}, 1, NO},                    // IRET
    {{0xec}, 1, NO},                    // IN
    {{0xed}, 1, NO},                    // IN
    {{0xf3, 0x6c}, 2, NO},              // REP INSB
    {{0xff}, 1, 5},                     // far JMP
    {{0xff}, 1, 3},                     // far CALL
    {{0xcb}, 1, NO},                    // far RET
    {{0x0f, 0xae}, 2, ANY},             // FXSAVE, XSAVE, XRSTOR, CLFLUSH, RDFSBASE, ...
    {{0x0f, 0xc7}, 2, 3},               // XRSTORS
    {{0xc6, 0xf8, 0x00}, 3, NO},        // XABORT
    {{0xc7, 0xf8}, 2, NO},              // XBEGIN
};

// One instruction: prefixes, opcode, operand, a random rest. Up to 20 bytes.
static void put_instruction(struct hostile_cpu *cpu, uint8_t *at)
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x65, 0x48, 0x4f};
    const struct opcode *op = &opcodes[random_below(cpu, sizeof(opcodes) / sizeof(opcodes[0]))];
    while (random_below(cpu, 4) == 0)
        *at++ = prefixes[random_below(cpu, sizeof(prefixes))];
    for (unsigned i = 0; i < op->length; i++)
        *at++ = op->bytes[i];
    if (op->reg != NO) {
        uint8_t modrm = (uint8_t)random64(cpu);
        if (op->reg != ANY)
            modrm = (uint8_t)((modrm & ~0x38) | op->reg << 3);
        *at++ = modrm;
    }
    for (unsigned i = 0; i < 4; i++)
        *at++ = (uint8_t)random64(cpu);
}

static void fill_opcodes(struct hostile_cpu *cpu)
{
    uint8_t *draft = (uint8_t *)drafts[cpu->index];
    for (unsigned at = 0; at < CODE_SIZE; at += 32) {
        memset(draft + at, 0x90, 32);
        for (unsigned i = 0; i < 3; i++)
            put_instruction(cpu, draft + at + i * 8);
    }
    tame(cpu, draft, CODE_SIZE);
    memcpy(cpu->code, draft, CODE_SIZE);
}

static void sensitive(struct hostile_cpu *cpu)
{
    if (cpu->action % FILL_EVERY == 0)
        fill_opcodes(cpu);
    enter_at(cpu, random_below(cpu, CODE_SIZE / 32) * 32);
}

// ---- MSRs

struct msr_range {
    uint32_t first, count;
};

static const struct msr_range msr_ranges[] = {
    {0, 0x2000},
    {0xc0000000, 0x2000},
    {0xc0010000, 0x2000},
    {0x40000000, 0x2000},
    {MSR_APIC_BASE, 1},
    {0xc0000080, 0x20},
    {0x10, 1},
    {0x79, 1},
    {0x8b, 1},
    {0x9b, 1},
    {0x9e, 1},
    {0x174, 3},
    {0x179, 2},
    {0x1d9, 1},
    {0x200, 0x80},
    {0x277, 1},
    {0x2ff, 1},
    {0x400, 0x80},
    {0x480, 0x20},
    {0x6e0, 1},
    {0x800, 0x100},
    {0xda0, 1},
    {0xc0000100, 0x10},
    {0xc0010015, 1},
    {0xc0010020, 1},
    {0xc0010054, 4},
    {0xc0010110, 0x20},
    {0xc001011b, 1},
    {0xc0011020, 0x20},
};

// An MSR write that would only restart this guest: an INIT to its boot processor.
static bool restarts(uint32_t msr, uint64_t value)
{
    return msr == MSR_X2APIC_ICR && (value >> 8 & 7) == 5;
}

static void msrs(struct hostile_cpu *cpu)
{
    const uint32_t ranges = sizeof(msr_ranges) / sizeof(msr_ranges[0]);
    const struct msr_range *r = &msr_ranges[random_below(cpu, ranges)];
    uint32_t msr = r->first + (uint32_t)random_below(cpu, r->count);
    uint64_t choice = random64(cpu);
    if (cpu->action < 4 * 0x2000) // all of the large ranges once, in turn
        msr = msr_ranges[cpu->action / 0x2000].first + (uint32_t)cpu->action % 0x2000;
    else if (choice % 32 == 0)
        msr = (uint32_t)(choice >> 32);
    uint64_t value = random_value(cpu);
    if (choice >> 8 & 1 || restarts(msr, value))
        rdmsr(msr);
    else if (choice >> 9 & 1)
        wrmsr(msr, value);
    else
        wrmsr(msr, rdmsr(msr) ^ 1ull << (choice >> 58)); // one bit of what is there
}

static void apic_base(struct hostile_cpu *cpu)
{
    static const uint64_t bases[] = {0xfee00000, 0xfee01000, 0xfec00000, 0, 0x100000, 0xfffff000};
    uint64_t value = bases[random_below(cpu, sizeof(bases) / sizeof(bases[0]))];
    uint64_t choice = random64(cpu);
    value = choice % 16 == 0 ? random_value(cpu) : value | (choice >> 8 & 0xf00);
    wrmsr(MSR_APIC_BASE, value);
    // What is there now, whichever mode it is in. Then it goes back, for the other attacks.
    value = rdmsr(MSR_APIC_BASE);
    (void)*(volatile uint32_t *)((value & 0xfffff000) + (choice >> 16 & 0x3f) * 16);
    rdmsr(0x800 + (choice >> 24 & 0x3f));
    wrmsr(MSR_APIC_BASE, 0xfee00000 | (value & 0xd00));
}

// ---- CPUID, hypercalls, control registers

static void cpuid_leaves(struct hostile_cpu *cpu)
{
    uint64_t choice = random64(cpu);
    uint32_t leaf = (uint32_t)choice;
    if (choice >> 32 & 7)
        leaf = (leaf & 0xc0000000) | (leaf & 0xff);
    cpuid(leaf, choice >> 35 & 1 ? (uint32_t)(choice >> 40 & 31) : (uint32_t)random64(cpu));
}

static void hypercalls(struct hostile_cpu *cpu)
{
    uint64_t number = random_value(cpu);
    if (random_below(cpu, 2))
        __asm__ volatile("vmmcall" : "+a"(number) : "b"(number), "c"(number), "d"(number));
    else
        __asm__ volatile("vmcall" : "+a"(number) : "b"(number), "c"(number), "d"(number));
}

static uint64_t flipped(struct hostile_cpu *cpu, uint64_t value)
{
    if (random_below(cpu, 8) == 0)
        return random_value(cpu);
    for (uint64_t i = random_below(cpu, 3) + 1; i; i--)
        value ^= 1ull << random_below(cpu, 32);
    return value;
}

// Bits of CR4 that this processor has.
static uint64_t cr4_bits(void)
{
    struct cpuid one = cpuid(1, 0), seven = cpuid(7, 0);
    uint64_t bits = 0x7ff;
    bits |= one.ecx & 1u << 17 ? 1 << 17 : 0;   // PCIDE
    bits |= one.ecx & 1u << 26 ? 1 << 18 : 0;   // OSXSAVE
    bits |= seven.ebx & 1u << 0 ? 1 << 16 : 0;  // FSGSBASE
    bits |= seven.ebx & 1u << 7 ? 1 << 20 : 0;  // SMEP
    bits |= seven.ebx & 1u << 20 ? 1 << 21 : 0; // SMAP
    bits |= seven.ecx & 1u << 2 ? 1 << 11 : 0;  // UMIP
    bits |= seven.ecx & 1u << 3 ? 1 << 22 : 0;  // PKE
    return bits;
}

// Values that the way back can repair: paging stays on, and CR3's address as it is.
static void control_registers(struct hostile_cpu *cpu)
{
    uint64_t value;
    switch (random_below(cpu, 6)) {
    case 0:
        // A processor refuses to leave paging from 64-bit mode, but QEMU does not.
        value = flipped(cpu, cpu->cr0) | CR0_PE | CR0_PG;
        __asm__ volatile("mov %0, %%cr0\n\tmov %%cr0, %0" : "+r"(value));
        __asm__ volatile("mov %0, %%cr0" : : "r"(cpu->cr0));
        break;
    case 1:
        // No reserved bits, as with CR3.
        value = (flipped(cpu, cpu->cr4) & cr4_bits()) | CR4_PAE;
        __asm__ volatile("mov %0, %%cr4\n\tmov %%cr4, %0" : "+r"(value));
        __asm__ volatile("mov %0, %%cr4" : : "r"(cpu->cr4));
        break;
    case 2:
        // No reserved bits: there QEMU leaves the guest with an exit code that does not exist.
        value = cpu->main_cr3 | (random64(cpu) & 0xfff);
        __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
        __asm__ volatile("mov %0, %%cr3" : : "r"(cpu->main_cr3) : "memory");
        break;
    case 3:
        value = random_value(cpu);
        __asm__ volatile("mov %0, %%cr8\n\tmov %%cr8, %0" : "+r"(value));
        break;
    case 4:
        wrmsr(0xc0000080, flipped(cpu, cpu->efer));
        wrmsr(0xc0000080, cpu->efer);
        break;
    default:
        value = flipped(cpu, 7);
        __asm__ volatile("xsetbv"
                         :
                         : "c"(random_below(cpu, 4) ? 0 : (uint32_t)random64(cpu)),
                           "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
        break;
    }
}

static void osxsave_on(struct hostile_cpu *cpu)
{
    uint64_t cr4 = cpu->cr4;
    if (cpuid(1, 0).ecx & 1u << 26)
        cr4 |= 1 << 18;
    cpu->cr4 = cr4;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}

const struct attack instruction_attacks[] = {
    {"random", osxsave_on, random_code, NULL, 100000, "random bytes as code"},
    {"sensitive", osxsave_on, sensitive, NULL, 100000, "instructions that reach for the machine"},
    {"msrs", NULL, msrs, NULL, 100000, "RDMSR and WRMSR"},
    {"apicbase", NULL, apic_base, NULL, 30000, "IA32_APIC_BASE and the page that it moves"},
    {"cpuid", NULL, cpuid_leaves, NULL, 100000, "CPUID leaves"},
    {"hypercalls", NULL, hypercalls, NULL, 150000, "VMCALL and VMMCALL"},
    {"control", osxsave_on, control_registers, NULL, 150000, "CR0, CR3, CR4, CR8, EFER, XCR0"},
    {0},
};
