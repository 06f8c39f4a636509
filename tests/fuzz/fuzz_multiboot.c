// SPDX-License-Identifier: Apache-2.0
// Fuzzes both Multiboot parsers: the input's first byte chooses the parser, the rest is all the
// memory there is, with the information at its start.
#include <string.h>

#include "arch/lib/types.h"
#include "arch/memory/window.h"
#include "boot/multiboot1.h"
#include "boot/multiboot2.h"
#include "boot/options.h"
#include "hv/machine/serial_choice.h"
#include "tests/fuzz/fuzz.h"

#define BASE 0x1000u

static const uint8_t *memory;
static size_t memory_size;

enum status phys_read(hpa_t address, void *buffer, size_t size)
{
    if (address.v < BASE || address.v - BASE > memory_size ||
        size > memory_size - (address.v - BASE))
        return ERR_RANGE;
    if (size > 0)
        memcpy(buffer, memory + (address.v - BASE), size);
    return STATUS_OK;
}

// What the hypervisor looks for on its command line.
static void check_options(const char *cmdline)
{
    struct serial_wish wish;
    char value[64];

    if (!boot_option(cmdline, "console", value, sizeof(value)))
        return;
    CHECK(memchr(value, '\0', sizeof(value)) != NULL);
    bool good = serial_parse(value, &wish);

    CHECK(wish.kind <= SERIAL_PCI && (good || wish.kind == SERIAL_DEFAULT));
    CHECK((wish.kind == SERIAL_PORT) == (wish.port != 0) && wish.port <= 0xfff8);
    CHECK(wish.has_divisor == (wish.divisor != 0) && PCI_SEGMENT(wish.function) == 0);
}

static void check(enum status status, const struct boot_info *info, const char *error)
{
    if (status != STATUS_OK) {
        CHECK(error[0] != '\0');
        return;
    }
    CHECK(info->memory_count <= BOOT_MAX_MEMORY && info->module_count <= BOOT_MAX_MODULES);
    for (unsigned i = 0; i < info->memory_count; i++) {
        const struct boot_memory *m = &info->memory[i];

        CHECK(m->size != 0 && m->base + m->size - 1 >= m->base);
    }
    for (unsigned i = 0; i < info->module_count; i++) {
        CHECK(info->modules[i].base + info->modules[i].size <= GIB(4));
        CHECK(memchr(info->modules[i].name, '\0', BOOT_TEXT_SIZE) != NULL);
    }
    const struct boot_framebuffer *fb = &info->framebuffer;

    CHECK(fb->pitch / 4 >= fb->width && (fb->base == 0) == (fb->width == 0));
    CHECK(fb->base + (uint64_t)fb->pitch * fb->height <= 1ull << 52);
    CHECK(fb->base == 0 || info->framebuffer_refused[0] == '\0');
    CHECK(memchr(info->cmdline, '\0', BOOT_TEXT_SIZE) != NULL);
    check_options(info->cmdline);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;
    char error[64] = "";

    if (size < 1)
        return 0;
    memory = data + 1;
    memory_size = size - 1;
    if ((data[0] & 1) != 0)
        check(multiboot1_parse(BASE, &info, error, sizeof(error)), &info, error);
    else
        check(multiboot2_parse(BASE, &info, error, sizeof(error)), &info, error);
    return 0;
}
