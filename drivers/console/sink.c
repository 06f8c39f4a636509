// SPDX-License-Identifier: Apache-2.0
// The console's sinks. The debug port is QEMU's isa-debugcon or Bochs's port_e9_hack: reading it
// returns its own number, and it takes every byte at once.
#include "drivers/console/sink.h"

#include "drivers/console/framebuffer.h"
#include "drivers/uart/port.h"
#include "drivers/uart/uart.h"

#define DEBUG_PORT_VALUE 0xe9

// A port read takes about a microsecond; at 115200 baud a byte takes 87 of them, a full FIFO 1.4
// ms.
#define WAIT_TRIES 100000

// The device was not ready within WAIT_TRIES. Until it is ready again, bytes are dropped without a
// wait for each. Only synchronous writers use it; a race costs a wait or a byte.
static bool stuck;

static bool screen; // set by the boot CPU before console_start()

void console_sink_init(void)
{
    stuck = false;
    screen = false;
}

bool console_sink_debug_port(void)
{
    return uart_port_read(CONSOLE_DEBUG_PORT) == DEBUG_PORT_VALUE;
}

void console_sink_add_screen(void)
{
    screen = true;
}

bool console_sink_any(enum console_sink sink)
{
    return sink != CONSOLE_SINK_NONE || screen;
}

unsigned console_sink_room(enum console_sink sink)
{
    return sink == CONSOLE_SINK_UART ? uart_tx_room() : 16;
}

static void put_to_device(enum console_sink sink, uint8_t byte)
{
    if (sink == CONSOLE_SINK_UART)
        uart_tx(byte);
    else if (sink == CONSOLE_SINK_DEBUG_PORT)
        uart_port_write(CONSOLE_DEBUG_PORT, byte);
}

void console_sink_put(enum console_sink sink, uint8_t byte)
{
    put_to_device(sink, byte);
    if (screen)
        framebuffer_put(byte);
}

void console_sink_put_wait(enum console_sink sink, uint8_t byte)
{
    unsigned tries = 0;

    if (screen)
        framebuffer_put(byte);
    while (console_sink_room(sink) == 0) {
        if (stuck || ++tries == WAIT_TRIES) {
            stuck = true;
            return;
        }
    }
    stuck = false;
    put_to_device(sink, byte);
}

unsigned console_sink_show(unsigned most)
{
    return screen ? framebuffer_show(most) : 0;
}
