// SPDX-License-Identifier: Apache-2.0
// What a loader tells the hypervisor, in one form for Multiboot 1, Multiboot 2 and UEFI. It holds
// copies: apart from the modules' contents, nothing in it points into memory that the loader owns.
// After copying it, call boot_info_moved().
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include <stdint.h>

// Passed to boot_main() together with the physical address of a complete struct boot_info.
#define BOOT_INFO_MAGIC 0x42484249u

#define BOOT_MAX_MEMORY  256
#define BOOT_MAX_MODULES 128  // a few more than a configuration can name: hv/machine/config.c
#define BOOT_TEXT_SIZE   256  // of a module's name and of the command line, including the NUL
#define BOOT_NAMES_SIZE  8192 // of all modules' names

enum boot_memory_kind {
    BOOT_MEMORY_USABLE = 1,
    BOOT_MEMORY_RESERVED = 2, // anything that is not RAM for general use
    BOOT_MEMORY_ACPI = 3,     // ACPI tables: read, but never handed out
};

// A range of host-physical memory, in bytes, as firmware reports it.
struct boot_memory {
    uint64_t base;
    uint64_t size;
    uint32_t kind; // enum boot_memory_kind
};

// A file that the loader put into memory.
struct boot_module {
    uint64_t base;    // host-physical
    uint64_t size;    // bytes
    const char *name; // value of name= in its command line, else its base name; points into `names`
};

// A linear framebuffer with 32 bits per pixel, as the firmware left it. All zero if there is none.
struct boot_framebuffer {
    uint64_t base;                              // host-physical
    uint32_t pitch;                             // bytes from one line to the next
    uint32_t width;                             // pixels
    uint32_t height;                            // pixels
    uint8_t red_shift, green_shift, blue_shift; // of each colour's 8 bits in a pixel
};

struct boot_info {
    char loader[32];              // the boot protocol: "Multiboot 1", "Multiboot 2", "UEFI"
    char cmdline[BOOT_TEXT_SIZE]; // the hypervisor's own: its name=value words
    uint64_t rsdp;                // host-physical address of the ACPI RSDP; 0: search for it
    struct boot_framebuffer framebuffer;
    char framebuffer_refused[96]; // why the loader's framebuffer is not used, or ""
    unsigned memory_count;
    struct boot_memory memory[BOOT_MAX_MEMORY]; // as reported: unsorted, may overlap
    unsigned module_count;
    struct boot_module modules[BOOT_MAX_MODULES];
    unsigned names_used;
    char names[BOOT_NAMES_SIZE]; // each ends with a NUL
};

#endif
