// SPDX-License-Identifier: Apache-2.0
// The Multiboot 1 loader (Multiboot Specification 0.6.96, chapter 3). Modules go after the kernel,
// each at a page of its own. The information goes below the EBDA, where few kernels overwrite it.
// Relies on load_elf.c for ELF files and on load_job for memory and messages.
#include "hv/guest/load_multiboot.h"

#include "arch/lib/string.h"
#include "hv/guest/e820.h"
#include "hv/guest/load_elf.h"
#include "hv/memory/guest_mem.h"

#define HEADER_MAGIC  0x1badb002u
#define HEADER_SEARCH 8192u
#define HEADER_SIZE   12u // magic, flags, checksum
#define LOADER_MAGIC  0x2badb002u
// As in QEMU and GRUB Legacy; the data segment follows (3.2 leaves it open).
#define ENTRY_CS 8u

// Header flags. The low half are demands; an unknown demand can't be met.
#define WANTS_PAGE_ALIGNED BIT(0)
#define WANTS_MEMORY       BIT(1)
#define WANTS_VIDEO        BIT(2)
#define DEMANDS            0xffffu
#define HAS_ADDRESSES      BIT(16)

// The header's address fields, which follow its first three.
struct address_fields {
    uint32_t header;
    uint32_t load;
    uint32_t load_end; // 0: the whole file
    uint32_t bss_end;  // 0: no bss
    uint32_t entry;
};

struct multiboot_info { // 3.3
    uint32_t flags;
    uint32_t mem_lower; // KiB
    uint32_t mem_upper; // KiB
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count;
    uint32_t mods;
    uint32_t syms[4];
    uint32_t mmap_length;
    uint32_t mmap;
    uint32_t drives_length;
    uint32_t drives;
    uint32_t config_table;
    uint32_t boot_loader_name;
    uint32_t apm_table;
    uint32_t vbe[4]; // two addresses, then four 16-bit fields
    struct {
        uint64_t base;
        uint32_t pitch;  // bytes
        uint32_t width;  // pixels
        uint32_t height; // pixels
        uint8_t depth;   // bits of a pixel
        uint8_t type;
        struct {
            uint8_t position;
            uint8_t size; // bits
        } colour[3];      // red, green, blue
    } __attribute__((packed)) framebuffer;
};
_Static_assert(offsetof(struct multiboot_info, framebuffer) == 88, "Multiboot 3.3");
_Static_assert(offsetof(struct multiboot_info, mmap_length) == 44, "Multiboot 3.3");
_Static_assert(offsetof(struct multiboot_info, boot_loader_name) == 64, "Multiboot 3.3");

#define INFO_MEMORY      BIT(0)
#define INFO_CMDLINE     BIT(2)
#define INFO_MODULES     BIT(3)
#define INFO_MMAP        BIT(6)
#define INFO_LOADER_NAME BIT(9)
#define INFO_FRAMEBUFFER BIT(12)

#define FRAMEBUFFER_RGB 1u

struct info_module {
    uint32_t start;
    uint32_t end;
    uint32_t cmdline;
    uint32_t reserved;
};

struct info_mmap {
    uint32_t size; // size of the fields after it
    uint64_t base;
    uint64_t length;
    uint32_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct info_mmap) == 24, "Multiboot 3.3");

static const char loader_name[] = "Bulkhead";

// Where the parts of the information go, one after the other.
struct info_plan {
    uint32_t gdt;
    uint32_t info;
    uint32_t mmap;
    uint32_t mods;
    uint32_t strings;
};

// A command line as the guest gets it: the file's name first, if it is to have that, then the words
// of the configuration. Kernels such as Xen skip the first word, because QEMU and GRUB Legacy put
// the file's name there.
struct guest_cmdline {
    const char *name;
    const char *gap;
    const char *words;
};

static struct guest_cmdline cmdline_of(const struct load_request *req,
                                       const struct boot_module *file, const char *words)
{
    const char *w = words == NULL ? "" : words;
    const bool named = !req->no_image_name;

    return (struct guest_cmdline){named ? file->name : "", named && w[0] != '\0' ? " " : "", w};
}

static uint64_t cmdline_size(struct guest_cmdline c)
{
    return strlen(c.name) + strlen(c.gap) + strlen(c.words) + 1;
}

bool load_multiboot_find(const struct boot_module *image, struct multiboot_header *header)
{
    const uint64_t end = min_u64(image->size, HEADER_SEARCH);

    for (uint32_t at = 0; at + HEADER_SIZE <= end; at += 4) {
        uint32_t words[HEADER_SIZE / 4];

        if (module_read(image, at, words, sizeof(words)) != STATUS_OK) {
            return false;
        }
        if (words[0] == HEADER_MAGIC && words[0] + words[1] + words[2] == 0) {
            *header = (struct multiboot_header){at, words[1]};
            return true;
        }
    }
    return false;
}

static enum status check_request(const struct load_job *job, const struct multiboot_header *header)
{
    const uint32_t unknown =
        header->flags & (uint32_t)(DEMANDS & ~(WANTS_PAGE_ALIGNED | WANTS_MEMORY | WANTS_VIDEO));

    if (job->req->initrd != NULL) {
        return load_fail_file(job, ERR_UNSUPPORTED, "initrd", job->req->initrd->name,
                              "the image \"%s\" is a Multiboot kernel, which takes no initrd: list "
                              "the file under \"modules\"",
                              job->req->image->name);
    }
    // A video mode is only a wish (3.1.4), and the information says what there is. As with QEMU, a
    // kernel that can run without a display does so.
    if (unknown != 0) {
        return load_fail(job, ERR_UNSUPPORTED,
                         "its Multiboot header demands what is not known (flags 0x%x): build it "
                         "for Multiboot 1",
                         unknown);
    }
    return STATUS_OK;
}

static enum status fail_addresses(const struct load_job *job, const char *why)
{
    return load_fail(job, ERR_INVALID,
                     "the addresses in its Multiboot header make no sense, because %s: correct "
                     "them where the kernel defines its header",
                     why);
}

// Loads a file whose header says where it goes.
static enum status load_by_addresses(struct load_job *job, const struct multiboot_header *header,
                                     uint64_t *entry, uint64_t *end)
{
    struct address_fields a;
    uint64_t offset;
    uint64_t file_size;
    uint64_t size;
    enum status s = load_read(job, header->offset + HEADER_SIZE, &a, sizeof(a), "Multiboot header");

    if (s != STATUS_OK) {
        return s;
    }
    if (a.load > a.header || a.header - a.load > header->offset) {
        return fail_addresses(job, "load_addr lies before the file's start or after header_addr");
    }
    offset = header->offset - (a.header - a.load);
    file_size = a.load_end == 0 ? job->req->image->size - offset : (uint64_t)a.load_end - a.load;
    if (a.load_end != 0 && a.load_end <= a.load) {
        return fail_addresses(job, "load_end_addr is not above load_addr");
    }
    size = a.bss_end == 0 ? file_size : (uint64_t)a.bss_end - a.load;
    if (a.bss_end != 0 && (a.bss_end < a.load || size < file_size)) {
        return fail_addresses(job, "bss_end_addr lies below the end of what is loaded");
    }
    if (a.entry < a.load || a.entry - a.load >= size) {
        return fail_addresses(job, "entry_addr lies outside of what is loaded");
    }
    s = load_claim(job, a.load, size, "load range", -1);
    if (s == STATUS_OK) {
        s = load_copy(job, a.load, size, offset, file_size, "load range", -1);
    }
    *entry = a.entry;
    *end = a.load + size;
    return s;
}

// Finds room for all modules, one after the other, each at the start of a page.
static enum status place_modules(struct load_job *job, uint64_t kernel_end, uint64_t *start)
{
    const struct load_request *req = job->req;
    uint64_t size = 0;

    *start = 0;
    for (unsigned i = 0; i < req->module_count; i++) {
        const struct boot_module *m = req->modules[i].module;

        // A larger module fails anyway; without it the sum can't overflow.
        if (m->size > req->memory) {
            size = req->memory + 1;
            break;
        }
        size += align_up(m->size, PAGE_SIZE);
    }
    if (size == 0) {
        return STATUS_OK;
    }
    if (!load_space_lowest(&job->space, size, PAGE_SIZE, max_u64(kernel_end, GUEST_FIRMWARE_END),
                           GUEST_RAM_LOW_MAX, start) &&
        !load_space_lowest(&job->space, size, PAGE_SIZE, GUEST_FIRMWARE_END, GUEST_RAM_LOW_MAX,
                           start)) {
        return load_fail_file(job, ERR_NO_MEMORY, "module", req->modules[0].module->name,
                              "the partition's modules don't fit into its RAM below 3 GiB beside "
                              "the image \"%s\": give it more memory",
                              req->image->name);
    }
    return load_space_take(&job->space, *start, size, "modules", -1);
}

static enum status place_info(struct load_job *job, struct info_plan *plan)
{
    const struct load_request *req = job->req;
    struct e820_entry map[GUEST_E820_MAX];
    const unsigned map_count = guest_e820(req->memory, req->dma_floor, req->platform.has_pci, map);
    uint64_t strings =
        sizeof(loader_name) + cmdline_size(cmdline_of(req, req->image, req->cmdline));
    uint64_t start;
    uint64_t size;

    for (unsigned i = 0; i < req->module_count; i++) {
        const struct load_module *m = &req->modules[i];

        strings += cmdline_size(cmdline_of(req, m->module, m->cmdline));
    }
    size = LOAD_GDT_SIZE + sizeof(struct multiboot_info) + map_count * sizeof(struct info_mmap) +
           req->module_count * sizeof(struct info_module) + strings;
    // In base memory if there is room, as high as possible.
    if (!load_space_highest(&job->space, size, 16, PAGE_SIZE, GUEST_EBDA, &start) &&
        !load_space_highest(&job->space, size, 16, PAGE_SIZE, GUEST_RAM_LOW_MAX, &start)) {
        return load_fail(job, ERR_NO_MEMORY,
                         "leaves no room for 0x%llx bytes of Multiboot information: give the "
                         "partition more memory",
                         (unsigned long long)size);
    }
    plan->gdt = (uint32_t)start;
    plan->info = plan->gdt + LOAD_GDT_SIZE;
    plan->mmap = plan->info + (uint32_t)sizeof(struct multiboot_info);
    plan->mods = plan->mmap + map_count * (uint32_t)sizeof(struct info_mmap);
    plan->strings = plan->mods + req->module_count * (uint32_t)sizeof(struct info_module);
    return load_space_take(&job->space, start, size, "Multiboot information", -1);
}

// Writes `size` bytes of text at `*next`, and moves `*next` past them.
static enum status write_text(const struct load_job *job, const char *text, size_t size,
                              uint32_t *next)
{
    const uint32_t at = *next;

    *next += (uint32_t)size;
    return size == 0 ? STATUS_OK : load_write(job, at, text, size);
}

static enum status write_cmdline(const struct load_job *job, struct guest_cmdline c, uint32_t *next)
{
    enum status s = write_text(job, c.name, strlen(c.name), next);

    if (s == STATUS_OK) {
        s = write_text(job, c.gap, strlen(c.gap), next);
    }
    return s == STATUS_OK ? write_text(job, c.words, strlen(c.words) + 1, next) : s;
}

static enum status write_modules(const struct load_job *job, const struct info_plan *plan,
                                 uint64_t start, uint32_t *strings)
{
    const struct load_request *req = job->req;
    enum status s = STATUS_OK;

    for (unsigned i = 0; s == STATUS_OK && i < req->module_count; i++) {
        const struct load_module *m = &req->modules[i];
        const struct info_module entry = {
            .start = (uint32_t)start,
            .end = (uint32_t)(start + m->module->size),
            .cmdline = *strings,
        };

        s = load_copy_file(job, start, m->module, "module");
        if (s == STATUS_OK) {
            s = load_write(job, plan->mods + i * sizeof(entry), &entry, sizeof(entry));
        }
        if (s == STATUS_OK) {
            s = write_cmdline(job, cmdline_of(req, m->module, m->cmdline), strings);
        }
        start += align_up(m->module->size, PAGE_SIZE);
    }
    return s;
}

static enum status write_mmap(const struct load_job *job, const struct info_plan *plan,
                              uint32_t *length)
{
    struct e820_entry map[GUEST_E820_MAX];
    const unsigned count =
        guest_e820(job->req->memory, job->req->dma_floor, job->req->platform.has_pci, map);
    enum status s = STATUS_OK;

    for (unsigned i = 0; s == STATUS_OK && i < count; i++) {
        const struct info_mmap entry = {
            .size = sizeof(entry) - sizeof(entry.size),
            .base = map[i].base,
            .length = map[i].size,
            .type = map[i].type,
        };

        s = load_write(job, plan->mmap + i * sizeof(entry), &entry, sizeof(entry));
    }
    *length = count * (uint32_t)sizeof(struct info_mmap);
    return s;
}

// Bytes from 1 MiB to the first hole (3.3).
static uint64_t upper_memory(const struct load_request *req)
{
    return req->dma_floor != 0 ? 0 : guest_low_end(req->memory, 0) - GUEST_FIRMWARE_END;
}

static void describe_screen(const struct boot_framebuffer *fb, struct multiboot_info *info)
{
    if (fb == NULL) {
        return;
    }
    info->flags |= (uint32_t)INFO_FRAMEBUFFER;
    info->framebuffer.base = fb->base;
    info->framebuffer.pitch = fb->pitch;
    info->framebuffer.width = fb->width;
    info->framebuffer.height = fb->height;
    info->framebuffer.depth = 32;
    info->framebuffer.type = FRAMEBUFFER_RGB;
    const uint8_t shift[] = {fb->red_shift, fb->green_shift, fb->blue_shift};
    for (unsigned i = 0; i < ARRAY_SIZE(shift); i++) {
        info->framebuffer.colour[i].position = shift[i];
        info->framebuffer.colour[i].size = 8;
    }
}

static enum status write_info(const struct load_job *job, const struct info_plan *plan,
                              uint64_t modules)
{
    const struct load_request *req = job->req;
    uint32_t strings = plan->strings;
    struct multiboot_info info = {
        .flags =
            (uint32_t)(INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MMAP | INFO_LOADER_NAME),
        .mem_lower = (uint32_t)(GUEST_EBDA >> 10),
        .mem_upper = (uint32_t)(upper_memory(req) >> 10),
        .mods_count = req->module_count,
        .mods = plan->mods,
        .mmap = plan->mmap,
    };
    enum status s = write_mmap(job, plan, &info.mmap_length);

    describe_screen(req->screen, &info);
    info.boot_loader_name = strings;
    if (s == STATUS_OK) {
        s = write_text(job, loader_name, sizeof(loader_name), &strings);
    }
    info.cmdline = strings;
    if (s == STATUS_OK) {
        s = write_cmdline(job, cmdline_of(req, req->image, req->cmdline), &strings);
    }
    if (s == STATUS_OK) {
        s = write_modules(job, plan, modules, &strings);
    }
    if (s == STATUS_OK) {
        s = load_write(job, plan->info, &info, sizeof(info));
    }
    return s;
}

static enum status load_kernel(struct load_job *job, const struct multiboot_header *header,
                               uint64_t *entry, uint64_t *end)
{
    const enum elf_class class = load_elf_class(job->req->image);

    // The addresses take precedence over the file's format (3.1.3).
    if ((header->flags & HAS_ADDRESSES) != 0) {
        job->res->kind = "Multiboot 1 kernel, addresses in its header";
        return load_by_addresses(job, header, entry, end);
    }
    if (class == ELF_NONE) {
        return load_fail(job, ERR_UNSUPPORTED,
                         "has a Multiboot header without addresses (flag 16) and is no ELF file: "
                         "link it as ELF or set the flag and the addresses");
    }
    job->res->kind =
        class == ELF_64 ? "Multiboot 1 kernel, 64-bit ELF" : "Multiboot 1 kernel, 32-bit ELF";
    return load_elf(job, entry, end);
}

enum status load_multiboot(struct load_job *job, const struct multiboot_header *header)
{
    struct info_plan plan = {0};
    uint64_t entry = 0;
    uint64_t end = 0;
    uint64_t modules = 0;
    enum status s = check_request(job, header);

    if (s == STATUS_OK) {
        s = load_kernel(job, header, &entry, &end);
    }
    if (s != STATUS_OK) {
        return s;
    }
    if (entry > UINT32_MAX) {
        return load_fail(
            job, ERR_UNSUPPORTED,
            "its entry point 0x%llx lies above 4 GiB, and a Multiboot kernel starts in "
            "32-bit mode: link it lower",
            (unsigned long long)entry);
    }
    s = place_modules(job, end, &modules);
    if (s == STATUS_OK) {
        s = place_info(job, &plan);
    }
    if (s == STATUS_OK) {
        s = write_info(job, &plan, modules);
    }
    if (s == STATUS_OK) {
        s = load_gdt(job, plan.gdt, ENTRY_CS, ENTRY_PROTECTED32);
    }
    if (s == STATUS_OK) {
        job->res->entry.rip = entry;
        job->res->entry.rax = LOADER_MAGIC;
        job->res->entry.rbx = plan.info;
    }
    return s;
}
