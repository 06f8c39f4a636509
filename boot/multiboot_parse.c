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
