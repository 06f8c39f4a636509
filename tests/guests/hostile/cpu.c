// SPDX-License-Identifier: Apache-2.0
// A hostile CPU's own descriptor tables and page tables. The sandbox's tables show this guest
// read-only, the stack of the interrupts, and a few pages to play with; so random code finds
// nothing to destroy but the processor's registers, which the way back puts right.

#include "tests/guests/hostile/hostile.h"

#include <stdarg.h>

enum {
    PTE_P = 1,
    PTE_W = 2,
    PTE_U = 4,
    PTE_LARGE = 0x80,
    TABLE_PAGES = 96,
    MSR_APIC_BASE = 0x1b,
    MSR_EFER = 0xc0000080,
    EFER_NXE = 1 << 11,
    WATCHDOG_PERIOD = 200000,
};

#define PTE_NX (1ull << 63)

static union {
    struct hostile_cpu cpu;
    uint8_t bytes[CPU_BLOCK];
} blocks[HOSTILE_CPUS] __attribute__((aligned(CPU_BLOCK)));
_Static_assert(sizeof(struct hostile_cpu) <= 0x1000, "the rest of the block is the stack");
_Static_assert(offsetof(struct hostile_cpu, rip) == 56, "recover.asm");
_Static_assert(offsetof(struct hostile_cpu, gdtr) == 64, "recover.asm");
_Static_assert(offsetof(struct hostile_cpu, idtr) == 80, "recover.asm");
_Static_assert(offsetof(struct hostile_cpu, regs) == 96, "recover.asm");

static struct {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, zero;
} idt[256] __attribute__((aligned(4096)));
static uint8_t sandbox_memory[HOSTILE_CPUS][SANDBOX_PAGES * 4096] __attribute__((aligned(4096)));
static uint64_t tables[TABLE_PAGES][512] __attribute__((aligned(4096)));
static unsigned tables_used;
static uint32_t lock;
extern const uint8_t __bss_end[];

void hostile_stray(struct hostile_cpu *cpu, uint64_t vector, uint64_t rip);

struct hostile_cpu *hostile_cpu(unsigned index)
{
    return &blocks[index].cpu;
}

void say(const char *fmt, ...)
{
    va_list args;
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        pause();
    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

void hostile_stray(struct hostile_cpu *cpu, uint64_t vector, uint64_t rip)
{
    print("FAIL cpu %u, attack %s, action %lu: vector %lu at 0x%lx outside of an attempt\n",
          cpu->index, cpu->attack ? cpu->attack->name : "none", cpu->action, vector, rip);
    finish();
}

// ---- page tables

uint64_t *table_page(void)
{
    unsigned page = __atomic_fetch_add(&tables_used, 1, __ATOMIC_RELAXED);
    if (page >= TABLE_PAGES) {
        print("FAIL no page for tables\n");
        finish();
    }
    return tables[page];
}

uint64_t *map_page(uint64_t *top, uint64_t virtual_address, uint64_t entry)
{
    uint64_t *table = top;
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t *slot = &table[virtual_address >> shift & 511];
        if (!*slot)
            *slot = (uint64_t)table_page() | PTE_P | PTE_W | PTE_U;
        table = (uint64_t *)(*slot & ~0xfffull);
    }
    uint64_t *pte = &table[virtual_address >> 12 & 511];
    *pte = entry;
    return pte;
}

// All of RAM and the device pages, for supervisors only.
static uint64_t main_tables(void)
{
    static uint64_t shared;
    if (shared)
        return shared;
    uint64_t *top = table_page(), *pdpt = table_page();
    top[0] = (uint64_t)pdpt | PTE_P | PTE_W;
    for (uint64_t gib = 0; gib < 4; gib++) {
        uint64_t *pd = table_page();
        pdpt[gib] = (uint64_t)pd | PTE_P | PTE_W;
        for (uint64_t i = 0; i < 512; i++)
            pd[i] = gib << 30 | i << 21 | PTE_P | PTE_W | PTE_LARGE;
    }
    shared = (uint64_t)top;
    return shared;
}

static void sandbox_tables(struct hostile_cpu *cpu)
{
    uint64_t *top = table_page();
    // Random code must not jump into the guest's own: into its LTR, with any selector, for one.
    for (uint64_t at = 0x100000; at < (uint64_t)__bss_end; at += HOSTILE_PAGE) {
        bool way_back = at >= (uint64_t)recover_start && at < (uint64_t)recover_end;
        map_page(top, at, at | PTE_P | (way_back ? 0 : PTE_NX));
    }
    for (uint64_t at = HOSTILE_PAGE; at < CPU_BLOCK; at += HOSTILE_PAGE)
        map_page(top, (uint64_t)cpu + at, ((uint64_t)cpu + at) | PTE_P | PTE_W);
    // The flag that says whether an attempt is under way is cleared with the main tables.
    uint64_t virtual_address = SANDBOX + cpu->index * (uint64_t)SANDBOX_STEP;
    for (uint64_t i = 0; i < SANDBOX_PAGES; i++) {
        uint64_t page = (uint64_t)sandbox_memory[cpu->index] + i * HOSTILE_PAGE;
        // What random code stores is never run: it could be what fill_random() has taken out.
        uint64_t use = i < SANDBOX_CODE_PAGES ? 0 : PTE_W | PTE_NX;
        uint64_t *pte =
            map_page(top, virtual_address + i * HOSTILE_PAGE, page | PTE_P | PTE_U | use);
        if (i == 0)
            cpu->sandbox_pte = pte;
    }
    cpu->code = sandbox_memory[cpu->index];
    cpu->data = cpu->code + SANDBOX_CODE_PAGES * HOSTILE_PAGE;
    cpu->sandbox_cr3 = (uint64_t)top;
}

// ---- descriptor tables

static void descriptors(struct hostile_cpu *cpu)
{
    static const uint64_t gdt[8] = {
        0,
        0x00cf9b000000ffff, // 0x08: 32-bit code
        0x00cf93000000ffff, // 0x10: data
        0x00af9b000000ffff, // 0x18: 64-bit code
        0x00cff3000000ffff, // 0x20: data of ring 3
        0x00affb000000ffff, // 0x28: 64-bit code of ring 3
        0x00cffb000000ffff, // 0x30: 32-bit code of ring 3
        0x00009b000000ffff, // 0x38: 16-bit code
    };
    uint64_t stack = (uint64_t)cpu + CPU_BLOCK, tss = (uint64_t)cpu->tss;
    memcpy(cpu->gdt, gdt, sizeof(gdt));
    memcpy(cpu->tss + 4, &stack, 8);  // RSP0
    memcpy(cpu->tss + 36, &stack, 8); // IST1
    cpu->tss[102] = 104;              // no I/O permission map
    cpu->gdt[SEL_TSS / 8] = 103 | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    cpu->gdt[SEL_TSS / 8 + 1] = tss >> 32;
    cpu->gdtr = (struct table_pointer){sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt};
    cpu->idtr = (struct table_pointer){sizeof(idt) - 1, (uint64_t)idt};
    for (unsigned i = 0; i < 256; i++) {
        idt[i].offset_low = (uint16_t)hostile_stubs[i];
        idt[i].offset_mid = (uint16_t)(hostile_stubs[i] >> 16);
        idt[i].selector = SEL_CODE64;
        idt[i].ist = 1;
        idt[i].type = i == 3 || i == 4 ? 0xee : 0x8e;
    }
}

static void load_task_register(struct hostile_cpu *cpu)
{
    uint16_t now;
    __asm__ volatile("str %0" : "=r"(now));
    if (now == SEL_TSS)
        return;
    cpu->gdt[SEL_TSS / 8] &= ~(2ull << 40); // not busy
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

void cpu_setup(struct hostile_cpu *cpu)
{
    descriptors(cpu);
    cpu->main_cr3 = main_tables();
    sandbox_tables(cpu);
    __asm__ volatile("mov %0, %%cr3" : : "r"(cpu->main_cr3) : "memory");
    __asm__ volatile("mov %%cr0, %0" : "=r"(cpu->cr0));
    __asm__ volatile("mov %%cr4, %0" : "=r"(cpu->cr4));
    // WP: the sandbox's tables protect this guest. NE: without it an x87 error is an interrupt of
    // the chipset's, in whose delivery QEMU 7.2 fails an assertion.
    cpu->cr0 |= 1 << 16 | 1 << 5;
    cpu->cr4 |= 0x600; // SSE, for random code
    __asm__ volatile("mov %0, %%cr0" : : "r"(cpu->cr0));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cpu->cr4));
    cpu->efer = rdmsr(MSR_EFER) | EFER_NXE;
    wrmsr(MSR_EFER, cpu->efer);
    __asm__ volatile("lgdt %0\n\tlidt %1" : : "m"(cpu->gdtr), "m"(cpu->idtr));
    load_task_register(cpu);
    apic_repair(cpu);
}

void apic_repair(struct hostile_cpu *cpu)
{
    if (rdmsr(MSR_EFER) != cpu->efer)
        wrmsr(MSR_EFER, cpu->efer);
    uint64_t base = 0xfee00000ull | (cpu->index == 0 ? 0x100 : 0);
    bool x2apic = x2apic_available() && !option_is("apic", "xapic");
    uint64_t wanted = x2apic ? 0xc00 : 0x800;
    if ((rdmsr(MSR_APIC_BASE) & 0xc00) != wanted) {
        wrmsr(MSR_APIC_BASE, base);
        wrmsr(MSR_APIC_BASE, base | 0x800);
        if (x2apic)
            wrmsr(MSR_APIC_BASE, base | 0xc00);
    }
    cpu->x2apic = x2apic;
    lapic_enable();
    if (!x2apic)
        lapic_write(LAPIC_LDR, 0);
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(LAPIC_LVT_TIMER, WATCHDOG_VECTOR | 1 << 17); // periodic
    lapic_write(LAPIC_TIMER_INITIAL, WATCHDOG_PERIOD);
}

// Writes 0 to a register of the APIC in the mode that apic_repair() has set. lapic_write() would
// ask for the mode each time.
static void apic_clear(const struct hostile_cpu *cpu, uint32_t reg)
{
    if (cpu->x2apic)
        wrmsr(0x800 + reg / 16, 0);
    else
        *(volatile uint32_t *)(LAPIC_PAGE + reg) = 0;
}

void cpu_repair(struct hostile_cpu *cpu, int vector)
{
    uint64_t tpr;
    load_task_register(cpu);
    // CR8 is read only: QEMU fails an assertion (bql_locked) when a guest of AMD-V writes CR8 while
    // a virtual interrupt waits, which is how one of the 8259s' waits for RFLAGS.IF.
    __asm__ volatile("mov %%cr8, %0" : "=r"(tpr));
    if (tpr != 0)
        apic_clear(cpu, LAPIC_TPR);
    if (vector >= 16)
        apic_clear(cpu, LAPIC_EOI);
}

// ---- random numbers

uint64_t random64(struct hostile_cpu *cpu)
{
    return random_next(&cpu->random);
}

uint64_t random_below(struct hostile_cpu *cpu, uint64_t limit)
{
    return random64(cpu) % limit;
}

uint64_t random_value(struct hostile_cpu *cpu)
{
    return random_kind(&cpu->random);
}
