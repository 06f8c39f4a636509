// SPDX-License-Identifier: Apache-2.0
// Walks the headers of a loaded PE image (Microsoft's PE Format: MS-DOS stub, signature, COFF file
// header, optional header, section table): boot/uefi/pe.h.
#include "boot/uefi/pe.h"

#include "arch/lib/string.h"
#include "arch/lib/types.h"

#define DOS_MAGIC        0x5a4d // "MZ"
#define DOS_HEADER_SIZE  64
#define DOS_PE_OFFSET    0x3c   // holds the PE header's offset
#define PE_SIGNATURE     0x4550 // "PE\0\0"
#define PE_SECTIONS      6      // from the signature: number of sections, 16 bits
#define PE_OPTIONAL_SIZE 20     // from the signature: size of the optional header, 16 bits
#define PE_OPTIONAL      24     // from the signature: the optional header
#define SECTION_SIZE     40     // of a section header
#define SECTION_VSIZE    8      // offset in it: size in memory
#define SECTION_VADDRESS 12     // offset in it: place in memory
#define SECTION_RAW      16     // offset in it: size in the file
#define MAX_SECTIONS     96     // the limit of the format's loaders

static uint32_t get16(const struct pe_image *image, uint64_t offset)
{
    uint16_t value;
    memcpy(&value, image->base + offset, sizeof(value));
    return value;
}

static uint32_t get32(const struct pe_image *image, uint64_t offset)
{
    uint32_t value;
    memcpy(&value, image->base + offset, sizeof(value));
    return value;
}

struct pe_section pe_section(const struct pe_image *image, unsigned index)
{
    uint64_t header = image->sections + (uint64_t)index * SECTION_SIZE;
    struct pe_section s = {
        .offset = get32(image, header + SECTION_VADDRESS),
        .size = get32(image, header + SECTION_VSIZE),
        .raw = get32(image, header + SECTION_RAW),
    };
    memcpy(s.name, image->base + header, PE_NAME_SIZE);
    if (s.raw > s.size) {
        s.raw = s.size; // the file pads the section's data
    }
    return s;
}

static enum status check_section(const struct pe_image *image, unsigned index,
                                 const struct boot_error *error)
{
    struct pe_section s = pe_section(image, index);
    if (!is_within(s.offset, s.size, image->size)) {
        return boot_fail(error, ERR_TRUNCATED,
                         "EFI image: section %u (%s), 0x%lx bytes at 0x%lx, reaches beyond the "
                         "image's 0x%lx bytes: copy the file again",
                         index, s.name, s.size, s.offset, image->size);
    }
    uint64_t headers = image->sections + (uint64_t)image->count * SECTION_SIZE;
    if (ranges_overlap(s.offset, s.size, 0, headers)) {
        return boot_fail(error, ERR_EXISTS,
                         "EFI image: section %u (%s) overlaps the headers: build it again", index,
                         s.name);
    }
    for (unsigned i = 0; i < index; i++) {
        struct pe_section other = pe_section(image, i);
        if (ranges_overlap(s.offset, s.size, other.offset, other.size)) {
            return boot_fail(error, ERR_EXISTS,
                             "EFI image: sections %u (%s) and %u (%s) overlap: build it again", i,
                             other.name, index, s.name);
        }
    }
    return STATUS_OK;
}

static enum status find_sections(struct pe_image *image, const struct boot_error *error)
{
    if (image->size < DOS_HEADER_SIZE || get16(image, 0) != DOS_MAGIC) {
        return boot_fail(error, ERR_INVALID, "EFI image: no MZ header in memory");
    }
    uint64_t pe = get32(image, DOS_PE_OFFSET);
    if (!is_within(pe, PE_OPTIONAL, image->size)) {
        return boot_fail(error, ERR_TRUNCATED, "EFI image: it ends before its PE header at 0x%lx",
                         pe);
    }
    if (get32(image, pe) != PE_SIGNATURE) {
        return boot_fail(error, ERR_INVALID, "EFI image: no PE header at 0x%lx", pe);
    }
    image->count = get16(image, pe + PE_SECTIONS);
    image->sections = pe + PE_OPTIONAL + get16(image, pe + PE_OPTIONAL_SIZE);
    if (image->count > MAX_SECTIONS) {
        return boot_fail(error, ERR_RANGE, "EFI image: %u sections, more than %d", image->count,
                         MAX_SECTIONS);
    }
    if (!is_within(image->sections, (uint64_t)image->count * SECTION_SIZE, image->size)) {
        return boot_fail(error, ERR_TRUNCATED, "EFI image: it ends within its table of %u sections",
                         image->count);
    }
    return STATUS_OK;
}

enum status pe_open(struct pe_image *image, const void *base, uint64_t size,
                    const struct boot_error *error)
{
    *image = (struct pe_image){.base = base, .size = size};
    enum status s = find_sections(image, error);
    for (unsigned i = 0; s == STATUS_OK && i < image->count; i++) {
        s = check_section(image, i, error);
    }
    return s;
}
