// SPDX-License-Identifier: Apache-2.0
// Loads a guest: first the firmware's part, then the image by its kind.
#include "hv/guest/load.h"

#include "arch/lib/string.h"
#include "hv/guest/acpi.h"
#include "hv/guest/bios.h"
#include "hv/guest/e820.h"
#include "hv/guest/load_bzimage.h"
#include "hv/guest/load_foreign.h"
#include "hv/guest/load_job.h"
#include "hv/guest/load_multiboot.h"
#include "hv/guest/mptable.h"
#include "hv/guest/smbios.h"

#define DETAIL_SIZE 128

static enum status check_request(const struct load_job *job)
{
    const uint64_t memory = job->req->memory;

    if (memory < LOAD_MIN_MEMORY || !is_aligned(memory, PAGE_SIZE)) {
        return load_fail_file(job, ERR_INVALID, NULL, NULL,
                              "0x%llx bytes of memory are less than 0x%llx or no whole number of "
                              "pages: correct \"memory\"",
                              (unsigned long long)memory, (unsigned long long)LOAD_MIN_MEMORY);
    }
    if (job->req->image->size == 0) {
        return load_fail(job, ERR_TRUNCATED, "is empty: copy it anew");
    }
    return STATUS_OK;
}

// Writes what a PC's firmware leaves in the first MiB, and claims that memory.
static enum status write_firmware(struct load_job *job, gpa_t *rsdp)
{
    const struct guest_identity identity = {
        .name = job->req->partition,
        .version = job->req->version,
        .uuid = job->req->uuid,
        .memory = job->req->memory,
    };
    char detail[DETAIL_SIZE] = "the BIOS and its data area can't be written";
    enum status s = guest_bios_write(job->ram);

    if (s == STATUS_OK) {
        s = guest_bda_write(job->ram);
    }
    if (s == STATUS_OK) {
        s = guest_acpi_write(job->ram, &job->req->platform, rsdp, detail, sizeof(detail));
    }
    if (s == STATUS_OK) {
        s = guest_mptable_write(job->ram, &job->req->platform, detail, sizeof(detail));
    }
    if (s == STATUS_OK) {
        s = guest_smbios_write(job->ram, &job->req->platform, &identity, detail, sizeof(detail));
    }
    if (s != STATUS_OK) {
        return load_fail_file(job, s, NULL, NULL, "%s", detail);
    }
    s = load_space_take(&job->space, 0, PAGE_SIZE, "BIOS data area", -1);
    if (s == STATUS_OK) {
        s = load_space_take(&job->space, GUEST_EBDA, GUEST_FIRMWARE_END - GUEST_EBDA,
                            "firmware area", -1);
    }
    return s;
}

static enum status load_image(struct load_job *job, gpa_t rsdp)
{
    const struct boot_module *image = job->req->image;
    struct multiboot_header multiboot;

    if (load_bzimage_is(image)) {
        return load_bzimage(job, rsdp);
    }
    if (load_multiboot_find(image, &multiboot)) {
        return load_multiboot(job, &multiboot);
    }
    return load_fail(job, ERR_UNSUPPORTED, "is %s", load_foreign_kind(image));
}

enum status load_guest(const struct guest_ram *ram, const struct load_request *req,
                       struct load_result *res, char *error, size_t error_size)
{
    struct load_job job = {
        .ram = ram, .req = req, .res = res, .error = error, .error_size = error_size};
    enum status s;

    memset(res, 0, sizeof(*res));
    load_space_init(&job.space, req->memory, req->dma_floor);
    s = check_request(&job);
    if (s == STATUS_OK) {
        s = write_firmware(&job, &res->rsdp);
    }
    if (s == STATUS_OK) {
        s = load_image(&job, res->rsdp);
    }
    return s;
}
