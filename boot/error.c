// SPDX-License-Identifier: Apache-2.0
// Error texts of the boot code: boot/error.h.
#include "boot/error.h"

#include <stdarg.h>

#include "arch/lib/format.h"

enum status boot_fail(const struct boot_error *error, enum status status, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vformat(error->text, error->size, fmt, args);
    va_end(args);
    return status;
}
