// SPDX-License-Identifier: Apache-2.0
// Descriptor tables and exception reports. All CPUs share one GDT and one IDT: there is no TSS,
// because no gate switches stacks (see arch/exceptions.asm).
#include "arch/exceptions.h"

#include <stdarg.h>

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/string.h"
#include "drivers/console.h"
#include "drivers/format.h"

struct exception_frame {
    uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint16_t attributes;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "an IDT gate has 16 bytes in long mode");

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

#define GATE_INTERRUPT  0x8e00 // present, DPL 0, 64-bit interrupt gate
#define STUB_SIZE       16
#define EXCEPTION_COUNT 32
#define INTERRUPT_FIRST 16 // the least vector that a local APIC delivers
#define VECTOR_NMI      2

extern const uint8_t exception_stubs[], nmi_entry[], drain_entry[];

extern const uint8_t msr_read_fault[], msr_write_fault[], msr_fault_resume[];

void exception_taken(struct exception_frame *f);

// The second is for draining: there vectors from 16 on are interrupts, which a guest may have left
// pending with any of them.
static struct idt_gate idt[256], drain_idt[256];
static const uint64_t gdt[] = {
    0,
    0x00af9b000000ffff, // HV_CODE_SELECTOR: 64-bit code, DPL 0
    0x00cf93000000ffff, // HV_DATA_SELECTOR: data, DPL 0
};

volatile uint32_t panicking;

static const char *const exception_names[EXCEPTION_COUNT] = {
    [0] = "divide error",         [1] = "debug",
    [3] = "breakpoint",           [4] = "overflow",
    [5] = "bound range",          [6] = "invalid opcode",
    [7] = "device not available", [8] = "double fault",
    [10] = "invalid TSS",         [11] = "segment not present",
    [12] = "stack fault",         [13] = "general protection",
    [14] = "page fault",          [16] = "x87 error",
    [17] = "alignment check",     [18] = "machine check",
    [19] = "SIMD error",          [21] = "control protection",
};

static void gate_set(struct idt_gate *table, unsigned vector, const uint8_t *entry)
{
    uint64_t address = (uint64_t)entry;
    table[vector] = (struct idt_gate){
        .offset_low = (uint16_t)address,
        .selector = HV_CODE_SELECTOR,
        .attributes = GATE_INTERRUPT,
        .offset_middle = (uint16_t)(address >> 16),
        .offset_high = (uint32_t)(address >> 32),
    };
}

void exceptions_init(void)
{
    for (unsigned v = 0; v < EXCEPTION_COUNT; v++) {
        gate_set(idt, v, exception_stubs + v * STUB_SIZE);
    }
    gate_set(idt, VECTOR_NMI, nmi_entry);
    for (unsigned v = EXCEPTION_COUNT; v < ARRAY_SIZE(idt); v++) {
        gate_set(idt, v, drain_entry);
    }
    memcpy(drain_idt, idt, sizeof(idt));
    for (unsigned v = INTERRUPT_FIRST; v < EXCEPTION_COUNT; v++) {
        if (v != EXCEPTION_MC) { // which may come now too: see exception_taken
            gate_set(drain_idt, v, drain_entry);
        }
    }
}

void exceptions_drain(bool on)
{
    struct table_pointer idtr = {sizeof(idt) - 1, (uint64_t)(on ? drain_idt : idt)};
    __asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
}

void exceptions_load(void)
{
    struct table_pointer gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};
    struct table_pointer idtr = {sizeof(idt) - 1, (uint64_t)idt};
    __asm__ volatile("lgdt %0\n\t"
                     "lidt %1\n\t"
                     "mov %w2, %%ds\n\t"
                     "mov %w2, %%es\n\t"
                     "mov %w2, %%ss\n\t"
                     "pushq %3\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:"
                     :
                     : "m"(gdtr), "m"(idtr), "r"(HV_DATA_SELECTOR), "i"(HV_CODE_SELECTOR)
                     : "rax", "memory");
}

static bool is_draining(void)
{
    struct table_pointer idtr;
    __asm__ volatile("sidt %0" : "=m"(idtr));
    return idtr.base == (uint64_t)drain_idt;
}

_Noreturn static void report(const struct exception_frame *f)
{
    console_panic();
    const char *name = f->vector < EXCEPTION_COUNT ? exception_names[f->vector] : NULL;
    print("exception %u (%s) in the hypervisor, error code 0x%lx, address 0x%lx\n",
          (unsigned)f->vector, name != NULL ? name : "reserved", f->error, read_cr2());
    print("  rip %016lx rsp %016lx rflags %08lx cr3 %lx apic %u\n", f->rip, f->rsp, f->rflags,
          read_cr3(), apic_id());
    print("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
    print("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
    print("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
    print("  r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
    panic("the hypervisor stops");
}

void exception_taken(struct exception_frame *f)
{
    // The exception that is expected: an MSR that is only tried (arch/msr_access.h).
    if (f->vector == EXCEPTION_GP &&
        (f->rip == (uint64_t)msr_read_fault || f->rip == (uint64_t)msr_write_fault)) {
        f->rip = (uint64_t)msr_fault_resume;
        return;
    }
    if (f->vector == EXCEPTION_MC && is_draining() && apic_in_service(EXCEPTION_MC)) {
        apic_drain_vector(); // not a machine check but an interrupt with its number
        return;
    }
    report(f);
}

_Noreturn void panic(const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);

    bool first = __atomic_exchange_n(&panicking, 1, __ATOMIC_SEQ_CST) == 0;
    console_panic();
    print("PANIC: %s\n", text);
    if (first) {
        for (unsigned i = 0; i < cpu_count; i++) {
            if (cpus[i] != NULL && cpus[i]->online && cpus[i]->apic_id != apic_id()) {
                apic_send_nmi(cpus[i]->apic_id);
            }
        }
    }
    cpu_stop();
}
