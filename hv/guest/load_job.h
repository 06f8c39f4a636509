// SPDX-License-Identifier: Apache-2.0
// The loading of one guest, and what the loaders of all kinds of images share: reading the image,
// claiming memory, and errors that name the partition, the file and the range.
#ifndef HV_GUEST_LOAD_JOB_H
#define HV_GUEST_LOAD_JOB_H

#include "hv/guest/load_request.h"
#include "hv/guest/load_space.h"

struct load_job {
    const struct guest_ram *ram;
    const struct load_request *req;
    struct load_result *res;
    struct load_space space;
    char *error;
    size_t error_size;
};

#define LOAD_GDT_SIZE 32u // bytes of the descriptor table that load_gdt() writes

// Both write a text `partition "alpha": image "vmlinuz": ...` and return `s`. load_fail_file()
// names a file other than the image; `role` says what it is to the guest ("initrd"). NULL: no file.
enum status load_fail(const struct load_job *job, enum status s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
enum status load_fail_file(const struct load_job *job, enum status s, const char *role,
                           const char *name, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

// Reads `size` bytes of the image at `offset`. On ERR_TRUNCATED the text names `what`.
enum status load_read(const struct load_job *job, uint64_t offset, void *buf, size_t size,
                      const char *what);

// Claims a range of RAM for a part of the image that must be exactly there. `index` is its number,
// or -1. ERR_RANGE, with a text, if it is not RAM or not free.
enum status load_claim(struct load_job *job, uint64_t start, uint64_t size, const char *what,
                       int index);

// Copies `file_size` bytes at `offset` of the image to `start`, and clears the rest up to `size`.
// The range must have been claimed. On ERR_TRUNCATED the text names `what`.
enum status load_copy(const struct load_job *job, uint64_t start, uint64_t size, uint64_t offset,
                      uint64_t file_size, const char *what, int index);

// Copies a whole file to `start`. The range must have been claimed.
enum status load_copy_file(const struct load_job *job, uint64_t start,
                           const struct boot_module *file, const char *role);

// Writes bytes to claimed memory. A failure is the hypervisor's own error; the text says so.
enum status load_write(const struct load_job *job, uint64_t start, const void *data, size_t size);

// Writes a descriptor table of flat segments (LOAD_GDT_SIZE bytes) to `start`, and sets the
// result's mode, table and selectors. The code segment, of 64 or 32 bits, has the selector `cs`, 8
// or 0x10, as the boot protocol requires; the data segment follows.
enum status load_gdt(const struct load_job *job, uint64_t start, uint16_t cs,
                     enum vcpu_entry_mode mode);

#endif
