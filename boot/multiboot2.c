// SPDX-License-Identifier: Apache-2.0
// The Multiboot 2 parser: boot/multiboot2.h. The information is a list of tags, each with its size.
// Tags are read by copy, and none may reach beyond the information's end.
#include "boot/multiboot2.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "boot/multiboot_parse.h"
#include "boot/screen.h"

enum {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_MODULE = 3,
    TAG_BASIC_MEMORY = 4,
    TAG_MEMORY_MAP = 6,
    TAG_FRAMEBUFFER = 8,
    TAG_ACPI_OLD = 14, // a copy of the RSDP, revision 0
    TAG_ACPI_NEW = 15, // a copy of the RSDP, revision 2 or later
};

struct mb2_header {
    uint32_t total_size;
    uint32_t reserved;
};

struct mb2_tag {
    uint32_t type;
    uint32_t size; // includes this header, but not the padding to 8 bytes
};

struct mb2_module {
    uint32_t start;
    uint32_t end; // exclusive
    // The command line follows.
};

struct mb2_basic_memory {
    uint32_t lower; // KiB from 0
    uint32_t upper; // KiB from 1 MiB
};

struct mb2_map {
    uint32_t entry_size;
    uint32_t entry_version;
};

struct mb2_memory {
    uint64_t base;
    uint64_t length;
    uint32_t type;
    uint32_t reserved;
};
_Static_assert(sizeof(struct mb2_memory) == 24, "as in the specification");

// The framebuffer tag has the fields of struct boot_screen, plus two reserved bytes before the
// colours. The colours exist for direct colour only.
#define SCREEN_COLOURS  offsetof(struct boot_screen, colour)
#define SCREEN_RESERVED 2u

// GRUB's information has some KiB; framebuffer and network tags are small. Modules lie outside of
// it.
#define MAX_TOTAL_SIZE MIB(1)

#define RSDP_SIZE_OLD 20u
#define RSDP_SIZE_NEW 36u

// A tag's place: `body` is the host-physical address after its header.
struct tag {
    uint32_t type;
    uint64_t body;
    uint32_t body_size;
};

// Which of the alternative tags were seen.
struct seen {
    bool map;
    bool basic;
    bool rsdp_new;
    struct mb2_basic_memory basic_memory;
};

static enum status too_short(const struct boot_error *error, const struct tag *tag)
{
    return boot_fail(error, ERR_TRUNCATED, "boot information: tag %u has only %u bytes", tag->type,
                     tag->body_size);
}

static enum status parse_map(const struct boot_error *error, const struct tag *tag,
                             struct boot_info *info)
{
    struct mb2_map map;

    if (tag->body_size < sizeof(map))
        return too_short(error, tag);
    enum status status = boot_read(error, tag->body, &map, sizeof(map), "the memory map");

    if (status != STATUS_OK)
        return status;
    if (map.entry_size < sizeof(struct mb2_memory) || map.entry_size % 8 != 0)
        return boot_fail(error, ERR_INVALID, "boot information: memory map entries of %u bytes",
                         map.entry_size);
    uint32_t size = tag->body_size - (uint32_t)sizeof(map);

    if (size % map.entry_size != 0)
        return boot_fail(error, ERR_TRUNCATED,
                         "boot information: the memory map ends within an entry (%u bytes)",
                         size % map.entry_size);
    for (uint32_t offset = 0; offset < size; offset += map.entry_size) {
        struct mb2_memory entry;

        status = boot_read(error, tag->body + sizeof(map) + offset, &entry, sizeof(entry),
                           "the memory map");
        if (status == STATUS_OK)
            status = boot_add_memory(error, info, entry.base, entry.length, entry.type);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status parse_module(const struct boot_error *error, const struct tag *tag,
                                struct boot_info *info)
{
    struct mb2_module module;

    if (tag->body_size < sizeof(module))
        return too_short(error, tag);
    enum status status = boot_read(error, tag->body, &module, sizeof(module), "a module");

    if (status == STATUS_OK)
        status = boot_add_module(error, info, module.start, module.end, tag->body + sizeof(module),
                                 tag->body_size - sizeof(module));
    return status;
}

static enum status parse_screen(const struct boot_error *error, const struct tag *tag,
                                struct boot_info *info)
{
    struct boot_screen screen;

    memset(&screen, 0, sizeof(screen));
    if (tag->body_size < SCREEN_COLOURS)
        return too_short(error, tag);
    enum status status = boot_read(error, tag->body, &screen, SCREEN_COLOURS, "the framebuffer");

    if (status == STATUS_OK && screen.kind == BOOT_SCREEN_RGB) {
        if (tag->body_size < sizeof(screen) + SCREEN_RESERVED)
            return too_short(error, tag);
        status = boot_read(error, tag->body + SCREEN_COLOURS + SCREEN_RESERVED, screen.colour,
                           sizeof(screen.colour), "the framebuffer's colours");
    }
    if (status == STATUS_OK)
        boot_set_screen(info, &screen);
    return status;
}

static enum status parse_tag(const struct boot_error *error, const struct tag *tag,
                             struct seen *seen, struct boot_info *info)
{
    switch (tag->type) {
    case TAG_CMDLINE:
        return boot_read_options(error, tag->body, tag->body_size, info);
    case TAG_MODULE:
        return parse_module(error, tag, info);
    case TAG_BASIC_MEMORY:
        if (tag->body_size < sizeof(seen->basic_memory))
            return too_short(error, tag);
        seen->basic = true;
        return boot_read(error, tag->body, &seen->basic_memory, sizeof(seen->basic_memory),
                         "the amount of memory");
    case TAG_MEMORY_MAP:
        seen->map = true;
        return parse_map(error, tag, info);
    case TAG_FRAMEBUFFER:
        return parse_screen(error, tag, info);
    // The tag holds a copy of the RSDP. The copy's address is valid as long as the loader's memory
    // is not reused, and ACPI is parsed before that. The newer copy wins, in either order.
    case TAG_ACPI_OLD:
        if (tag->body_size < RSDP_SIZE_OLD)
            return too_short(error, tag);
        if (!seen->rsdp_new)
            info->rsdp = tag->body;
        return STATUS_OK;
    case TAG_ACPI_NEW:
        if (tag->body_size < RSDP_SIZE_NEW)
            return too_short(error, tag);
        seen->rsdp_new = true;
        info->rsdp = tag->body;
        return STATUS_OK;
    default:
        return STATUS_OK;
    }
}

// Parses all tags up to the end tag.
static enum status parse_tags(const struct boot_error *error, uint64_t address, uint32_t size,
                              struct seen *seen, struct boot_info *info)
{
    uint32_t offset = sizeof(struct mb2_header);

    while (size - offset >= sizeof(struct mb2_tag)) {
        struct mb2_tag header;
        enum status status = boot_read(error, address + offset, &header, sizeof(header), "a tag");

        if (status != STATUS_OK)
            return status;
        if (header.size < sizeof(header) || header.size > size - offset)
            return boot_fail(error, ERR_INVALID,
                             "boot information: tag %u at offset %u claims %u bytes of %u",
                             header.type, offset, header.size, size - offset);
        if (header.type == TAG_END)
            return STATUS_OK;
        struct tag tag = {header.type, address + offset + sizeof(header),
                          header.size - (uint32_t)sizeof(header)};

        status = parse_tag(error, &tag, seen, info);
        if (status != STATUS_OK)
            return status;
        uint32_t step = (uint32_t)align_up(header.size, 8);

        if (step > size - offset)
            break;
        offset += step;
    }
    return boot_fail(error, ERR_TRUNCATED, "boot information: no end tag in its %u bytes", size);
}

enum status multiboot2_parse(uint32_t info_addr, struct boot_info *info, char *error,
                             size_t error_size)
{
    const struct boot_error err = {error, error_size};
    struct mb2_header header;
    struct seen seen = {0};

    memset(info, 0, sizeof(*info));
    format(info->loader, sizeof(info->loader), "Multiboot 2");
    enum status status =
        boot_read(&err, info_addr, &header, sizeof(header), "the information itself");

    if (status != STATUS_OK)
        return status;
    if (header.total_size < sizeof(header) || header.total_size > MAX_TOTAL_SIZE)
        return boot_fail(&err, ERR_INVALID, "boot information: a size of %u bytes",
                         header.total_size);
    status = parse_tags(&err, info_addr, header.total_size, &seen, info);
    if (status != STATUS_OK || seen.map)
        return status;
    if (!seen.basic)
        return boot_fail(&err, ERR_NOT_FOUND,
                         "boot information: the loader says nothing of memory; use another loader");
    status = boot_add_memory(&err, info, 0, KIB(seen.basic_memory.lower), 1);
    if (status != STATUS_OK)
        return status;
    return boot_add_memory(&err, info, MIB(1), KIB(seen.basic_memory.upper), 1);
}
