// SPDX-License-Identifier: Apache-2.0
// The loader of Linux kernels, on kernels made here: what the boot protocol promises a kernel, and
// every image or request that must be refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/guest/e820.h"
#include "hv/guest/load.h"
#include "tests/unit/fake_guest_ram.h"

#define SETUP_SECTORS 3u
#define PAYLOAD       8192u
#define IMAGE_SIZE    ((SETUP_SECTORS + 1) * 512 + PAYLOAD)

struct fixture {
    struct fake_ram p;
    uint8_t image[IMAGE_SIZE + 512];
    struct boot_module file;
    struct boot_module initrd;
    struct load_request req;
    struct load_result res;
    char error[512];
};

static void put(struct fixture *f, unsigned offset, uint64_t value, size_t size)
{
    memcpy(&f->image[offset], &value, size);
}

// A relocatable 64-bit kernel of protocol 2.15, as Debian's are, and a partition of `memory` bytes.
static void set_up(struct fixture *f, uint64_t memory)
{
    memset(f, 0, sizeof(*f));
    fake_ram_init(&f->p, memory);
    for (unsigned i = 0; i < PAYLOAD; i++) {
        f->image[IMAGE_SIZE - PAYLOAD + i] = (uint8_t)(i * 7 + (i >> 8));
    }
    put(f, 0x1f1, SETUP_SECTORS, 1);
    put(f, 0x1f4, PAYLOAD / 16, 4);
    put(f, 0x1fe, 0xaa55, 2);
    put(f, 0x200, 0x6aeb, 2); // the header ends at 0x26c
    put(f, 0x202, 0x53726448, 4);
    put(f, 0x206, 0x020f, 2);
    put(f, 0x211, 0x81, 1);       // loaded high, can use heap
    put(f, 0x214, 0x100000, 4);   // code32_start
    put(f, 0x22c, 0x7fffffff, 4); // initrd_addr_max
    put(f, 0x230, 0x200000, 4);   // kernel_alignment
    put(f, 0x234, 1, 1);          // relocatable
    put(f, 0x236, 0x7f, 2);       // xloadflags
    put(f, 0x238, 2047, 4);       // cmdline_size
    put(f, 0x250, 0x1234, 8);     // setup_data: the loader's to set
    put(f, 0x258, 0x1000000, 8);  // pref_address
    put(f, 0x260, 0x37f8000, 4);  // init_size
    f->file = fake_module("vmlinuz", f->image, IMAGE_SIZE);
    f->req = (struct load_request){
        .partition = "alpha",
        .version = "1.2",
        .uuid = fake_uuid,
        .memory = memory,
        .image = &f->file,
        .cmdline = "console=ttyS0",
        .platform =
            {
                .cpu_count = 2,
                .lapic_address = GUEST_LAPIC_ADDRESS,
                .ioapic_address = GUEST_IOAPIC_ADDRESS,
                .sci_irq = GUEST_SCI_IRQ,
                .pm1_base = GUEST_PM1_BASE,
            },
    };
}

static enum status load(struct fixture *f)
{
    f->error[0] = '\0';
    return load_guest(&f->p.ram, &f->req, &f->res, f->error, sizeof(f->error));
}

static void expect_failure(struct fixture *f, enum status s, const char *text)
{
    assert_int_equal(load(f), s);
    if (strncmp(f->error, "partition \"alpha\": ", 19) != 0 || strstr(f->error, text) == NULL) {
        fail_msg("no \"%s\" in: %s", text, f->error);
    }
    assert_true(strlen(f->error) < sizeof(f->error) - 1);
}

static void *file_of(uint64_t size, uint8_t seed)
{
    uint8_t *data = malloc(size);

    assert_non_null(data);
    for (uint64_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(seed + i * 5);
    }
    return data;
}

static void enters_in_64_bit_mode(void **state)
{
    struct fixture *f = *state;
    const struct vcpu_entry *e = &f->res.entry;
    uint64_t params;

    set_up(f, MIB(512));
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(f->error, "");
    assert_non_null(strstr(f->res.kind, "64-bit"));
    assert_int_equal(e->mode, ENTRY_LONG64);
    assert_int_equal(e->rip, 0x1000200);
    assert_memory_equal(fake_ram_at(&f->p, 0x1000000, PAYLOAD), &f->image[IMAGE_SIZE - PAYLOAD],
                        PAYLOAD);
    params = e->rsi;
    assert_true(is_aligned(params, 4096) && params < 0x9fc00);
    assert_int_equal(*fake_ram_at(&f->p, params + 0x210, 1), 0xff); // type_of_loader
    assert_int_equal(*fake_ram_at(&f->p, params + 0x211, 1), 0x01); // no heap promised
    assert_int_equal(fake_ram_u32(&f->p, params + 0x202), 0x53726448);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x214), 0x1000000);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x218), 0);
    assert_int_equal(fake_ram_u64(&f->p, params + 0x250), 0);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x260), 0x37f8000);
    assert_int_equal(*fake_ram_at(&f->p, params + 0x1ef, 1), 0); // sentinel
    assert_int_equal(fake_ram_u64(&f->p, params + 0x70), f->res.rsdp.v);
    assert_memory_equal(fake_ram_at(&f->p, f->res.rsdp.v, 8), "RSD PTR ", 8);
    assert_string_equal((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, params + 0x228), 64),
                        "console=ttyS0");
    fake_ram_free(&f->p);
}

// What is in the boot parameters and not ours is zero, whatever lay there.
static void boot_params_are_clean(void **state)
{
    struct fixture *f = *state;
    uint64_t params;

    set_up(f, MIB(512));
    memset(fake_ram_at(&f->p, 0x10000, 0x80000), 0x5a, 0x80000);
    memset(f->image, 0x5a, 0x1f1); // the old boot sector
    assert_int_equal(load(f), STATUS_OK);
    params = f->res.entry.rsi;
    for (uint64_t i = 0; i < 0x1f1; i++) {
        if (i != 0x1e8 && !(i >= 0x70 && i < 0x78)) {
            assert_int_equal(*fake_ram_at(&f->p, params + i, 1), 0);
        }
    }
    for (uint64_t i = 0x26c; i < 0x2d0; i++) {
        assert_int_equal(*fake_ram_at(&f->p, params + i, 1), 0);
    }
    fake_ram_free(&f->p);
}

// By the offsets of the kernel's own struct screen_info, which is 64 bytes.
static void tells_of_the_framebuffer(void **state)
{
    static const struct boot_framebuffer screen = {0xf0001000, 4160, 1024, 768, 16, 8, 0};
    static const uint16_t words[32] = {
        [0x0e / 2] = 0x7000,                                           // a linear framebuffer
        [0x12 / 2] = 1024,   [0x14 / 2] = 768,    [0x16 / 2] = 32,     // pixels, their bits
        [0x18 / 2] = 0x1000, [0x1a / 2] = 0xf000,                      // base
        [0x1c / 2] = 0xc000, [0x1e / 2] = 0x0030,                      // 4160 * 768 bytes
        [0x24 / 2] = 4160,                                             // of a line
        [0x26 / 2] = 0x1008, [0x28 / 2] = 0x0808, [0x2a / 2] = 0x0008, // colours: size, position
        [0x2c / 2] = 0x1808,                                           // the rest
    };
    struct fixture *f = *state;
    struct boot_framebuffer other = screen;

    set_up(f, MIB(512));
    f->req.screen = &screen;
    assert_int_equal(load(f), STATUS_OK);
    assert_memory_equal(fake_ram_at(&f->p, f->res.entry.rsi, 64), words, 64);
    f->req.screen = &other;
    other.green_shift = 24;
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, f->res.entry.rsi + 0x2a), 0x00080008);
    // What its 16 bits can't say is not cut off.
    other.pitch = 65536;
    expect_failure(f, ERR_UNSUPPORTED, "lines of 65536 bytes: choose a lower resolution");
    other = screen;
    other.height = 65536;
    expect_failure(f, ERR_UNSUPPORTED, "choose a lower resolution");
    fake_ram_free(&f->p);
}

static void check_e820(struct fixture *f, bool has_pci)
{
    struct e820_entry map[GUEST_E820_MAX];
    unsigned n;
    uint64_t params;

    set_up(f, GIB(5));
    f->req.platform.has_pci = has_pci;
    assert_int_equal(load(f), STATUS_OK);
    n = guest_e820(GIB(5), 0, has_pci, map);
    params = f->res.entry.rsi;
    assert_int_equal(*fake_ram_at(&f->p, params + 0x1e8, 1), n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(fake_ram_u64(&f->p, params + 0x2d0 + 20 * i), map[i].base);
        assert_int_equal(fake_ram_u64(&f->p, params + 0x2d8 + 20 * i), map[i].size);
        assert_int_equal(fake_ram_u32(&f->p, params + 0x2e0 + 20 * i), map[i].type);
    }
    fake_ram_free(&f->p);
}

static void e820_is_the_partition_s(void **state)
{
    check_e820(*state, false);
    check_e820(*state, true);
}

// Walks the page tables as the CPU would.
static bool translate(const struct fixture *f, uint64_t address, uint64_t *to)
{
    uint64_t table = f->res.entry.cr3;

    for (unsigned shift = 39; shift >= 21; shift -= 9) {
        const uint64_t e = fake_ram_u64(&f->p, table + ((address >> shift) & 511) * 8);

        if ((e & 3) != 3) {
            return false;
        }
        table = e & 0x000ffffffffff000;
        if (shift == 21 || (e & 0x80) != 0) {
            assert_int_equal(e & 0x80, 0x80);
            assert_int_equal(shift, 21);
            *to = table + (address & 0x1fffff);
        }
    }
    return true;
}

static void page_tables_map_all_as_it_is(void **state)
{
    static const struct {
        uint64_t memory;
        uint64_t mapped;
    } cases[] = {{MIB(128), GIB(4)}, {GIB(3), GIB(4)}, {GIB(5), GIB(6)}, {GIB(5) + 4096, GIB(7)}};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t to = 1;

        set_up(f, cases[i].memory);
        memset(fake_ram_at(&f->p, 0x10000, 0x80000), 0xff, 0x80000);
        assert_int_equal(load(f), STATUS_OK);
        for (uint64_t a = 0; a < cases[i].mapped; a += MIB(2)) {
            assert_true(translate(f, a + 0x1235, &to));
            assert_int_equal(to, a + 0x1235);
        }
        assert_false(translate(f, cases[i].mapped, &to));
        assert_false(translate(f, BIT(39), &to));
        assert_false(translate(f, BIT(47), &to));
        fake_ram_free(&f->p);
    }
}

static void the_largest_partition_s_tables_stay_in_their_place(void **state)
{
    struct fixture *f = *state;
    uint64_t to;

    set_up(f, GIB(1024));
    memset(fake_ram_at(&f->p, 0x60000, 0x30000), 0x77, 0x30000);
    assert_int_equal(load(f), STATUS_OK);
    assert_true(translate(f, GIB(64), &to));
    assert_int_equal(to, GIB(64));
    for (uint64_t a = 0x60000; a < 0x90000; a += 8) {
        assert_int_equal(fake_ram_u64(&f->p, a), 0x7777777777777777);
    }
    fake_ram_free(&f->p);
}

static void segments_are_flat(void **state)
{
    struct fixture *f = *state;
    const struct vcpu_entry *e = &f->res.entry;

    set_up(f, MIB(128));
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(e->cs, 0x10);
    assert_int_equal(e->ds, 0x18);
    assert_true(e->gdt_limit >= 0x1f);
    assert_int_equal(fake_ram_u64(&f->p, e->gdt.v), 0);
    assert_int_equal(fake_ram_u64(&f->p, e->gdt.v + 0x10), 0x00af9b000000ffff); // L
    assert_int_equal(fake_ram_u64(&f->p, e->gdt.v + 0x18), 0x00cf93000000ffff);
    put(f, 0x236, 0, 2); // a 32-bit kernel
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(e->mode, ENTRY_PROTECTED32);
    assert_int_equal(e->rip, 0x1000000);
    assert_int_equal(e->cr3, 0);
    assert_int_equal(e->rbx | e->rdi | e->rbp, 0);
    assert_int_equal(fake_ram_u64(&f->p, e->gdt.v + 0x10), 0x00cf9b000000ffff); // D
    fake_ram_free(&f->p);
}

static void initrd_goes_as_high_as_may_be(void **state)
{
    struct fixture *f = *state;
    const uint64_t size = 3 * 4096 + 17;
    uint8_t *data = file_of(size, 3);
    uint64_t params;

    set_up(f, MIB(512));
    f->initrd = fake_module("initrd.gz", data, size);
    f->req.initrd = &f->initrd;
    assert_int_equal(load(f), STATUS_OK);
    params = f->res.entry.rsi;
    assert_int_equal(fake_ram_u32(&f->p, params + 0x218), MIB(512) - 4 * 4096);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x21c), size);
    assert_memory_equal(fake_ram_at(&f->p, MIB(512) - 4 * 4096, size), data, size);
    // Below the address that the kernel sets, though there is more RAM.
    put(f, 0x22c, 0x0fffffff, 4);
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x218), MIB(256) - 4 * 4096);
    fake_ram_free(&f->p);
    // Below 3 GiB whatever the kernel allows.
    set_up(f, GIB(5));
    put(f, 0x22c, 0xffffffff, 4);
    f->initrd = fake_module("initrd.gz", data, size);
    f->req.initrd = &f->initrd;
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x218), GIB(3) - 4 * 4096);
    // An empty one is none.
    f->initrd.size = 0;
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x218), 0);
    fake_ram_free(&f->p);
    free(data);
}

// Where the memory that devices reach begins: the kernel, and all that goes with it, lies above.
static void nothing_lies_below_the_dma_floor(void **state)
{
    struct fixture *f = *state;
    uint8_t *data = file_of(MIB(16), 3);
    uint64_t params;

    set_up(f, MIB(128));
    f->req.dma_floor = MIB(40);
    f->p.dma_floor = MIB(40);
    f->initrd = fake_module("initrd.gz", data, MIB(16));
    f->req.initrd = &f->initrd;
    assert_int_equal(load(f), STATUS_OK);
    params = f->res.entry.rsi;
    assert_int_equal(f->res.entry.rip, MIB(40) + 0x200);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x214), MIB(40));
    assert_int_equal(fake_ram_u32(&f->p, params + 0x218), MIB(40 + 127 - 16));
    assert_int_equal(fake_ram_u64(&f->p, params + 0x2d0 + 20), 0x9fc00);
    assert_int_equal(fake_ram_u64(&f->p, params + 0x2d8 + 20), MIB(40) - 0x9fc00);
    assert_int_equal(fake_ram_u32(&f->p, params + 0x2e0 + 20), E820_RESERVED);
    assert_memory_equal(fake_ram_at(&f->p, MIB(40 + 127 - 16), MIB(16)), data, MIB(16));
    put(f, 0x230, MIB(16), 4); // kernel_alignment
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.rip, MIB(48) + 0x200);
    put(f, 0x258, MIB(64), 8); // pref_address
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.rip, MIB(64) + 0x200);
    put(f, 0x234, 0, 1); // not relocatable
    expect_failure(f, ERR_RANGE, "lies below 0x2800000");
    expect_failure(f, ERR_RANGE, "CONFIG_RELOCATABLE");
    fake_ram_free(&f->p);
    free(data);
}

static void initrd_must_fit_beside_the_kernel(void **state)
{
    struct fixture *f = *state;
    // The kernel needs 0x1000000-0x47f8000; below that are 15 MiB, above 8 KiB to 72 MiB + 8 KiB.
    const uint64_t memory = 0x47f8000 + 8192;
    uint8_t *data = file_of(MIB(15) + 1, 9);

    set_up(f, memory);
    f->initrd = fake_module("initrd.gz", data, 8192);
    f->req.initrd = &f->initrd;
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, f->res.entry.rsi + 0x218), 0x47f8000);
    f->initrd.size = 8193; // now it goes below the kernel
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, f->res.entry.rsi + 0x218), MIB(16) - 3 * 4096);
    f->initrd.size = MIB(15);
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(fake_ram_u32(&f->p, f->res.entry.rsi + 0x218), MIB(1));
    f->initrd.size = MIB(15) + 1;
    expect_failure(f, ERR_NO_MEMORY, "initrd \"initrd.gz\": its 0xf00001 bytes don't fit");
    f->initrd.size = UINT64_MAX;
    expect_failure(f, ERR_NO_MEMORY, "don't fit");
    fake_ram_free(&f->p);
    free(data);
}

static void every_truncation_is_refused(void **state)
{
    struct fixture *f = *state;

    set_up(f, MIB(128));
    for (uint64_t size = 0; size <= IMAGE_SIZE - 16; size += size < 0x300 ? 1 : 61) {
        // The bytes behind its end are there for ASan to see that nobody reads them.
        uint8_t *data = malloc(size == 0 ? 1 : size);

        memcpy(data, f->image, size);
        f->file = fake_module("vmlinuz", data, size);
        if (load(f) == STATUS_OK) {
            fail_msg("%u bytes were enough", (unsigned)size);
        }
        assert_non_null(strstr(f->error, "partition \"alpha\": image \"vmlinuz\": "));
        free(data);
    }
    f->file = fake_module("vmlinuz", f->image, IMAGE_SIZE - 16);
    expect_failure(f, ERR_TRUNCATED, "has 10224 bytes and should have 10240");
    // More than it should be is a signature behind the kernel.
    f->file = fake_module("vmlinuz", f->image, IMAGE_SIZE + 448);
    assert_int_equal(load(f), STATUS_OK);
    fake_ram_free(&f->p);
}

// Debian's memtest86+ is of protocol 2.12 and 8 bytes short. GRUB and QEMU don't look at syssize.
static void images_may_end_within_their_last_paragraph(void **state)
{
    static const uint16_t versions[] = {0x0207, 0x020c, 0x020f};
    struct fixture *f = *state;

    set_up(f, MIB(128));
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        put(f, 0x206, versions[i], 2);
        for (unsigned missing = 1; missing < 16; missing++) {
            memset(fake_ram_at(&f->p, 0, MIB(32)), 0, MIB(32));
            f->file.size = IMAGE_SIZE - missing;
            assert_int_equal(load(f), STATUS_OK);
        }
        f->file.size = IMAGE_SIZE - 16;
        expect_failure(f, ERR_TRUNCATED, "should have");
    }
    fake_ram_free(&f->p);
}

static void old_protocols_lack_fields(void **state)
{
    struct fixture *f = *state;
    char line[257];

    memset(line, 'x', sizeof(line));
    line[256] = '\0';
    set_up(f, MIB(128));
    put(f, 0x206, 0x0207, 2);
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.mode, ENTRY_PROTECTED32); // 2.07 has no other entry
    assert_int_equal(f->res.entry.rip, MIB(2));             // nor an address: 1 MiB, aligned
    put(f, 0x206, 0x0205, 2);
    f->req.cmdline = line;
    expect_failure(f, ERR_INVALID, "may have 255 characters, and \"cmdline\" has 256");
    line[255] = '\0';
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.rip, MIB(2));
    put(f, 0x206, 0x0203, 2);
    put(f, 0x201, 0x2e, 1); // the header ends at 0x230
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.rip, MIB(1)); // nor does it relocate
    put(f, 0x201, 0x2d, 1);
    expect_failure(f, ERR_INVALID, "ends at 0x22f");
    fake_ram_free(&f->p);
}

// A kernel's 32-bit entry lies where code32_start has it, as GRUB does it. iPXE's images have none.
static void enters_where_code32_start_says(void **state)
{
    static const uint32_t without[] = {0, 0xfffff, MIB(1) + PAYLOAD, UINT32_MAX};
    struct fixture *f = *state;

    set_up(f, MIB(128));
    put(f, 0x236, 0, 2); // a 32-bit kernel
    put(f, 0x214, MIB(1) + 0x40, 4);
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.mode, ENTRY_PROTECTED32);
    assert_int_equal(f->res.entry.rip, MIB(16) + 0x40);
    assert_int_equal(fake_ram_u32(&f->p, f->res.entry.rsi + 0x214), MIB(16) + 0x40);
    put(f, 0x214, MIB(1) + PAYLOAD - 1, 4);
    assert_int_equal(load(f), STATUS_OK);
    for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
        put(f, 0x236, 0, 2);
        put(f, 0x214, without[i], 4);
        expect_failure(f, ERR_UNSUPPORTED, "no entry for 32-bit or 64-bit mode (code32_start 0x");
        expect_failure(f, ERR_UNSUPPORTED, "a PC's BIOS, which a partition has not: use a Linux");
        assert_true(strlen(f->error) < 255); // what the hypervisor keeps of it
        put(f, 0x236, 1, 2);                 // the 64-bit entry does not depend on it
        assert_int_equal(load(f), STATUS_OK);
        assert_int_equal(f->res.entry.rip, MIB(16) + 0x200);
    }
    fake_ram_free(&f->p);
}

static void kernels_that_do_not_relocate_go_to_1_mib(void **state)
{
    struct fixture *f = *state;

    set_up(f, MIB(128));
    put(f, 0x234, 0, 1);
    put(f, 0x230, 0, 4); // then the alignment doesn't matter
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.rip, MIB(1) + 0x200);
    // It moves itself to its address and needs room there.
    put(f, 0x258, MIB(100), 8);
    expect_failure(f, ERR_RANGE, "kernel (0x100000-0x9bf7fff) lies outside the partition's RAM");
    put(f, 0x258, UINT64_MAX, 8);
    expect_failure(f, ERR_RANGE, "lies outside the partition's RAM");
    fake_ram_free(&f->p);
}

static void needs_its_memory(void **state)
{
    struct fixture *f = *state;

    set_up(f, 0x47f8000);
    assert_int_equal(load(f), STATUS_OK);
    fake_ram_free(&f->p);
    set_up(f, 0x47f8000 - 4096);
    expect_failure(f, ERR_RANGE,
                   "image \"vmlinuz\": kernel (0x1000000-0x47f7fff) lies outside the "
                   "partition's RAM (0x0-0x47f6fff): give the partition more memory");
    put(f, 0x258, MIB(60), 8);
    put(f, 0x230, MIB(64), 4); // aligned up: 64 MiB
    put(f, 0x260, 0, 4);       // then the image's size counts
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.rip, MIB(64) + 0x200);
    put(f, 0x258, 0x47f7000, 8);
    put(f, 0x230, 4096, 4);
    expect_failure(f, ERR_RANGE, "lies outside");
    put(f, 0x258, 0, 8); // no preference: where big kernels always went
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(f->res.entry.rip, MIB(1) + 0x200);
    fake_ram_free(&f->p);
}

static void bad_headers_are_refused(void **state)
{
    struct fixture *f = *state;

    set_up(f, MIB(128));
    put(f, 0x206, 0x0202, 2);
    expect_failure(f, ERR_UNSUPPORTED, "boot protocol 2.02, older than 2.03");
    put(f, 0x206, 0x020f, 2);
    put(f, 0x201, 0x61, 1); // ends before init_size does
    expect_failure(f, ERR_INVALID, "ends at 0x263");
    put(f, 0x201, 0xff, 1); // longer than we know: what boot_params has room for
    assert_int_equal(load(f), STATUS_OK);
    put(f, 0x201, 0x6a, 1);
    put(f, 0x211, 0, 1);
    expect_failure(f, ERR_UNSUPPORTED, "zImage");
    put(f, 0x211, 1, 1);
    put(f, 0x230, 0x300000, 4);
    expect_failure(f, ERR_INVALID, "alignment 0x300000");
    put(f, 0x230, 0, 4);
    expect_failure(f, ERR_INVALID, "alignment 0x0");
    put(f, 0x230, 0x200000, 4);
    put(f, 0x258, BIT(63), 8);
    expect_failure(f, ERR_RANGE, "above 4 GiB");
    put(f, 0x258, MIB(16), 8);
    put(f, 0x1f4, 0, 4);
    expect_failure(f, ERR_INVALID, "no kernel (syssize 0x0)");
    expect_failure(f, ERR_INVALID, "or a program for a PC's BIOS");
    put(f, 0x1f4, UINT32_MAX, 4);
    expect_failure(f, ERR_TRUNCATED, "should have");
    put(f, 0x1f4, (PAYLOAD - 512) / 16, 4);
    put(f, 0x1f1, 0, 1); // 0 means 4
    assert_int_equal(load(f), STATUS_OK);
    assert_memory_equal(fake_ram_at(&f->p, MIB(16), 512), &f->image[5 * 512], 512);
    put(f, 0x1fe, 0, 2);
    expect_failure(f, ERR_UNSUPPORTED, "no known kind");
    fake_ram_free(&f->p);
}

static void the_command_line_has_its_length(void **state)
{
    struct fixture *f = *state;
    char line[2100];

    set_up(f, MIB(128));
    memset(line, 'x', sizeof(line));
    line[2047] = '\0';
    f->req.cmdline = line;
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(
        strlen((char *)fake_ram_at(&f->p, fake_ram_u32(&f->p, f->res.entry.rsi + 0x228), 3000)),
        2047);
    line[2047] = 'x';
    line[2048] = '\0';
    expect_failure(f, ERR_INVALID, "may have 2047 characters, and \"cmdline\" has 2048");
    f->req.cmdline = NULL;
    assert_int_equal(load(f), STATUS_OK);
    assert_int_equal(*fake_ram_at(&f->p, fake_ram_u32(&f->p, f->res.entry.rsi + 0x228), 1), 0);
    fake_ram_free(&f->p);
}

static void takes_no_modules(void **state)
{
    struct fixture *f = *state;
    const struct boot_module extra = fake_module("extra", "x", 1);
    const struct load_module modules[] = {{&extra, NULL}};

    set_up(f, MIB(128));
    f->req.modules = modules;
    f->req.module_count = 1;
    expect_failure(f, ERR_UNSUPPORTED, "module \"extra\": the image \"vmlinuz\" is a Linux kernel");
    fake_ram_free(&f->p);
}

static void reports_every_failed_write(void **state)
{
    struct fixture *f = *state;
    uint64_t all;

    set_up(f, MIB(128));
    f->initrd = fake_module("initrd.gz", "abc", 3);
    f->req.initrd = &f->initrd;
    assert_int_equal(load(f), STATUS_OK);
    all = f->p.writes;
    for (uint64_t n = 1; n < all; n++) {
        f->p.writes = 0;
        f->p.fail_after = n;
        expect_failure(f, ERR_RANGE, "");
    }
    fake_ram_free(&f->p);
}

int main(void)
{
    static struct fixture fixture;
    struct CMUnitTest tests[] = {
        cmocka_unit_test(enters_in_64_bit_mode),
        cmocka_unit_test(tells_of_the_framebuffer),
        cmocka_unit_test(boot_params_are_clean),
        cmocka_unit_test(e820_is_the_partition_s),
        cmocka_unit_test(page_tables_map_all_as_it_is),
        cmocka_unit_test(the_largest_partition_s_tables_stay_in_their_place),
        cmocka_unit_test(segments_are_flat),
        cmocka_unit_test(initrd_goes_as_high_as_may_be),
        cmocka_unit_test(nothing_lies_below_the_dma_floor),
        cmocka_unit_test(initrd_must_fit_beside_the_kernel),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(images_may_end_within_their_last_paragraph),
        cmocka_unit_test(old_protocols_lack_fields),
        cmocka_unit_test(enters_where_code32_start_says),
        cmocka_unit_test(kernels_that_do_not_relocate_go_to_1_mib),
        cmocka_unit_test(needs_its_memory),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(the_command_line_has_its_length),
        cmocka_unit_test(takes_no_modules),
        cmocka_unit_test(reports_every_failed_write),
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        tests[i].initial_state = &fixture;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
