// SPDX-License-Identifier: Apache-2.0
// Puts a guest into its partition's memory: the image, what goes with it, and the firmware tables
// that it will look for. The image's kind is known by its content.
#ifndef HV_LOAD_H
#define HV_LOAD_H

#include "arch/status.h"
#include "arch/types.h"
#include "boot/boot_info.h"
#include "hv/guest_platform.h"
#include "hv/vcpu_entry.h"

struct guest_ram;

// Less than this holds no guest: the first MiB is the firmware's, and an image goes above it.
#define LOAD_MIN_MEMORY MIB(2)

// A Multiboot module.
struct load_module {
    const struct boot_module *module;
    const char *cmdline; // NULL: none
};

struct load_request {
    const char *partition; // its name, for messages and SMBIOS
    const char *version;   // Bulkhead's
    const uint8_t *uuid;   // GUEST_UUID_SIZE bytes (hv/guest_smbios.h)
    uint64_t memory;       // bytes of RAM, a multiple of the page size
    uint64_t dma_floor;    // where its RAM above the first MiB begins; 0: there
    const struct boot_module *image;
    const struct boot_module *initrd;      // NULL: none; Linux only
    const char *cmdline;                   // NULL: none
    const struct load_module *modules;     // Multiboot only
    unsigned module_count;                 // at most BLOB_MAX_MODULES
    bool no_image_name;                    // Multiboot command lines begin without the file's name
    const struct boot_framebuffer *screen; // at its guest-physical address; NULL: none
    struct guest_platform platform;
};

struct load_result {
    struct vcpu_entry entry; // of CPU 0; the others wait for a SIPI
    const char *kind;        // what the image was found to be; a constant
    gpa_t rsdp;              // where the ACPI root pointer went
    uint64_t copy_ticks;     // of the TSC, that copying files took
};

// Loads `req->image` and all that belongs to it into the memory of `ram`, whose RAM must be all
// zero and whose CPUs must not run. Writes nothing outside the partition's RAM. On failure the
// memory holds anything, `res` means nothing, and `error` tells a person which partition and image,
// what is wrong and what to do about it:
//   ERR_UNSUPPORTED  of no known kind, or of a known kind with a demand we can't meet
//   ERR_TRUNCATED    the image ends before it should
//   ERR_INVALID      a field of the image, or the request, makes no sense
//   ERR_RANGE        a part of it lies outside the partition's RAM, or on something else
//   ERR_NO_MEMORY    it doesn't all fit
// May be called on any CPU, for different partitions at the same time.
enum status load_guest(const struct guest_ram *ram, const struct load_request *req,
                       struct load_result *res, char *error, size_t error_size);

#endif
