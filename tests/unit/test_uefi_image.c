// SPDX-License-Identifier: Apache-2.0
// What the UEFI loader finds in its own image: PE sections, the parts, the hypervisor's ELF file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka last: it needs the headers above
#include <cmocka.h>

#include "arch/lib/types.h"
#include "arch/memory/layout.h"
#include "boot/uefi/elf_image.h"
#include "boot/uefi/parts.h"
#include "boot/uefi/pe.h"

#define PE_AT       0x40u
#define TABLE_AT    (PE_AT + 24 + 240)
#define SECTION     40u
#define FIRST_AT    0x400u
#define STEP        0x100u // from one section to the next
#define IMAGE_SIZE  0x3000u
#define MODULES     5u // index of the section with the modules, which is the last
#define SECOND      "initrd contents"
#define MODULES_AT  (FIRST_AT + MODULES * STEP)
#define ELF_SIZE    0x200u
#define SEGMENT_AT  64u
#define CONTENTS_AT 0x100u

static char text[400];
static const struct boot_error error = {text, sizeof(text)};

static void put(uint8_t *at, uint64_t value, unsigned size)
{
    memcpy(at, &value, size);
}

// ---- PE --------------------------------------------------------------------------------------

static unsigned sections;

static void start_image(uint8_t *image)
{
    memset(image, 0, IMAGE_SIZE);
    sections = 0;
    put(image, 0x5a4d, 2);
    put(image + 0x3c, PE_AT, 4);
    put(image + PE_AT, 0x4550, 4);
    put(image + PE_AT + 20, 240, 2);
}

static uint8_t *header_of(uint8_t *image, unsigned index)
{
    return image + TABLE_AT + index * SECTION;
}

static void add(uint8_t *image, const char *name, const char *contents)
{
    uint8_t *header = header_of(image, sections);
    uint32_t at = FIRST_AT + sections * STEP;
    size_t size = strlen(contents);
    memcpy(header, name, strlen(name));
    put(header + 8, size, 4);
    put(header + 12, at, 4);
    put(header + 16, align_up(size, 0x20), 4);
    memcpy(image + at, contents, size);
    put(image + PE_AT + 6, ++sections, 2);
}

static void whole_image(uint8_t *image)
{
    start_image(image);
    add(image, ".text", "the loader");
    add(image, ".bhimage", "hypervisor");
    add(image, ".bhcmd", "console=com2");
    add(image, ".bhconf", "blob");
    add(image, ".bhnames", "15 vmlinuz\n15 initrd.gz\n");
    add(image, ".bhmod", "kernel contents");
    memcpy(image + MODULES_AT + PAGE_SIZE, SECOND, strlen(SECOND));
    put(header_of(image, MODULES) + 8, PAGE_SIZE + strlen(SECOND), 4);
    put(header_of(image, MODULES) + 16, PAGE_SIZE + strlen(SECOND), 4);
}

static enum status find(const void *image, uint64_t size, struct uefi_parts *parts)
{
    struct pe_image pe;
    text[0] = '\0';
    enum status s = pe_open(&pe, image, size, &error);
    return s == STATUS_OK ? uefi_parts_find(&pe, parts, &error) : s;
}

static void refused(uint8_t *image, enum status expected, const char *says)
{
    struct uefi_parts parts;
    assert_int_equal(find(image, IMAGE_SIZE, &parts), expected);
    if (strstr(text, says) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", says, text);
    }
}

static void all_parts_are_found(void **state)
{
    uint8_t image[IMAGE_SIZE];
    struct uefi_parts parts;
    struct boot_info info = {0};
    (void)state;
    whole_image(image);
    assert_int_equal(find(image, IMAGE_SIZE, &parts), STATUS_OK);
    assert_int_equal(parts.hypervisor.size, strlen("hypervisor"));
    assert_ptr_equal(parts.hypervisor.data, image + FIRST_AT + STEP);
    assert_int_equal(uefi_parts_enter(&parts, &info, &error), STATUS_OK);
    assert_string_equal(info.cmdline, "console=com2");
    assert_int_equal(info.module_count, 3);
    assert_string_equal(info.modules[0].name, "configuration");
    assert_string_equal(info.modules[1].name, "vmlinuz");
    assert_string_equal(info.modules[2].name, "initrd.gz");
    assert_int_equal(info.modules[1].base, (uint64_t)image + MODULES_AT);
    assert_int_equal(info.modules[2].base, (uint64_t)image + MODULES_AT + PAGE_SIZE);
    assert_int_equal(info.modules[2].size, strlen(SECOND));
}

static void hypervisor_alone_is_enough(void **state)
{
    uint8_t image[IMAGE_SIZE];
    struct uefi_parts parts;
    struct boot_info info = {0};
    (void)state;
    start_image(image);
    add(image, ".bhimage", "hypervisor");
    assert_int_equal(find(image, IMAGE_SIZE, &parts), STATUS_OK);
    assert_int_equal(uefi_parts_enter(&parts, &info, &error), STATUS_OK);
    assert_int_equal(info.module_count, 0);
    assert_string_equal(info.cmdline, "");
    start_image(image);
    add(image, ".text", "the loader");
    refused(image, ERR_NOT_FOUND, "no section .bhimage");
}

static void bad_headers_are_refused(void **state)
{
    uint8_t image[IMAGE_SIZE];
    (void)state;
    whole_image(image);
    put(image, 0, 2);
    refused(image, ERR_INVALID, "MZ");
    whole_image(image);
    put(image + 0x3c, IMAGE_SIZE - 20, 4);
    refused(image, ERR_TRUNCATED, "before its PE header");
    put(image + 0x3c, PE_AT + 4, 4);
    refused(image, ERR_INVALID, "no PE header");
    whole_image(image);
    put(image + PE_AT + 20, 0xff00, 2);
    refused(image, ERR_TRUNCATED, "table of 6 sections");
    put(image + PE_AT + 6, 97, 2);
    refused(image, ERR_RANGE, "97 sections");
}

static void bad_sections_are_refused(void **state)
{
    uint8_t image[IMAGE_SIZE];
    (void)state;
    whole_image(image);
    put(header_of(image, 5) + 8, IMAGE_SIZE, 4);
    refused(image, ERR_TRUNCATED, "section 5 (.bhmod)");
    whole_image(image);
    put(header_of(image, 5) + 12, 0xfffffff0, 4);
    refused(image, ERR_TRUNCATED, "beyond");
    whole_image(image);
    put(header_of(image, 4) + 8, STEP + 1, 4);
    refused(image, ERR_EXISTS, "sections 4 (.bhnames) and 5 (.bhmod) overlap");
    whole_image(image);
    put(header_of(image, 1) + 12, TABLE_AT, 4);
    refused(image, ERR_EXISTS, "overlaps the headers");
    whole_image(image);
    put(header_of(image, 5) + 16, 4, 4);
    refused(image, ERR_TRUNCATED, "the file has only 0x4");
    whole_image(image);
    memcpy(header_of(image, 2), ".bhconf\0", 8);
    refused(image, ERR_EXISTS, ".bhconf is there twice");
    whole_image(image);
    memcpy(header_of(image, 0), ".bhmod\0\0", 8);
    refused(image, ERR_EXISTS, ".bhmod is there twice");
}

static void set_names(uint8_t *image, const char *names)
{
    whole_image(image);
    put(header_of(image, 4) + 8, strlen(names), 4);
    put(header_of(image, 4) + 16, strlen(names), 4);
    memcpy(image + FIRST_AT + 4 * STEP, names, strlen(names));
}

static void bad_names_are_refused(void **state)
{
    static const char *const names[] = {
        "15 vmlinuz\n",             // two modules
        "15 vmlinuz\n15 initrd.gz", // cut off
        "15 vmlinuz\n15 \n",        // no name
        "15 vmlinuz\n15\n",
        "15 vmlinuz\n 15 initrd.gz\n",
        "15 vmlinuz\n15 initrd.gz\n1 third\n", // not there
        "15 vmlinuz\n16 initrd.gz\n",
        "15 vmlinuz\n14 initrd.gz\n",
        "4097 vmlinuz\n15 initrd.gz\n",
        "0 vmlinuz\n15 initrd.gz\n",
        "99999999999999999999 vmlinuz\n", // more than 64 bits
        "999999999999999999 vmlinuz\n",
        "15 vm\rlinuz\n15 initrd.gz\n",
        "vmlinuz\ninitrd.gz\n",
        "15",
        "\n",
    };
    uint8_t image[IMAGE_SIZE];
    (void)state;
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        set_names(image, names[i]);
        refused(image, ERR_INVALID, "build it again");
    }
    start_image(image);
    add(image, ".bhimage", "hypervisor");
    add(image, ".bhmod", "without a name");
    refused(image, ERR_INVALID, "its modules have 0xe bytes, by their sizes 0x0");
}

// One module for each page of `count`, and another size for the last name.
static enum status enter_many(unsigned count, unsigned name_size)
{
    static uint8_t modules[(BOOT_MAX_MODULES + 1) * PAGE_SIZE];
    static char names[(BOOT_MAX_MODULES + 1) * 300];
    static struct boot_info info;
    struct uefi_parts parts = {.modules = {modules, (count - 1) * PAGE_SIZE + 1},
                               .names = {(uint8_t *)names, 0}};
    for (unsigned i = 0; i < count; i++) {
        char name[300] = "";
        memset(name, 'n', i + 1 == count ? name_size : 1);
        parts.names.size += (size_t)sprintf(names + parts.names.size, "1 %s\n", name);
    }
    memset(&info, 0, sizeof(info));
    text[0] = '\0';
    enum status s = uefi_parts_enter(&parts, &info, &error);
    assert_int_equal(info.module_count, s == STATUS_OK ? count : count - 1);
    for (unsigned i = 0; i < info.module_count; i++) {
        assert_int_equal(info.modules[i].base, (uint64_t)modules + i * PAGE_SIZE);
        assert_int_equal(strlen(info.modules[i].name), i + 1 == count ? name_size : 1);
    }
    return s;
}

static void too_much_is_refused(void **state)
{
    uint8_t image[IMAGE_SIZE];
    struct uefi_parts parts;
    (void)state;
    assert_int_equal(enter_many(BOOT_MAX_MODULES, 255), STATUS_OK);
    assert_int_equal(enter_many(BOOT_MAX_MODULES, 256), ERR_RANGE);
    assert_non_null(strstr(text, "the name of module 128 has more than 255 characters"));
    assert_int_equal(enter_many(BOOT_MAX_MODULES + 1, 1), ERR_RANGE);
    assert_non_null(strstr(text, "more than 128 modules"));
    start_image(image);
    add(image, ".bhimage", "hypervisor");
    add(image, ".bhcmd", "");
    put(header_of(image, 1) + 8, BOOT_TEXT_SIZE, 4);
    put(header_of(image, 1) + 16, BOOT_TEXT_SIZE, 4);
    assert_int_equal(find(image, IMAGE_SIZE, &parts), ERR_RANGE);
    assert_non_null(strstr(text, "command line"));
}

// Each length from nothing on in memory of just this size, where ASan sees a byte too far; and each
// bit of the headers turned over. Whatever is accepted lies in the image.
static void check_parts(const uint8_t *image, uint64_t size)
{
    struct uefi_parts parts;
    if (find(image, size, &parts) != STATUS_OK) {
        assert_true(text[0] != '\0');
        return;
    }
    struct boot_info info = {0};
    assert_int_equal(uefi_parts_enter(&parts, &info, &error), STATUS_OK);
    for (unsigned i = 0; i < info.module_count; i++) {
        uint64_t base = info.modules[i].base - (uint64_t)image;
        assert_true(base <= size && info.modules[i].size <= size - base);
        assert_true(info.modules[i].name[0] != '\0');
    }
}

static void no_image_leads_outside(void **state)
{
    uint8_t image[IMAGE_SIZE];
    (void)state;
    whole_image(image);
    for (size_t size = 0; size <= FIRST_AT + 6 * STEP; size++) {
        uint8_t *cut = malloc(size > 0 ? size : 1);
        memcpy(cut, image, size);
        check_parts(cut, size);
        free(cut);
    }
    for (size_t bit = 0; bit < (size_t)FIRST_AT * 8; bit++) {
        uint8_t *turned = malloc(IMAGE_SIZE);
        memcpy(turned, image, IMAGE_SIZE);
        turned[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        check_parts(turned, IMAGE_SIZE);
        free(turned);
    }
}

// ---- the hypervisor's file -------------------------------------------------------------------

static void segment(uint8_t *file, unsigned index, uint64_t offset, uint64_t paddr, uint64_t filesz,
                    uint64_t memsz)
{
    uint8_t *s = file + SEGMENT_AT + index * 56u;
    put(s, 1, 4);
    put(s + 8, offset, 8);
    put(s + 24, paddr, 8);
    put(s + 32, filesz, 8);
    put(s + 40, memsz, 8);
}

static void whole_file(uint8_t *file)
{
    memset(file, 0, ELF_SIZE);
    memcpy(file,
           "\x7f"
           "ELF\2\1\1",
           7);
    put(file + 18, 62, 2);
    put(file + 32, SEGMENT_AT, 8);
    put(file + 54, 56, 2);
    put(file + 56, 2, 2);
    segment(file, 0, CONTENTS_AT, HV_IMAGE_LINK, 0x80, 0x80);
    segment(file, 1, CONTENTS_AT + 0x80, HV_IMAGE_LINK + 0x1000, 0x40, 0x2000);
    memcpy(file + CONTENTS_AT, "64Bulkhd", 8);
    put(file + CONTENTS_AT + 8, HV_IMAGE_LINK + 0x20, 4);
    memset(file + CONTENTS_AT + 0x80, 0x5a, 0x40);
}

static uint8_t *memory; // of the hypervisor

static enum status load(const uint8_t *file, uint64_t size, uint64_t *entry)
{
    text[0] = '\0';
    return elf_image_load(file, size, memory, entry, &error);
}

static void hypervisor_is_loaded(void **state)
{
    uint8_t file[ELF_SIZE];
    uint64_t entry = 0;
    (void)state;
    whole_file(file);
    memset(memory, 0xee, ELF_IMAGE_SIZE);
    assert_int_equal(load(file, sizeof(file), &entry), STATUS_OK);
    assert_int_equal(entry, 0x20);
    assert_memory_equal(memory, "64Bulkhd", 8);
    assert_int_equal(memory[0x1000], 0x5a);
    assert_int_equal(memory[0x103f], 0x5a);
    assert_int_equal(memory[0x1040], 0); // what the file lacks
    assert_int_equal(memory[ELF_IMAGE_SIZE - 1], 0);
}

static void file_refused(const uint8_t *file, enum status expected, const char *says)
{
    uint64_t entry;
    memory[0x1000] = 0xee;
    assert_int_equal(load(file, ELF_SIZE, &entry), expected);
    if (strstr(text, says) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", says, text);
    }
    assert_int_equal(memory[0x1000], 0xee); // nothing was written
}

static void bad_files_are_refused(void **state)
{
    uint8_t file[ELF_SIZE];
    (void)state;
    whole_file(file);
    file[4] = 1;
    file_refused(file, ERR_INVALID, "not an ELF64");
    whole_file(file);
    put(file + 56, 17, 2);
    file_refused(file, ERR_INVALID, "17 segments");
    whole_file(file);
    put(file + 32, ELF_SIZE - 8, 8);
    file_refused(file, ERR_TRUNCATED, "within its segments");
    whole_file(file);
    segment(file, 1, CONTENTS_AT + 0x80, HV_IMAGE_LINK + 0x1000, ELF_SIZE, 0x2000);
    file_refused(file, ERR_TRUNCATED, "segment 1");
    whole_file(file);
    segment(file, 1, CONTENTS_AT, HV_IMAGE_LINK + 0x1000, 0x40, ELF_IMAGE_SIZE - 0xfff);
    file_refused(file, ERR_RANGE, "outside its 2 MiB");
    segment(file, 1, CONTENTS_AT, HV_IMAGE_LINK - 0x1000, 0x40, 0x1000);
    file_refused(file, ERR_RANGE, "outside its 2 MiB");
    whole_file(file);
    segment(file, 1, CONTENTS_AT, HV_IMAGE_LINK + 0x7f, 0x40, 0x40);
    file_refused(file, ERR_EXISTS, "overlap");
    whole_file(file);
    file[CONTENTS_AT] = 'x';
    file_refused(file, ERR_INVALID, "no entry for UEFI");
    whole_file(file);
    put(file + CONTENTS_AT + 8, HV_IMAGE_LINK + 0x80, 4);
    file_refused(file, ERR_INVALID, "no entry for UEFI");
}

static void no_file_leads_outside(void **state)
{
    uint8_t file[ELF_SIZE];
    uint64_t entry = 0;
    (void)state;
    whole_file(file);
    for (size_t size = 0; size < CONTENTS_AT + 0xc0; size++) {
        uint8_t *cut = malloc(size > 0 ? size : 1);
        memcpy(cut, file, size);
        assert_int_not_equal(load(cut, size, &entry), STATUS_OK);
        free(cut);
    }
    for (size_t bit = 0; bit < (size_t)(CONTENTS_AT + 16) * 8; bit++) {
        uint8_t *turned = malloc(ELF_SIZE);
        memcpy(turned, file, ELF_SIZE);
        turned[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (load(turned, ELF_SIZE, &entry) == STATUS_OK) {
            assert_true(entry < ELF_IMAGE_SIZE);
        }
        free(turned);
    }
}

static int make_memory(void **state)
{
    (void)state;
    memory = malloc(ELF_IMAGE_SIZE);
    return memory == NULL;
}

static int free_memory(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_are_found),     cmocka_unit_test(hypervisor_alone_is_enough),
        cmocka_unit_test(bad_headers_are_refused), cmocka_unit_test(bad_sections_are_refused),
        cmocka_unit_test(bad_names_are_refused),   cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(no_image_leads_outside),  cmocka_unit_test(hypervisor_is_loaded),
        cmocka_unit_test(bad_files_are_refused),   cmocka_unit_test(no_file_leads_outside),
    };
    return cmocka_run_group_tests(tests, make_memory, free_memory);
}
