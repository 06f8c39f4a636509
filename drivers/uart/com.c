// SPDX-License-Identifier: Apache-2.0
// COM1 to COM4 (IBM PC/AT Technical Reference, serial adapter; COM3 and COM4 by convention).
#include "drivers/uart/uart.h"

const struct uart_com uart_coms[UART_COMS] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};
