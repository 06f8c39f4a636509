// SPDX-License-Identifier: Apache-2.0
// Loads the segments of an ELF file, by physical address. No kind of image of its own: what the
// kernel expects at its entry is for another protocol to say.
#ifndef HV_GUEST_LOAD_ELF_H
#define HV_GUEST_LOAD_ELF_H

#include "boot/elf.h"
#include "hv/guest/load_job.h"

// What the file's first bytes say; ELF_NONE also for a file too short.
enum elf_class load_elf_class(const struct boot_module *image);

// Loads an executable for i386 or x86-64. `entry` is the physical address of its entry point,
// `end` the first address behind its last segment. Errors as load_guest.
enum status load_elf(struct load_job *job, uint64_t *entry, uint64_t *end);

#endif
