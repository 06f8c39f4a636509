// SPDX-License-Identifier: Apache-2.0
// The loader of ELF files (System V ABI, gABI chapters 4 and 5). Reads both classes into one form.
// Relies on load_job for memory and messages.
#include "hv/guest/load_elf.h"

#include "arch/lib/string.h"
#include "hv/memory/guest_mem.h"

#define MAX_HEADERS  64u // program headers; linkers write only a few
#define MAX_SEGMENTS 32u // program headers of segments to be loaded

// The header fields needed here, of either class.
struct elf_file {
    enum elf_class class;
    uint16_t type;
    uint16_t machine;
    uint16_t phentsize;
    uint16_t phnum;
    uint64_t entry;
    uint64_t phoff;
};

enum elf_class load_elf_class(const struct boot_module *image)
{
    uint8_t ident[ELF_IDENT_SIZE];

    if (image->size < sizeof(ident) || module_read(image, 0, ident, sizeof(ident)) != STATUS_OK ||
        memcmp(ident, ELF_MAGIC, 4) != 0) {
        return ELF_NONE;
    }
    return ident[ELF_IDENT_CLASS] == ELF_32 || ident[ELF_IDENT_CLASS] == ELF_64
               ? (enum elf_class)ident[ELF_IDENT_CLASS]
               : ELF_NONE;
}

static enum status read_header(const struct load_job *job, struct elf_file *f)
{
    uint8_t data;
    enum status s;

    f->class = load_elf_class(job->req->image);
    if (f->class == ELF_64) {
        struct elf64_header h;

        s = load_read(job, 0, &h, sizeof(h), "ELF header");
        if (s != STATUS_OK) {
            return s;
        }
        data = h.ident[ELF_IDENT_DATA];
        *f = (struct elf_file){ELF_64, h.type, h.machine, h.phentsize, h.phnum, h.entry, h.phoff};
    } else {
        struct elf32_header h;

        s = load_read(job, 0, &h, sizeof(h), "ELF header");
        if (s != STATUS_OK) {
            return s;
        }
        data = h.ident[ELF_IDENT_DATA];
        *f = (struct elf_file){ELF_32, h.type, h.machine, h.phentsize, h.phnum, h.entry, h.phoff};
    }
    if (data != ELF_LITTLE ||
        !(f->machine == EM_X86_64 || (f->machine == EM_386 && f->class == ELF_32))) {
        return load_fail(job, ERR_UNSUPPORTED,
                         "is an ELF file for another processor (machine %u): build it for x86",
                         (unsigned)f->machine);
    }
    if (f->type != ET_EXEC) {
        return load_fail(job, ERR_UNSUPPORTED,
                         "is an ELF file of type %u: link it as an executable at fixed addresses "
                         "(type 2)",
                         (unsigned)f->type);
    }
    return STATUS_OK;
}

static enum status check_header(const struct load_job *job, const struct elf_file *f)
{
    const size_t expected =
        f->class == ELF_64 ? sizeof(struct elf64_segment) : sizeof(struct elf32_segment);

    if (f->phnum == 0) {
        return load_fail(job, ERR_INVALID,
                         "has no program headers: link it, an object file can't be started");
    }
    if (f->phnum > MAX_HEADERS) {
        return load_fail(job, ERR_UNSUPPORTED,
                         "has %u program headers, more than %u: link it with "
                         "fewer",
                         (unsigned)f->phnum, MAX_HEADERS);
    }
    if (f->phentsize != expected) {
        return load_fail(job, ERR_INVALID,
                         "has program headers of %u bytes instead of %u: the file is damaged",
                         (unsigned)f->phentsize, (unsigned)expected);
    }
    if (f->phoff > job->req->image->size) {
        return load_fail(job, ERR_TRUNCATED,
                         "ends before its program headers: the file is damaged or was not loaded "
                         "whole; copy it anew");
    }
    return STATUS_OK;
}

static enum status read_segment(const struct load_job *job, const struct elf_file *f,
                                unsigned index, struct elf64_segment *segment)
{
    const uint64_t at = f->phoff + (uint64_t)index * f->phentsize;
    struct elf32_segment narrow;
    enum status s;

    if (f->class == ELF_64) {
        return load_read(job, at, segment, sizeof(*segment), "program headers");
    }
    s = load_read(job, at, &narrow, sizeof(narrow), "program headers");
    if (s == STATUS_OK) {
        *segment = (struct elf64_segment){
            .type = narrow.type,
            .flags = narrow.flags,
            .offset = narrow.offset,
            .vaddr = narrow.vaddr,
            .paddr = narrow.paddr,
            .filesz = narrow.filesz,
            .memsz = narrow.memsz,
            .align = narrow.align,
        };
    }
    return s;
}

static enum status load_segment(struct load_job *job, unsigned index,
                                const struct elf64_segment *segment)
{
    enum status s;

    if (segment->filesz > segment->memsz) {
        return load_fail(job, ERR_INVALID,
                         "segment %u has more bytes in the file (0x%llx) than in memory (0x%llx): "
                         "the file is damaged",
                         index, (unsigned long long)segment->filesz,
                         (unsigned long long)segment->memsz);
    }
    s = load_claim(job, segment->paddr, segment->memsz, "segment", (int)index);
    if (s != STATUS_OK) {
        return s;
    }
    return load_copy(job, segment->paddr, segment->memsz, segment->offset, segment->filesz,
                     "segment", (int)index);
}

// The entry point, as found in the segments so far. The header gives a virtual address. Some linker
// scripts make it a physical one: that is used only if no segment contains it as a virtual one.
struct entry_point {
    bool found;
    uint64_t address; // physical
};

static void look_for_entry(struct entry_point *found, const struct elf64_segment *s, uint64_t entry)
{
    if (entry >= s->vaddr && entry - s->vaddr < s->memsz) {
        *found = (struct entry_point){true, s->paddr + (entry - s->vaddr)};
    } else if (entry >= s->paddr && entry - s->paddr < s->memsz && !found->found) {
        *found = (struct entry_point){true, entry};
    }
}

enum status load_elf(struct load_job *job, uint64_t *entry, uint64_t *end)
{
    struct elf_file file;
    struct elf64_segment segment;
    struct entry_point found = {0};
    unsigned loaded = 0;
    enum status s = read_header(job, &file);

    *end = 0;
    if (s == STATUS_OK) {
        s = check_header(job, &file);
    }
    for (unsigned i = 0; s == STATUS_OK && i < file.phnum; i++) {
        s = read_segment(job, &file, i, &segment);
        if (s != STATUS_OK || segment.type != PT_LOAD || segment.memsz == 0) {
            continue;
        }
        if (++loaded > MAX_SEGMENTS) {
            return load_fail(job, ERR_UNSUPPORTED, "has more than %u segments: link it with fewer",
                             MAX_SEGMENTS);
        }
        s = load_segment(job, i, &segment);
        if (s == STATUS_OK) {
            *end = max_u64(*end, segment.paddr + segment.memsz);
            look_for_entry(&found, &segment, file.entry);
        }
    }
    if (s != STATUS_OK) {
        return s;
    }
    if (!found.found) {
        return load_fail(job, ERR_INVALID,
                         "its entry point 0x%llx lies in none of its segments: the image is linked "
                         "wrongly",
                         (unsigned long long)file.entry);
    }
    *entry = found.address;
    return STATUS_OK;
}
