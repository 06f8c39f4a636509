// SPDX-License-Identifier: Apache-2.0
// Tells the sections of an EFI image of ours by their names: boot/uefi/parts.h.
#include "boot/uefi/parts.h"

#include <stdbool.h>

#include "arch/string.h"
#include "drivers/format.h"

#define MODULE_SECTION ".bhmod"

static struct uefi_part *single_part(struct uefi_parts *parts, const char *name)
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
    return strcmp(name, ".bhnames") == 0 ? &parts->names : NULL;
}

static enum status add_part(struct uefi_parts *parts, const struct pe_image *image,
                            const struct pe_section *s, const struct boot_error *error)
{
    bool module = strcmp(s->name, MODULE_SECTION) == 0;
    struct uefi_part *part = module ? NULL : single_part(parts, s->name);
    if (!module && part == NULL) {
        return STATUS_OK; // one of the loader's own
    }
    if (module) {
        if (parts->module_count == BOOT_MAX_MODULES - 1) {
            return boot_fail(error, ERR_RANGE, "EFI image: more than %d modules",
                             BOOT_MAX_MODULES - 1);
        }
        part = &parts->module[parts->module_count++];
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

// Bytes of the name at `offset` of the names, without the newline; those left if there is none.
static uint64_t name_length(const struct uefi_part *names, uint64_t offset)
{
    uint64_t end = offset;
    while (end < names->size && names->data[end] != '\n') {
        end++;
    }
    return end - offset;
}

// Control characters end a name early, or spoil the console.
static bool is_text(const uint8_t *bytes, uint64_t count)
{
    uint64_t i = 0;
    while (i < count && bytes[i] >= ' ') {
        i++;
    }
    return i == count;
}

static enum status check_names(const struct uefi_parts *parts, const struct boot_error *error)
{
    uint64_t offset = 0;
    unsigned count = 0;
    for (; offset < parts->names.size; count++) {
        uint64_t length = name_length(&parts->names, offset);
        if (length == 0 || length >= BOOT_TEXT_SIZE || offset + length == parts->names.size ||
            !is_text(parts->names.data + offset, length)) {
            return boot_fail(error, ERR_INVALID,
                             "EFI image: the name of module %u is empty, too long, cut off or no "
                             "text: build it again",
                             count + 1);
        }
        offset += length + 1;
    }
    if (count != parts->module_count) {
        return boot_fail(error, ERR_INVALID, "EFI image: %u names for %u modules: build it again",
                         count, parts->module_count);
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
    return check_names(parts, error);
}

static void enter(struct boot_info *info, const struct uefi_part *part, const char *name,
                  uint64_t length)
{
    struct boot_module *module = &info->modules[info->module_count++];
    module->base = (uint64_t)part->data;
    module->size = part->size;
    format(module->name, sizeof(module->name), "%.*s", (int)length, name);
}

void uefi_parts_enter(const struct uefi_parts *parts, struct boot_info *info)
{
    uint64_t offset = 0;
    format(info->cmdline, sizeof(info->cmdline), "%.*s", (int)parts->cmdline.size,
           (const char *)parts->cmdline.data);
    if (parts->config.size > 0) {
        enter(info, &parts->config, "configuration", strlen("configuration"));
    }
    for (unsigned i = 0; i < parts->module_count; i++) {
        uint64_t length = name_length(&parts->names, offset);
        enter(info, &parts->module[i], (const char *)parts->names.data + offset, length);
        offset += length + 1;
    }
}
