// SPDX-License-Identifier: Apache-2.0
// COM1, a 16550A (National PC16550D data sheet, section 8). Lines are printed when the registers
// are back as the console needs them, and what is sent goes round the loop.

#include "tests/guests/equiv/device.h"

enum {
    DATA = COM1,
    IER = COM1 + 1,
    IIR = COM1 + 2,
    FCR = COM1 + 2,
    LCR = COM1 + 3,
    MCR = COM1 + 4,
    LSR = COM1 + 5,
    MSR = COM1 + 6,
    SCRATCH = COM1 + 7,
    DLAB = 0x80,
    LOOP = 0x10,
    MCR_CONSOLE = 0x0b,
    LSR_DATA = 1,
    LSR_EMPTY = 0x40,
    FIFO_ON = 0x07, // and both emptied
};

static void wait_empty(void)
{
    uint64_t end = rdtsc() + 500 * tsc_khz();
    while (!(inb(LSR) & LSR_EMPTY) && rdtsc() < end)
        pause();
}

static void begin(void)
{
    wait_empty();
    delay_us(200);
    outb(IER, 0);
    outb(FCR, FIFO_ON);
    outb(MCR, LOOP | MCR_CONSOLE);
    inb(MSR);
    inb(LSR);
    inb(IIR);
}

static void end(const char *name, struct line *line)
{
    wait_empty();
    delay_us(200);
    outb(IER, 0);
    outb(LCR, 0x03);
    outb(FCR, FIFO_ON);
    outb(MCR, MCR_CONSOLE);
    inb(MSR);
    inb(IIR);
    outcome(name_of("dev.uart", name), "%s", line->text);
    line->used = 0;
}

static bool wait_data(void)
{
    uint64_t limit = rdtsc() + 100 * tsc_khz();
    while (!(inb(LSR) & LSR_DATA) && rdtsc() < limit)
        pause();
    return inb(LSR) & LSR_DATA;
}

static void registers(void)
{
    static const struct {
        const char *name;
        uint16_t port;
        uint8_t values[5];
    } plain[] = {
        {"ier", IER, {0x0f, 0x00, 0x05, 0x0a, 0xf0}},
        {"lcr", LCR, {0x00, 0x1f, 0x2a, 0x55, 0x03}},
        {"mcr", MCR, {0x10, 0x1f, 0x15, 0x1a, 0xf0}},
        {"scratch", SCRATCH, {0x00, 0xff, 0xa5, 0x5a, 0x33}},
    };
    struct line line = {.used = 0};
    for (unsigned i = 0; i < COUNT(plain); i++) {
        begin();
        for (unsigned value = 0; value < 5; value++) {
            outb(plain[i].port, plain[i].values[value]);
            line_hex(&line, inb(plain[i].port));
        }
        end(plain[i].name, &line);
    }
    begin();
    outb(LCR, DLAB | 0x03);
    uint8_t low = inb(DATA), high = inb(IER);
    outb(DATA, 0x34);
    outb(IER, 0x12);
    line_hex(&line, inb(DATA));
    line_hex(&line, inb(IER));
    outb(LCR, 0x03);
    line_field(&line, "IER behind it", inb(IER));
    outb(LCR, DLAB | 0x03);
    line_field(&line, "kept", inb(DATA));
    line_hex(&line, inb(IER));
    outb(DATA, low);
    outb(IER, high);
    outb(LCR, 0x03);
    end("divisor", &line);
    begin();
    outb(LSR, 0x00);
    line_field(&line, "LSR", inb(LSR) & 0x60);
    outb(MSR, 0x00);
    line_field(&line, "MSR", inb(MSR) & 0xf0);
    end("read-only", &line);
}

static void modem_lines(void)
{
    struct line line = {.used = 0};
    for (unsigned lines = 0; lines < 16; lines++) {
        begin();
        outb(MCR, LOOP);
        inb(MSR);
        outb(MCR, (uint8_t)(LOOP | lines));
        uint8_t first = inb(MSR), second = inb(MSR);
        outb(MCR, LOOP);
        uint8_t back = inb(MSR);
        line_field(&line, "MSR", first);
        line_field(&line, "read again", second);
        line_field(&line, "lines back", back);
        end(name_number("modem-", lines, "loop"), &line);
    }
}

static void looped_data(void)
{
    struct line line = {.used = 0};
    static const uint8_t bytes[] = {0x00, 0xff, 0xa5, 0x0d};
    begin();
    line_field(&line, "LSR before", inb(LSR));
    for (unsigned i = 0; i < COUNT(bytes); i++) {
        outb(DATA, bytes[i]);
        if (!wait_data())
            line_word(&line, "nothing");
        line_hex(&line, inb(DATA));
    }
    line_field(&line, "LSR after", inb(LSR) & LSR_DATA);
    line_field(&line, "empty", inb(DATA));
    end("loop-bytes", &line);

    begin();
    for (uint8_t i = 0; i < 16; i++) {
        outb(DATA, (uint8_t)(0x30 + i));
        wait_empty();
    }
    delay_us(200);
    for (unsigned i = 0; i < 17; i++)
        line_hex(&line, inb(DATA));
    end("loop-fifo", &line);

    // The seventeenth is lost, and the line status says so once.
    begin();
    for (uint8_t i = 0; i < 18; i++) {
        outb(DATA, (uint8_t)(0x40 + i));
        wait_empty();
    }
    delay_us(200);
    line_word(&line, "errors seen earlier or");
    line_field(&line, "data", inb(LSR) & LSR_DATA);
    line_field(&line, "overrun again", inb(LSR) & 2);
    unsigned count = 0;
    for (; (inb(LSR) & LSR_DATA) && count < 40; count++)
        inb(DATA);
    line_field(&line, "bytes", count);
    end("loop-overrun", &line);

    begin();
    outb(DATA, 0x5a);
    wait_data();
    outb(FCR, 0x03); // empties the receiver
    line_field(&line, "data after emptying", inb(LSR) & LSR_DATA);
    end("fifo-reset", &line);

    begin();
    outb(FCR, 0);
    line_field(&line, "without FIFO", inb(IIR));
    outb(FCR, 1);
    line_field(&line, "with", inb(IIR));
    outb(FCR, 0xc0);
    line_field(&line, "without enable bit", inb(IIR));
    outb(FCR, 0xc1);
    line_field(&line, "trigger 14", inb(IIR));
    end("fifo-iir", &line);

    // Without a FIFO the second byte takes the first one's place.
    begin();
    outb(FCR, 0);
    outb(DATA, 0x11);
    wait_data();
    outb(DATA, 0x22);
    wait_empty();
    delay_us(200);
    line_field(&line, "data", inb(LSR) & LSR_DATA);
    line_field(&line, "byte", inb(DATA));
    line_field(&line, "left", inb(LSR) & LSR_DATA);
    end("no-fifo-overrun", &line);
}

// The identification register by priority: line status, data, transmitter, modem.
static void identification(void)
{
    struct line line = {.used = 0};
    begin();
    outb(IER, 0x02);
    line_field(&line, "THR empty", inb(IIR));
    line_field(&line, "read again", inb(IIR));
    outb(IER, 0);
    outb(IER, 0x02);
    line_field(&line, "enabled again", inb(IIR));
    end("iir-transmitter", &line);

    begin();
    outb(FCR, 0x07);
    outb(IER, 0x01);
    line_field(&line, "nothing", inb(IIR));
    outb(DATA, 0x41);
    wait_data();
    line_field(&line, "data", inb(IIR));
    line_field(&line, "still", inb(IIR));
    inb(DATA);
    line_field(&line, "read", inb(IIR));
    end("iir-data", &line);

    begin();
    outb(IER, 0x08);
    line_field(&line, "nothing", inb(IIR));
    outb(MCR, LOOP);
    line_field(&line, "modem", inb(IIR));
    inb(MSR);
    line_field(&line, "read", inb(IIR));
    end("iir-modem", &line);

    begin();
    outb(MCR, LOOP);
    inb(MSR);
    outb(MCR, LOOP | 0x0f);
    outb(DATA, 0x42);
    wait_data();
    wait_empty();
    outb(IER, 0x0f);
    line_field(&line, "all", inb(IIR));
    inb(DATA);
    line_field(&line, "then", inb(IIR));
    line_field(&line, "then", inb(IIR));
    inb(MSR);
    line_field(&line, "then", inb(IIR));
    end("iir-priorities", &line);

    begin();
    outb(FCR, 0);
    outb(IER, 0x04);
    outb(DATA, 0x43);
    delay_us(200);
    outb(DATA, 0x44);
    delay_us(20000);
    line_field(&line, "overrun", inb(IIR));
    line_field(&line, "LSR", inb(LSR) & 0x1f);
    line_field(&line, "then", inb(IIR));
    end("iir-line-status", &line);
}

void dev_uart(void)
{
    registers();
    modem_lines();
    looped_data();
    identification();
}
