// SPDX-License-Identifier: Apache-2.0
// Makes each CPU's private area and its page tables: the shared GiB of arch/mmu.c, and a GiB of its
// own with stack, struct cpu, the VMCB or VMCS page, and the window.
#include "arch/percpu.h"

#include "arch/cpu.h"
#include "arch/exceptions.h"
#include "arch/heap.h"
#include "arch/mmu.h"
#include "arch/window.h"

// All of the hypervisor's addresses have the same top-level index; the next level tells the shared
// GiB from the CPU's own.
#define TOP_INDEX(va)    (((va) >> 39) & 511)
#define SECOND_INDEX(va) (((va) >> 30) & 511)
#define PTE_ADDRESS      0x000ffffffffff000ull

_Static_assert(TOP_INDEX(HV_IMAGE_BASE) == TOP_INDEX(PERCPU_BASE), "one top-level entry");
_Static_assert(SECOND_INDEX(HV_IMAGE_BASE) != SECOND_INDEX(PERCPU_BASE), "GiBs apart");
_Static_assert(SECOND_INDEX(HV_IMAGE_BASE) == SECOND_INDEX(HV_MMIO_LIMIT - 1), "one shared GiB");

struct cpu *cpus[MAX_CPUS];
unsigned cpu_count;

static uint64_t *second_level(const struct page_table *t)
{
    const uint64_t *top = heap_ptr(t->root);
    return heap_ptr(hpa(top[TOP_INDEX(HV_IMAGE_BASE)] & PTE_ADDRESS));
}

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
    uint64_t *second = second_level(&tables);
    uint64_t *directory = heap_ptr(hpa(second[SECOND_INDEX(PERCPU_BASE)] & PTE_ADDRESS));
    cpu->window_big = &directory[(PERCPU_WINDOW_BIG >> 21) & 511];
    second[SECOND_INDEX(HV_IMAGE_BASE)] =
        second_level(mmu_shared())[SECOND_INDEX(HV_IMAGE_BASE)];
    if (cpu->window == NULL) {
        return ERR_NO_MEMORY;
    }
    cpu->tables = tables;
    cpu->wake_cr3 = tables.root.v;
    cpu->index = index;
    cpu->apic_id = apic_id;
    cpu->self = cpu;
    cpu->vm_page = vm_page;
    cpu->vm_area = heap_pa(vm_page).v;
    cpus[index] = cpu;
    return STATUS_OK;
}

void percpu_enter(unsigned index)
{
    write_cr3(cpus[index]->wake_cr3);
    window_ready();
}

_Noreturn void cpu_stop(void)
{
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}
