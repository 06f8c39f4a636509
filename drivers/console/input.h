// SPDX-License-Identifier: Apache-2.0
// The keyboard side of the console: what the escape key means, and each source's ring of bytes
// typed and not yet read. No output, no device.
#ifndef DRIVERS_CONSOLE_INPUT_H
#define DRIVERS_CONSOLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/console/sources.h"

#define CONSOLE_ESCAPE 0x1d // Ctrl-]

enum console_key_kind {
    CONSOLE_KEY_NONE,   // the escape key itself: wait for the next
    CONSOLE_KEY_BYTE,   // for the source that has the keyboard
    CONSOLE_KEY_NEXT,   // keyboard to the next source
    CONSOLE_KEY_SOURCE, // keyboard to source `value`
    CONSOLE_KEY_COUNTERS,
    CONSOLE_KEY_LOG,
    CONSOLE_KEY_POWER, // the power button of the partition that has the keyboard
    CONSOLE_KEY_VIEW,  // one partition alone, or all again
    CONSOLE_KEY_ASK,   // whether to leave: the next key is the answer
    CONSOLE_KEY_LEAVE, // y
    CONSOLE_KEY_STAY,  // anything else
    CONSOLE_KEY_HELP,  // also what any unknown key after the escape key gives
};

struct console_key {
    enum console_key_kind kind;
    uint8_t value;
};

// What the next byte from the keyboard is.
enum console_key_state {
    CONSOLE_KEYS_PLAIN,   // at first: a byte for the source that has the keyboard
    CONSOLE_KEYS_ESCAPED, // the escape key came
    CONSOLE_KEYS_ASKED,   // the answer whether to leave
};

// Interprets one byte from the keyboard; `state` is what is known between calls.
struct console_key console_key(enum console_key_state *state, uint8_t byte);

// Takes all rings away. Boot CPU.
void console_input_init(void);

// Gives a source its ring: `size` bytes, a power of two. Boot CPU.
void console_input_add(unsigned source, void *bytes, size_t size);

// Appends a byte for a source; false if its ring is full. Only the console CPU.
bool console_input_put(unsigned source, uint8_t byte);

// Reader's side: see console_get(), console_has_input() and console_flush_input().
bool console_input_get(unsigned source, uint8_t *byte);
bool console_input_ready(unsigned source);
void console_input_flush(unsigned source);

#endif
