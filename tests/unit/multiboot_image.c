// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <string.h>

#include "tests/unit/multiboot_image.h"

void put32(struct fixture *f, unsigned offset, uint32_t value)
{
    memcpy(&f->image[offset], &value, sizeof(value));
}

void put_header(struct fixture *f, unsigned at, uint32_t flags)
{
    put32(f, at, 0x1badb002);
    put32(f, at + 4, flags);
    put32(f, at + 8, 0u - 0x1badb002 - flags);
}

static void set_up(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    fake_ram_init(&f->p, MIB(16));
    for (unsigned i = CODE_AT; i < sizeof(f->image); i++) {
        f->image[i] = (uint8_t)(i * 3 + (i >> 8));
    }
    f->file = fake_module("bench.elf", f->image, IMAGE_SIZE);
    f->req = (struct load_request){
        .partition = "beta",
        .version = "1.2",
        .uuid = fake_uuid,
        .memory = MIB(16),
        .image = &f->file,
        .cmdline = "n=1000",
        .platform =
            {
                .cpu_count = 1,
                .lapic_address = GUEST_LAPIC_ADDRESS,
                .ioapic_address = GUEST_IOAPIC_ADDRESS,
                .sci_irq = GUEST_SCI_IRQ,
                .pm1_base = GUEST_PM1_BASE,
            },
    };
}

Elf32_Ehdr *header32(struct fixture *f)
{
    return (Elf32_Ehdr *)f->image;
}

Elf32_Phdr *segment32(struct fixture *f, unsigned n)
{
    return (Elf32_Phdr *)&f->image[sizeof(Elf32_Ehdr) + n * sizeof(Elf32_Phdr)];
}

Elf64_Ehdr *header64(struct fixture *f)
{
    return (Elf64_Ehdr *)f->image;
}

Elf64_Phdr *segment64(struct fixture *f, unsigned n)
{
    return (Elf64_Phdr *)&f->image[sizeof(Elf64_Ehdr) + n * sizeof(Elf64_Phdr)];
}

void set_up_elf32(struct fixture *f)
{
    set_up(f);
    put_header(f, HEADER_AT, 3);
    *header32(f) = (Elf32_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_386,
        .e_version = EV_CURRENT,
        .e_entry = 0x100010,
        .e_phoff = sizeof(Elf32_Ehdr),
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 3,
    };
    *segment32(f, 0) =
        (Elf32_Phdr){PT_LOAD, CODE_AT, 0x100000, 0x100000, CODE_SIZE, CODE_SIZE, PF_R | PF_X, 4096};
    *segment32(f, 1) = (Elf32_Phdr){PT_NOTE, 0xffffff, 0, 0, 4, 4, PF_R, 4};
    *segment32(f, 2) =
        (Elf32_Phdr){PT_LOAD, DATA_AT, 0x200000, 0x200000, DATA_SIZE, DATA_SIZE + 4096, PF_R, 4096};
}

void set_up_elf64(struct fixture *f)
{
    const uint64_t high = 0xffffffff80000000;

    set_up(f);
    put_header(f, HEADER_AT, 3);
    *header64(f) = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = high + 0x100010,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 2,
    };
    *segment64(f, 0) = (Elf64_Phdr){PT_LOAD,  PF_R | PF_X, CODE_AT,   high + 0x100000,
                                    0x100000, CODE_SIZE,   CODE_SIZE, 4096};
    *segment64(f, 1) = (Elf64_Phdr){PT_LOAD,  PF_R,      DATA_AT,          high + 0x200000,
                                    0x200000, DATA_SIZE, DATA_SIZE + 4096, 4096};
}

void set_up_flat(struct fixture *f)
{
    set_up(f);
    put_header(f, HEADER_AT, 0x10003);
    put32(f, HEADER_AT + 12, 0x100100);          // header_addr
    put32(f, HEADER_AT + 16, 0x100000);          // load_addr: the file from 0x100
    put32(f, HEADER_AT + 20, 0x100000 + 0x800);  // load_end_addr
    put32(f, HEADER_AT + 24, 0x100000 + 0x1800); // bss_end_addr
    put32(f, HEADER_AT + 28, 0x100300);          // entry_addr
}

enum status load(struct fixture *f)
{
    f->error[0] = '\0';
    return load_guest(&f->p.ram, &f->req, &f->res, f->error, sizeof(f->error));
}

void expect_failure(struct fixture *f, enum status s, const char *text)
{
    assert_int_equal(load(f), s);
    if (strncmp(f->error, "partition \"beta\": ", 18) != 0 || strstr(f->error, text) == NULL) {
        fail_msg("no \"%s\" in: %s", text, f->error);
    }
    assert_true(strlen(f->error) < sizeof(f->error) - 1);
}

void expect_entry(const struct fixture *f, uint64_t rip)
{
    const struct vcpu_entry *e = &f->res.entry;

    assert_int_equal(e->mode, ENTRY_PROTECTED32);
    assert_int_equal(e->rip, rip);
    assert_int_equal(e->rax, 0x2badb002);
    assert_int_equal(e->cr3, 0);
    assert_int_equal(e->cs, 8); // as QEMU and GRUB Legacy have it
    assert_int_equal(e->ds, 0x10);
    assert_int_equal(fake_ram_u64(&f->p, e->gdt.v + e->cs), 0x00cf9b000000ffff);
    assert_int_equal(fake_ram_u64(&f->p, e->gdt.v + e->ds), 0x00cf93000000ffff);
    assert_true(e->gdt_limit >= e->ds + 7);
}
