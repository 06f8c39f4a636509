// SPDX-License-Identifier: Apache-2.0
// Descriptor tables and exception reports. All CPUs share one GDT and one IDT. There is no TSS,
// because no gate switches stacks (arch/interrupt/exceptions.asm).
#include "arch/interrupt/exceptions.h"

#include <stdarg.h>

#include "arch/cpu/cpu.h"
#include "arch/interrupt/apic.h"
#include "arch/lib/format.h"
#include "arch/memory/heap.h"
#include "arch/memory/percpu.h"

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
_Static_assert(sizeof(struct idt_gate) * 256 == PAGE_SIZE, "an IDT gate has 16 bytes in long mode");

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

#define GATE_INTERRUPT  0x8e00 // present, DPL 0, 64-bit interrupt gate
#define STUB_SIZE       16
#define EXCEPTION_COUNT 32
#define VECTOR_NMI      2

extern const uint8_t exception_stubs[], nmi_entry[], nmi_ignored[], drain_entry[];

extern const uint8_t msr_read_fault[], msr_write_fault[], msr_fault_resume[];

void exception_taken(struct exception_frame *f);

static const struct exception_calls *call;
static struct idt_gate idt[256];
static struct idt_gate *drain_idt; // the same size, on the heap
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

void exceptions_init(const struct exception_calls *calls)
{
    call = calls;
    for (unsigned v = 0; v < EXCEPTION_COUNT; v++) {
        gate_set(idt, v, exception_stubs + v * STUB_SIZE);
    }
    for (unsigned v = EXCEPTION_COUNT; v < ARRAY_SIZE(idt); v++) {
        gate_set(idt, v, drain_entry);
    }
    gate_set(idt, VECTOR_NMI, nmi_ignored);
}

enum status exceptions_prepare(void)
{
    hpa_t page = heap_page_alloc();
    if (page.v == 0) {
        return ERR_NO_MEMORY;
    }
    drain_idt = heap_ptr(page);
    for (unsigned v = 0; v < ARRAY_SIZE(idt); v++) {
        gate_set(drain_idt, v, drain_entry);
    }
    gate_set(drain_idt, VECTOR_NMI, nmi_entry);
    return STATUS_OK;
}

void exceptions_take_nmi(void)
{
    gate_set(idt, VECTOR_NMI, nmi_entry);
}

void exceptions_drain(bool drain)
{
    struct table_pointer idtr = {sizeof(idt) - 1, (uint64_t)(drain ? drain_idt : idt)};
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

_Noreturn static void report(const struct exception_frame *f)
{
    call->begin_report();
    const char *name = f->vector < EXCEPTION_COUNT ? exception_names[f->vector] : NULL;
    call->print("exception %u (%s) in the hypervisor, error code 0x%lx, address 0x%lx\n",
                (unsigned)f->vector, name != NULL ? name : "reserved", f->error, read_cr2());
    call->print("  rip %016lx rsp %016lx rflags %08lx cr3 %lx apic %u\n", f->rip, f->rsp, f->rflags,
                read_cr3(), apic_id());
    call->print("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
    call->print("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
    call->print("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
    call->print("  r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
    panic("the hypervisor stops");
}

void exceptions_machine_check(uint64_t rip)
{
    call->machine_check(rip);
}

void exception_taken(struct exception_frame *f)
{
    // Always expected: a #GP from an access to an MSR that may not exist (arch/cpu/msr_access.h).
    if (f->vector == EXCEPTION_GP &&
        (f->rip == (uint64_t)msr_read_fault || f->rip == (uint64_t)msr_write_fault)) {
        f->rip = (uint64_t)msr_fault_resume;
        return;
    }
    if (f->vector == EXCEPTION_MC) {
        exceptions_machine_check(f->rip);
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
    call->begin_report();
    call->print("PANIC: %s\n", text);
    if (first) {
        for (unsigned i = 0; i < cpu_count; i++) {
            if (cpus[i] != NULL && cpus[i]->online && cpus[i]->apic_id != apic_id()) {
                __atomic_store_n(&cpus[i]->must_stop, 1, __ATOMIC_SEQ_CST);
                apic_send_nmi(cpus[i]->apic_id);
            }
        }
    }
    cpu_stop();
}
