// SPDX-License-Identifier: Apache-2.0
// Interrupts and exceptions of a test guest: one table for all CPUs, a handler per vector, and a
// report for what nobody expected.

#include "tests/guests/guest.h"

struct idt_gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, zero;
};
_Static_assert(sizeof(struct idt_gate) == 16, "long mode gate");

static struct idt_gate idt[256];
static void (*handlers[256])(struct trap_frame *frame);

void set_handler(unsigned vector, void (*handler)(struct trap_frame *frame))
{
    handlers[vector] = handler;
}

void trap_install(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(idt) - 1, (uint64_t)idt};

    for (unsigned i = 0; i < 256; i++) {
        uint64_t stub = isr_table[i];
        idt[i] = (struct idt_gate){
            .offset_low = (uint16_t)stub,
            .selector = 0x18,
            .type = 0x8e,
            .offset_mid = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
        };
    }
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void trap(struct trap_frame *frame)
{
    uint64_t cr2;
    if (handlers[frame->vector]) {
        handlers[frame->vector](frame);
        return;
    }
    if (frame->vector < 32 && recover_rip) {
        trap_vector = (uint32_t)frame->vector;
        frame->rip = recover_rip;
        recover_rip = 0;
        return;
    }
    __asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
    print("FAIL unexpected vector %lu error 0x%lx rip 0x%lx cr2 0x%lx\n", frame->vector,
          frame->error, frame->rip, cr2);
    if (frame->vector >= 32) {
        lapic_eoi();
        return;
    }
    finish();
}
