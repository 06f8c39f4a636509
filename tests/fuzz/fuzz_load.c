// SPDX-License-Identifier: Apache-2.0
// Feeds the guest loaders with images of any content. Whatever it is: nothing is read or written
// out of bounds (ASan and fake_guest_ram.c see to that), a refusal says why, and what is accepted
// starts within its RAM and has left the firmware's tables alone.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/guest_e820.h"
#include "hv/load.h"
#include "tests/unit/fake_guest_ram.h"

#define MEMORY MIB(32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void put32(uint8_t *image, size_t size, size_t offset, uint32_t value)
{
    if (offset + sizeof(value) <= size) {
        memcpy(image + offset, &value, sizeof(value));
    }
}

// Gives an image the magic numbers of a kind, which chance would hardly find. The fields behind
// them stay the fuzzer's.
static void make_kind(uint8_t *image, size_t size, unsigned kind)
{
    // ELF files have their header behind what their program headers may be.
    const size_t multiboot = kind == 2 ? 0 : 0x200;
    uint32_t flags = 0;

    switch (kind) {
    case 1:
        if (size > 0x200) {
            image[0x1fe] = 0x55;
            image[0x1ff] = 0xaa;
        }
        put32(image, size, 0x202, 0x53726448);
        return;
    case 2: // with addresses
    case 3: // ELF32
    case 4: // ELF64
        if (kind != 2) {
            put32(image, size, 0, 0x464c457f);
            put32(image, size, 4, kind == 3 ? 0x00010101 : 0x00010102);
            put32(image, size, 16, kind == 3 ? 0x00030002 : 0x003e0002);
        }
        put32(image, size, multiboot, 0x1badb002);
        if (multiboot + 8 <= size) {
            memcpy(&flags, image + multiboot + 4, sizeof(flags));
        }
        flags = kind == 2 ? flags | 0x10000u : flags & ~0x10000u;
        put32(image, size, multiboot + 4, flags);
        put32(image, size, multiboot + 8, 0u - 0x1badb002u - flags);
        return;
    default:
        return;
    }
}

static void check_result(const struct partition *p, const struct load_result *res)
{
    const struct vcpu_entry *e = &res->entry;

    CHECK(res->kind != NULL);
    CHECK(e->mode == ENTRY_PROTECTED32 || e->mode == ENTRY_LONG64);
    CHECK(guest_ram_contains(p, gpa(e->rip), 1));
    CHECK(guest_ram_contains(p, e->gdt, (uint64_t)e->gdt_limit + 1));
    CHECK(e->rip < GUEST_EBDA || e->rip >= GUEST_FIRMWARE_END);
    CHECK(e->cs + 7u <= e->gdt_limit && e->ds + 7u <= e->gdt_limit);
    CHECK(memcmp(fake_ram_at(p, res->rsdp.v, 8), "RSD PTR ", 8) == 0);
    CHECK(memcmp(fake_ram_at(p, GUEST_MP_TABLES, 4), "_MP_", 4) == 0);
    CHECK(fake_ram_u16(p, 0x413) == 639);
    // Nothing but tables in the firmware's part: video memory is still empty.
    for (uint64_t a = 0xa0000; a < GUEST_ACPI_TABLES; a += 8) {
        CHECK(fake_ram_u64(p, a) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct partition p;
    struct load_result res;
    char error[256] = "";
    const struct boot_module extra = fake_module("extra", "module", 6);
    const struct load_module modules[] = {{&extra, "extra"}};
    struct boot_module image;
    uint8_t *copy;

    if (size < 1) {
        return 0;
    }
    copy = malloc(size == 1 ? 1 : size - 1); // the first byte chooses, the rest is the image
    CHECK(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    make_kind(copy, size - 1, data[0] % 5);
    image = fake_module("image", copy, size - 1);

    const struct load_request req = {
        .partition = "fuzz",
        .memory = MEMORY,
        .image = &image,
        .initrd = (data[0] & 0x80) != 0 ? &extra : NULL,
        .cmdline = "a=b",
        .modules = modules,
        .module_count = (data[0] & 0x40) != 0,
        .platform =
            {
                .cpu_count = 2,
                .lapic_address = GUEST_LAPIC_ADDRESS,
                .ioapic_address = GUEST_IOAPIC_ADDRESS,
                .sci_irq = GUEST_SCI_IRQ,
                .pm1_base = GUEST_PM1_BASE,
            },
    };

    fake_ram_init(&p, MEMORY);
    if (load_guest(&p, &req, &res, error, sizeof(error)) == STATUS_OK) {
        check_result(&p, &res);
    } else {
        CHECK(strncmp(error, "partition \"fuzz\": ", 18) == 0);
        CHECK(strlen(error) > 40 && strlen(error) < sizeof(error));
    }
    fake_ram_free(&p);
    free(copy);
    return 0;
}
