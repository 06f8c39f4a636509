// SPDX-License-Identifier: Apache-2.0
// The loader of ELF files: segments, bss, entry points, and headers that make no sense.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka wants the four above.
#include <cmocka.h>
#include <string.h>

#include "tests/unit/multiboot_image.h"

static void expect_segments(const struct fixture *f)
{
    assert_memory_equal(fake_ram_at(&f->p, 0x100000, CODE_SIZE), &f->image[CODE_AT], CODE_SIZE);
    assert_memory_equal(fake_ram_at(&f->p, 0x200000, DATA_SIZE), &f->image[DATA_AT], DATA_SIZE);
    for (unsigned i = 0; i < 4096; i++) {
        assert_int_equal(*fake_ram_at(&f->p, 0x200000 + DATA_SIZE + i, 1), 0);
    }
    assert_int_equal(*fake_ram_at(&f->p, 0x200000 + DATA_SIZE + 4096, 1), 0xee);
}

static void loads_elf32(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    memset(fake_ram_at(&f->p, MIB(1), MIB(2)), 0xee, MIB(2));
    assert_int_equal(load(f), STATUS_OK);
    assert_string_equal(f->error, "");
    assert_non_null(strstr(f->res.kind, "32-bit ELF"));
    expect_segments(f);
    expect_entry(f, 0x100010);
    fake_ram_free(&f->p);
}

static void loads_elf64(void **state)
{
    struct fixture *f = *state;

    set_up_elf64(f);
    memset(fake_ram_at(&f->p, MIB(1), MIB(2)), 0xee, MIB(2));
    assert_int_equal(load(f), STATUS_OK);
    assert_non_null(strstr(f->res.kind, "64-bit ELF"));
    expect_segments(f);
    expect_entry(f, 0x100010); // the physical address of a virtual one
    // Or a physical one, if no segment has it as virtual,
    header64(f)->e_entry = 0x200008;
    assert_int_equal(load(f), STATUS_OK);
    expect_entry(f, 0x200008);
    // even if another segment, seen before, has it as physical.
    segment64(f, 1)->p_vaddr = 0x100000;
    header64(f)->e_entry = 0x100004;
    assert_int_equal(load(f), STATUS_OK);
    expect_entry(f, 0x200004);
    fake_ram_free(&f->p);
}

// Segment 2 of the file to `paddr`, with `memsz` bytes.
static void expect_bad_segment(struct fixture *f, uint32_t paddr, uint32_t memsz, const char *text)
{
    segment32(f, 2)->p_paddr = paddr;
    segment32(f, 2)->p_memsz = memsz;
    expect_failure(f, ERR_RANGE, text);
}

static void segments_stay_in_ram_and_apart(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    expect_bad_segment(f, 0xfff000, 0x1001,
                       "image \"bench.elf\": segment 2 (0xfff000-0x1000000) lies outside the "
                       "partition's RAM (0x0-0xffffff): give the partition more memory");
    expect_bad_segment(f, 0xfffff000, 0x1000, "segment 2 (0xfffff000-0xffffffff) lies outside");
    expect_bad_segment(f, 0xffffff00, 0x1000, "segment 2 (0xffffff00-0x100000eff) lies outside");
    expect_bad_segment(f, 0x100000 + CODE_SIZE - 1, 0x1000,
                       "lies on segment 0 (0x100000-0x1002ff)");
    expect_bad_segment(f, 0xfff, 0x1000, "lies on BIOS data area (0x0-0xfff)");
    expect_bad_segment(f, 0x9f000, 0xc01, "lies on firmware area (0x9fc00-0xfffff)");
    expect_bad_segment(f, 0xfff00, 0x200, "lies on");
    segment32(f, 2)->p_paddr = 0x1000; // all of base memory between them
    segment32(f, 2)->p_memsz = 0x9fc00 - 0x1000;
    assert_int_equal(load(f), STATUS_OK);
    assert_true(f->res.entry.rbx >= MIB(1)); // the information had to make way
    fake_ram_free(&f->p);

    set_up_elf64(f);
    segment64(f, 1)->p_paddr = UINT64_MAX - 0x10;
    expect_failure(f, ERR_RANGE, "wraps around");
    segment64(f, 1)->p_paddr = 0x200000;
    segment64(f, 1)->p_memsz = UINT64_MAX;
    expect_failure(f, ERR_RANGE, "wraps around");
    segment64(f, 1)->p_memsz = UINT64_MAX - 0x200000;
    expect_failure(f, ERR_RANGE, "lies outside");
    fake_ram_free(&f->p);
}

static void code_above_4_gib_is_loaded_but_not_entered(void **state)
{
    struct fixture *f = *state;

    set_up_elf64(f);
    fake_ram_free(&f->p);
    fake_ram_init(&f->p, GIB(4));
    f->req.memory = GIB(4);
    segment64(f, 1)->p_paddr = GIB(4) + 0x1000;
    assert_int_equal(load(f), STATUS_OK);
    assert_memory_equal(fake_ram_at(&f->p, GIB(4) + 0x1000, DATA_SIZE), &f->image[DATA_AT],
                        DATA_SIZE);
    header64(f)->e_entry = segment64(f, 1)->p_vaddr;
    expect_failure(f, ERR_UNSUPPORTED, "entry point 0x100001000 lies above 4 GiB");
    fake_ram_free(&f->p);
}

static void damaged_elf_headers_are_refused(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    header32(f)->e_type = ET_REL;
    expect_failure(f, ERR_UNSUPPORTED, "ELF file of type 1");
    header32(f)->e_type = ET_EXEC;
    header32(f)->e_machine = EM_ARM;
    expect_failure(f, ERR_UNSUPPORTED, "machine 40");
    header32(f)->e_machine = EM_386;
    f->image[EI_DATA] = ELFDATA2MSB;
    expect_failure(f, ERR_UNSUPPORTED, "another processor");
    f->image[EI_DATA] = ELFDATA2LSB;
    f->image[EI_CLASS] = 3;
    expect_failure(f, ERR_UNSUPPORTED, "no ELF file");
    f->image[EI_CLASS] = ELFCLASS32;
    header32(f)->e_phnum = 0;
    expect_failure(f, ERR_INVALID, "no program headers");
    header32(f)->e_phnum = 0xffff;
    expect_failure(f, ERR_UNSUPPORTED, "65535 program headers");
    header32(f)->e_phnum = 3;
    header32(f)->e_phentsize = 31;
    expect_failure(f, ERR_INVALID, "31 bytes instead of 32");
    header32(f)->e_phentsize = sizeof(Elf32_Phdr);
    header32(f)->e_phoff = UINT32_MAX;
    expect_failure(f, ERR_TRUNCATED, "before its program headers");
    header32(f)->e_phoff = IMAGE_SIZE - 95;
    expect_failure(f, ERR_TRUNCATED, "");
    header32(f)->e_phoff = sizeof(Elf32_Ehdr);
    header32(f)->e_entry = 0x100000 + CODE_SIZE;
    expect_failure(f, ERR_INVALID, "entry point 0x100300 lies in none of its segments");
    header32(f)->e_entry = 0x100000;
    segment32(f, 0)->p_filesz = CODE_SIZE + 1;
    expect_failure(f, ERR_INVALID, "segment 0 has more bytes in the file");
    segment32(f, 0)->p_filesz = CODE_SIZE;
    segment32(f, 0)->p_offset = UINT32_MAX;
    expect_failure(f, ERR_TRUNCATED, "ends within its segment 0");
    fake_ram_free(&f->p);

    set_up_elf64(f);
    header64(f)->e_phoff = UINT64_MAX - 8; // plus what it counts wraps around
    expect_failure(f, ERR_TRUNCATED, "before its program headers");
    header64(f)->e_phoff = sizeof(Elf64_Ehdr);
    segment64(f, 0)->p_offset = UINT64_MAX - 1;
    expect_failure(f, ERR_TRUNCATED, "ends within its segment 0");
    fake_ram_free(&f->p);
}

static void too_many_segments_are_refused(void **state)
{
    struct fixture *f = *state;

    set_up_elf32(f);
    f->file.size = sizeof(f->image);
    header32(f)->e_phoff = 0x3000;
    header32(f)->e_phnum = 33;
    for (unsigned i = 0; i < 33; i++) {
        const Elf32_Phdr s = {
            PT_LOAD, CODE_AT, 0x100000 + i * 0x1000, 0x100000 + i * 0x1000, 0x100, 0x100,
            PF_R,    4096};

        memcpy(&f->image[0x3000 + i * sizeof(s)], &s, sizeof(s));
    }
    expect_failure(f, ERR_UNSUPPORTED, "more than 32 segments");
    header32(f)->e_phnum = 32;
    assert_int_equal(load(f), STATUS_OK);
    fake_ram_free(&f->p);
}

int main(void)
{
    static struct fixture fixture;
    struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_elf32),
        cmocka_unit_test(loads_elf64),
        cmocka_unit_test(segments_stay_in_ram_and_apart),
        cmocka_unit_test(code_above_4_gib_is_loaded_but_not_entered),
        cmocka_unit_test(damaged_elf_headers_are_refused),
        cmocka_unit_test(too_many_segments_are_refused),
    };

    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        tests[i].initial_state = &fixture;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
