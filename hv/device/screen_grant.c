// SPDX-License-Identifier: Apache-2.0
// The rules by which a partition gets the framebuffer. Its pages are mapped whole, so nothing else
// may lie on them. The BAR that contains it says where they are.
#include "hv/device/screen_grant.h"

#include "arch/lib/format.h"
#include "hv/machine/guest_platform.h"

// ---- what else is on its pages ---------------------------------------------------------------

// A BAR that shares bytes with the framebuffer's pages.
struct touched {
    unsigned function;
    unsigned bar;
};

static const struct pci_bar *bar_of(const struct screen_request *r, struct touched t)
{
    return &r->pci->function[t.function].bar[t.bar];
}

static bool touches(const struct screen_request *r, struct touched t)
{
    const struct pci_bar *bar = bar_of(r, t);
    return pci_bar_is_memory(bar->kind) && bar->address != 0 &&
           ranges_overlap(bar->address, bar->size, r->pages.base, r->pages.size);
}

static bool holds_all(const struct screen_request *r, struct touched t)
{
    const struct pci_bar *bar = bar_of(r, t);
    return bar->address <= r->pages.base &&
           r->pages.base + r->pages.size <= bar->address + bar->size;
}

// Moves to the next BAR after `t`; false at the end.
static bool next_touched(const struct screen_request *r, struct touched *t)
{
    for (t->bar++; t->function < r->pci->count; t->function++, t->bar = 0) {
        for (; t->bar < PCI_BARS; t->bar++) {
            if (touches(r, *t)) {
                return true;
            }
        }
    }
    return false;
}

// What follows "it is in BAR 0 of device 00:02.0, ". NULL if there is no problem.
static const char *problem_of(const struct screen_request *r, struct touched t, struct touched home)
{
    int partition = screen_owner(r->config), owner = r->owner[t.function];
    if (owner == partition) {
        return "which is the partition's too and is reset before it starts, so that the picture "
               "would be lost: leave out framebuffer = true, or the device";
    }
    if (owner != BLOB_NOBODY) {
        return "which is another partition's: take the device out of its devices, or leave out "
               "framebuffer = true";
    }
    if (t.function != home.function || !holds_all(r, home)) {
        return "but not alone there, or not with all of its pages: choose another resolution, or "
               "leave out framebuffer = true";
    }
    return NULL;
}

static enum status check_bars(const struct screen_request *r, const char *name, char *text)
{
    struct touched first = {0, UINT32_MAX}, t; // the next one is BAR 0
    char place[PCI_TEXT_SIZE];
    if (!next_touched(r, &first)) {
        if (r->framebuffer->base == r->pages.base &&
            (uint64_t)r->framebuffer->pitch * r->framebuffer->height == r->pages.size) {
            return STATUS_OK;
        }
        format(text, SCREEN_GRANT_TEXT_SIZE,
               "partition \"%s\": the framebuffer at 0x%lx is no whole number of pages, and no "
               "device's BAR says what else is on them: choose another resolution, or leave out "
               "framebuffer = true",
               name, r->framebuffer->base);
        return ERR_DENIED;
    }
    t = first;
    do {
        const char *problem = problem_of(r, t, first);
        if (problem != NULL) {
            format(text, SCREEN_GRANT_TEXT_SIZE,
                   "partition \"%s\": the framebuffer at 0x%lx is in BAR %u of device %s, %s", name,
                   r->framebuffer->base, t.bar,
                   pci_text(r->pci->function[t.function].address, place), problem);
            return ERR_DENIED;
        }
    } while (next_touched(r, &t));
    return STATUS_OK;
}

enum status screen_check(const struct screen_request *r, char *text)
{
    int partition = screen_owner(r->config);
    if (partition == BLOB_NOBODY) {
        return STATUS_OK;
    }
    const char *name = blob_name(r->config, (unsigned)partition);
    if (r->pages.size == 0) {
        bool told = r->problem[0] != '\0';
        format(text, SCREEN_GRANT_TEXT_SIZE,
               "partition \"%s\": there is no framebuffer to give it%s%s: have the loader set a "
               "graphics mode of 32 bits a pixel (GRUB: gfxpayload=1024x768x32; UEFI does it where "
               "there is a display), or leave out framebuffer = true",
               name, told ? ", for the one " : "", r->problem);
        return ERR_NOT_FOUND;
    }
    if (r->pages.size > GUEST_SCREEN_MAX) {
        format(text, SCREEN_GRANT_TEXT_SIZE,
               "partition \"%s\": the framebuffer has %lu MiB, and %lu are the most that a "
               "partition has room for: choose a lower resolution",
               name, r->pages.size >> 20, GUEST_SCREEN_MAX >> 20);
        return ERR_DENIED;
    }
    return check_bars(r, name, text);
}
