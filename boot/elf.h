// SPDX-License-Identifier: Apache-2.0
// ELF files as the System V ABI defines them (gABI, chapters 4 and 5), in both classes. The UEFI
// loader reads the hypervisor's file, the hypervisor its guests' files.
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include <stdint.h>

#define ELF_MAGIC       "\177ELF"
#define ELF_IDENT_SIZE  16u
#define ELF_IDENT_CLASS 4u // enum elf_class
#define ELF_IDENT_DATA  5u
#define ELF_LITTLE      1u // little endian

#define ET_EXEC   2u
#define EM_386    3u
#define EM_X86_64 62u
#define PT_LOAD   1u

enum elf_class { ELF_NONE = 0, ELF_32 = 1, ELF_64 = 2 };

struct elf32_header {
    uint8_t ident[ELF_IDENT_SIZE];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint32_t entry;
    uint32_t phoff;
    uint32_t shoff;
    uint32_t flags;
    uint16_t ehsize;
    uint16_t phentsize;
    uint16_t phnum;
    uint16_t shentsize;
    uint16_t shnum;
    uint16_t shstrndx;
};
_Static_assert(sizeof(struct elf32_header) == 52, "gABI");

struct elf64_header {
    uint8_t ident[ELF_IDENT_SIZE];
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
_Static_assert(sizeof(struct elf64_header) == 64, "gABI");

struct elf32_segment {
    uint32_t type;
    uint32_t offset;
    uint32_t vaddr;
    uint32_t paddr;
    uint32_t filesz;
    uint32_t memsz;
    uint32_t flags;
    uint32_t align;
};
_Static_assert(sizeof(struct elf32_segment) == 32, "gABI");

struct elf64_segment {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
};
_Static_assert(sizeof(struct elf64_segment) == 56, "gABI");

#endif
