// SPDX-License-Identifier: Apache-2.0
// Fuzzes what the UEFI loader reads: the input's first byte chooses a loaded PE image, the
// hypervisor's ELF file or a memory map, the rest is its contents. Whatever is accepted lies where
// it may.
#include <string.h>

#include "arch/lib/types.h"
#include "boot/uefi/elf_image.h"
#include "boot/uefi/memory_map.h"
#include "boot/uefi/parts.h"
#include "tests/fuzz/fuzz.h"

static char text[400];
static const struct boot_error error = {text, sizeof(text)};

static void fuzz_image(const uint8_t *data, size_t size)
{
    static struct uefi_parts parts;
    static struct boot_info info;
    struct pe_image pe;

    if (pe_open(&pe, data, size, &error) != STATUS_OK ||
        uefi_parts_find(&pe, &parts, &error) != STATUS_OK) {
        CHECK(text[0] != '\0');
        return;
    }
    memset(&info, 0, sizeof(info));
    if (uefi_parts_enter(&parts, &info, &error) != STATUS_OK) {
        CHECK(text[0] != '\0');
        return;
    }
    CHECK(memchr(info.cmdline, '\0', BOOT_TEXT_SIZE) != NULL);
    CHECK(info.module_count <= BOOT_MAX_MODULES);
    for (unsigned i = 0; i < info.module_count; i++) {
        const struct boot_module *m = &info.modules[i];

        CHECK(is_within(m->base - (uint64_t)data, m->size, size));
        CHECK(m->name[0] != '\0' && memchr(m->name, '\0', BOOT_TEXT_SIZE) != NULL);
        for (unsigned k = 0; k < i; k++)
            CHECK(!ranges_overlap(m->base, m->size, info.modules[k].base, info.modules[k].size));
    }
}

static void fuzz_hypervisor(const uint8_t *data, size_t size)
{
    static uint8_t memory[ELF_IMAGE_SIZE];
    uint64_t entry = ELF_IMAGE_SIZE;

    if (elf_image_load(data, size, memory, &entry, &error) != STATUS_OK)
        CHECK(text[0] != '\0');
    else
        CHECK(entry < ELF_IMAGE_SIZE);
}

// The first byte is the size of a descriptor.
static void fuzz_map(const uint8_t *data, size_t size)
{
    static struct boot_info info;

    if (size < 1)
        return;
    struct uefi_map map = {.descriptors = data + 1, .size = size - 1, .stride = data[0]};
    uint64_t place = uefi_map_place(&map, ELF_IMAGE_SIZE, GIB(512));

    CHECK(is_aligned(place, ELF_IMAGE_SIZE) && place <= GIB(512) - ELF_IMAGE_SIZE);
    if (uefi_map_convert(&map, &info, &error) != STATUS_OK) {
        CHECK(text[0] != '\0');
        return;
    }
    CHECK(info.memory_count <= BOOT_MAX_MEMORY);
    bool inside = place == 0;
    for (unsigned i = 0; i < info.memory_count; i++) {
        const struct boot_memory *m = &info.memory[i];

        CHECK(m->size != 0 && m->base + m->size - 1 >= m->base);
        if (i > 0) {
            const struct boot_memory *low = &info.memory[i - 1];

            CHECK(low->base + low->size <= m->base);
            CHECK(low->base + low->size < m->base || low->kind != m->kind);
        }
        inside |= m->kind == BOOT_MEMORY_USABLE && place >= m->base &&
                  is_within(place - m->base, ELF_IMAGE_SIZE, m->size);
    }
    CHECK(inside); // what is not refused has the hypervisor in memory that can be used
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    text[0] = '\0';
    switch (data[0] % 3) {
    case 0:
        fuzz_image(data + 1, size - 1);
        break;
    case 1:
        fuzz_hypervisor(data + 1, size - 1);
        break;
    default:
        fuzz_map(data + 1, size - 1);
    }
    return 0;
}
