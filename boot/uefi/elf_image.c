// SPDX-License-Identifier: Apache-2.0
// The hypervisor's own ELF64 file: boot/uefi/elf_image.h.
#include "boot/uefi/elf_image.h"

#include <stdbool.h>

#include "arch/layout.h"
#include "arch/string.h"

#define PT_LOAD      1u
#define EM_X86_64    62u
#define MAX_SEGMENTS 16u

struct elf_header {
    uint8_t ident[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t phoff;
    uint64_t shoff;
    uint32_t flags;
    uint16_t ehsize;
    uint16_t phentsize;
    uint16_t phnum;
    uint16_t shentsize;
    uint16_t shnum;
    uint16_t shstrndx;
};
_Static_assert(sizeof(struct elf_header) == 64, "as in the specification");

struct elf_segment {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
};
_Static_assert(sizeof(struct elf_segment) == 56, "as in the specification");

// What boot/multiboot.asm has at the image's start.
struct image_header {
    char magic[8];
    uint32_t entry64; // link address
    uint32_t reserved;
};

static const uint8_t elf64_ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1}; // 64 bits, little endian

static enum status check_header(const struct elf_header *h, uint64_t size,
                                const struct boot_error *error)
{
    if (memcmp(h->ident, elf64_ident, sizeof(elf64_ident)) != 0 || h->machine != EM_X86_64 ||
        h->phentsize != sizeof(struct elf_segment)) {
        return boot_fail(error, ERR_INVALID, "hypervisor: not an ELF64 file for x86-64");
    }
    if (h->phnum == 0 || h->phnum > MAX_SEGMENTS) {
        return boot_fail(error, ERR_INVALID, "hypervisor: %u segments", h->phnum);
    }
    if (h->phoff > size || size - h->phoff < h->phnum * sizeof(struct elf_segment)) {
        return boot_fail(error, ERR_TRUNCATED, "hypervisor: the file ends within its segments");
    }
    return STATUS_OK;
}

static bool overlap(const struct elf_segment *a, const struct elf_segment *b)
{
    return a->type == PT_LOAD && b->type == PT_LOAD && a->paddr < b->paddr + b->memsz &&
           b->paddr < a->paddr + a->memsz;
}

static enum status check_segment(const struct elf_segment *all, unsigned index, uint64_t size,
                                 const struct boot_error *error)
{
    const struct elf_segment *s = &all[index];
    if (s->type != PT_LOAD) {
        return STATUS_OK;
    }
    if (s->offset > size || s->filesz > size - s->offset || s->filesz > s->memsz) {
        return boot_fail(error, ERR_TRUNCATED, "hypervisor: segment %u lies beyond the file's end",
                         index);
    }
    if (s->paddr < HV_IMAGE_LINK || s->paddr - HV_IMAGE_LINK > ELF_IMAGE_SIZE ||
        s->memsz > ELF_IMAGE_SIZE - (s->paddr - HV_IMAGE_LINK)) {
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

// The image's own header is in the segment that lies at the image's start.
static enum status find_entry(const uint8_t *file, const struct elf_segment *all, unsigned count,
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
    struct elf_header h;
    struct elf_segment all[MAX_SEGMENTS];
    if (size < sizeof(h)) {
        return boot_fail(error, ERR_TRUNCATED, "hypervisor: a file of %lu bytes", size);
    }
    memcpy(&h, file, sizeof(h));
    enum status status = check_header(&h, size, error);
    if (status != STATUS_OK) {
        return status;
    }
    memcpy(all, bytes + h.phoff, h.phnum * sizeof(struct elf_segment));
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
