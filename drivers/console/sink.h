// SPDX-License-Identifier: Apache-2.0
// Where console output goes in the end: the UART, or an emulator's debug port, or neither; and the
// screen, if there is one. Who may call is the console's business; there is no lock here.
#ifndef DRIVERS_CONSOLE_SINK_H
#define DRIVERS_CONSOLE_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/sources.h"

// Starts over without any.
void console_sink_init(void);

// Whether there is a debug port.
bool console_sink_debug_port(void);

// Shows what comes from here on the screen too (drivers/console/framebuffer.h), which has been set
// up; and whether that is so.
void console_sink_add_screen(void);
bool console_sink_has_screen(void);

// Whether there is any sink at all.
bool console_sink_any(enum console_sink sink);

// How many bytes the sink takes now without waiting; may be 0.
unsigned console_sink_room(enum console_sink sink);

// Puts one byte, for which there must be room.
void console_sink_put(enum console_sink sink, uint8_t byte);

// Puts one byte and waits for room, but drops it if the device is stuck: waits some
// 0.1 s the first time, and not at all while it stays stuck.
void console_sink_put_wait(enum console_sink sink, uint8_t byte);

// Draws on the screen what has been put there, `most` characters of it; returns how many it drew.
unsigned console_sink_show(unsigned most);

#endif
