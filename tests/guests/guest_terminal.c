// SPDX-License-Identifier: Apache-2.0
// terminal.elf: what a partition can send to a terminal. how=bytes: all that there are. Otherwise
// it tries to look like another: how=forge.

#include "tests/guests/guest.h"

static void send_bytes(void)
{
    for (unsigned i = 0; i < 256; i++)
        print("%c", (char)i);
    print("\nbytes sent\n");
}

// Each goes to the left of its own prefix, or to another line, and writes there.
static const char *const forgeries[] = {
    "x\b\b\b\b\b\b\b\b\b\b\b\b\b\b[bulkhead] forged by backspaces",
    "\033[1G[bulkhead] forged by a column",
    "\033[999D[bulkhead] forged by moving left",
    "x\033[A\r\033[B[bulkhead] forged by another line",
    "\033[2J\033[H[bulkhead] forged by an empty screen",
    "\0337\033[1;1H[bulkhead] forged by a place\0338",
    "\v\b\b\b\b\b\b\b\b\b\b\b\b\b[bulkhead] forged by a vertical tab",
    "\033[?1049h[bulkhead] forged on another screen",
    "\r[bulkhead] forged by a carriage return",
    "\033[8mhidden\033[6n\033[c\005",
    "\033]0;a title that does not end",
    "\302\233"
    "1G[bulkhead] forged by 8 bits",
};

static void forge(void)
{
    for (unsigned i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
        print("%s", forgeries[i]);
        print("\n");
    }
    print("forgeries sent\n");
}

void run_guest(void)
{
    delay_us(option_number("delay", 0) * 1000);
    if (option_is("how", "bytes"))
        send_bytes();
    else
        forge();
    for (;;)
        delay_us(100000);
}
