// SPDX-License-Identifier: Apache-2.0
// The loader's messages: on the firmware's console; or on COM1, once the firmware's console may no
// longer be used.
#ifndef BOOT_UEFI_SCREEN_H
#define BOOT_UEFI_SCREEN_H

#include <efi.h>
#include <stdbool.h>

void screen_init(const EFI_SYSTEM_TABLE *system);

// Prints a line, prefixed with the program's name.
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

// From this call on, messages no longer use the firmware's console.
void screen_leave(void);

#endif
