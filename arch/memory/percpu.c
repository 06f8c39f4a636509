// SPDX-License-Identifier: Apache-2.0
// Makes each CPU's private area and its page tables. The tables hold the shared GiB of
// arch/memory/mmu.c and a private GiB with stack, struct cpu, the VMCB or VMCS page, and the
// window.
#include "arch/memory/percpu.h"

#include "arch/cpu/cpu.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"

#define LEVEL_2MIB 1
#define LEVEL_1GIB 2

struct cpu *cpus[MAX_CPUS];
unsigned cpu_count;

static bool entered; // written by the boot CPU before any other CPU runs

static enum status map_pages(struct page_table *t, uint64_t va, unsigned count, void **first)
{
    hpa_t pages = heap_pages_alloc(count);
    if (pages.v == 0) {
        return ERR_NO_MEMORY;
    }
    *first = heap_ptr(pages);
    return pt_map(t, va, pages, count * PAGE_SIZE, PT_READ | PT_WRITE);
}

enum status percpu_create(unsigned index, uint32_t apic_id)
{
    struct page_table tables;
    void *area;
    void *stack;
    void *vm_page;
    enum status s = pt_create(&tables, &pt_format_host, 0);
    if (s == STATUS_OK) {
        s = map_pages(&tables, PERCPU_CPU, PERCPU_CPU_SIZE / PAGE_SIZE, &area);
    }
    if (s == STATUS_OK) {
        s = map_pages(&tables, PERCPU_STACK, PERCPU_STACK_SIZE / PAGE_SIZE, &stack);
    }
    if (s == STATUS_OK) {
        s = map_pages(&tables, PERCPU_VM, 1, &vm_page);
    }
    if (s != STATUS_OK) {
        return s;
    }
    struct cpu *cpu = area;
    cpu->window = pt_entry_4k(&tables, PERCPU_WINDOW);
    cpu->window_big = pt_entry(&tables, PERCPU_WINDOW_BIG, LEVEL_2MIB);
    if (cpu->window == NULL || cpu->window_big == NULL) {
        return ERR_NO_MEMORY;
    }
    s = pt_share(&tables, mmu_shared(), HV_IMAGE_BASE, LEVEL_1GIB);
    if (s != STATUS_OK) {
        return s;
    }
    cpu->tables = tables;
    cpu->wake_cr3 = tables.root.v;
    cpu->index = index;
    cpu->apic_id = apic_id;
    cpu->vm_page = vm_page;
    cpu->vm_area = heap_pa(vm_page).v;
    cpus[index] = cpu;
    return STATUS_OK;
}

void percpu_enter(unsigned index)
{
    write_cr3(cpus[index]->wake_cr3);
    entered = true;
}

unsigned cpu_number(void)
{
    return entered ? this_cpu()->index : 0;
}

_Noreturn void cpu_stop(void)
{
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}
