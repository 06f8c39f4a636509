// SPDX-License-Identifier: Apache-2.0
// The check of boot/screen.h.
#include "boot/screen.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"

#define SCREEN_BITS       32
#define SCREEN_MIN_WIDTH  160u
#define SCREEN_MIN_HEIGHT 64u
#define SCREEN_MAX_SIZE   MIB(128)

static bool colours_fit(const struct boot_screen *screen)
{
    for (unsigned i = 0; i < 3; i++) {
        if (screen->colour[2 * i] > SCREEN_BITS - 8 || screen->colour[2 * i + 1] != 8)
            return false;
    }
    return true;
}

static const char *screen_problem(const struct boot_screen *screen)
{
    uint64_t size = (uint64_t)screen->pitch * screen->height;

    if (screen->kind != BOOT_SCREEN_RGB || screen->bits != SCREEN_BITS || !colours_fit(screen))
        return "its pixels are not 32 bits of direct colour, 8 each";
    if (screen->width < SCREEN_MIN_WIDTH || screen->height < SCREEN_MIN_HEIGHT)
        return "it is too small for text";
    if (screen->width > screen->pitch / 4 || screen->pitch % 4 != 0 || size > SCREEN_MAX_SIZE)
        return "its lines make no sense";
    if (screen->base < MIB(1) || screen->base % 4 != 0 || screen->base > (1ull << 52) - size)
        return "no framebuffer can lie there";
    return NULL;
}

void boot_set_screen(struct boot_info *info, const struct boot_screen *screen)
{
    const char *problem = screen_problem(screen);

    memset(&info->framebuffer, 0, sizeof(info->framebuffer));
    info->framebuffer_refused[0] = '\0';
    if (screen->kind == BOOT_SCREEN_TEXT)
        return;
    if (problem != NULL) {
        format(info->framebuffer_refused, sizeof(info->framebuffer_refused), "at 0x%lx, %ux%u: %s",
               screen->base, screen->width, screen->height, problem);
        return;
    }
    info->framebuffer = (struct boot_framebuffer){
        .base = screen->base,
        .pitch = screen->pitch,
        .width = screen->width,
        .height = screen->height,
        .red_shift = screen->colour[0],
        .green_shift = screen->colour[2],
        .blue_shift = screen->colour[4],
    };
}
