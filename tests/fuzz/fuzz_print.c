// SPDX-License-Identifier: Apache-2.0
// print() for fuzzers: there is a text, which is formatted and forgotten.
#include <stdarg.h>

#include "arch/lib/format.h"
#include "drivers/console/console.h"
#include "tests/fuzz/fuzz.h"

void print(const char *fmt, ...)
{
    char text[CONSOLE_PRINT_SIZE];
    va_list args;

    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    CHECK(text[0] != '\0');
}
