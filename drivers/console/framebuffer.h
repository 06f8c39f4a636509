// SPDX-License-Identifier: Apache-2.0
// Text on a linear framebuffer with 32 bits per pixel. The characters are kept in memory, and only
// changed ones are drawn; video memory is never read, because that is slow. One screen. There is no
// lock here: the console decides who may call.
#ifndef DRIVERS_CONSOLE_FRAMEBUFFER_H
#define DRIVERS_CONSOLE_FRAMEBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/boot_info.h"

#define FRAMEBUFFER_GLYPH_WIDTH  8u // pixels; on large screens each is a block of several
#define FRAMEBUFFER_GLYPH_HEIGHT 16u
#define FRAMEBUFFER_MAX_COLUMNS  240u
#define FRAMEBUFFER_MAX_ROWS     100u

// Bytes of memory that framebuffer_init() needs for the characters.
size_t framebuffer_memory(const struct boot_framebuffer *screen);

// Uses the screen whose pixels are mapped at `pixels`, and clears it. `memory` is zeroed, and
// belongs to the screen from then on. boot_set_screen() must have checked `screen`.
void framebuffer_init(const struct boot_framebuffer *screen, void *pixels, void *memory);

// Takes one byte of the console's output: printable ASCII, CR, LF, BS, HT. Ignores terminal
// sequences, and shows a character of several bytes as one glyph that stands for all non-ASCII.
// Draws nothing yet. A full screen scrolls by a quarter of its rows, so that it is redrawn less
// often.
void framebuffer_put(uint8_t byte);

// Draws what has changed since the last call, at most `most` characters. Returns how many it drew;
// if that is `most`, there may be more.
unsigned framebuffer_show(unsigned most);

// For a panic: clears the mark of an interrupted framebuffer_show().
void framebuffer_break(void);

#endif
