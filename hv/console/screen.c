// SPDX-License-Identifier: Apache-2.0
// Finds the screen, decides its owner, and maps it: hv/console/screen.h. Its memory is never
// allocated (hv/start/main.c keeps it from the page allocator). While the hypervisor owns it, a
// device with registers there is refused (hv/device/give.c), and the audit looks for it in every
// partition's tables (hv/start/audit_input.c). A partition gets it by the rules of
// hv/device/screen_grant.c.
#include "hv/console/screen.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"
#include "boot/options.h"
#include "drivers/console/console.h"
#include "drivers/console/framebuffer.h"
#include "hv/device/screen_grant.h"
#include "hv/machine/config.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"

#define TABLES 8 // table pages that map it for the hypervisor, with large pages

static bool left; // a partition has the screen, although the console would be shown there

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
    struct page_range r = screen_range(fb);
    if (fb->base != 0 && machine_is_ram(&r)) {
        format(machine.boot.framebuffer_refused, sizeof(machine.boot.framebuffer_refused),
               "at 0x%lx lies in what the loader says is memory", fb->base);
    } else if (fb->base != 0) {
        machine.framebuffer = r;
    }
    if (machine.boot.framebuffer_refused[0] != '\0') {
        print("the framebuffer %s; nothing is shown there\n", machine.boot.framebuffer_refused);
    }
    if (machine.framebuffer.size != 0 && wanted()) {
        machine.screen = machine.framebuffer;
    }
}

uint64_t screen_heap_size(void)
{
    return machine.screen.size == 0
               ? 0
               : align_up(framebuffer_memory(&machine.boot.framebuffer), PAGE_SIZE) +
                     TABLES * PAGE_SIZE;
}

static void show_console(void)
{
    const struct boot_framebuffer *fb = &machine.boot.framebuffer;
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

void screen_start(void)
{
    if (machine.screen.size == 0) {
        return;
    }
    if (config_gives_framebuffer()) {
        left = true;
        machine.screen = (struct page_range){0, 0};
        print("the framebuffer is a partition's: this console stays off it\n");
        return;
    }
    show_console();
}

enum status screen_grant(void)
{
    char text[SCREEN_GRANT_TEXT_SIZE];
    struct screen_request request = {
        .config = machine.config,
        .framebuffer = &machine.boot.framebuffer,
        .pages = machine.framebuffer,
        .problem = machine.boot.framebuffer_refused,
        .pci = &machine_pci.pci,
        .owner = machine_pci.owner,
    };
    enum status s = screen_check(&request, text);
    if (s != STATUS_OK) {
        print("%s\n", text);
    }
    return s;
}

void screen_give_up(void)
{
    if (left) {
        left = false;
        machine.screen = machine.framebuffer;
        show_console();
    }
}
