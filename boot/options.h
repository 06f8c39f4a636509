// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own command line: words of the form name=value.
#ifndef BOOT_OPTIONS_H
#define BOOT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

// Copies the value of the last word that begins with `name` and "=", cut to `size` bytes. False if
// there is none; `value` is then empty.
bool boot_option(const char *cmdline, const char *name, char *value, size_t size);

#endif
