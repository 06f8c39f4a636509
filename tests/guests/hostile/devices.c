// SPDX-License-Identifier: Apache-2.0
// Attacks on the devices: every port, the pages of local APIC and IOAPIC, the interrupt command
// register.

#include "tests/guests/hostile/hostile.h"

enum {
    IOAPIC_PINS = 24,
    UART_PIN = 4,
    PORT_KEYBOARD = 0x64,
    PORT_92 = 0x92,
    PORT_RESET = 0xcf9,
    MODE_INIT = 5,
    MSR_X2APIC_ICR = 0x830,
    REAL_MODE_PAGES = 0x100,
};

static uint16_t pm1_port;

static void open_interrupts(void)
{
    __asm__ volatile("sti\n\tnop" : : : "memory");
}

// ---- ports

// Whether a write ends or restarts this guest, which is an attack of its own.
static bool ends_guest(uint16_t port, unsigned bytes)
{
    const uint16_t ports[] = {PORT_KEYBOARD, PORT_92, PORT_RESET, pm1_port,
                              (uint16_t)(pm1_port + 1)};
    for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        if ((uint16_t)(ports[i] - port) < bytes)
            return true;
    }
    return false;
}

// Not later: an attack may overwrite the tables.
void devices_setup(void)
{
    pm1_port = acpi_pm1a_control();
}

// A string's elements are an action each. They are many where nobody prints them.
static void port_string(struct hostile_cpu *cpu, uint16_t port, uint64_t choice)
{
    bool down = choice >> 43 & 1;
    uint64_t n = port >= COM1 - 3 && port < COM1 + 8 ? 4 : choice >> 48 & 511;
    uint8_t *to = cpu->data + (down ? 2048 : 0);
    const uint8_t *from = to;
    cpu->action += n;
    if (down)
        __asm__ volatile("std");
    if (choice >> 44 & 1) {
        switch (choice >> 45 & 3) {
        case 0:
            __asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(port) : "memory");
            break;
        case 1:
            __asm__ volatile("rep insw" : "+D"(to), "+c"(n) : "d"(port) : "memory");
            break;
        default:
            __asm__ volatile("rep insl" : "+D"(to), "+c"(n) : "d"(port) : "memory");
            break;
        }
    } else if (!ends_guest(port, 4)) {
        switch (choice >> 45 & 3) {
        case 0:
            __asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(port) : "memory");
            break;
        case 1:
            __asm__ volatile("rep outsw" : "+S"(from), "+c"(n) : "d"(port) : "memory");
            break;
        default:
            __asm__ volatile("rep outsl" : "+S"(from), "+c"(n) : "d"(port) : "memory");
            break;
        }
    }
    __asm__ volatile("cld");
}

static void ports(struct hostile_cpu *cpu)
{
    uint64_t choice = random64(cpu);
    uint16_t port = (uint16_t)cpu->progress; // all of them, several times
    if (choice >> 62)
        port &= 0xfff; // where devices are
    unsigned size = 1u << (choice >> 32) % 3;
    bool in = choice >> 36 & 1 || ends_guest(port, size);
    if ((choice >> 37 & 7) == 0)
        port_string(cpu, port, choice);
    else if (size == 1)
        in ? (void)inb(port) : outb(port, (uint8_t)choice);
    else if (size == 2)
        in ? (void)inw(port) : outw(port, (uint16_t)choice);
    else
        in ? (void)inl(port) : outl(port, (uint32_t)choice);
}

// The serial port as the runtime has it, and the rest of what the random bytes printed.
static void repair_ports(struct hostile_cpu *cpu)
{
    (void)cpu;
    outb(COM1 + 3, 0x03);
    outb(COM1 + 1, 0);
    outb(COM1 + 2, 0x07);
    outb(COM1 + 4, 0x0b);
    print("\n");
}

// ---- pages of devices, by every addressing form

// Instructions that touch memory, without operand bytes: prefix and opcode, ModR/M follows.
struct access {
    uint8_t bytes[3], length, immediate;
    int8_t reg; // of ModR/M, or -1: random
};

static const struct access accesses[] = {
    {{0x8b}, 1, 0, -1},       {{0x89}, 1, 0, -1},       {{0x8a}, 1, 0, -1},
    {{0x88}, 1, 0, -1},       {{0xc7}, 1, 4, 0},        {{0xc6}, 1, 1, 0},
    {{0x0f, 0xb6}, 2, 0, -1}, {{0x0f, 0xb7}, 2, 0, -1}, {{0x0f, 0xbe}, 2, 0, -1},
    {{0x0f, 0xbf}, 2, 0, -1}, {{0x03}, 1, 0, -1},       {{0x01}, 1, 0, -1},
    {{0x0b}, 1, 0, -1},       {{0x09}, 1, 0, -1},       {{0x23}, 1, 0, -1},
    {{0x21}, 1, 0, -1},       {{0x33}, 1, 0, -1},       {{0x31}, 1, 0, -1},
    {{0x3b}, 1, 0, -1},       {{0x39}, 1, 0, -1},       {{0x85}, 1, 0, -1},
    {{0x87}, 1, 0, -1},       {{0x81}, 1, 4, 1},        {{0x81}, 1, 4, 4},
    {{0x83}, 1, 1, 6},        {{0xf7}, 1, 4, 0},        {{0xf6}, 1, 1, 0},
};

// `code` is put together for one access to the page and a jump back (RET). Registers: RSI, RDI, R8
// and R9 add up to the address.
static void put_access(struct hostile_cpu *cpu, uint8_t *at)
{
    const struct access *a = &accesses[random_below(cpu, sizeof(accesses) / sizeof(accesses[0]))];
    uint64_t choice = random64(cpu);
    bool base_high = choice & 1, index = choice & 2;
    uint8_t reg = a->reg >= 0 ? (uint8_t)a->reg : (uint8_t)(choice >> 8 & 3); // RAX to RBX
    if ((choice >> 2 & 7) == 0 && a->immediate != 4)
        *at++ = 0x66;
    *at++ = (uint8_t)(0x40 | (choice >> 5 & 1 && !(a->immediate == 4) ? 8 : 0) | base_high);
    for (unsigned i = 0; i < a->length; i++)
        *at++ = a->bytes[i];
    // [RSI or R14 + RDI * scale + displacement]
    if (index) {
        *at++ = (uint8_t)(0x44 | reg << 3);
        *at++ = (uint8_t)((choice >> 16 & 3) << 6 | 7 << 3 | 6);
    } else {
        *at++ = (uint8_t)(0x46 | reg << 3);
    }
    *at++ = (uint8_t)(choice >> 24 & 0x70);
    for (unsigned i = 0; i < a->immediate; i++)
        *at++ = (uint8_t)random64(cpu);
    *at++ = 0xc3;
}

static void call_access(struct hostile_cpu *cpu, uint64_t address)
{
    uint64_t value = random64(cpu);
    // An INIT would only restart this guest: what is written names another mode.
    uint64_t rax = (uint32_t)value & ~0x700u, rbx = rax, rcx = rax, rdx = rax, rdi = 0;
    register uint64_t r14 __asm__("r14") = address;
    put_access(cpu, cpu->code);
    open_interrupts();
    __asm__ volatile("call *%[code]"
                     : "+r"(r14), "+S"(address), "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx),
                       "+D"(rdi)
                     : [code] "r"(cpu->code)
                     : "memory", "cc");
}

static void apic_mmio(struct hostile_cpu *cpu)
{
    uint64_t choice = random64(cpu);
    uint64_t offset = choice & 0x3f0;
    if (choice >> 16 & 7)
        call_access(cpu, LAPIC_PAGE + (offset & ~0x70ull));
    else
        call_access(cpu, LAPIC_PAGE + (choice & 0xf80));
}

static void ioapic_mmio(struct hostile_cpu *cpu)
{
    uint64_t choice = random64(cpu);
    call_access(cpu, IOAPIC_PAGE + (choice & 7 ? 0 : choice & 0xf80));
}

// Redirection entries of every kind; the one pin that can fire is made to.
static void ioapic_entries(struct hostile_cpu *cpu)
{
    volatile uint32_t *select = (volatile uint32_t *)IOAPIC_PAGE;
    volatile uint32_t *window = (volatile uint32_t *)(IOAPIC_PAGE + 0x10);
    uint64_t choice = random64(cpu);
    uint32_t pin = choice & 1 ? UART_PIN : (uint32_t)(choice >> 8) % (IOAPIC_PINS + 8);
    uint32_t low = (uint32_t)(choice >> 32);
    if ((low >> 8 & 7) == MODE_INIT)
        low ^= 1 << 8;
    *select = 0x10 + 2 * pin + (choice >> 1 & 1);
    *window = choice >> 1 & 1 ? (uint32_t)random64(cpu) : low;
    open_interrupts();
    if (pin == UART_PIN) {
        outb(COM1 + 1, 0x02);
        outb(COM1 + 1, 0);
    }
}

static void repair_ioapic(struct hostile_cpu *cpu)
{
    for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
        *(volatile uint32_t *)IOAPIC_PAGE = 0x10 + 2 * pin;
        *(volatile uint32_t *)(IOAPIC_PAGE + 0x10) = 0x10000;
    }
    repair_ports(cpu);
}

// ---- interrupt command register

void prepare_real_mode(struct hostile_cpu *cpu)
{
    static const uint8_t sleep[] = {0xfa, 0xf4, 0xeb, 0xfd}; // cli; hlt; jmp to hlt
    (void)cpu;
    for (uint64_t page = 1; page < REAL_MODE_PAGES; page++) {
        if (page != 0x70) // the pages of the tables too; this one has started them
            memcpy((void *)(page << 12), sleep, sizeof(sleep));
    }
}

// All values of the low 12 bits to all IDs, one after the other; now and then a shorthand, and
// other bits. INIT goes to no set that may hold this CPU, the boot processor.
static void icr(struct hostile_cpu *cpu)
{
    static uint32_t last_destination = UINT32_MAX; // what the upper half holds
    uint64_t choice = random64(cpu);
    uint32_t low = (uint32_t)cpu->action & 0xfff;
    uint32_t destination = ((uint32_t)(cpu->action >> 12) + 5 * low) & 0xff;
    if ((choice & 15) == 0)
        low |= (uint32_t)(choice >> 32) & 0xfffff000;
    if ((choice >> 4 & 15) == 0)
        destination = (uint32_t)(choice >> 8);
    bool shorthand = low >> 18 & 3, logical = low & ICR_LOGICAL;
    bool may_be_own = shorthand
                          ? (low >> 18 & 3) != 3
                          : logical || (destination & 0xff) == 0 || (destination & 0xff) == 0xff;
    if ((low >> 8 & 7) == MODE_INIT && may_be_own)
        low ^= 1 << 8;
    open_interrupts();
    if (cpu->x2apic) {
        wrmsr(MSR_X2APIC_ICR, (uint64_t)destination << 32 | low);
        return;
    }
    if (destination != last_destination)
        *(volatile uint32_t *)(LAPIC_PAGE + LAPIC_ICR_HIGH) = destination << 24;
    last_destination = destination;
    *(volatile uint32_t *)(LAPIC_PAGE + LAPIC_ICR) = low;
}

const struct attack device_attacks[] = {
    {"ports", NULL, ports, repair_ports, 9500000, "every port, every width"},
    {"apic", NULL, apic_mmio, NULL, 80000, "the local APIC's page"},
    {"ioapic", NULL, ioapic_mmio, repair_ioapic, 40000, "the IOAPIC's page"},
    {"redirection", NULL, ioapic_entries, repair_ioapic, 20000, "the IOAPIC's entries"},
    {"icr", prepare_real_mode, icr, NULL, 100000, "the interrupt command register"},
    {0},
};
