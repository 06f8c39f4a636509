// SPDX-License-Identifier: Apache-2.0
// Why a loader's data can't be used, as text for the user.
#ifndef BOOT_ERROR_H
#define BOOT_ERROR_H

#include <stddef.h>

#include "arch/lib/status.h"

// Where the error text goes.
struct boot_error {
    char *text;
    size_t size;
};

// Writes the error text and returns `status`.
enum status boot_fail(const struct boot_error *error, enum status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
