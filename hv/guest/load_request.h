// SPDX-License-Identifier: Apache-2.0
// What a guest is loaded from, and the result.
#ifndef HV_GUEST_LOAD_REQUEST_H
#define HV_GUEST_LOAD_REQUEST_H

#include "arch/lib/types.h"
#include "arch/virt/vcpu_entry.h"
#include "boot/boot_info.h"
#include "hv/machine/guest_platform.h"

// No guest fits in less: the first MiB belongs to the firmware, and an image goes above it.
#define LOAD_MIN_MEMORY MIB(2)

// A Multiboot module.
struct load_module {
    const struct boot_module *module;
    const char *cmdline; // NULL if it has none
};

struct load_request {
    const char *partition; // its name, for messages and SMBIOS
    const char *version;   // Bulkhead's
    const uint8_t *uuid;   // GUEST_UUID_SIZE bytes (hv/guest/smbios.h)
    uint64_t memory;       // bytes of RAM, a multiple of the page size
    uint64_t dma_floor;    // where its RAM above the first MiB begins; 0: at 1 MiB
    const struct boot_module *image;
    const struct boot_module *initrd;  // NULL if there is none; Linux only
    const char *cmdline;               // NULL if there is none
    const struct load_module *modules; // Multiboot only
    unsigned module_count;
    bool no_image_name;                    // Multiboot command lines begin without the file's name
    const struct boot_framebuffer *screen; // at its guest-physical address; NULL if there is none
    struct guest_platform platform;
};

struct load_result {
    struct vcpu_entry entry; // of CPU 0; the others wait for a SIPI
    const char *kind;        // the kind of image that was found; a constant
    gpa_t rsdp;              // address of the ACPI root pointer
    uint64_t copy_ticks;     // TSC ticks that copying files took
};

#endif
