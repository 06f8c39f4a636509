// SPDX-License-Identifier: Apache-2.0
// The loader's messages: boot/uefi/screen.h.
#include "boot/uefi/screen.h"

#include <stdarg.h>

#include "arch/cpu/io.h"
#include "arch/lib/format.h"

#define COM1           0x3f8
#define COM1_STATUS    (COM1 + 5)
#define STATUS_EMPTY   0x20
#define WAIT_FOR_READY 100000 // reads; an absent port never becomes ready

static SIMPLE_TEXT_OUTPUT_INTERFACE *output;

void screen_init(const EFI_SYSTEM_TABLE *system)
{
    output = system->ConOut;
}

void screen_leave(void)
{
    output = NULL;
}

static void put(char c)
{
    if (output != NULL) {
        CHAR16 text[2] = {(CHAR16)(unsigned char)c, 0};
        output->OutputString(output, text);
        return;
    }
    for (unsigned i = 0; i < WAIT_FOR_READY && (inb(COM1_STATUS) & STATUS_EMPTY) == 0; i++) {
    }
    outb(COM1, (uint8_t)c);
}

void say(const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    for (const char *p = "Bulkhead: "; *p != '\0'; p++) {
        put(*p);
    }
    for (const char *p = text; *p != '\0'; p++) {
        put(*p);
    }
    put('\r');
    put('\n');
}
