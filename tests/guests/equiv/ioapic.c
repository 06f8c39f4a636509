// SPDX-License-Identifier: Apache-2.0
// The IOAPIC (Intel 82093AA data sheet, section 3): registers, every entry's bits, and the delivery
// of COM1's transmitter interrupt from pin 4.

#include "tests/guests/equiv/device.h"

enum {
    PAGE = 0xfec00000,
    ID = 0,
    VERSION = 1,
    ARBITRATION = 2,
    ENTRIES = 0x10,
    PINS = 24,
    UART_PIN = 4,
    UART_VECTOR = 0x62,
    MASKED = 1 << 16,
    LEVEL = 1 << 15,
    ACTIVE_LOW = 1 << 13,
    LOGICAL = 1 << 11,
    LOWEST = 1 << 8,
    DELIVERY_NMI = 4 << 8,
    STATUS = 1 << 12,
    REMOTE_IRR = 1 << 14,
    IER_TRANSMITTER = 2,
    DTR = 1,
    RTS = 2,
    OUT2 = 8,
};

static void select(uint32_t reg)
{
    *(volatile uint32_t *)PAGE = reg;
}

static uint32_t get(uint32_t reg)
{
    select(reg);
    return *(volatile uint32_t *)(PAGE + 0x10);
}

static void put(uint32_t reg, uint32_t value)
{
    select(reg);
    *(volatile uint32_t *)(PAGE + 0x10) = value;
}

static uint32_t written(uint32_t reg, uint32_t value)
{
    put(reg, value);
    return get(reg);
}

// Registers that do not exist are left alone: Bochs gives up when one is read.
static void registers(void)
{
    struct line line = {.used = 0};
    const uint32_t version = get(VERSION);
    outcome("dev.ioapic.version", "pins %u", (version >> 16 & 0xff) + 1);
    outcome("dev.ioapic.version-number", "0x%x", version & 0xff);
    put(VERSION, 0);
    outcome("dev.ioapic.version-write", "%s", get(VERSION) == version ? "kept" : "changed");
    uint32_t before = get(ID);
    line_field(&line, "ones", written(ID, UINT32_MAX));
    line_field(&line, "zeros", written(ID, 0));
    line_field(&line, "5", written(ID, 0x05000000));
    outcome("dev.ioapic.id", "%s", line.text);
    outcome("dev.ioapic.arbitration", "0x%x after ID 5", get(ARBITRATION));
    put(ID, before);
    line.used = 0;
    for (unsigned value = 0; value < 256; value += 85) {
        select(value);
        line_hex(&line, *(volatile uint32_t *)PAGE);
    }
    outcome("dev.ioapic.index", "%s", line.text);
    select(UINT32_MAX - 0xff + 1);
    outcome("dev.ioapic.index-high-bits", "0x%x", *(volatile uint32_t *)PAGE);
}

static void entries(void)
{
    for (unsigned pin = 0; pin < PINS; pin++) {
        struct line line = {.used = 0};
        uint32_t low = ENTRIES + 2 * pin, high = low + 1;
        put(low, MASKED);
        line_field(&line, "ones", written(low, 0x1afff));
        line_field(&line, "masked", written(low, MASKED));
        line_field(&line, "a", written(low, MASKED | 0xa0a5));
        line_field(&line, "b", written(low, MASKED | 0x0a5a));
        put(low, MASKED);
        line_field(&line, "high ones", written(high, 0xff000000));
        line_field(&line, "zeros", written(high, 0));
        outcome(name_number("dev.ioapic.entry-", pin, "bits"), "%s", line.text);
    }
    struct line line = {.used = 0};
    uint32_t low = ENTRIES + 2 * UART_PIN;
    line_field(&line, "status and remote IRR", written(low, MASKED | STATUS | REMOTE_IRR));
    put(low, MASKED);
    outcome("dev.ioapic.read-only", "%s", line.text);
    line.used = 0;
    line_field(&line, "low", written(low, 0xfffe0000 | MASKED));
    put(low, MASKED);
    line_field(&line, "high", written(low + 1, 0x00ffffff));
    put(low + 1, 0);
    outcome("dev.ioapic.reserved", "%s", line.text);
}

// The transmitter's interrupt once, with the entry as given. Nothing is printed meanwhile.
static void raise(uint32_t low, uint32_t destination)
{
    while (!(inb(COM1 + 5) & 0x40))
        pause();
    delay_us(300);
    inb(COM1 + 2);
    taken_forget();
    put(ENTRIES + 2 * UART_PIN + 1, destination << 24);
    put(ENTRIES + 2 * UART_PIN, low);
    outb(COM1 + 1, IER_TRANSMITTER);
    delay_us(1000);
    settle();
}

static void drop(void)
{
    outb(COM1 + 1, 0);
    inb(COM1 + 2);
    put(ENTRIES + 2 * UART_PIN, MASKED);
}

static void say_delivery(const char *name, unsigned vector, struct line *line)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        line_hex(line, taken(cpu, vector));
    drop();
    outcome(name_of("dev.ioapic", name), "%s", line->text);
    line->used = 0;
}

// The handler of the level-triggered interrupt: what the entry says before the EOI, and the device
// taken back.
static volatile uint32_t entry_inside;

static void acknowledge(unsigned vector)
{
    if (vector != UART_VECTOR)
        return;
    entry_inside = get(ENTRIES + 2 * UART_PIN);
    inb(COM1 + 2);
    outb(COM1 + 1, 0);
}

static void delivery(void)
{
    struct line line = {.used = 0};
    raise(UART_VECTOR, cpu_ids[0]);
    say_delivery("edge-to-0", UART_VECTOR, &line);
    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        raise(UART_VECTOR, cpu_ids[cpu]);
        say_delivery(name_number("edge-to-", cpu, "other"), UART_VECTOR, &line);
    }
    raise(MASKED | UART_VECTOR, cpu_ids[0]);
    put(ENTRIES + 2 * UART_PIN, UART_VECTOR);
    delay_us(500);
    settle();
    line_word(&line, "edge while masked, unmasked afterwards:");
    say_delivery("edge-masked", UART_VECTOR, &line);
    raise(LOGICAL | UART_VECTOR, 0x2);
    say_delivery("logical-one", UART_VECTOR, &line);
    raise(LOGICAL | UART_VECTOR, 0xc);
    say_delivery("logical-two", UART_VECTOR, &line);
    raise(LOGICAL | LOWEST | UART_VECTOR, 0x4);
    say_delivery("lowest-one", UART_VECTOR, &line);
    raise(UART_VECTOR, NOBODY);
    say_delivery("nobody", UART_VECTOR, &line);
    raise(UART_VECTOR, 0xff);
    say_delivery("broadcast", UART_VECTOR, &line);
    raise(DELIVERY_NMI, cpu_ids[1]);
    say_delivery("nmi", VECTOR_NMI, &line);
    // A serial card drives no line without OUT2, whose return would send the interrupt.
    outb(COM1 + 4, DTR | RTS);
    raise(UART_VECTOR, cpu_ids[0]);
    line_hex(&line, taken(0, UART_VECTOR));
    drop();
    outb(COM1 + 4, DTR | RTS | OUT2);
    outcome("dev.ioapic.uart-without-out2", "%s", line.text);
    line.used = 0;
}

static void level(void)
{
    struct line line = {.used = 0};
    inside_handler = acknowledge;
    entry_inside = 0;
    raise(LEVEL | UART_VECTOR, cpu_ids[0]);
    inside_handler = NULL;
    line_field(&line, "remote IRR inside", (entry_inside & REMOTE_IRR) != 0);
    line_field(&line, "afterwards", (get(ENTRIES + 2 * UART_PIN) & REMOTE_IRR) != 0);
    line_word(&line, "taken");
    say_delivery("level", UART_VECTOR, &line);
    inside_handler = acknowledge;
    raise(LEVEL | UART_VECTOR, cpu_ids[2]);
    inside_handler = NULL;
    say_delivery("level-other", UART_VECTOR, &line);
    // A level waits while the entry is masked.
    inside_handler = acknowledge;
    raise(LEVEL | MASKED | UART_VECTOR, cpu_ids[0]);
    line_field(&line, "while masked", taken(0, UART_VECTOR));
    put(ENTRIES + 2 * UART_PIN, LEVEL | UART_VECTOR);
    delay_us(500);
    settle();
    inside_handler = NULL;
    line_word(&line, "unmasked");
    say_delivery("level-masked", UART_VECTOR, &line);
}

void dev_ioapic(void)
{
    registers();
    entries();
    delivery();
    level();
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | UART_VECTOR); // its bit in the TMR: edge again
    take_pending();
    taken_forget();
}
