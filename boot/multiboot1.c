// SPDX-License-Identifier: Apache-2.0
// The Multiboot 1 parser: boot/multiboot1.h. Every address in the information comes from the loader
// and is not trusted: it is read by copy, and one that can't be read or makes no sense ends the
// boot with a message.
#include "boot/multiboot1.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "boot/multiboot_parse.h"
#include "boot/screen.h"

// Bits of `flags`: which fields are valid.
#define FLAG_MEMORY  BIT(0)
#define FLAG_CMDLINE BIT(2)
#define FLAG_MODULES BIT(3)
#define FLAG_MAP     BIT(6)
#define FLAG_SCREEN  BIT(12)

struct mb1_info {
    uint32_t flags;
    uint32_t mem_lower; // KiB from 0
    uint32_t mem_upper; // KiB from 1 MiB
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count;
    uint32_t mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length;
    uint32_t mmap_addr;
    uint32_t drives_length; // not used from here on
    uint32_t drives_addr;
    uint32_t config_table;
    uint32_t boot_loader_name;
};
_Static_assert(sizeof(struct mb1_info) == 68, "the part of the information that is always read");

// Struct boot_screen has these fields in this order. In the specification the colours directly
// follow the other fields; GRUB aligns them to four bytes.
#define SCREEN_OFFSET  88u
#define SCREEN_PADDING 2u
_Static_assert(sizeof(struct boot_screen) == 28, "as in the specification");

struct mb1_module {
    uint32_t start;
    uint32_t end; // exclusive
    uint32_t cmdline;
    uint32_t reserved;
};
_Static_assert(sizeof(struct mb1_module) == 16, "as in the specification");

struct mb1_memory {
    uint32_t size; // size of the rest: at least 20
    uint64_t base;
    uint64_t length;
    uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct mb1_memory) == 24, "as in the specification");

#define MEMORY_REST 20u // minimum of `size`

// Far more than any real map has. It bounds the time that a wrong length costs.
#define MAX_MAP_LENGTH KIB(64)

static enum status parse_map(const struct boot_error *error, const struct mb1_info *mb,
                             struct boot_info *info)
{
    uint32_t offset = 0;

    if (mb->mmap_length > MAX_MAP_LENGTH)
        return boot_fail(error, ERR_INVALID, "boot information: a memory map of %u bytes",
                         mb->mmap_length);
    while (offset < mb->mmap_length) {
        struct mb1_memory entry;
        uint32_t left = mb->mmap_length - offset;

        if (left < sizeof(entry))
            return boot_fail(error, ERR_TRUNCATED,
                             "boot information: the memory map ends within an entry (%u bytes)",
                             left);
        enum status status = boot_read(error, (uint64_t)mb->mmap_addr + offset, &entry,
                                       sizeof(entry), "the memory map");

        if (status != STATUS_OK)
            return status;
        if (entry.size < MEMORY_REST || entry.size > left - sizeof(entry.size))
            return boot_fail(error, ERR_INVALID,
                             "boot information: a memory map entry of %u bytes at offset %u",
                             entry.size, offset);
        status = boot_add_memory(error, info, entry.base, entry.length, entry.type);
        if (status != STATUS_OK)
            return status;
        offset += (uint32_t)sizeof(entry.size) + entry.size;
    }
    return STATUS_OK;
}

static enum status parse_memory(const struct boot_error *error, const struct mb1_info *mb,
                                struct boot_info *info)
{
    if ((mb->flags & FLAG_MAP) != 0)
        return parse_map(error, mb, info);
    if ((mb->flags & FLAG_MEMORY) == 0)
        return boot_fail(error, ERR_NOT_FOUND,
                         "boot information: the loader says nothing of memory; use another loader");
    enum status status = boot_add_memory(error, info, 0, KIB(mb->mem_lower), 1);

    if (status != STATUS_OK)
        return status;
    return boot_add_memory(error, info, MIB(1), KIB(mb->mem_upper), 1);
}

static enum status parse_modules(const struct boot_error *error, const struct mb1_info *mb,
                                 struct boot_info *info)
{
    if ((mb->flags & FLAG_MODULES) == 0)
        return STATUS_OK;
    for (uint32_t i = 0; i < mb->mods_count; i++) {
        struct mb1_module module;
        enum status status = boot_read(error, mb->mods_addr + (uint64_t)i * sizeof(module), &module,
                                       sizeof(module), "the list of modules");

        if (status == STATUS_OK)
            status = boot_add_module(error, info, module.start, module.end, module.cmdline, GIB(4));
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status parse_screen(const struct boot_error *error, const struct mb1_info *mb,
                                uint32_t info_addr, struct boot_info *info)
{
    struct {
        struct boot_screen screen;
        uint8_t more[SCREEN_PADDING];
    } read;

    if ((mb->flags & FLAG_SCREEN) == 0)
        return STATUS_OK;
    enum status status = boot_read(error, (uint64_t)info_addr + SCREEN_OFFSET, &read, sizeof(read),
                                   "the framebuffer");

    if (status != STATUS_OK)
        return status;
    // A red component of 0 bits can't be: the colours are at GRUB's offset.
    if (read.screen.colour[1] == 0)
        memmove(read.screen.colour,
                (const uint8_t *)&read + sizeof(read) - sizeof(read.screen.colour),
                sizeof(read.screen.colour));
    boot_set_screen(info, &read.screen);
    return STATUS_OK;
}

enum status multiboot1_parse(uint32_t info_addr, struct boot_info *info, char *error,
                             size_t error_size)
{
    const struct boot_error err = {error, error_size};
    struct mb1_info mb;

    memset(info, 0, sizeof(*info));
    format(info->loader, sizeof(info->loader), "Multiboot 1");
    enum status status = boot_read(&err, info_addr, &mb, sizeof(mb), "the information itself");

    if (status == STATUS_OK)
        status = parse_memory(&err, &mb, info);
    if (status == STATUS_OK)
        status = parse_modules(&err, &mb, info);
    if (status == STATUS_OK)
        status = parse_screen(&err, &mb, info_addr, info);
    if (status == STATUS_OK && (mb.flags & FLAG_CMDLINE) != 0 && mb.cmdline != 0)
        status = boot_read_options(&err, mb.cmdline, GIB(4), info);
    return status;
}
