// SPDX-License-Identifier: Apache-2.0
// The loader's messages: on firmware's console, or on COM1 once firmware is not to be asked any
// more.
#ifndef BOOT_UEFI_SCREEN_H
#define BOOT_UEFI_SCREEN_H

#include <efi.h>
#include <stdbool.h>

void screen_init(const EFI_SYSTEM_TABLE *system);

// Prints a line, after the program's name.
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// Leaves firmware's console alone from now on.
void screen_leave(void);

#endif
