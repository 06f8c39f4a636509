// SPDX-License-Identifier: Apache-2.0
// See fake_print.h.
#include "tests/unit/fake_print.h"

#include <string.h>

#include "arch/lib/format.h"
#include "drivers/console/console.h"

static char text[8192];
static unsigned calls;

void fake_print_clear(void)
{
    text[0] = '\0';
    calls = 0;
}

bool fake_printed(const char *part)
{
    return strstr(text, part) != NULL;
}

unsigned fake_print_count(void)
{
    return calls;
}

void print(const char *fmt, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, fmt);
    vformat(text + used, sizeof(text) - used, fmt, args);
    va_end(args);
    calls++;
}
