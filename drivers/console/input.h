// SPDX-License-Identifier: Apache-2.0
// The console's keyboard side: the meaning of the escape key, and for each source a ring of typed
// bytes that it has not read yet. No output, no device.
#ifndef DRIVERS_CONSOLE_INPUT_H
#define DRIVERS_CONSOLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/console/sources.h"

#define CONSOLE_ESCAPE 0x1d // Ctrl-]

enum console_key_kind {
    CONSOLE_KEY_NONE,   // the escape key itself: wait for the next key
    CONSOLE_KEY_BYTE,   // for the source that has the keyboard
    CONSOLE_KEY_NEXT,   // keyboard to the next source
    CONSOLE_KEY_SOURCE, // keyboard to source `value`
    CONSOLE_KEY_COUNTERS,
    CONSOLE_KEY_LOG,
    CONSOLE_KEY_POWER, // the power button of the partition with the keyboard
    CONSOLE_KEY_VIEW,  // show one partition alone, or all again
    CONSOLE_KEY_ASK,   // asks whether to leave: the next key is the answer
    CONSOLE_KEY_LEAVE, // y
    CONSOLE_KEY_STAY,  // anything else
    CONSOLE_KEY_HELP,  // also for any unknown key after the escape key
};

struct console_key {
    enum console_key_kind kind;
    uint8_t value;
};

// The meaning of the next byte from the keyboard.
enum console_key_state {
    CONSOLE_KEYS_PLAIN,   // at first: a byte for the source that has the keyboard
    CONSOLE_KEYS_ESCAPED, // the escape key came
    CONSOLE_KEYS_ASKED,   // the next key answers whether to leave
};

// Interprets one byte from the keyboard; `state` is kept between calls.
struct console_key console_key(enum console_key_state *state, uint8_t byte);

// Removes all rings. Boot CPU.
void console_input_init(void);

// Gives a source its ring: `size` bytes, a power of two. Boot CPU.
void console_input_add(unsigned source, void *bytes, size_t size);

// Appends a byte for a source; false if its ring is full. Only the console CPU.
bool console_input_put(unsigned source, uint8_t byte);

// Reader's side: see console_get() and console_restart().
bool console_input_get(unsigned source, uint8_t *byte);
void console_input_flush(unsigned source);

#endif
