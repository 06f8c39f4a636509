// SPDX-License-Identifier: Apache-2.0
// Loads the segments of an ELF file, by physical address. ELF is not a kind of image: another
// protocol says what the kernel expects at its entry.
#ifndef HV_GUEST_LOAD_ELF_H
#define HV_GUEST_LOAD_ELF_H

#include "boot/elf.h"
#include "hv/guest/load_job.h"

// The class by the file's first bytes. ELF_NONE also if the file is too short.
enum elf_class load_elf_class(const struct boot_module *image);

// Loads an executable for i386 or x86-64. `entry` is the physical address of its entry point, `end`
// the first address after its last segment. Errors as load_guest().
enum status load_elf(struct load_job *job, uint64_t *entry, uint64_t *end);

#endif
