// SPDX-License-Identifier: Apache-2.0
// What the loaders share. Relies on guest_mem.h to read the image and to access the partition's
// RAM.
#include "hv/guest/load_job.h"

#include "arch/cpu/cpu.h"
#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "hv/memory/guest_mem.h"

// Flat segments from 0 to 4 GiB, ring 0, present, accessed (SDM 3A, 3.4.5).
#define FLAT_CODE32 0x00cf9b000000ffffull
#define FLAT_CODE64 0x00af9b000000ffffull
#define FLAT_DATA   0x00cf93000000ffffull

// Appends to a text that ends at `used`, which is beyond the buffer if the text was cut off.
static void append(const struct load_job *job, size_t used, const char *fmt, va_list args)
{
    if (used < job->error_size) {
        vformat(job->error + used, job->error_size - used, fmt, args);
    }
}

enum status load_fail(const struct load_job *job, enum status s, const char *fmt, ...)
{
    va_list args;
    const size_t used =
        format(job->error, job->error_size, "partition \"%s\": image \"%s\": ", job->req->partition,
               job->req->image->name);

    va_start(args, fmt);
    append(job, used, fmt, args);
    va_end(args);
    return s;
}

enum status load_fail_file(const struct load_job *job, enum status s, const char *role,
                           const char *name, const char *fmt, ...)
{
    va_list args;
    size_t used;

    if (role == NULL) {
        used = format(job->error, job->error_size, "partition \"%s\": ", job->req->partition);
    } else {
        used = format(job->error, job->error_size,
                      "partition \"%s\": %s \"%s\": ", job->req->partition, role, name);
    }
    va_start(args, fmt);
    append(job, used, fmt, args);
    va_end(args);
    return s;
}

static enum status fail_truncated(const struct load_job *job, const char *what)
{
    return load_fail(job, ERR_TRUNCATED,
                     "ends within its %s, after %llu bytes: the file is damaged or was not loaded "
                     "whole; copy it anew",
                     what, (unsigned long long)job->req->image->size);
}

// A range's number for a message; empty if it has none.
static const char *number_text(char buf[16], int index)
{
    buf[0] = '\0';
    if (index >= 0) {
        format(buf, 16, " %d", index);
    }
    return buf;
}

enum status load_read(const struct load_job *job, uint64_t offset, void *buf, size_t size,
                      const char *what)
{
    const struct boot_module *image = job->req->image;

    if (offset > image->size || size > image->size - offset) {
        return fail_truncated(job, what);
    }
    if (module_read(image, offset, buf, size) != STATUS_OK) {
        return fail_truncated(job, what);
    }
    return STATUS_OK;
}

enum status load_claim(struct load_job *job, uint64_t start, uint64_t size, const char *what,
                       int index)
{
    const uint64_t low = job->space.low_end;
    const struct load_range *other;
    char number[16];
    char other_number[16];

    number_text(number, index);
    if (size > UINT64_MAX - start) {
        return load_fail(job, ERR_RANGE,
                         "%s%s of 0x%llx bytes at 0x%llx wraps around the end of the address "
                         "space: the image is damaged or linked wrongly",
                         what, number, (unsigned long long)size, (unsigned long long)start);
    }
    if (!load_space_is_ram(&job->space, start, size)) {
        return load_fail(job, ERR_RANGE,
                         "%s%s (0x%llx-0x%llx) lies outside the partition's RAM (0x0-0x%llx): "
                         "give the partition more memory or link the image lower",
                         what, number, (unsigned long long)start,
                         (unsigned long long)(start + size - 1), (unsigned long long)(low - 1));
    }
    other = load_space_find(&job->space, start, size);
    if (other != NULL && strcmp(other->what, LOAD_SPACE_HOLE) == 0) {
        return load_fail(job, ERR_RANGE,
                         "%s%s (0x%llx-0x%llx) lies below 0x%llx, where the RAM of a partition "
                         "begins whose devices do DMA without an IOMMU: link it higher (Linux: "
                         "CONFIG_RELOCATABLE)",
                         what, number, (unsigned long long)start,
                         (unsigned long long)(start + size - 1), (unsigned long long)other->end);
    }
    if (other != NULL) {
        return load_fail(job, ERR_RANGE,
                         "%s%s (0x%llx-0x%llx) lies on %s%s (0x%llx-0x%llx): link the image so "
                         "that it starts at 1 MiB or above and its parts lie apart",
                         what, number, (unsigned long long)start,
                         (unsigned long long)(start + size - 1), other->what,
                         number_text(other_number, other->index), (unsigned long long)other->start,
                         (unsigned long long)(other->end - 1));
    }
    if (load_space_take(&job->space, start, size, what, index) != STATUS_OK) {
        return load_fail(job, ERR_NO_MEMORY, "has too many parts, more than %u: link it with fewer",
                         (unsigned)LOAD_SPACE_MAX);
    }
    return STATUS_OK;
}

static enum status fail_access(const struct load_job *job, enum status s, uint64_t start)
{
    return load_fail(job, s,
                     "guest memory at 0x%llx can't be reached: an error of the hypervisor, please "
                     "report it",
                     (unsigned long long)start);
}

enum status load_copy(const struct load_job *job, uint64_t start, uint64_t size, uint64_t offset,
                      uint64_t file_size, const char *what, int index)
{
    const struct boot_module *image = job->req->image;
    enum status s = STATUS_OK;

    if (offset > image->size || file_size > image->size - offset) {
        char text[48];
        char number[16];

        format(text, sizeof(text), "%s%s", what, number_text(number, index));
        return fail_truncated(job, text);
    }
    uint64_t begin = rdtsc();
    if (file_size > 0) {
        s = guest_copy_module(job->ram, gpa(start), image, offset, file_size);
    }
    if (s == STATUS_OK && size > file_size) {
        s = guest_fill(job->ram, gpa(start + file_size), 0, size - file_size);
    }
    job->res->copy_ticks += rdtsc() - begin;
    return s == STATUS_OK ? s : fail_access(job, s, start);
}

enum status load_copy_file(const struct load_job *job, uint64_t start,
                           const struct boot_module *file, const char *role)
{
    enum status s = STATUS_OK;

    uint64_t begin = rdtsc();
    if (file->size > 0) {
        s = guest_copy_module(job->ram, gpa(start), file, 0, file->size);
    }
    job->res->copy_ticks += rdtsc() - begin;
    if (s != STATUS_OK) {
        return load_fail_file(job, s, role, file->name,
                              "can't be copied to 0x%llx: an error of the hypervisor, please "
                              "report it",
                              (unsigned long long)start);
    }
    return s;
}

enum status load_write(const struct load_job *job, uint64_t start, const void *data, size_t size)
{
    const enum status s = guest_write(job->ram, gpa(start), data, size);

    return s == STATUS_OK ? s : fail_access(job, s, start);
}

enum status load_gdt(const struct load_job *job, uint64_t start, uint16_t cs,
                     enum vcpu_entry_mode mode)
{
    uint64_t gdt[LOAD_GDT_SIZE / sizeof(uint64_t)] = {0};
    struct vcpu_entry *entry = &job->res->entry;

    entry->mode = mode;
    entry->gdt = gpa(start);
    entry->gdt_limit = LOAD_GDT_SIZE - 1;
    entry->cs = cs;
    entry->ds = (uint16_t)(cs + sizeof(gdt[0]));
    gdt[entry->cs / sizeof(gdt[0])] = mode == ENTRY_LONG64 ? FLAT_CODE64 : FLAT_CODE32;
    gdt[entry->ds / sizeof(gdt[0])] = FLAT_DATA;
    return load_write(job, start, gdt, sizeof(gdt));
}
