// SPDX-License-Identifier: Apache-2.0
// Finds the parts of Bulkhead's EFI image by their section names: boot/uefi/parts.h.
#include "boot/uefi/parts.h"

#include <stdbool.h>

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "boot/module.h"

#define MAX_DIGITS 18 // of a module's size: can't overflow

static struct uefi_part *part_of(struct uefi_parts *parts, const char *name)
{
    if (strcmp(name, ".bhimage") == 0) {
        return &parts->hypervisor;
    }
    if (strcmp(name, ".bhcmd") == 0) {
        return &parts->cmdline;
    }
    if (strcmp(name, ".bhconf") == 0) {
        return &parts->config;
    }
    if (strcmp(name, ".bhmod") == 0) {
        return &parts->modules;
    }
    return strcmp(name, ".bhnames") == 0 ? &parts->names : NULL;
}

static enum status add_part(struct uefi_parts *parts, const struct pe_image *image,
                            const struct pe_section *s, const struct boot_error *error)
{
    struct uefi_part *part = part_of(parts, s->name);
    if (part == NULL) {
        return STATUS_OK; // a section of the loader itself
    }
    if (part->data != NULL) {
        return boot_fail(error, ERR_EXISTS, "EFI image: section %s is there twice: build it again",
                         s->name);
    }
    if (s->raw < s->size) {
        return boot_fail(error, ERR_TRUNCATED,
                         "EFI image: of the 0x%lx bytes of section %s the file has only 0x%lx: "
                         "build it again",
                         s->size, s->name, s->raw);
    }
    *part = (struct uefi_part){image->base + s->offset, s->size};
    return STATUS_OK;
}

// ---- modules -----------------------------------------------------------------------------------

// A line of the names section, with its module.
struct entry {
    const char *name;
    uint64_t length; // of the name
    uint64_t offset; // of the module in its section
    uint64_t size;
    uint64_t next; // offset of the next line
};

// Control characters would end a name early, or disturb the console.
static bool is_text(const char *bytes, uint64_t count)
{
    uint64_t i = 0;
    while (i < count && (uint8_t)bytes[i] >= ' ') {
        i++;
    }
    return i == count;
}

// Reads "SIZE NAME\n" at entry->next; its module follows the one at entry->offset.
static bool next_entry(const struct uefi_parts *parts, struct entry *entry)
{
    const char *line = (const char *)parts->names.data + entry->next;
    uint64_t left = parts->names.size - entry->next, size = 0, i = 0;
    while (i < left && i < MAX_DIGITS && line[i] >= '0' && line[i] <= '9') {
        size = size * 10 + (uint64_t)(line[i++] - '0');
    }
    if (i == 0 || size == 0 || i == left || line[i] != ' ') {
        return false;
    }
    uint64_t end = ++i;
    while (end < left && line[end] != '\n') {
        end++;
    }
    uint64_t offset = align_up(entry->offset + entry->size, PAGE_SIZE);
    if (end == i || end == left || !is_text(line + i, end - i) ||
        !is_within(offset, size, parts->modules.size)) {
        return false;
    }
    *entry = (struct entry){line + i, end - i, offset, size, entry->next + end + 1};
    return true;
}

static enum status check_modules(const struct uefi_parts *parts, const struct boot_error *error)
{
    struct entry entry = {.next = 0};
    for (unsigned n = 1; entry.next < parts->names.size; n++) {
        if (!next_entry(parts, &entry)) {
            return boot_fail(error, ERR_INVALID,
                             "EFI image: the name or size of module %u is empty, cut off or no "
                             "text, or the module is not there: build it again",
                             n);
        }
    }
    if (entry.offset + entry.size != parts->modules.size) {
        return boot_fail(error, ERR_INVALID,
                         "EFI image: its modules have 0x%lx bytes, by their sizes 0x%lx: build it "
                         "again",
                         parts->modules.size, entry.offset + entry.size);
    }
    return STATUS_OK;
}

enum status uefi_parts_find(const struct pe_image *image, struct uefi_parts *parts,
                            const struct boot_error *error)
{
    memset(parts, 0, sizeof(*parts));
    for (unsigned i = 0; i < image->count; i++) {
        struct pe_section s = pe_section(image, i);
        enum status status = add_part(parts, image, &s, error);
        if (status != STATUS_OK) {
            return status;
        }
    }
    if (parts->hypervisor.size == 0) {
        return boot_fail(error, ERR_NOT_FOUND,
                         "EFI image: no section .bhimage with the hypervisor: build it with make "
                         "efi");
    }
    if (parts->cmdline.size >= BOOT_TEXT_SIZE) {
        return boot_fail(error, ERR_RANGE, "EFI image: a command line of more than %d bytes",
                         BOOT_TEXT_SIZE - 1);
    }
    return check_modules(parts, error);
}

enum status uefi_parts_enter(const struct uefi_parts *parts, struct boot_info *info,
                             const struct boot_error *error)
{
    static const char config[] = "configuration";
    struct entry entry = {.next = 0};
    enum status s = STATUS_OK;
    format(info->cmdline, sizeof(info->cmdline), "%.*s", (int)parts->cmdline.size,
           (const char *)parts->cmdline.data);
    if (parts->config.size > 0) {
        s = boot_enter_module(error, info, (uint64_t)parts->config.data, parts->config.size, config,
                              sizeof(config) - 1);
    }
    while (s == STATUS_OK && entry.next < parts->names.size && next_entry(parts, &entry)) {
        s = boot_enter_module(error, info, (uint64_t)parts->modules.data + entry.offset, entry.size,
                              entry.name, entry.length);
    }
    return s;
}
