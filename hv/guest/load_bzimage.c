// SPDX-License-Identifier: Apache-2.0
// The loader of Linux kernels. Field names, offsets and rules are those of the kernel's
// Documentation/x86/boot.rst and zero-page.rst. All that the kernel is given lies in base memory.
// The kernel doesn't overwrite base memory before it has read it, and never moves there if it
// chooses a random address. Relies on load_job for memory and messages.
#include "hv/guest/load_bzimage.h"

#include "arch/lib/string.h"
#include "hv/guest/e820.h"
#include "hv/memory/guest_mem.h"

// Places in base memory.
#define BOOT_PARAMS      0x90000ull
#define BOOT_PARAMS_SIZE PAGE_SIZE
#define BOOT_GDT         0x91000ull
#define BOOT_CMDLINE     0x92000ull
#define BOOT_CMDLINE_MAX 0x8000ull // including the NUL
#define BOOT_AREA_END    (BOOT_CMDLINE + BOOT_CMDLINE_MAX)
#define PAGE_TABLES      0x10000ull // PML4, PDPT, then a page directory for each GiB
#define PAGE_TABLES_END  0x60000ull
#define STACK_TOP        BOOT_PARAMS // grows downwards; the kernel soon sets its own

// The setup header in the file. The boot parameters have it at the same offsets.
#define HEADER_START    0x1f1u
#define HEADER_END_MAX  0x290u // end of its room in boot_params
#define SETUP_SECTS     0x1f1u // u8
#define SYSSIZE         0x1f4u // u32, in 16 bytes
#define VID_MODE        0x1fau // u16
#define BOOT_FLAG       0x1feu // u16
#define JUMP_LENGTH     0x201u // u8: the header ends this many bytes after 0x202
#define HEADER_MAGIC    0x202u // u32
#define VERSION         0x206u // u16
#define TYPE_OF_LOADER  0x210u // u8
#define LOADFLAGS       0x211u // u8
#define CODE32_START    0x214u // u32
#define RAMDISK_IMAGE   0x218u // u32
#define RAMDISK_SIZE    0x21cu // u32
#define CMD_LINE_PTR    0x228u // u32
#define INITRD_ADDR_MAX 0x22cu // u32
#define KERNEL_ALIGN    0x230u // u32
#define RELOCATABLE     0x234u // u8, since 2.05
#define XLOADFLAGS      0x236u // u16, since 2.12
#define CMDLINE_SIZE    0x238u // u32, without the NUL, since 2.06
#define SETUP_DATA      0x250u // u64, since 2.09
#define PREF_ADDRESS    0x258u // u64, since 2.10
#define INIT_SIZE       0x260u // u32, since 2.10
#define END_OF_2_03     0x230u
#define END_OF_2_05     0x235u
#define END_OF_2_06     0x23cu
#define END_OF_2_10     0x264u

#define SECTOR            512u
#define SETUP_SECTS_IF_0  4u
#define BOOT_FLAG_VALUE   0xaa55u
#define MAGIC_VALUE       0x53726448u // HdrS
#define VERSION_MIN       0x0203u     // what GRUB's 32-bit loader requires
#define VERSION_RELOCATES 0x0205u
#define VERSION_CMDLINE   0x0206u
#define VERSION_ADDRESS   0x020au
#define VERSION_64BIT     0x020cu
#define LOADED_HIGH       BIT(0)
#define CAN_USE_HEAP      BIT(7)
#define XLF_KERNEL_64     BIT(0)
#define PARAGRAPH         16u  // unit of syssize
#define CMDLINE_OLD       255u // characters, before 2.06
#define ENTRY64_OFFSET    0x200u
#define LOADER_UNDEFINED  0xffu
#define VIDEO_NORMAL      0xffffu
#define HIGH_LOAD_ADDRESS MIB(1)
#define LINUX_CS          0x10u // __BOOT_CS; __BOOT_DS follows

// The other boot parameters. Those left zero mean "none": no APM, no EDD, and without a framebuffer
// no display.
#define SCREEN_INFO    0x000u
#define ACPI_RSDP_ADDR 0x070u // u64
#define E820_ENTRIES   0x1e8u // u8
#define E820_TABLE     0x2d0u
#define E820_MAX       128u
_Static_assert(GUEST_E820_MAX <= E820_MAX, "the memory map fits into the boot parameters");

// struct screen_info from orig_video_isVGA on; the fields before it are about text modes.
struct screen_info {
    uint8_t type;
    uint16_t points;
    uint16_t width;  // pixels
    uint16_t height; // pixels
    uint16_t depth;  // bits of a pixel
    uint32_t base;
    uint32_t size; // bytes
    uint16_t magic;
    uint16_t offset;
    uint16_t line_length; // bytes
    struct {
        uint8_t size; // bits
        uint8_t position;
    } colour[4]; // red, green, blue, unused
} __attribute__((packed));
#define SCREEN_INFO_TYPE 0x00fu
_Static_assert(SCREEN_INFO_TYPE + offsetof(struct screen_info, base) == 0x18, "screen_info");
_Static_assert(SCREEN_INFO_TYPE + offsetof(struct screen_info, colour) == 0x26, "screen_info");

// A linear framebuffer. The name says UEFI, but any framebuffer is meant. More kernels know this
// type than the VESA BIOS's (0x23).
#define VIDEO_TYPE_EFI 0x70u

// Page-table entries (SDM 3A, 4.5).
#define PTE_TABLE     0x3ull  // present, writable
#define PTE_LARGE     0x83ull // and a page of 2 MiB
#define TABLE_MAX_GIB ((PAGE_TABLES_END - PAGE_TABLES) / PAGE_SIZE - 2)

struct setup_header {
    uint8_t bytes[HEADER_END_MAX - HEADER_START];
    size_t size;      // valid bytes; the rest is 0
    uint16_t version; // 0x020f is 2.15
};

// The kernel's place.
struct kernel_place {
    uint64_t file_offset;
    uint64_t file_size;
    uint64_t load;  // guest-physical
    uint64_t entry; // 32-bit entry, guest-physical
    uint64_t start; // first and
    uint64_t end; // last address, plus one, of the memory that it uses before it has its memory map
};

// Reads a field. Fields are little-endian like the CPU; memcpy because nothing is aligned.
static uint64_t get(const struct setup_header *h, unsigned field, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, &h->bytes[field - HEADER_START], size);
    return value;
}

static void set(struct setup_header *h, unsigned field, uint64_t value, size_t size)
{
    memcpy(&h->bytes[field - HEADER_START], &value, size);
}

bool load_bzimage_is(const struct boot_module *image)
{
    uint16_t flag;
    uint32_t magic;

    return module_read(image, BOOT_FLAG, &flag, sizeof(flag)) == STATUS_OK &&
           module_read(image, HEADER_MAGIC, &magic, sizeof(magic)) == STATUS_OK &&
           flag == BOOT_FLAG_VALUE && magic == MAGIC_VALUE;
}

static uint64_t least_end(uint16_t version)
{
    if (version >= VERSION_ADDRESS) {
        return END_OF_2_10;
    }
    if (version >= VERSION_CMDLINE) {
        return END_OF_2_06;
    }
    return version >= VERSION_RELOCATES ? END_OF_2_05 : END_OF_2_03;
}

static enum status read_header(const struct load_job *job, struct setup_header *h)
{
    uint8_t jump;
    uint64_t end;
    enum status s;

    memset(h, 0, sizeof(*h));
    s = load_read(job, VERSION, &h->version, sizeof(h->version), "setup header");
    if (s == STATUS_OK) {
        s = load_read(job, JUMP_LENGTH, &jump, sizeof(jump), "setup header");
    }
    if (s != STATUS_OK) {
        return s;
    }
    if (h->version < VERSION_MIN) {
        return load_fail(job, ERR_UNSUPPORTED,
                         "is a Linux kernel of boot protocol %u.%02u, older than 2.03: use Linux "
                         "2.4.18 or newer",
                         h->version >> 8, h->version & 0xffu);
    }
    end = HEADER_MAGIC + (uint64_t)jump;
    if (end < least_end(h->version)) {
        return load_fail(job, ERR_INVALID,
                         "its setup header ends at 0x%llx, too early for boot protocol %u.%02u: "
                         "the file is damaged",
                         (unsigned long long)end, h->version >> 8, h->version & 0xffu);
    }
    h->size = min_u64(end, HEADER_END_MAX) - HEADER_START;
    return load_read(job, HEADER_START, h->bytes, h->size, "setup header");
}

static enum status check_request(const struct load_job *job, const struct setup_header *h)
{
    const struct load_request *req = job->req;
    const uint64_t length = req->cmdline == NULL ? 0 : strlen(req->cmdline);
    const uint64_t takes = h->version >= VERSION_CMDLINE ? get(h, CMDLINE_SIZE, 4) : CMDLINE_OLD;
    const uint64_t most = min_u64(takes, BOOT_CMDLINE_MAX - 1);

    if (req->module_count != 0) {
        return load_fail_file(job, ERR_UNSUPPORTED, "module", req->modules[0].module->name,
                              "the image \"%s\" is a Linux kernel, which takes no modules: give "
                              "the file as \"initrd\"",
                              req->image->name);
    }
    if ((get(h, LOADFLAGS, 1) & LOADED_HIGH) == 0) {
        return load_fail(job, ERR_UNSUPPORTED,
                         "is a zImage, which is loaded into base memory: build a bzImage");
    }
    if (length > most) {
        return load_fail(job, ERR_INVALID,
                         "its command line may have %llu characters, and \"cmdline\" has %llu: "
                         "shorten it",
                         (unsigned long long)most, (unsigned long long)length);
    }
    return STATUS_OK;
}

// Finds the kernel itself in the file. Its size in the header is rounded up to a paragraph, and
// some tools don't pad the file: so up to a paragraph may be missing.
static enum status find_payload(const struct load_job *job, const struct setup_header *h,
                                struct kernel_place *k)
{
    const uint64_t size = job->req->image->size;
    const uint64_t sectors = get(h, SETUP_SECTS, 1);

    k->file_offset = ((sectors == 0 ? SETUP_SECTS_IF_0 : sectors) + 1) * SECTOR;
    k->file_size = get(h, SYSSIZE, 4) * PARAGRAPH;
    if (k->file_size <= ENTRY64_OFFSET) {
        return load_fail(
            job, ERR_INVALID,
            "its setup header says that there is no kernel (syssize 0x%x): the file is "
            "damaged, or a program for a PC's BIOS, which a partition has not",
            (unsigned)get(h, SYSSIZE, 4));
    }
    if (k->file_offset > size || k->file_size > size - k->file_offset) {
        const uint64_t missing = k->file_offset + k->file_size - size;

        if (missing >= PARAGRAPH) {
            return load_fail(job, ERR_TRUNCATED,
                             "has %llu bytes and should have %llu: the file is damaged or was not "
                             "loaded whole; copy it anew",
                             (unsigned long long)size,
                             (unsigned long long)(k->file_offset + k->file_size));
        }
        k->file_size -= missing;
    }
    return STATUS_OK;
}

// Decides where the kernel goes. A relocatable kernel runs where it is loaded, but not below its
// preferred address; below the DMA floor there is no RAM. Other kernels may be loaded anywhere from
// 1 MiB on. They move themselves to the preferred address and need room there.
static enum status place_kernel(const struct load_job *job, const struct setup_header *h,
                                struct kernel_place *k)
{
    const bool relocatable = h->version >= VERSION_RELOCATES && get(h, RELOCATABLE, 1) != 0;
    uint64_t pref = HIGH_LOAD_ADDRESS;
    uint64_t init_size = 0;

    if (h->version >= VERSION_ADDRESS) {
        pref = max_u64(get(h, PREF_ADDRESS, 8), HIGH_LOAD_ADDRESS);
        init_size = get(h, INIT_SIZE, 4);
    }
    if (relocatable) {
        const uint64_t alignment = get(h, KERNEL_ALIGN, 4);

        if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
            return load_fail(job, ERR_INVALID,
                             "its alignment 0x%llx is no power of two: the file is damaged",
                             (unsigned long long)alignment);
        }
        if (pref > UINT32_MAX) {
            return load_fail(job, ERR_RANGE,
                             "wants to be loaded at 0x%llx, above 4 GiB: build it with a lower "
                             "CONFIG_PHYSICAL_START",
                             (unsigned long long)pref);
        }
        pref = align_up(max_u64(pref, job->req->dma_floor), alignment);
        k->load = pref;
        k->start = pref;
        k->end = pref + max_u64(init_size, k->file_size);
        return STATUS_OK;
    }
    k->load = HIGH_LOAD_ADDRESS;
    k->start = HIGH_LOAD_ADDRESS;
    k->end = max_u64(k->load + k->file_size,
                     pref > UINT64_MAX - init_size ? UINT64_MAX : pref + init_size);
    return STATUS_OK;
}

static bool enters_64bit(const struct setup_header *h)
{
    return h->version >= VERSION_64BIT && (get(h, XLOADFLAGS, 2) & XLF_KERNEL_64) != 0;
}

// Finds the 32-bit entry: code32_start gives it for a kernel loaded at 1 MiB. iPXE's images have 0
// there: their only entry is the real-mode one, for a PC's BIOS.
static enum status find_entry(const struct load_job *job, const struct setup_header *h,
                              struct kernel_place *k)
{
    const uint64_t start = get(h, CODE32_START, 4);

    k->entry = k->load + (start - HIGH_LOAD_ADDRESS);
    if (enters_64bit(h) || start - HIGH_LOAD_ADDRESS < k->file_size) {
        return STATUS_OK;
    }
    return load_fail(job, ERR_UNSUPPORTED,
                     "has no entry for 32-bit or 64-bit mode (code32_start 0x%llx), like iPXE and "
                     "other programs for a PC's BIOS, which a partition has not: use a Linux or a "
                     "Multiboot 1 kernel",
                     (unsigned long long)start);
}

static enum status claim_base_memory(struct load_job *job)
{
    enum status s = load_space_take(&job->space, BOOT_PARAMS, BOOT_AREA_END - BOOT_PARAMS,
                                    "boot parameters", -1);

    if (s == STATUS_OK) {
        s = load_space_take(&job->space, PAGE_TABLES, PAGE_TABLES_END - PAGE_TABLES, "page tables",
                            -1);
    }
    return s;
}

static enum status load_initrd(struct load_job *job, struct setup_header *h)
{
    const struct boot_module *initrd = job->req->initrd;
    uint64_t start;
    enum status s;

    set(h, RAMDISK_IMAGE, 0, 4);
    set(h, RAMDISK_SIZE, 0, 4);
    if (initrd == NULL || initrd->size == 0) {
        return STATUS_OK;
    }
    if (initrd->size > UINT32_MAX ||
        !load_space_highest(&job->space, align_up(initrd->size, PAGE_SIZE), PAGE_SIZE,
                            GUEST_FIRMWARE_END, get(h, INITRD_ADDR_MAX, 4) + 1, &start)) {
        return load_fail_file(
            job, ERR_NO_MEMORY, "initrd", initrd->name,
            "its 0x%llx bytes don't fit into the partition's RAM below 0x%llx "
            "beside the kernel: give it more memory or a smaller initrd",
            (unsigned long long)initrd->size,
            (unsigned long long)min_u64(job->space.low_end, get(h, INITRD_ADDR_MAX, 4) + 1));
    }
    set(h, RAMDISK_IMAGE, start, 4);
    set(h, RAMDISK_SIZE, initrd->size, 4);
    s = load_space_take(&job->space, start, initrd->size, "initrd", -1);
    return s == STATUS_OK ? load_copy_file(job, start, initrd, "initrd") : s;
}

static enum status write_e820(const struct load_job *job)
{
    struct e820_entry map[GUEST_E820_MAX];
    const uint8_t count =
        (uint8_t)guest_e820(job->req->memory, job->req->dma_floor, job->req->platform.has_pci, map);
    enum status s = load_write(job, BOOT_PARAMS + E820_ENTRIES, &count, sizeof(count));

    for (unsigned i = 0; s == STATUS_OK && i < count; i++) {
        const struct {
            uint64_t base;
            uint64_t size;
            uint32_t type;
        } __attribute__((packed)) entry = {map[i].base, map[i].size, map[i].type};

        s = load_write(job, BOOT_PARAMS + E820_TABLE + i * sizeof(entry), &entry, sizeof(entry));
    }
    return s;
}

static enum status write_screen(const struct load_job *job)
{
    const struct boot_framebuffer *fb = job->req->screen;

    if (fb == NULL) {
        return STATUS_OK;
    }
    if (max_u64(fb->width, max_u64(fb->height, fb->pitch)) > UINT16_MAX || fb->base > UINT32_MAX) {
        return load_fail(
            job, ERR_UNSUPPORTED,
            "can't be told of a framebuffer of %ux%u pixels, lines of %u bytes: choose a "
            "lower resolution, or leave out framebuffer = true",
            fb->width, fb->height, fb->pitch);
    }
    // Kernels from 6.2 on compute the pixel's size from the highest bit of all four.
    const uint8_t highest =
        (uint8_t)max_u64(fb->red_shift, max_u64(fb->green_shift, fb->blue_shift));
    const struct screen_info info = {
        .type = VIDEO_TYPE_EFI,
        .width = (uint16_t)fb->width,
        .height = (uint16_t)fb->height,
        .depth = 32,
        .base = (uint32_t)fb->base,
        .size = fb->pitch * fb->height,
        .line_length = (uint16_t)fb->pitch,
        .colour = {{8, fb->red_shift},
                   {8, fb->green_shift},
                   {8, fb->blue_shift},
                   {8, highest > 16 ? 0 : 24}},
    };
    return load_write(job, BOOT_PARAMS + SCREEN_INFO + SCREEN_INFO_TYPE, &info, sizeof(info));
}

// Writes the zero page: completes the setup header and fills the fields around it.
static enum status write_boot_params(const struct load_job *job, struct setup_header *h,
                                     const struct kernel_place *k, gpa_t rsdp)
{
    const char *cmdline = job->req->cmdline == NULL ? "" : job->req->cmdline;
    enum status s = load_copy(job, BOOT_PARAMS, BOOT_PARAMS_SIZE, 0, 0, "boot parameters", -1);

    set(h, VID_MODE, VIDEO_NORMAL, 2);
    set(h, TYPE_OF_LOADER, LOADER_UNDEFINED, 1);
    set(h, LOADFLAGS, get(h, LOADFLAGS, 1) & ~CAN_USE_HEAP, 1);
    set(h, CODE32_START, k->entry, 4);
    set(h, CMD_LINE_PTR, BOOT_CMDLINE, 4);
    set(h, SETUP_DATA, 0, 8);
    if (s == STATUS_OK) {
        s = load_write(job, BOOT_PARAMS + HEADER_START, h->bytes, h->size);
    }
    if (s == STATUS_OK) {
        s = load_write(job, BOOT_PARAMS + ACPI_RSDP_ADDR, &rsdp.v, sizeof(rsdp.v));
    }
    if (s == STATUS_OK) {
        s = write_e820(job);
    }
    if (s == STATUS_OK) {
        s = write_screen(job);
    }
    if (s == STATUS_OK) {
        s = load_write(job, BOOT_CMDLINE, cmdline, strlen(cmdline) + 1);
    }
    return s;
}

// Writes one table. Its first `count` entries are `first`, `first + step`, ...
static enum status write_table(const struct load_job *job, uint64_t at, uint64_t first,
                               uint64_t step, uint64_t count)
{
    uint64_t entries[64]; // a part of the table, because stacks are small
    enum status s = STATUS_OK;

    for (uint64_t done = 0; s == STATUS_OK && done < PAGE_SIZE / 8; done += ARRAY_SIZE(entries)) {
        for (uint64_t i = 0; i < ARRAY_SIZE(entries); i++) {
            entries[i] = done + i < count ? first + (done + i) * step : 0;
        }
        s = load_write(job, at + done * 8, entries, sizeof(entries));
    }
    return s;
}

// Maps the first 4 GiB, or all RAM if that is more, to equal addresses, as far as the tables have
// room. That is farther than anything that the kernel is given.
static enum status write_page_tables(const struct load_job *job)
{
    const uint64_t pdpt = PAGE_TABLES + PAGE_SIZE;
    const uint64_t directories = pdpt + PAGE_SIZE;
    const uint64_t high = job->space.high;
    const uint64_t gib = min_u64(4 + (align_up(high, GIB(1)) >> 30), TABLE_MAX_GIB);
    enum status s = write_table(job, PAGE_TABLES, pdpt | PTE_TABLE, 0, 1);

    if (s == STATUS_OK) {
        s = write_table(job, pdpt, directories | PTE_TABLE, PAGE_SIZE, gib);
    }
    for (uint64_t i = 0; s == STATUS_OK && i < gib; i++) {
        s = write_table(job, directories + i * PAGE_SIZE, GIB(i) | PTE_LARGE, MIB(2), 512);
    }
    return s;
}

static enum status set_entry(const struct load_job *job, const struct setup_header *h,
                             const struct kernel_place *k)
{
    struct vcpu_entry *entry = &job->res->entry;
    const bool long64 = enters_64bit(h);
    enum status s = load_gdt(job, BOOT_GDT, LINUX_CS, long64 ? ENTRY_LONG64 : ENTRY_PROTECTED32);

    if (s == STATUS_OK && long64) {
        s = write_page_tables(job);
    }
    job->res->kind = long64 ? "Linux kernel, 64-bit entry" : "Linux kernel, 32-bit entry";
    entry->cr3 = long64 ? PAGE_TABLES : 0;
    entry->rip = long64 ? k->load + ENTRY64_OFFSET : k->entry;
    entry->rsp = STACK_TOP;
    entry->rsi = BOOT_PARAMS;
    return s;
}

enum status load_bzimage(struct load_job *job, gpa_t rsdp)
{
    struct setup_header h;
    struct kernel_place k = {0};
    enum status s = read_header(job, &h);

    if (s == STATUS_OK) {
        s = check_request(job, &h);
    }
    if (s == STATUS_OK) {
        s = find_payload(job, &h, &k);
    }
    if (s == STATUS_OK) {
        s = place_kernel(job, &h, &k);
    }
    if (s == STATUS_OK) {
        s = find_entry(job, &h, &k);
    }
    if (s == STATUS_OK) {
        s = claim_base_memory(job);
    }
    if (s == STATUS_OK) {
        s = load_claim(job, k.start, k.end - k.start, "kernel", -1);
    }
    if (s == STATUS_OK) {
        // The kernel clears the memory after its file by itself.
        s = load_copy(job, k.load, k.file_size, k.file_offset, k.file_size, "kernel", -1);
    }
    if (s == STATUS_OK) {
        s = load_initrd(job, &h);
    }
    if (s == STATUS_OK) {
        s = write_boot_params(job, &h, &k, rsdp);
    }
    if (s == STATUS_OK) {
        s = set_entry(job, &h, &k);
    }
    return s;
}
