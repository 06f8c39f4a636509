// SPDX-License-Identifier: Apache-2.0
// The keyboard side of the console: what the escape key means, and each source's ring of bytes
// typed and not yet read. No output, no device.
#ifndef DRIVERS_CONSOLE_INPUT_H
#define DRIVERS_CONSOLE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console.h"

#define CONSOLE_ESCAPE     0x1d // Ctrl-]
#define CONSOLE_INPUT_SIZE 1024 // bytes a source may leave unread; power of two

enum console_key_kind {
    CONSOLE_KEY_NONE,   // the escape key itself: wait for the next
    CONSOLE_KEY_BYTE,   // for the source that has the keyboard
    CONSOLE_KEY_NEXT,   // keyboard to the next source
    CONSOLE_KEY_SOURCE, // keyboard to source `value`
    CONSOLE_KEY_COUNTERS,
    CONSOLE_KEY_LOG,
    CONSOLE_KEY_POWER, // the power button of the partition that has the keyboard
    CONSOLE_KEY_LEAVE,
    CONSOLE_KEY_HELP, // also what any unknown key after the escape key gives
};

struct console_key {
    enum console_key_kind kind;
    uint8_t value;
};

// Interprets one byte from the keyboard; `escaped` is the state between calls, false at first.
struct console_key console_key(bool *escaped, uint8_t byte);

// Empties all rings. Boot CPU.
void console_input_init(void);

// Appends a byte for a source; false if its ring is full. Only the console CPU.
bool console_input_put(unsigned source, uint8_t byte);

// Reader's side: see console_get(), console_has_input() and console_flush_input().
bool console_input_get(unsigned source, uint8_t *byte);
bool console_input_ready(unsigned source);
void console_input_flush(unsigned source);

#endif
