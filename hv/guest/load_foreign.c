// SPDX-License-Identifier: Apache-2.0
// Recognises files by bytes at a fixed place, a Multiboot 2 kernel by its header.
#include "hv/guest/load_foreign.h"

#include "arch/lib/string.h"
#include "hv/memory/guest_mem.h"

#define USE_THESE "use a Linux bzImage or a Multiboot 1 kernel"

// Multiboot 2 Specification 2.0, 3.1.1: within the first 32 KiB, at a multiple of 8.
#define MULTIBOOT2_MAGIC  0xe85250d6u
#define MULTIBOOT2_SEARCH 32768u
#define MULTIBOOT2_STEP   8u

// The first row that matches counts.
static const struct {
    uint32_t offset;
    uint8_t size;
    char bytes[7];
    const char *kind;
} kinds[] = {
    {0, 3, "\x1f\x8b\x08", "a gzip file: unpack it with gunzip"},
    {0, 6,
     "\xfd"
     "7zXZ",
     "an xz file: unpack it with unxz"},
    {0, 4, "\x28\xb5\x2f\xfd", "a zstd file: unpack it with unzstd"},
    {0, 3, "BZh", "a bzip2 file: unpack it with bunzip2"},
    {0, 2, "MZ", "a UEFI or DOS program, which needs firmware: " USE_THESE},
    {0, 4,
     "\x7f"
     "ELF",
     "an ELF file without a Multiboot header in its first 8 KiB; of Linux use the bzImage, not the "
     "vmlinux, or else a Multiboot 1 kernel"},
    {0, 5, "07070", "a cpio archive: give it as \"initrd\", and a kernel as \"image\""},
    {0x8001, 5, "CD001", "an image of a CD: use the kernel that is on it"},
    {0x1fe, 2, "\x55\xaa", "a boot sector or a disk image, which needs a BIOS: " USE_THESE},
};

static bool has_multiboot2(const struct boot_module *image)
{
    uint32_t words[4]; // magic, architecture, length, checksum

    for (uint32_t at = 0; at < MULTIBOOT2_SEARCH; at += MULTIBOOT2_STEP) {
        if (module_read(image, at, words, sizeof(words)) != STATUS_OK) {
            return false;
        }
        if (words[0] == MULTIBOOT2_MAGIC && words[0] + words[1] + words[2] + words[3] == 0) {
            return true;
        }
    }
    return false;
}

const char *load_foreign_kind(const struct boot_module *image)
{
    if (has_multiboot2(image)) {
        return "a Multiboot 2 kernel: build it with a Multiboot 1 header, which may stand beside "
               "the other";
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char bytes[sizeof(kinds[i].bytes)];

        if (module_read(image, kinds[i].offset, bytes, kinds[i].size) == STATUS_OK &&
            memcmp(bytes, kinds[i].bytes, kinds[i].size) == 0) {
            return kinds[i].kind;
        }
    }
    return "of no known kind: " USE_THESE;
}
