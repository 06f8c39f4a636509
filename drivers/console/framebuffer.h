// SPDX-License-Identifier: Apache-2.0
// Text on a linear framebuffer of 32 bits a pixel. The characters are kept in memory and only those
// that have changed are drawn: video memory is never read, since that is slow. One screen; who may
// call is the console's business, there is no lock here.
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

// Takes over the screen, whose pixels are mapped at `pixels`, and clears it. `memory` is zeroed and
// stays the screen's. `screen` has been checked (boot_set_screen).
void framebuffer_init(const struct boot_framebuffer *screen, void *pixels, void *memory);

// Takes one byte of the console's output: printable ASCII, CR, LF, BS, HT. Terminal sequences are
// left out, and a character of several bytes becomes one glyph for all that is not ASCII. Nothing
// is drawn yet. A full screen moves up by a quarter of its rows, so that it is redrawn less often.
void framebuffer_put(uint8_t byte);

// Draws what has changed since the last time, `most` characters of it; returns how many it drew: if
// `most`, there may be more.
unsigned framebuffer_show(unsigned most);

// For a panic: forgets that framebuffer_show() may have been interrupted.
void framebuffer_break(void);

#endif
