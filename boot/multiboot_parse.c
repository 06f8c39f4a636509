// SPDX-License-Identifier: Apache-2.0
// The common part of the Multiboot parsers. Relies on phys_read() by link-time name.
#include "boot/multiboot_parse.h"

#include "arch/string.h"
#include "arch/window.h"
#include "drivers/format.h"

// Types of the BIOS memory map (ACPI 6.5, table 15.3) that are more than "reserved".
#define E820_USABLE 1
#define E820_ACPI   3

enum status boot_read(const struct boot_error *error, uint64_t address, void *buffer, size_t size,
                      const char *what)
{
    if (address >= GIB(4) || size > GIB(4) - address)
        return boot_fail(error, ERR_RANGE,
                         "boot information: %s at 0x%lx, %lu bytes, does not lie below 4 GiB; the "
                         "loader is broken, try another",
                         what, address, size);
    enum status status = phys_read(hpa(address), buffer, size);

    if (status != STATUS_OK)
        return boot_fail(error, status, "boot information: %s at 0x%lx can't be read", what,
                         address);
    return STATUS_OK;
}

enum status boot_read_text(const struct boot_error *error, uint64_t address, uint64_t limit,
                           char *text, size_t text_size, const char *what)
{
    size_t length = 0;

    memset(text, 0, text_size);
    while (length + 1 < text_size && length < limit) {
        char part[32];
        size_t size = sizeof(part);

        // Never beyond the limit, nor beyond a page: the text may end at the end of memory.
        size = (size_t)min_u64(size, limit - length);
        size = (size_t)min_u64(size, PAGE_SIZE - ((address + length) & PAGE_MASK));
        enum status status = boot_read(error, address + length, part, size, what);

        if (status != STATUS_OK)
            return status;
        for (size_t i = 0; i < size; i++) {
            if (part[i] == '\0' || length + 1 == text_size)
                return STATUS_OK;
            text[length++] = part[i];
        }
    }
    return STATUS_OK;
}

enum status boot_add_memory(const struct boot_error *error, struct boot_info *info, uint64_t base,
                            uint64_t size, uint32_t e820_type)
{
    if (size == 0)
        return STATUS_OK;
    if (base + size - 1 < base)
        return boot_fail(error, ERR_INVALID,
                         "boot information: the memory range at 0x%lx, 0x%lx bytes, wraps", base,
                         size);
    if (info->memory_count == BOOT_MAX_MEMORY)
        return boot_fail(error, ERR_RANGE,
                         "boot information: more than %d memory ranges; raise BOOT_MAX_MEMORY",
                         BOOT_MAX_MEMORY);
    struct boot_memory *memory = &info->memory[info->memory_count++];

    memory->base = base;
    memory->size = size;
    memory->kind = e820_type == E820_USABLE ? BOOT_MEMORY_USABLE
                   : e820_type == E820_ACPI ? BOOT_MEMORY_ACPI
                                            : BOOT_MEMORY_RESERVED;
    return STATUS_OK;
}

enum status boot_add_module(const struct boot_error *error, struct boot_info *info, uint32_t start,
                            uint32_t end, const char *cmdline)
{
    if (end < start)
        return boot_fail(error, ERR_INVALID,
                         "boot information: module %u (\"%s\") ends at 0x%x, before its start 0x%x",
                         info->module_count + 1, cmdline, end, start);
    if (info->module_count == BOOT_MAX_MODULES)
        return boot_fail(error, ERR_RANGE, "boot information: more than %d modules; load fewer",
                         BOOT_MAX_MODULES);
    struct boot_module *module = &info->modules[info->module_count++];

    module->base = start;
    module->size = end - start;
    boot_module_name(cmdline, module->name, sizeof(module->name));
    return STATUS_OK;
}

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

static const char *skip_spaces(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static size_t word_length(const char *p)
{
    size_t length = 0;

    while (p[length] != '\0' && p[length] != ' ' && p[length] != '\t')
        length++;
    return length;
}

void boot_module_name(const char *cmdline, char *name, size_t size)
{
    const char *first = skip_spaces(cmdline);
    const char *found = first;
    size_t length = word_length(first);

    for (size_t i = 0; i < word_length(first); i++) {
        if (first[i] == '/') {
            found = first + i + 1;
            length = word_length(found);
        }
    }
    for (const char *p = first; *p != '\0'; p = skip_spaces(p + word_length(p))) {
        if (strncmp(p, "name=", 5) == 0) {
            found = p + 5;
            length = word_length(found);
            break;
        }
    }
    format(name, size, "%.*s", (int)min_u64(length, size), found);
}
