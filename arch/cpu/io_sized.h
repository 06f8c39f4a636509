// SPDX-License-Identifier: Apache-2.0
// Port input and output whose width is known at run time only. Host tests have their own.
#ifndef ARCH_CPU_IO_SIZED_H
#define ARCH_CPU_IO_SIZED_H

#include <stdint.h>

// `size`: 1, 2 or 4 bytes.
uint32_t io_read(uint16_t port, unsigned size);
void io_write(uint16_t port, unsigned size, uint32_t value);

#endif
