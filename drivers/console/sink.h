// SPDX-License-Identifier: Apache-2.0
// The final destinations of console output: the UART, an emulator's debug port, or neither; and the
// screen, if there is one. There is no lock here: the console decides who may call.
#ifndef DRIVERS_CONSOLE_SINK_H
#define DRIVERS_CONSOLE_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/console/sources.h"

// Starts over without a sink.
void console_sink_init(void);

// Whether there is a debug port.
bool console_sink_debug_port(void);

// Adds the screen as a sink, from this call on; drivers/console/framebuffer.h must have been set
// up.
void console_sink_add_screen(void);

// Whether there is any sink at all.
bool console_sink_any(enum console_sink sink);

// How many bytes the sink takes now without waiting; may be 0.
unsigned console_sink_room(enum console_sink sink);

// Puts out one byte, for which there must be room.
void console_sink_put(enum console_sink sink, uint8_t byte);

// Puts out one byte, waiting for room. Drops the byte if the device is stuck: waits about 0.1 s the
// first time, and not at all while it stays stuck.
void console_sink_put_wait(enum console_sink sink, uint8_t byte);

// Draws on the screen what was put there, at most `most` characters; returns how many it drew.
unsigned console_sink_show(unsigned most);

#endif
