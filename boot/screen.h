// SPDX-License-Identifier: Apache-2.0
// The screen as a loader describes it, and its conversion to the framebuffer of struct boot_info.
#ifndef BOOT_SCREEN_H
#define BOOT_SCREEN_H

#include <stdint.h>

#include "boot/boot_info.h"

// What a boot protocol says about the screen; in Multiboot 1's field order.
struct boot_screen {
    uint64_t base; // host-physical
    uint32_t pitch, width, height;
    uint8_t bits;      // per pixel
    uint8_t kind;      // BOOT_SCREEN_RGB, or a kind that is not used
    uint8_t colour[6]; // position and size in bits of red, then green, then blue
} __attribute__((packed));

#define BOOT_SCREEN_RGB  1u
#define BOOT_SCREEN_TEXT 2u

// Accepts a linear framebuffer with 32 bits per pixel, 8 of them for each colour. It must be large
// enough for some text and lie where a framebuffer can: completely above 1 MiB and below 2^52. For
// another one, info->framebuffer_refused gets the reason; a screen in text mode is ignored.
void boot_set_screen(struct boot_info *info, const struct boot_screen *screen);

#endif
