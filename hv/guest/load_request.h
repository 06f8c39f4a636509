// SPDX-License-Identifier: Apache-2.0
// What a guest is loaded from, and what came of it.
#ifndef HV_GUEST_LOAD_REQUEST_H
#define HV_GUEST_LOAD_REQUEST_H

#include "arch/lib/types.h"
#include "arch/virt/vcpu_entry.h"
#include "boot/boot_info.h"
#include "hv/machine/guest_platform.h"

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
    const uint8_t *uuid;   // GUEST_UUID_SIZE bytes (hv/guest/smbios.h)
    uint64_t memory;       // bytes of RAM, a multiple of the page size
    uint64_t dma_floor;    // where its RAM above the first MiB begins; 0: there
    const struct boot_module *image;
    const struct boot_module *initrd;  // NULL: none; Linux only
    const char *cmdline;               // NULL: none
    const struct load_module *modules; // Multiboot only
    unsigned module_count;
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

#endif
