// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own address space. Relies on linker.ld for the bounds of the image's parts and
// on the page-table writer (arch/memory/paging.c).
#include "arch/memory/mmu.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/msr.h"
#include "arch/memory/heap.h"
#include "arch/memory/layout.h"

#define CPUID_7_EBX_SMEP BIT(7)
#define CPUID_7_EBX_SMAP BIT(20)

#define PTE_BOOT_LARGE 0x83 // present, writable, 2 MiB

extern uint8_t image_phys_start[], image_phys_end[];
extern uint8_t image_text_start[], image_rodata_start[], image_data_start[], image_end[];

static uint64_t image_base; // host-physical
static uint64_t *boot_directory;
static struct page_table shared;
static uint64_t next_device = HV_MMIO_BASE;

void mmu_set_image(hpa_t base, uint64_t *directory)
{
    image_base = base.v;
    boot_directory = directory;
}

hpa_t image_start(void)
{
    return hpa(image_base);
}

uint64_t image_size(void)
{
    return (uint64_t)image_phys_end - (uint64_t)image_phys_start;
}

// The boot tables' entry that maps the 2 MiB at `va`.
static uint64_t *boot_entry(uint64_t va)
{
    return &boot_directory[(va >> 21) & 511];
}

void mmu_place_heap(hpa_t base, uint64_t size)
{
    for (uint64_t offset = 0; offset < size; offset += MIB(2)) {
        *boot_entry(HV_HEAP_BASE + offset) = (base.v + offset) | PTE_BOOT_LARGE;
    }
    heap_init(base, size, (void *)HV_HEAP_BASE);
}

void *mmu_boot_window(unsigned slot, uint64_t address)
{
    if (address < GIB(4)) {
        return (void *)address;
    }
    uint64_t va = HV_MMIO_BASE + slot * MIB(2);
    *boot_entry(va) = align_down(address, MIB(2)) | PTE_BOOT_LARGE;
    invlpg(va);
    return (void *)(va + address % MIB(2));
}

static enum status map_image(const uint8_t *start, const uint8_t *end, unsigned flags)
{
    uint64_t va = (uint64_t)start;
    hpa_t base = hpa(image_base + (va - HV_IMAGE_BASE - HV_IMAGE_LINK));
    return pt_map(&shared, va, base, (uint64_t)end - va, flags);
}

enum status mmu_init(void)
{
    enum status s = pt_create(&shared, &pt_format_host, 1);
    if (s == STATUS_OK) {
        s = map_image(image_text_start, image_rodata_start, PT_READ | PT_EXEC);
    }
    if (s == STATUS_OK) {
        s = map_image(image_rodata_start, image_data_start, PT_READ);
    }
    if (s == STATUS_OK) {
        s = map_image(image_data_start, image_end, PT_READ | PT_WRITE);
    }
    if (s == STATUS_OK) {
        s = pt_map(&shared, HV_HEAP_BASE, heap_base(), heap_size(), PT_READ | PT_WRITE);
    }
    return s;
}

const struct page_table *mmu_shared(void)
{
    return &shared;
}

// Maps the range at the next free address whose offset from a multiple of `align` is that of
// `base`.
static uint64_t map_next(hpa_t base, uint64_t size, uint64_t align, unsigned type)
{
    uint64_t start = align_down(base.v, PAGE_SIZE);
    uint64_t bytes = align_up(base.v + size, PAGE_SIZE) - start;
    uint64_t va = align_up(next_device, align) + (start & (align - 1));
    if (va >= HV_MMIO_LIMIT || bytes > HV_MMIO_LIMIT - va ||
        pt_map(&shared, va, hpa(start), bytes, PT_READ | PT_WRITE | type) != STATUS_OK) {
        return 0;
    }
    next_device = va + bytes;
    return va + (base.v - start);
}

volatile uint32_t *mmu_map_device(hpa_t base, uint64_t size)
{
    return (volatile uint32_t *)map_next(base, size, PAGE_SIZE, PT_UC);
}

void *mmu_map_write_combining(hpa_t base, uint64_t size)
{
    return (void *)map_next(base, size, MIB(2), PT_WC); // large pages need few tables
}

void mmu_cpu_init(void)
{
    uint32_t leaf[4];
    cpuid(0, 0, leaf);
    uint32_t features = 0;
    if (leaf[0] >= 7) {
        cpuid(7, 0, leaf);
        features = leaf[1];
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    wrmsr(MSR_PAT, PAT_HOST); // differs from the reset value only in an entry that nothing uses yet
    uint64_t cr4 = read_cr4() | CR4_PGE | CR4_MCE;
    if (features & CPUID_7_EBX_SMEP) {
        cr4 |= CR4_SMEP;
    }
    if (features & CPUID_7_EBX_SMAP) {
        cr4 |= CR4_SMAP;
    }
    write_cr4(cr4);
    write_cr0((read_cr0() & ~(CR0_CD | CR0_NW)) | CR0_WP | CR0_NE | CR0_MP);
}
