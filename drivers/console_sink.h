// SPDX-License-Identifier: Apache-2.0
// Where console output goes in the end: the UART, an emulator's debug port, or nowhere. Who may
// call is the console's business; there is no lock here.
#ifndef DRIVERS_CONSOLE_SINK_H
#define DRIVERS_CONSOLE_SINK_H

#include <stdint.h>

#include "drivers/console.h"

// Finds the best sink; see console_init().
enum console_sink console_sink_init(uint16_t uart_base);

// How many bytes the sink takes now without waiting; may be 0.
unsigned console_sink_room(enum console_sink sink);

// Puts one byte, for which there must be room.
void console_sink_put(enum console_sink sink, uint8_t byte);

// Puts one byte and waits for room, but drops it if the device is stuck: waits some
// 0.1 s the first time, and not at all while it stays stuck.
void console_sink_put_wait(enum console_sink sink, uint8_t byte);

#endif
