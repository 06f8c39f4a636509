// SPDX-License-Identifier: Apache-2.0
// Whether there is a screen, and its mapping: hv/screen.h. Its memory is never handed out
// (hv/main.c keeps it from the page allocator), a device whose registers lie there is refused while
// it is the hypervisor's (hv/passthrough.c), and the audit looks for it in every partition's tables
// (hv/boot_audit.c).
#include "hv/screen.h"

#include "arch/heap.h"
#include "arch/mmu.h"
#include "arch/string.h"
#include "boot/options.h"
#include "drivers/console.h"
#include "drivers/framebuffer.h"
#include "hv/machine.h"

#define TABLES 8 // pages of the hypervisor's own tables that map it, by large pages

static bool wanted(void)
{
    char value[16];
    if (!boot_option(machine.boot.cmdline, "framebuffer", value, sizeof(value))) {
        return true;
    }
    if (strcmp(value, "off") != 0) {
        print("framebuffer=%s on the command line: only \"off\" is known\n", value);
        return true;
    }
    return false;
}

void screen_choose(void)
{
    const struct boot_framebuffer *fb = &machine.boot.framebuffer;
    if (machine.boot.framebuffer_refused[0] != '\0') {
        print("the framebuffer %s; nothing is shown there\n", machine.boot.framebuffer_refused);
    }
    if (fb->base == 0 || !wanted()) {
        return;
    }
    struct page_range r = screen_range(fb);
    if (machine_is_ram(&r)) {
        print("the framebuffer at 0x%lx lies in memory that is free to use, says the loader; "
              "nothing is shown there\n",
              fb->base);
        return;
    }
    machine.screen = r;
}

uint64_t screen_heap_size(void)
{
    return machine.screen.size == 0
               ? 0
               : align_up(framebuffer_memory(&machine.boot.framebuffer), PAGE_SIZE) +
                     TABLES * PAGE_SIZE;
}

void screen_start(void)
{
    const struct boot_framebuffer *fb = &machine.boot.framebuffer;
    if (machine.screen.size == 0) {
        return;
    }
    void *memory = heap_borrow(framebuffer_memory(fb));
    void *pixels = mmu_map_write_combining(hpa(fb->base), (uint64_t)fb->pitch * fb->height);
    if (memory == NULL || pixels == NULL) {
        print("no memory to map the framebuffer; nothing is shown there\n");
        machine.screen = (struct page_range){0, 0};
        return;
    }
    framebuffer_init(fb, pixels, memory);
    console_add_screen();
    print("screen: %ux%u at 0x%lx\n", fb->width, fb->height, fb->base);
}
