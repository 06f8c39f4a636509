// SPDX-License-Identifier: Apache-2.0
// Text formatting: a subset of snprintf without floating point and without any state, so that it
// may be called in every context. The same code serves the hypervisor and the host's unit tests.
#ifndef ARCH_LIB_FORMAT_H
#define ARCH_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

// Writes at most `size` bytes to `buf`, terminator included (none if `size` is 0), and returns
// the length of the whole text without terminator: a result >= size means that it was cut off.
//
// Conversions: %s %c %d %i %u %x %X %p %%, the lengths hh h l ll z, a width (number or *), the
// flags 0 and -, and a precision for %s (number or *). %p prints 0x and all 16 digits. A null
// string prints as (null). An unknown conversion is copied as it stands and takes no argument.
size_t format(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
