// SPDX-License-Identifier: Apache-2.0
// Attacks by page tables and by code that is not what it was: tables that point at themselves,
// instructions that reach into nothing, that are too long, or that another CPU rewrites between
// their fetch and their emulation; and those that end this guest (`how=`).

#include "tests/guests/hostile/hostile.h"

enum {
    PTE_P = 1,
    PTE_W = 2,
    PTE_U = 4,
    MAX_PREFIXES = 15,
    NOWHERE = 0x7f000000, // guest-physical, neither RAM nor a device
};

// Instructions that exit or are emulated, to be rewritten into each other: their memory operand is
// [RSI], a register of the local APIC, or RAM at [RDI].
static const uint8_t victims_of_races[][8] __attribute__((aligned(8))) = {
    {0x0f, 0xa2},                         // cpuid
    {0x0f, 0x32},                         // rdmsr
    {0xe4, 0x61},                         // in al, 0x61
    {0x6c},                               // insb
    {0x8b, 0x06},                         // mov eax, [rsi]
    {0x89, 0x06},                         // mov [rsi], eax
    {0xc7, 0x06, 0x10, 0x00, 0x00, 0x00}, // mov dword [rsi], 16
    {0x66, 0x8b, 0x06},                   // mov ax, [rsi]
    {0x0f, 0xb6, 0x06},                   // movzx eax, byte [rsi]
    {0x09, 0x06},                         // or [rsi], eax
    {0xf0, 0x83, 0x0e, 0x01},             // lock or dword [rsi], 1
    {0xa4},                               // movsb
    {0x0f, 0x01, 0xd9},                   // vmmcall
    {0x0f, 0x09},                         // wbinvd
    {0x90, 0x90, 0x90},
};

static uint64_t sandbox_base(const struct hostile_cpu *cpu)
{
    return SANDBOX + cpu->index * (uint64_t)SANDBOX_STEP;
}

static void enter(struct hostile_cpu *cpu, uint64_t rip, uint64_t rsi)
{
    uint64_t base = sandbox_base(cpu);
    for (unsigned i = 0; i < 16; i++)
        cpu->regs.r[i] = 16;
    cpu->regs.r[2] = 0x80; // a port that nobody owns
    cpu->regs.r[6] = rsi;
    cpu->regs.r[7] = base + SANDBOX_CODE_PAGES * HOSTILE_PAGE;
    cpu->regs.rip = rip;
    cpu->regs.cs = SEL_CODE64;
    cpu->regs.ss = SEL_DATA;
    cpu->regs.rsp = base + SANDBOX_PAGES * HOSTILE_PAGE - 64;
    cpu->regs.rflags = 0x202;
    sandbox_enter(cpu, cpu->sandbox_cr3);
}

// ---- tables

// Random entries for the sandbox's data page, but all within this guest's RAM: present or not,
// reserved bits set, the tables themselves.
static void tables(struct hostile_cpu *cpu)
{
    static const uint8_t code[] = {0x48, 0x8b, 0x07, 0x48, 0x89, 0x07, 0xff, 0xe7};
    uint64_t choice = random64(cpu);
    uint64_t targets[] = {(uint64_t)cpu->sandbox_pte & ~0xfffull, cpu->sandbox_cr3,
                          (uint64_t)cpu->data, (uint64_t)cpu, random_below(cpu, 0xf00) << 12};
    uint64_t entry = targets[choice % 5] | (choice >> 8 & 0x1fd);
    if (choice >> 32 & 1)
        entry |= 1ull << (40 + (choice >> 33) % 24);
    volatile uint64_t *pte = cpu->sandbox_pte + SANDBOX_CODE_PAGES;
    uint64_t before = *pte;
    *pte = entry & ~2ull; // not writable: its target may be this guest's
    memcpy(cpu->code, code, sizeof(code));
    cpu->saved_entry = before;
    enter(cpu, sandbox_base(cpu), 0);
}

static void tables_end(struct hostile_cpu *cpu)
{
    cpu->sandbox_pte[SANDBOX_CODE_PAGES] = cpu->saved_entry;
}

static void tables_begin(struct hostile_cpu *cpu)
{
    cpu->saved_entry = cpu->sandbox_pte[SANDBOX_CODE_PAGES];
}

// ---- code

static unsigned put_victim(struct hostile_cpu *cpu, uint8_t *at)
{
    unsigned n = sizeof(victims_of_races) / sizeof(victims_of_races[0]);
    const uint8_t *code = victims_of_races[random_below(cpu, n)];
    *(volatile uint64_t *)at = *(const uint64_t *)code; // at once: no mixture of two
    return sizeof(victims_of_races[0]);
}

// Behind the sandbox's last page there is nothing: an instruction ends there, or not quite; or it
// has more prefixes than an instruction may.
static void straddle(struct hostile_cpu *cpu)
{
    static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x3e, 0x64, 0x65, 0x40};
    uint8_t *end = cpu->code + SANDBOX_PAGES * HOSTILE_PAGE;
    uint8_t text[MAX_PREFIXES + 8];
    unsigned n = 0, few = (unsigned)random_below(cpu, MAX_PREFIXES + 1);
    bool same = random_below(cpu, 2);
    uint8_t prefix = prefixes[random_below(cpu, sizeof(prefixes))];
    while (n < few)
        text[n++] = same ? prefix : prefixes[random_below(cpu, sizeof(prefixes))];
    n += put_victim(cpu, text + n);
    unsigned shown = 1 + (unsigned)random_below(cpu, n);
    memcpy(end - shown, text, shown);
    enter(cpu, sandbox_base(cpu) + SANDBOX_PAGES * HOSTILE_PAGE - shown, LAPIC_PAGE + LAPIC_TPR);
}

static void map_devices(struct hostile_cpu *cpu)
{
    map_page((uint64_t *)cpu->sandbox_cr3, LAPIC_PAGE, LAPIC_PAGE | PTE_P | PTE_W | PTE_U);
}

// Its last page holds the code, and nothing follows.
static void straddle_begin(struct hostile_cpu *cpu)
{
    map_devices(cpu);
    cpu->sandbox_pte[SANDBOX_PAGES - 1] &= ~(1ull << 63);
}

// Runs over what CPU 0 rewrites meanwhile.
static void race(struct hostile_cpu *cpu)
{
    enter(cpu, sandbox_base(cpu) + random_below(cpu, 2) * 0xff8, LAPIC_PAGE + LAPIC_TPR);
}

// The other side of it: one instruction at a time in CPU 1's code, and now and then the page is
// gone, or another.
static void rewrite(struct hostile_cpu *cpu)
{
    struct hostile_cpu *other = hostile_cpu(1);
    volatile uint64_t *pte = other->sandbox_pte;
    uint64_t good = (uint64_t)other->code | PTE_P | PTE_W | PTE_U;
    if (!other->busy)
        return;
    for (unsigned i = 0; i < 16; i++)
        put_victim(cpu, other->code + i * 8);
    put_victim(cpu, other->code + 0xff8);
    if (random_below(cpu, 8) == 0) {
        *pte = random_below(cpu, 2) ? 0 : good + HOSTILE_PAGE;
        for (unsigned i = 0; i < 100; i++)
            pause();
        *pte = good;
    }
}

// ---- what ends this guest

static void use_as_table(struct hostile_cpu *cpu, uint64_t physical)
{
    uint64_t *top = (uint64_t *)cpu->main_cr3;
    top[1] = physical | PTE_P | PTE_W | PTE_U;
    (void)*(volatile uint64_t *)(1ull << 39);
}

static void use_as_stack(uint64_t address)
{
    __asm__ volatile("mov %0, %%rsp\n\tpush %%rax\n\tpop %%rax" : : "r"(address));
}

// The frame of an interrupt goes there.
static void use_as_interrupt_stack(struct hostile_cpu *cpu, uint64_t address)
{
    memcpy(cpu->tss + 36, &address, 8);
    __asm__ volatile("int3");
}

static void use_as_idt(uint64_t address)
{
    struct table_pointer pointer = {0xfff, address};
    __asm__ volatile("lidt %0\n\tint3" : : "m"(pointer));
}

static void use_as_gdt(uint64_t address)
{
    struct table_pointer pointer = {0xfff, address};
    __asm__ volatile("lgdt %0\n\tmov %1, %%ds\n\tint3" : : "m"(pointer), "r"(SEL_USER_DATA));
}

static void use_as_code(uint64_t address)
{
    __asm__ volatile("jmp *%0" : : "r"(address));
}

static void use_as_top(uint64_t physical)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(physical) : "memory");
}

// how=WHAT-WHERE
static void end_self(struct hostile_cpu *cpu)
{
    char how[32];
    if (!option("how", how, sizeof(how)))
        return;
    const char *where = how;
    while (*where && *where++ != '-')
        continue;
    uint64_t address = *where == 'a' ? LAPIC_PAGE + 0x800 : *where == 'i' ? IOAPIC_PAGE : NOWHERE;
    if (memcmp(how, "table", 5) == 0)
        use_as_table(cpu, address & ~0xfffull);
    else if (memcmp(how, "stack", 5) == 0)
        use_as_stack(address);
    else if (memcmp(how, "frame", 5) == 0)
        use_as_interrupt_stack(cpu, address);
    else if (memcmp(how, "idt", 3) == 0)
        use_as_idt(address);
    else if (memcmp(how, "gdt", 3) == 0)
        use_as_gdt(address);
    else if (memcmp(how, "code", 4) == 0)
        use_as_code(address);
    else
        use_as_top(address & ~0xfffull);
}

const struct attack paging_attacks[] = {
    {"tables", tables_begin, tables, tables_end, 50000,
     "entries that point anywhere in this guest"},
    {"straddle", straddle_begin, straddle, NULL, 50000, "instructions into nothing, or too long"},
    {"race", map_devices, race, NULL, 100000, "code that is rewritten while it is emulated"},
    {"rewrite", NULL, rewrite, NULL, 300000, "the one that rewrites it"},
    {"end", NULL, end_self, NULL, 1, "tables, stacks and code where there is no memory"},
    {0},
};
