// SPDX-License-Identifier: Apache-2.0
// Priorities (SDM vol. 3, "Interrupt, Task, and Processor Priority"): interrupts sent to itself
// with interrupts off, and what TPR, PPR, CR8, IRR, ISR and TMR say at each step.

#include "tests/guests/equiv/device.h"

enum {
    LAPIC_PPR = 0xa0,
    LAPIC_ISR = 0x100,
    LAPIC_TMR = 0x180,
};

static uint64_t read_cr8(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr8, %0" : "=r"(value));
    return value;
}

static void write_cr8(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

static void send_self(unsigned vector)
{
    lapic_ipi(0, ICR_SELF | ICR_ASSERT | vector);
}

// The vectors whose bits are set in a group of eight registers.
static void line_bits(struct line *line, const char *name, unsigned group)
{
    bool any = false;
    line_word(line, name);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t bits = lapic_read(group + 16 * i);
        for (unsigned bit = 0; bit < 32; bit++) {
            if (bits >> bit & 1)
                line_hex(line, 32 * i + bit);
        }
        any |= bits != 0;
    }
    if (!any)
        line_word(line, "-");
}

static void say(const char *name, struct line *line)
{
    outcome(name_of(apic_mode(), name), "%s", line->text);
    *line = (struct line){.used = 0};
}

static void in_order(void)
{
    static const uint8_t sent[] = {VECTOR_LOW, VECTOR_HIGH, VECTOR_MID, VECTOR_MID2, 0x20, 0xfe};
    struct line line = {.used = 0};
    taken_forget();
    for (unsigned i = 0; i < COUNT(sent); i++)
        send_self(sent[i]);
    line_bits(&line, "IRR", LAPIC_IRR);
    line_bits(&line, "ISR", LAPIC_ISR);
    line_bits(&line, "TMR", LAPIC_TMR);
    line_field(&line, "PPR", lapic_read(LAPIC_PPR));
    say("priority.pending", &line);
    take_pending();
    line_taken(&line, 0);
    say("priority.order", &line);
    line_bits(&line, "IRR", LAPIC_IRR);
    line_bits(&line, "ISR", LAPIC_ISR);
    say("priority.order-after", &line);
}

static void same_twice(void)
{
    struct line line = {.used = 0};
    taken_forget();
    send_self(VECTOR_MID);
    send_self(VECTOR_MID);
    send_self(VECTOR_MID);
    take_pending();
    line_taken(&line, 0);
    say("priority.same-vector", &line);
}

static void held_by_tpr(void)
{
    static const uint8_t tprs[] = {0xf0, 0x9f, 0x90, 0x8f, 0x55, 0x51, 0x50, 0x4f, 0x31, 0x2f, 0};
    for (unsigned i = 0; i < COUNT(tprs); i++) {
        struct line line = {.used = 0};
        taken_forget();
        lapic_write(LAPIC_TPR, tprs[i]);
        line_field(&line, "CR8", read_cr8());
        line_field(&line, "PPR", lapic_read(LAPIC_PPR));
        send_self(VECTOR_LOW);
        send_self(VECTOR_MID);
        send_self(VECTOR_HIGH);
        take_pending();
        line_word(&line, "taken");
        line_taken(&line, 0);
        line_bits(&line, "IRR", LAPIC_IRR);
        lapic_write(LAPIC_TPR, 0);
        taken_forget();
        take_pending();
        line_word(&line, "then");
        line_taken(&line, 0);
        outcome(name_number(name_of(apic_mode(), "priority.tpr-"), tprs[i], "held"), "%s",
                line.text);
    }
}

static void by_cr8(void)
{
    struct line line = {.used = 0};
    for (unsigned value = 0; value < 16; value += 5) {
        write_cr8(value);
        line_field(&line, "TPR", lapic_read(LAPIC_TPR));
        line_field(&line, "CR8", read_cr8());
    }
    write_cr8(0);
    say("priority.cr8", &line);
    taken_forget();
    write_cr8(5);
    send_self(VECTOR_MID);
    send_self(VECTOR_HIGH);
    take_pending();
    line_taken(&line, 0);
    taken_forget();
    write_cr8(4);
    take_pending();
    line_word(&line, "then");
    line_taken(&line, 0);
    write_cr8(0);
    say("priority.cr8-held", &line);
}

// What the handler of VECTOR_MID sees of the registers, and which interrupts nest.
static struct line nested;

static void nest(unsigned vector)
{
    if (vector != VECTOR_MID)
        return;
    line_bits(&nested, "ISR", LAPIC_ISR);
    line_field(&nested, "PPR", lapic_read(LAPIC_PPR));
    send_self(VECTOR_LOW);
    send_self(VECTOR_MID2); // same class: waits
    send_self(VECTOR_MID);  // once more while it is in service
    take_pending();
    line_word(&nested, "inside");
    line_taken(&nested, 0);
    line_bits(&nested, "IRR", LAPIC_IRR);
    if (taken(0, VECTOR_HIGH) == 0) {
        send_self(VECTOR_HIGH);
        take_pending();
        line_word(&nested, "and");
        line_taken(&nested, 0);
    }
    inside_handler = NULL;
}

static void nesting(void)
{
    struct line line = {.used = 0};
    nested.used = 0;
    taken_forget();
    inside_handler = nest;
    send_self(VECTOR_MID);
    take_pending();
    inside_handler = NULL;
    say("priority.nested-inside", &nested);
    line_taken(&line, 0);
    line_bits(&line, "IRR", LAPIC_IRR);
    line_bits(&line, "ISR", LAPIC_ISR);
    say("priority.nested-order", &line);
}

// In-service registers with two interrupts at once; EOI ends the higher one first.
static void two_in_service(unsigned vector)
{
    if (vector == VECTOR_LOW) {
        send_self(VECTOR_HIGH);
        take_pending();
        line_bits(&nested, "after the nested", LAPIC_ISR);
    } else {
        line_bits(&nested, "both", LAPIC_ISR);
        line_field(&nested, "PPR", lapic_read(LAPIC_PPR));
        lapic_write(LAPIC_TPR, 0xa5);
        line_field(&nested, "PPR with a higher TPR", lapic_read(LAPIC_PPR));
        lapic_write(LAPIC_TPR, 0x95);
        line_field(&nested, "with one of its class", lapic_read(LAPIC_PPR));
        lapic_write(LAPIC_TPR, 0);
    }
}

static void eoi_order(void)
{
    nested.used = 0;
    taken_forget();
    inside_handler = two_in_service;
    send_self(VECTOR_LOW);
    take_pending();
    inside_handler = NULL;
    line_bits(&nested, "end", LAPIC_ISR);
    line_field(&nested, "PPR", lapic_read(LAPIC_PPR));
    say("priority.in-service", &nested);
}

// Software-disabled and enabled again with interrupts waiting: they are kept (SDM: "pending
// interrupts in the IRR and ISR registers are held").
static void disabled_while_pending(void)
{
    struct line line = {.used = 0};
    taken_forget();
    send_self(VECTOR_MID);
    lapic_write(LAPIC_SVR, 0x0ff);
    line_bits(&line, "IRR", LAPIC_IRR);
    lapic_write(LAPIC_SVR, 0x1ff);
    take_pending();
    line_taken(&line, 0);
    say("priority.disabled-pending", &line);
}

// The spurious vector gets back another number before the EOI: Bochs ends none that has it.
static void restore_spurious(unsigned vector)
{
    (void)vector;
    lapic_write(LAPIC_SVR, 0x1ff);
}

// An ordinary interrupt with the spurious vector's number, and priority raised over one that waits.
static void spurious(void)
{
    struct line line = {.used = 0};
    taken_forget();
    lapic_write(LAPIC_SVR, 0x1ef);
    send_self(0xef);
    inside_handler = restore_spurious;
    take_pending();
    inside_handler = NULL;
    line_taken(&line, 0);
    line_bits(&line, "ISR", LAPIC_ISR);
    lapic_write(LAPIC_SVR, 0x1ff);
    say("priority.spurious-number", &line);
    taken_forget();
    send_self(VECTOR_MID);
    lapic_write(LAPIC_TPR, 0x60);
    take_pending();
    line_taken(&line, 0);
    taken_forget();
    lapic_write(LAPIC_TPR, 0);
    take_pending();
    line_word(&line, "then");
    line_taken(&line, 0);
    say("priority.raised-over-pending", &line);
}

void apic_priorities(void)
{
    lapic_write(LAPIC_TPR, 0);
    in_order();
    same_twice();
    held_by_tpr();
    by_cr8();
    nesting();
    eoi_order();
    disabled_while_pending();
    spurious();
}
