// SPDX-License-Identifier: Apache-2.0
// The image that is started, and the Multiboot information for it, made of what this program got
// from its own loader.
#include "tests/guests/leftover/leftover.h"

enum {
    MB1_MAGIC = 0x2badb002,
    MB2_MAGIC = 0x36d76289,
    MEMORY_RESERVED = 2,
    MEMORY_ACPI = 3,
};

static const uint64_t tables_at = 0x101000000;
static const uint32_t modules_at = 0x8000000;

struct module {
    uint32_t start, end, cmdline, reserved;
};

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version, entry, phoff, shoff, flags;
    uint16_t ehsize, phentsize, phnum;
};

struct elf_segment {
    uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

static uint8_t information[8192] __attribute__((aligned(8)));
static uint32_t used;

static const uint32_t *own(void)
{
    return (const uint32_t *)multiboot_info();
}

static struct module modules[32];
static uint32_t module_count;

// To where no image wants to lie: GRUB puts them low.
static void move_modules(void)
{
    const struct module *given = (const struct module *)(uintptr_t)own()[6];
    uint32_t to = modules_at;
    for (uint32_t i = 0; i < own()[5] && i < 32; i++) {
        uint32_t size = given[i].end - given[i].start;
        modules[i] = (struct module){to, to + size, given[i].cmdline, 0};
        memcpy((void *)(uintptr_t)to, (const void *)(uintptr_t)given[i].start, size);
        to = (to + size + 4095) & ~4095u;
        module_count++;
    }
}

bool leftover_load(uint32_t *entry)
{
    if (!own() || !(own()[0] & 8) || own()[5] < 1) {
        print("leftover: FAIL no module to start\n");
        return false;
    }
    move_modules();
    const uint8_t *file = (const uint8_t *)(uintptr_t)modules[0].start;
    const struct elf_header *h = (const struct elf_header *)file;
    if (memcmp(h->ident, "\177ELF\1", 5) != 0) {
        print("leftover: FAIL the first module is no 32-bit ELF file\n");
        return false;
    }
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf_segment *s =
            (const struct elf_segment *)(file + h->phoff + i * h->phentsize);
        if (s->type != 1)
            continue;
        memcpy((void *)(uintptr_t)s->paddr, file + s->offset, s->filesz);
        memset((void *)(uintptr_t)(s->paddr + s->filesz), 0, s->memsz - s->filesz);
    }
    *entry = h->entry;
    return true;
}

static void put(const void *from, uint32_t size)
{
    memcpy(information + used, from, size);
    used += size;
}

static void put32(uint32_t value)
{
    put(&value, sizeof(value));
}

static void put64(uint64_t value)
{
    put(&value, sizeof(value));
}

static uint32_t text_size(const char *text)
{
    uint32_t n = 0;
    while (text[n])
        n++;
    return n + 1;
}

// An entry of the memory map: Multiboot 2's has its size in front of all, and a word behind.
static void put_memory(bool version2, uint64_t base, uint64_t size, uint32_t type)
{
    if (!version2)
        put32(20);
    put64(base);
    put64(size);
    put32(type);
    if (version2)
        put32(0);
}

static void put_map(bool version2, uint64_t tables_size)
{
    const uint8_t *entry = (const uint8_t *)(uintptr_t)own()[12];
    const uint8_t *end = entry + own()[11];
    while (entry < end) {
        uint32_t size, type;
        uint64_t base, length;
        memcpy(&size, entry, 4);
        memcpy(&base, entry + 4, 8);
        memcpy(&length, entry + 12, 8);
        memcpy(&type, entry + 20, 4);
        put_memory(version2, base, length, type);
        entry += size + 4;
    }
    // The other CPUs sleep here.
    uint64_t start = 0x4000000;
    put_memory(version2, start, (uint64_t)(uintptr_t)__bss_end - start, MEMORY_RESERVED);
    if (tables_size > 0)
        put_memory(version2, tables_at, tables_size, MEMORY_ACPI);
}

static void end_tag(uint32_t start)
{
    uint32_t size = used - start;
    memcpy(information + start + 4, &size, 4);
    used = (used + 7) & ~7u;
}

static uint32_t begin_tag(uint32_t type)
{
    uint32_t start = used;
    put32(type);
    put32(0);
    return start;
}

static void make_version2(uint64_t tables_size, const uint8_t rsdp[36])
{
    put64(0); // the size, later
    uint32_t tag = begin_tag(1);
    put("leftover", 9);
    end_tag(tag);
    for (unsigned i = 1; i < module_count; i++) {
        const char *name = (const char *)(uintptr_t)modules[i].cmdline;
        tag = begin_tag(3);
        put32(modules[i].start);
        put32(modules[i].end);
        put(name, text_size(name));
        end_tag(tag);
    }
    tag = begin_tag(6);
    put32(24);
    put32(0);
    put_map(true, tables_size);
    end_tag(tag);
    tag = begin_tag(15);
    put(rsdp, 36);
    end_tag(tag);
    end_tag(begin_tag(0));
    memcpy(information, &used, 4);
}

static void make_version1(void)
{
    uint32_t header[22] = {0};
    used = sizeof(header);
    header[0] = 0x48; // modules, memory map
    header[5] = module_count - 1;
    header[6] = (uint32_t)(uintptr_t)(modules + 1);
    header[12] = (uint32_t)(uintptr_t)information + used;
    put_map(false, 0);
    header[11] = used - (uint32_t)sizeof(header);
    memcpy(information, header, sizeof(header));
}

uint32_t leftover_information(bool tables_high, uint32_t *info)
{
    *info = (uint32_t)(uintptr_t)information;
    if (!tables_high) {
        make_version1();
        return MB1_MAGIC;
    }
    if (ram_total() < 0xf0000000) {
        print("leftover: FAIL no memory above 4 GiB\n");
        return 0;
    }
    uint8_t rsdp[36];
    uint64_t size = leftover_tables(tables_at, rsdp);
    make_version2((size + 4095) & ~4095ull, rsdp);
    return MB2_MAGIC;
}
