// SPDX-License-Identifier: Apache-2.0
// Multiboot kernels made by hand, for the tests of their loader.
#ifndef TESTS_UNIT_MULTIBOOT_IMAGE_H
#define TESTS_UNIT_MULTIBOOT_IMAGE_H

#include <elf.h>

#include "hv/guest/load.h"
#include "tests/unit/fake_guest_ram.h"

#define HEADER_AT  0x200u // of the Multiboot header
#define CODE_AT    0x400u // of the first segment
#define CODE_SIZE  0x300u
#define DATA_AT    0x800u // of the second
#define DATA_SIZE  0x123u
#define IMAGE_SIZE 0xa00u

struct fixture {
    struct fake_ram p;
    uint8_t image[0x4000];
    struct boot_module file;
    struct load_request req;
    struct load_result res;
    char error[512];
};

void put32(struct fixture *f, unsigned offset, uint32_t value);
void put_header(struct fixture *f, unsigned at, uint32_t flags);

// Each makes a partition of 16 MiB and the request for one image: an ELF32 with code at 1 MiB, a
// note, and data with a page of bss at 2 MiB; the same as ELF64, linked for the upper half; and a
// flat image with addresses in its Multiboot header, which stands 0x100 behind what is loaded
// first.
void set_up_elf32(struct fixture *f);
void set_up_elf64(struct fixture *f);
void set_up_flat(struct fixture *f);

Elf32_Ehdr *header32(struct fixture *f);
Elf32_Phdr *segment32(struct fixture *f, unsigned n);
Elf64_Ehdr *header64(struct fixture *f);
Elf64_Phdr *segment64(struct fixture *f, unsigned n);

enum status load(struct fixture *f);

// Loading fails so, with an error that names the partition and has `text` in it.
void expect_failure(struct fixture *f, enum status s, const char *text);

// The boot CPU starts at `rip` as Multiboot has it, with flat segments.
void expect_entry(const struct fixture *f, uint64_t rip);

#endif
