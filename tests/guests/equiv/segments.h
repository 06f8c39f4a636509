// SPDX-License-Identifier: Apache-2.0
// Descriptor tables of the engine, and its page tables.

#ifndef TESTS_GUESTS_EQUIV_SEGMENTS_H
#define TESTS_GUESTS_EQUIV_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

// In the order that SYSCALL, SYSRET, SYSENTER and SYSEXIT count on. "16": based at the low area.
enum {
    SEL_CODE32 = 0x08,
    SEL_DATA = 0x10,
    SEL_CODE64 = 0x18,
    SEL_DATA_B = 0x20,
    SEL_CODE32_3 = 0x28 | 3,
    SEL_DATA_3 = 0x30 | 3,
    SEL_CODE64_3 = 0x38 | 3,
    SEL_DATA_B_3 = 0x40 | 3,
    SEL_CODE16 = 0x48,
    SEL_DATA16 = 0x50,
    SEL_CODE16_3 = 0x58 | 3,
    SEL_DATA16_3 = 0x60 | 3,
    SEL_TSS64 = 0x68,
    SEL_TSS32 = 0x78,
    SEL_OTHER_TSS32 = 0x80,
    SEL_LDT = 0x88,
    SEL_APIC = 0x98 | 3,
    SEL_ABSENT_DATA = 0xa0 | 3,
    SEL_READ_ONLY = 0xa8 | 3,
    SEL_EXECUTE_ONLY = 0xb0 | 3,
    SEL_CONFORMING = 0xb8,
    SEL_GATE32 = 0xc0,
    SEL_GATE64 = 0xc8,
    SEL_ABSENT_CODE = 0xd8,
    SEL_EXPAND_DOWN = 0xe0 | 3,
    SEL_IOAPIC = 0xe8 | 3,
    SEL_ABSENT_GATE = 0xf0,
    SEL_TASK_GATE = 0xf8,
    SEL_SMALL = 0x100 | 3,
    SEL_ABSENT_LDT = 0x108,
    SEL_ABSENT_TSS = 0x118,
    SEL_DATA_RING0_SMALL = 0x128, // 16 bytes at the data pages
    SEL_IN_LDT = 0x08 | 4 | 3,
    GDT_SIZE = 0x140,
    GDT_ENTRIES = GDT_SIZE / 8,
};

extern uint64_t engine_gdt[GDT_ENTRIES];

void segments_start(void);
void segments_stop(void);
// Loads GDTR, IDTR and an empty LDTR again, and with `task` TR.
void segments_reload(bool task);
// The I/O map of both TSSs: all ports closed but `first` to `last`; first > last: none open.
void segments_open_ports(unsigned first, unsigned last);
void segments_fill_tss32(void);
// Makes the gate of a vector in the interrupt table of long mode absent, or present again.
void segments_gate_present(unsigned vector, bool present);
// Where a call gate leads, and the task of the other TSS: 32-bit code at `eip` in ring 0.
void segments_gate_target(uint32_t offset);
void segments_other_task(uint32_t eip);

// ---- pages.c
enum {
    WINDOW = 0x80000000, // linear; outside of all memory, 2 MiB of 4 KiB pages
    PTE_P = 1 << 0,
    PTE_W = 1 << 1,
    PTE_U = 1 << 2,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_G = 1 << 8,
    PTE_ALL = PTE_P | PTE_W | PTE_U,
};
#define PTE_NX       (1ull << 63)
#define PTE_KEY(key) ((uint64_t)(key) << 59)

extern uint64_t engine_pml4[512], engine_pdpt[512], engine_pd[4][512];
extern uint64_t engine_low_table[512], engine_window_table[512];
// Frames for the window, filled with zeros at the start.
enum {
    FRAMES = 4,
};
extern uint8_t engine_frames[FRAMES][4096];

void pages_start(void);
void pages_stop(void);
// Sets the entry of a page of the window and flushes it.
void window_map(unsigned page, uint64_t entry);
// The entry for a frame with these bits.
uint64_t frame_entry(unsigned frame, uint64_t bits);
static inline void flush_page(uint64_t linear)
{
    __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory");
}

#endif
