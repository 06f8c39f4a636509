// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own ELF64 file: boot/uefi/elf_image.h.
#include "boot/uefi/elf_image.h"

#include <stdbool.h>

#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "arch/memory/layout.h"
#include "boot/elf.h"

#define MAX_SEGMENTS 16u

// Data of boot/multiboot.asm at the image's start.
struct image_header {
    char magic[8];
    uint32_t entry64; // link address
    uint32_t reserved;
};

static enum status check_header(const struct elf64_header *h, uint64_t size,
                                const struct boot_error *error)
{
    if (memcmp(h->ident, ELF_MAGIC, 4) != 0 || h->ident[ELF_IDENT_CLASS] != ELF_64 ||
        h->ident[ELF_IDENT_DATA] != ELF_LITTLE || h->machine != EM_X86_64 ||
        h->phentsize != sizeof(struct elf64_segment)) {
        return boot_fail(error, ERR_INVALID, "hypervisor: not an ELF64 file for x86-64");
    }
    if (h->phnum == 0 || h->phnum > MAX_SEGMENTS) {
        return boot_fail(error, ERR_INVALID, "hypervisor: %u segments", h->phnum);
    }
    if (!is_within(h->phoff, h->phnum * sizeof(struct elf64_segment), size)) {
        return boot_fail(error, ERR_TRUNCATED, "hypervisor: the file ends within its segments");
    }
    return STATUS_OK;
}

static bool overlap(const struct elf64_segment *a, const struct elf64_segment *b)
{
    return a->type == PT_LOAD && b->type == PT_LOAD &&
           ranges_overlap(a->paddr, a->memsz, b->paddr, b->memsz);
}

static enum status check_segment(const struct elf64_segment *all, unsigned index, uint64_t size,
                                 const struct boot_error *error)
{
    const struct elf64_segment *s = &all[index];
    if (s->type != PT_LOAD) {
        return STATUS_OK;
    }
    if (!is_within(s->offset, s->filesz, size) || s->filesz > s->memsz) {
        return boot_fail(error, ERR_TRUNCATED, "hypervisor: segment %u lies beyond the file's end",
                         index);
    }
    if (s->paddr < HV_IMAGE_LINK ||
        !is_within(s->paddr - HV_IMAGE_LINK, s->memsz, ELF_IMAGE_SIZE)) {
        return boot_fail(error, ERR_RANGE,
                         "hypervisor: segment %u, 0x%lx bytes at 0x%lx, lies outside its 2 MiB",
                         index, s->memsz, s->paddr);
    }
    for (unsigned i = 0; i < index; i++) {
        if (overlap(&all[i], s)) {
            return boot_fail(error, ERR_EXISTS, "hypervisor: segments %u and %u overlap", i, index);
        }
    }
    return STATUS_OK;
}

// The image's own header is at the start of the segment at the image's start.
static enum status find_entry(const uint8_t *file, const struct elf64_segment *all, unsigned count,
                              uint64_t *entry, const struct boot_error *error)
{
    for (unsigned i = 0; i < count; i++) {
        struct image_header h;
        if (all[i].type != PT_LOAD || all[i].paddr != HV_IMAGE_LINK || all[i].filesz < sizeof(h)) {
            continue;
        }
        memcpy(&h, file + all[i].offset, sizeof(h));
        if (memcmp(h.magic, "64Bulkhd", sizeof(h.magic)) == 0 && h.entry64 >= HV_IMAGE_LINK &&
            h.entry64 - HV_IMAGE_LINK < all[i].filesz) {
            *entry = h.entry64 - HV_IMAGE_LINK;
            return STATUS_OK;
        }
    }
    return boot_fail(error, ERR_INVALID, "hypervisor: its file has no entry for UEFI");
}

enum status elf_image_load(const void *file, uint64_t size, uint8_t *to, uint64_t *entry,
                           const struct boot_error *error)
{
    const uint8_t *bytes = file;
    struct elf64_header h;
    struct elf64_segment all[MAX_SEGMENTS];
    if (size < sizeof(h)) {
        return boot_fail(error, ERR_TRUNCATED, "hypervisor: a file of %lu bytes", size);
    }
    memcpy(&h, file, sizeof(h));
    enum status status = check_header(&h, size, error);
    if (status != STATUS_OK) {
        return status;
    }
    memcpy(all, bytes + h.phoff, h.phnum * sizeof(struct elf64_segment));
    for (unsigned i = 0; status == STATUS_OK && i < h.phnum; i++) {
        status = check_segment(all, i, size, error);
    }
    if (status == STATUS_OK) {
        status = find_entry(bytes, all, h.phnum, entry, error);
    }
    if (status != STATUS_OK) {
        return status;
    }
    memset(to, 0, ELF_IMAGE_SIZE);
    for (unsigned i = 0; i < h.phnum; i++) {
        if (all[i].type == PT_LOAD) {
            memcpy(to + (all[i].paddr - HV_IMAGE_LINK), bytes + all[i].offset, all[i].filesz);
        }
    }
    return STATUS_OK;
}
