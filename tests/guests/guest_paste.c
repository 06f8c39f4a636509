// SPDX-License-Identifier: Apache-2.0
// paste.elf: reads n= bytes from COM1 after doing nothing for delay= ms, and says what came: a
// number, and their FNV-1a hash of 32 bits.

#include "tests/guests/guest.h"

enum {
    UART_DATA = COM1,
    UART_FIFO = COM1 + 2,
    UART_MODEM = COM1 + 4,
    UART_STATUS = COM1 + 5,
    STATUS_DATA = 1,
    STATUS_OVERRUN = 2,
};

static unsigned overruns;

static uint8_t receive(void)
{
    for (;;) {
        uint8_t status = inb(UART_STATUS);
        overruns += (status & STATUS_OVERRUN) != 0;
        if (status & STATUS_DATA)
            return inb(UART_DATA);
        pause();
    }
}

void run_guest(void)
{
    uint64_t n = option_number("n", 1);
    uint32_t hash = 2166136261u;
    outb(UART_FIFO, 1);
    outb(UART_MODEM, 0x0b);
    print("ready\n");
    delay_us(option_number("delay", 0) * 1000);
    for (uint64_t i = 0; i < n; i++) {
        hash = (hash ^ receive()) * 16777619u;
        if ((i + 1) % 8192 == 0)
            print("got %lu\n", i + 1);
    }
    print("received %lu, hash %08x, %u overruns\n", n, hash, overruns);
}
