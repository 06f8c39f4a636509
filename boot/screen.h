// SPDX-License-Identifier: Apache-2.0
// The screen as a loader describes it, and what of it becomes the framebuffer of struct boot_info.
#ifndef BOOT_SCREEN_H
#define BOOT_SCREEN_H

#include <stdint.h>

#include "boot/boot_info.h"

// What a boot protocol says of the screen; Multiboot 1 in this very order.
struct boot_screen {
    uint64_t base; // host-physical
    uint32_t pitch, width, height;
    uint8_t bits;      // a pixel
    uint8_t kind;      // BOOT_SCREEN_RGB, or one that is not used
    uint8_t colour[6]; // position and size in bits of red, of green, of blue
} __attribute__((packed));

#define BOOT_SCREEN_RGB  1u
#define BOOT_SCREEN_TEXT 2u

// Takes over a linear framebuffer with 32 bits a pixel, 8 of them for each colour, that is large
// enough for some text and lies where one can: above 1 MiB, below 2^52, whole. Another one is left
// out, and info->framebuffer_refused says why; a screen in text mode without a word.
void boot_set_screen(struct boot_info *info, const struct boot_screen *screen);

#endif
