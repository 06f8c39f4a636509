// SPDX-License-Identifier: Apache-2.0
// Descriptor tables of the engine: a GDT that serves all modes, interrupt tables of long, protected
// and real mode, and the two kinds of TSS with an I/O map.

#include "tests/guests/equiv/segments.h"

#include "tests/guests/equiv/engine.h"

enum {
    LEGACY_VECTORS = 0x82,
    IO_MAP = 0x68,
    IO_MAP_SIZE = 8192 + 1,
    // Type byte of a descriptor, and with it the flags in its high nibble.
    CODE_TYPE = 0x9b,
    DATA_TYPE = 0x93,
    TSS_TYPE = 0x89,
    RING3 = 0x60,
    FLAT32 = 0xc,
    FLAT64 = 0xa,
    SMALL16 = 0x0,
    SMALL32 = 0x4,
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

extern const uint32_t legacy_stubs[LEGACY_VECTORS];
extern const uint16_t real_stubs[LEGACY_VECTORS];

uint64_t engine_gdt[GDT_ENTRIES];
static uint64_t ldt[2];
static uint64_t long_idt[256][2];
static uint64_t legacy_idt[LEGACY_VECTORS];
struct table_pointer legacy_idt_pointer;
static struct table_pointer before_gdt, before_idt;
static uint8_t trap_stack[8192] __attribute__((aligned(16)));
static uint8_t tss64[IO_MAP + IO_MAP_SIZE] __attribute__((aligned(16)));
static uint8_t other_tss32[IO_MAP + 4];

static uint64_t descriptor(uint64_t base, uint32_t limit, unsigned type, unsigned flags)
{
    return (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)type << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 | (base >> 24 & 0xff) << 56;
}

static void set(unsigned selector, uint64_t value)
{
    engine_gdt[selector / 8] = value;
}

static uint64_t gate(unsigned selector, uint64_t offset, unsigned type)
{
    return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)type << 40 |
           (offset >> 16 & 0xffff) << 48;
}

static void fill_gdt(void)
{
    set(SEL_CODE32, descriptor(0, 0xfffff, CODE_TYPE, FLAT32));
    set(SEL_DATA, descriptor(0, 0xfffff, DATA_TYPE, FLAT32));
    set(SEL_CODE64, descriptor(0, 0xfffff, CODE_TYPE, FLAT64));
    set(SEL_DATA_B, descriptor(0, 0xfffff, DATA_TYPE, FLAT32));
    set(SEL_CODE32_3, descriptor(0, 0xfffff, CODE_TYPE | RING3, FLAT32));
    set(SEL_DATA_3, descriptor(0, 0xfffff, DATA_TYPE | RING3, FLAT32));
    set(SEL_CODE64_3, descriptor(0, 0xfffff, CODE_TYPE | RING3, FLAT64));
    set(SEL_DATA_B_3, descriptor(0, 0xfffff, DATA_TYPE | RING3, FLAT32));
    set(SEL_CODE16, descriptor(LOW_BASE, 0xffff, CODE_TYPE, SMALL16));
    set(SEL_DATA16, descriptor(LOW_BASE, 0xffff, DATA_TYPE, SMALL16));
    set(SEL_CODE16_3, descriptor(LOW_BASE, 0xffff, CODE_TYPE | RING3, SMALL16));
    set(SEL_DATA16_3, descriptor(LOW_BASE, 0xffff, DATA_TYPE | RING3, SMALL16));
    set(SEL_APIC, descriptor(0xfee00000, 0xfff, DATA_TYPE | RING3, SMALL32));
    set(SEL_ABSENT_DATA, descriptor(0, 0xfffff, 0x13 | RING3, FLAT32));
    set(SEL_READ_ONLY, descriptor(0, 0xfffff, 0x91 | RING3, FLAT32));
    set(SEL_EXECUTE_ONLY, descriptor(0, 0xfffff, 0x99 | RING3, FLAT32));
    set(SEL_CONFORMING, descriptor(0, 0xfffff, 0x9f, FLAT32));
    set(SEL_GATE32, gate(SEL_CODE32, 0, 0x8c | RING3)); // its offset is a check's to set
    set(SEL_GATE64, gate(SEL_CODE64, 0, 0x8c | RING3));
    set(SEL_ABSENT_CODE, descriptor(0, 0xfffff, 0x1b, FLAT32));
    set(SEL_EXPAND_DOWN, descriptor(LOW_DATA, 0xfff, 0x97 | RING3, SMALL16));
    set(SEL_IOAPIC, descriptor(0xfec00000, 0xfff, DATA_TYPE | RING3, SMALL32));
    set(SEL_ABSENT_GATE, gate(SEL_CODE32, 0, 0x0c | RING3));
    set(SEL_TASK_GATE, gate(SEL_OTHER_TSS32, 0, 0x85 | RING3));
    set(SEL_SMALL, descriptor(LOW_DATA, 0xf, DATA_TYPE | RING3, SMALL32));
    set(SEL_DATA_RING0_SMALL, descriptor(LOW_DATA, 0xf, DATA_TYPE, SMALL32));
    set(SEL_LDT, descriptor((uint64_t)ldt, sizeof(ldt) - 1, 0x82, 0));
    set(SEL_ABSENT_LDT, descriptor((uint64_t)ldt, sizeof(ldt) - 1, 0x02, 0));
    set(SEL_ABSENT_TSS, descriptor((uint64_t)tss64, 0x67, 0x09, 0));
    ldt[SEL_IN_LDT / 8] = descriptor(0, 0xfffff, DATA_TYPE | RING3, FLAT32);
}

static void make_tasks_free(void)
{
    set(SEL_TSS64, descriptor((uint64_t)tss64, sizeof(tss64) - 1, TSS_TYPE, 0));
    set(SEL_TSS32, descriptor(LOW_TSS32, IO_MAP + IO_MAP_SIZE - 1, TSS_TYPE, 0));
    set(SEL_OTHER_TSS32, descriptor((uint64_t)other_tss32, 0x67, TSS_TYPE, 0));
}

static bool is_user_vector(unsigned vector)
{
    return vector == 3 || vector == 4 || vector == VECTOR_SOFT || vector == VECTOR_END;
}

static void fill_idts(void)
{
    uint16_t *ivt = (uint16_t *)(uintptr_t)LOW_IVT;
    for (unsigned i = 0; i < 256; i++) {
        unsigned type = 0x8e | (is_user_vector(i) ? RING3 : 0);
        long_idt[i][0] = gate(SEL_CODE64, isr_table[i], type) | 1ull << 32; // stack 1
        long_idt[i][1] = isr_table[i] >> 32;
        unsigned known = i < LEGACY_VECTORS ? i : LEGACY_VECTORS - 1;
        legacy_idt[known] = gate(SEL_CODE32, legacy_stubs[known], type);
        ivt[2 * i] = real_stubs[known];
        ivt[2 * i + 1] = LOW_BASE >> 4;
    }
    legacy_idt[VECTOR_END] |= (uint64_t)RING3 << 40;
    legacy_idt_pointer = (struct table_pointer){sizeof(legacy_idt) - 1, (uint64_t)legacy_idt};
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void fill_tss64(void)
{
    uint64_t top = (uint64_t)(trap_stack + sizeof(trap_stack));
    memcpy(tss64 + 4, &top, sizeof(top));    // RSP0
    memcpy(tss64 + 0x24, &top, sizeof(top)); // IST1
    put32(tss64 + 0x64, (uint32_t)IO_MAP << 16);
}

void segments_fill_tss32(void)
{
    uint8_t *tss = (uint8_t *)(uintptr_t)LOW_TSS32;
    put32(tss, 0);
    put32(tss + 4, LOW_KERNEL_STACK);
    put32(tss + 8, SEL_DATA);
    put32(tss + 0x60, 0); // LDT
    put32(tss + 0x64, (uint32_t)IO_MAP << 16);
}

void segments_gate_present(unsigned vector, bool present)
{
    long_idt[vector][0] = (long_idt[vector][0] & ~(1ull << 47)) | (uint64_t)present << 47;
}

void segments_gate_target(uint32_t offset)
{
    set(SEL_GATE32, gate(SEL_CODE32, offset, 0x8c | RING3));
    set(SEL_GATE64, gate(SEL_CODE64, offset, 0x8c | RING3));
    set(SEL_GATE64 + 8, 0);
}

void segments_other_task(uint32_t eip)
{
    memset(other_tss32, 0, sizeof(other_tss32));
    put32(other_tss32 + 0x20, eip);
    put32(other_tss32 + 0x24, 2);
    put32(other_tss32 + 0x28, 0x11111111); // EAX
    put32(other_tss32 + 0x38, STACK_START);
    put32(other_tss32 + 0x48, SEL_DATA);
    put32(other_tss32 + 0x4c, SEL_CODE32);
    put32(other_tss32 + 0x50, SEL_DATA);
    put32(other_tss32 + 0x54, SEL_DATA);
    put32(other_tss32 + 0x64, (uint32_t)IO_MAP << 16);
}

void segments_open_ports(unsigned first, unsigned last)
{
    uint8_t *maps[] = {tss64 + IO_MAP, (uint8_t *)(uintptr_t)LOW_TSS32 + IO_MAP};
    for (unsigned i = 0; i < 2; i++) {
        memset(maps[i], 0xff, IO_MAP_SIZE);
        for (unsigned port = first; port <= last; port++)
            maps[i][port / 8] &= (uint8_t) ~(1u << port % 8);
    }
}

void segments_reload(bool task)
{
    struct table_pointer gdt = {sizeof(engine_gdt) - 1, (uint64_t)engine_gdt};
    struct table_pointer idt = {sizeof(long_idt) - 1, (uint64_t)long_idt};
    __asm__ volatile("lgdt %0\n\tlidt %1\n\tlldt %w2" : : "m"(gdt), "m"(idt), "r"(0) : "memory");
    if (task) {
        make_tasks_free();
        __asm__ volatile("ltr %w0" : : "r"(SEL_TSS64) : "memory");
    }
}

void segments_start(void)
{
    __asm__ volatile("sgdt %0\n\tsidt %1" : "=m"(before_gdt), "=m"(before_idt));
    fill_gdt();
    fill_idts();
    fill_tss64();
    segments_fill_tss32();
    segments_open_ports(1, 0);
    segments_reload(true);
}

void segments_stop(void)
{
    __asm__ volatile("lgdt %0\n\tlidt %1" : : "m"(before_gdt), "m"(before_idt));
}
