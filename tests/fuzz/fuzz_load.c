// SPDX-License-Identifier: Apache-2.0
// Feeds the guest loaders with images of any content. Whatever it is: nothing is read or written
// out of bounds (ASan and fake_guest_ram.c see to that), a refusal says why, and what is accepted
// starts within its RAM and has left the firmware's tables alone.
#include <stdlib.h>
#include <string.h>

#include "hv/guest/e820.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/multiboot_image.h"

static uint16_t u16_at(const uint8_t *data)
{
    return (uint16_t)(data[0] | data[1] << 8);
}

// Chance would hardly find an image that is right, so the fuzzer changes one: two bytes are its
// size, then each patch is an offset and four bytes.
static void patch(struct fixture *f, const uint8_t *data, size_t size)
{
    if (size >= 2) {
        f->file.size = u16_at(data) % (sizeof(f->image) + 1);
    }
    for (size_t i = 2; i + 6 <= size; i += 6) {
        memcpy(&f->image[u16_at(data + i) % (sizeof(f->image) - 4)], data + i + 2, 4);
    }
}

// A relocatable Linux kernel of protocol 2.15 with 4 KiB of code.
static void set_up_linux(struct fixture *f)
{
    set_up_flat(f);
    memset(f->image, 0, sizeof(f->image));
    put32(f, 0x1f1, 1);
    put32(f, 0x1f4, 256);
    put32(f, 0x1fe, 0x6aebaa55);
    put32(f, 0x202, 0x53726448);
    put32(f, 0x206, 0x020f);
    put32(f, 0x211, 1);
    put32(f, 0x22c, 0x7fffffff);
    put32(f, 0x230, 0x200000);
    put32(f, 0x234, 0x007f0001);
    put32(f, 0x238, 2047);
    put32(f, 0x258, 0x200000);
    put32(f, 0x260, 0x100000);
}

// The checksum of a patched header holds.
static void mend_header(struct fixture *f)
{
    uint32_t flags;

    memcpy(&flags, &f->image[HEADER_AT + 4], sizeof(flags));
    put_header(f, HEADER_AT, flags);
}

// The input's first byte: in its low bits what the others are, then
enum {
    KIND = 0x0f,   // of the image, modulo 5; from 8 on with a PCI bus and a framebuffer
    MEMORY = 0x30, // which of the sizes; the last with a PCI bus begins at a DMA floor
    WITH_MODULE = 0x40,
    WITH_INITRD = 0x80,
};

static void make_image(struct fixture *f, uint8_t first, const uint8_t *data, size_t size)
{
    switch ((first & KIND) % 5) {
    case 0: // the image as it is
        set_up_flat(f);
        memcpy(f->image, data, min_u64(size, sizeof(f->image)));
        f->file.size = min_u64(size, sizeof(f->image));
        return;
    case 1:
        set_up_linux(f);
        patch(f, data, size);
        return;
    case 2:
        set_up_flat(f);
        break;
    case 3:
        set_up_elf32(f);
        break;
    default:
        set_up_elf64(f);
        break;
    }
    patch(f, data, size);
    mend_header(f);
}

// The images are made for 16 MiB; with less not everything fits.
static void set_memory(struct fixture *f, uint8_t first)
{
    static const uint64_t sizes[4] = {MIB(16), MIB(2), MIB(2) + 2 * PAGE_SIZE, MIB(3)};

    static const struct boot_framebuffer screen = {0xf0001000, 4096, 1024, 768, 16, 8, 0};

    fake_ram_free(&f->p);
    f->req.memory = sizes[(first & MEMORY) / 0x10];
    f->req.platform.has_pci = (first & KIND) >= 8;
    f->req.screen = f->req.platform.has_pci ? &screen : NULL;
    fake_ram_init(&f->p, f->req.memory);
    f->req.dma_floor = f->req.platform.has_pci && (first & MEMORY) == MEMORY ? MIB(2) : 0;
    f->p.dma_floor = f->req.dma_floor;
}

static void check_result(const struct fake_ram *p, const struct load_result *res)
{
    static const uint8_t nothing[PAGE_SIZE];
    const struct vcpu_entry *e = &res->entry;

    CHECK(res->kind != NULL);
    CHECK(e->mode == ENTRY_PROTECTED32 || e->mode == ENTRY_LONG64);
    CHECK(guest_ram_contains(&p->ram, gpa(e->rip), 1));
    CHECK(guest_ram_contains(&p->ram, e->gdt, (uint64_t)e->gdt_limit + 1));
    CHECK(e->rip < GUEST_EBDA || e->rip >= GUEST_FIRMWARE_END);
    CHECK(e->cs + 7u <= e->gdt_limit && e->ds + 7u <= e->gdt_limit);
    CHECK(memcmp(fake_ram_at(p, res->rsdp.v, 8), "RSD PTR ", 8) == 0);
    CHECK(memcmp(fake_ram_at(p, GUEST_MP_TABLES, 4), "_MP_", 4) == 0);
    CHECK(fake_ram_u16(p, 0x413) == 639);
    // Nothing but tables in the firmware's part: video memory is still empty.
    for (uint64_t a = 0xa0000; a < GUEST_ACPI_TABLES; a += PAGE_SIZE) {
        CHECK(memcmp(fake_ram_at(p, a, PAGE_SIZE), nothing, PAGE_SIZE) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture f;
    static uint8_t content[MIB(1)];
    const struct boot_module extra = fake_module("extra", content, sizeof(content));
    const struct load_module modules[] = {{&extra, "extra"}};
    uint8_t *copy;

    if (size < 1) {
        return 0;
    }
    make_image(&f, data[0], data + 1, size - 1);
    set_memory(&f, data[0]);
    // In memory of just its size, for ASan to see what reads behind it.
    copy = malloc(f.file.size == 0 ? 1 : f.file.size);
    CHECK(copy != NULL);
    memcpy(copy, f.image, f.file.size);
    f.file.base = (uint64_t)(uintptr_t)copy;
    f.req.initrd = (data[0] & WITH_INITRD) != 0 ? &extra : NULL;
    f.req.modules = modules;
    f.req.module_count = (data[0] & WITH_MODULE) != 0;

    if (load(&f) == STATUS_OK) {
        check_result(&f.p, &f.res);
    } else {
        CHECK(strncmp(f.error, "partition \"beta\": ", 18) == 0);
        // Places were chosen and checked before anything is written.
        CHECK(strstr(f.error, "an error of the hypervisor") == NULL);
        CHECK(strlen(f.error) > 40 && strlen(f.error) < sizeof(f.error) - 1);
    }
    fake_ram_free(&f.p);
    free(copy);
    return 0;
}
