// SPDX-License-Identifier: Apache-2.0
// pixels.elf: fills the framebuffer that the loader's information tells of with a picture which
// tests/boot/test_framebuffer.py knows, in other colours after each restart, runs= times in all.

#include "tests/guests/guest.h"

enum {
    INFO_FLAGS = 0,
    INFO_FRAMEBUFFER = 88, // base, pitch, width, height, bits, type, three times position and size
    HAS_FRAMEBUFFER = 1 << 12,
};

struct screen {
    uint64_t base;
    uint32_t pitch, width, height;
    uint8_t depth, type;
    uint8_t colour[6];
} __attribute__((packed));

static uint32_t colour(const struct screen *s, uint32_t x, uint32_t y, uint32_t run)
{
    return ((x + 16 * run) & 0xff) << s->colour[0] | (y & 0xff) << s->colour[2] |
           ((64 * run) & 0xff) << s->colour[4];
}

static volatile uint32_t *row(const struct screen *s, uint32_t y)
{
    return (volatile uint32_t *)(uintptr_t)(s->base + (uint64_t)s->pitch * y);
}

// Nobody clears the screen at a restart, so it says how many there were.
static uint32_t find_run(const struct screen *s)
{
    uint32_t run = 3;
    while (run > 0 && row(s, 0)[0] != colour(s, 0, 0, run))
        run--;
    return run + 1;
}

static void draw(const struct screen *s, uint32_t run)
{
    uint32_t wrong = 0;
    for (uint32_t y = 0; y < s->height; y++) {
        for (uint32_t x = 0; x < s->width; x++)
            row(s, y)[x] = colour(s, x, y, run);
    }
    for (uint32_t y = 0; y < s->height; y++) {
        for (uint32_t x = 0; x < s->width; x += 13)
            wrong += row(s, y)[x] != colour(s, x, y, run);
    }
    print("run %u drawn, %u pixels read back wrong\n", run, wrong);
}

void run_guest(void)
{
    const uint8_t *info = multiboot_info();
    struct screen s;
    uint32_t flags;

    memcpy(&flags, info + INFO_FLAGS, sizeof(flags));
    if (!(flags & HAS_FRAMEBUFFER)) {
        print("no framebuffer\n");
        return;
    }
    memcpy(&s, info + INFO_FRAMEBUFFER, sizeof(s));
    print("framebuffer %ux%u at 0x%lx, %u bits of type %u, %u bytes a line, colours %u+%u %u+%u "
          "%u+%u\n",
          s.width, s.height, s.base, s.depth, s.type, s.pitch, s.colour[0], s.colour[1],
          s.colour[2], s.colour[3], s.colour[4], s.colour[5]);
    uint32_t run = find_run(&s);
    draw(&s, run);
    while (run >= option_number("runs", 1))
        __asm__ volatile("cli\n\thlt");
}
