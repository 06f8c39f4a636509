// SPDX-License-Identifier: Apache-2.0
// mmio32.elf: a 32-bit Multiboot kernel that accesses the IOAPIC as clang compiles it: by
// instructions that a 64-bit kernel has in another size (PUSH, POP) or not at all. One line for
// each value.
#include <stdint.h>

#define IOAPIC_INDEX  0xfec00000
#define IOAPIC_WINDOW 0xfec00010

void start_in_c(void);

static void put(char c)
{
    __asm__ volatile("outb %0, %1" : : "a"(c), "d"((uint16_t)0x3f8));
}

// The number as the stack has it: where the compiler's own push would leave it.
__attribute__((noinline, regparm(0))) static void line(const char *name, uint32_t value)
{
    for (; *name; name++)
        put(*name);
    for (int i = 28; i >= 0; i -= 4)
        put("0123456789abcdef"[value >> i & 15]);
    put('.');
    put('\r');
    put('\n');
}

static void select(uint32_t index)
{
    __asm__ volatile("movl %0, (%1)" : : "r"(index), "r"(IOAPIC_INDEX) : "memory");
}

void start_in_c(void)
{
    uint32_t value, other = 3;
    select(1);
    __asm__ volatile("movl %c1, %0" : "=r"(value) : "i"(IOAPIC_WINDOW));
    line("value moved ", value);
    __asm__ volatile("pushl %c1\n\tpopl %0" : "=r"(value) : "i"(IOAPIC_WINDOW));
    line("value pushed ", value);
    __asm__ volatile("imull %c1, %0" : "+r"(other) : "i"(IOAPIC_WINDOW));
    line("value times 3 ", other);
    value = 0x12345678;
    __asm__ volatile("xorl %%edx, %%edx\n\tdivl %c1" : "+a"(value) : "i"(IOAPIC_WINDOW) : "edx");
    line("value quotient ", value);
    __asm__ volatile("pushl $0\n\tpopl %c0" : : "i"(IOAPIC_INDEX) : "memory");
    __asm__ volatile("movl %c1, %0" : "=r"(value) : "i"(IOAPIC_INDEX));
    line("value popped ", value);
    __asm__ volatile("rorl $8, %c0" : : "i"(IOAPIC_INDEX) : "memory");
    line("end ", 0);
}
