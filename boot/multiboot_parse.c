// SPDX-License-Identifier: Apache-2.0
// The code that both Multiboot parsers use. Relies on phys_read() by link-time name.
#include "boot/multiboot_parse.h"

#include "arch/memory/window.h"
#include "boot/module.h"

// Types of the BIOS memory map (ACPI 6.5, table 15.3) that mean more than "reserved".
#define E820_USABLE 1
#define E820_ACPI   3

#define MAX_TEXT KIB(64) // far more than any loader passes; bounds a text without an end

enum status boot_read(const struct boot_error *error, uint64_t address, void *buffer, size_t size,
                      const char *what)
{
    if (address >= GIB(4) || size > GIB(4) - address)
        return boot_fail(error, ERR_RANGE,
                         "boot information: %s at 0x%lx, %lu bytes, does not lie below 4 GiB; the "
                         "loader is broken, try another",
                         what, address, size);
    enum status status = phys_read(hpa(address), buffer, size);

    if (status != STATUS_OK)
        return boot_fail(error, status, "boot information: %s at 0x%lx can't be read", what,
                         address);
    return STATUS_OK;
}

// Receives each character of a text.
typedef void take_fn(void *context, char c);

// Calls `take` for each character of a text that ends with a NUL or after `limit` bytes.
static enum status read_text(const struct boot_error *error, uint64_t address, uint64_t limit,
                             const char *what, take_fn *take, void *context)
{
    for (uint64_t done = 0; done < limit;) {
        char part[32];
        size_t size = sizeof(part);

        if (done >= MAX_TEXT)
            return boot_fail(error, ERR_RANGE,
                             "boot information: %s at 0x%lx has more than %lu bytes; shorten it",
                             what, address, MAX_TEXT);
        // Reads neither beyond the limit nor across a page: the text may end where memory ends.
        size = (size_t)min_u64(size, limit - done);
        size = (size_t)min_u64(size, PAGE_SIZE - ((address + done) & PAGE_MASK));
        enum status status = boot_read(error, address + done, part, size, what);

        if (status != STATUS_OK)
            return status;
        for (size_t i = 0; i < size; i++) {
            if (part[i] == '\0')
                return STATUS_OK;
            take(context, part[i]);
        }
        done += size;
    }
    return STATUS_OK;
}

// ---- the command line -------------------------------------------------------------------------

// Keeps the words that can be options.
struct options_reader {
    char *text; // BOOT_TEXT_SIZE bytes
    size_t length;
    size_t word;       // start of the current word in text[]
    size_t word_size;  // its characters so far, including those that don't fit
    bool is_value;     // its = has been read
    bool is_other;     // it does not have the form name=value
    bool does_not_fit; // an option was cut off
};

static void end_word(struct options_reader *r)
{
    bool is_option = r->is_value && !r->is_other;
    size_t kept = r->length - r->word;

    r->does_not_fit |= is_option && kept < r->word_size;
    if (!is_option)
        r->length = r->word;
    else if (r->length + 1 < BOOT_TEXT_SIZE)
        r->text[r->length++] = ' ';
    r->word = r->length;
    r->word_size = 0;
    r->is_value = r->is_other = false;
}

static void take_option(void *context, char c)
{
    struct options_reader *r = context;

    if (c == ' ' || c == '\t') {
        end_word(r);
        return;
    }
    if (!r->is_value) {
        r->is_value = c == '=' && r->word_size > 0;
        r->is_other |= !r->is_value && c != '_' && (c < 'a' || c > 'z');
    }
    r->word_size++;
    if (!r->is_other && r->length + 1 < BOOT_TEXT_SIZE)
        r->text[r->length++] = c;
}

enum status boot_read_options(const struct boot_error *error, uint64_t address, uint64_t limit,
                              struct boot_info *info)
{
    struct options_reader r = {.text = info->cmdline};
    enum status status = read_text(error, address, limit, "the command line", take_option, &r);

    end_word(&r);
    if (r.length > 0 && r.text[r.length - 1] == ' ')
        r.length--;
    r.text[r.length] = '\0';
    if (status == STATUS_OK && r.does_not_fit)
        return boot_fail(error, ERR_RANGE,
                         "boot information: the options on the command line have more than %d "
                         "characters; shorten them",
                         BOOT_TEXT_SIZE - 1);
    return status;
}

// ---- memory and modules -----------------------------------------------------------------------

enum status boot_add_memory(const struct boot_error *error, struct boot_info *info, uint64_t base,
                            uint64_t size, uint32_t e820_type)
{
    if (size == 0)
        return STATUS_OK;
    if (base + size - 1 < base)
        return boot_fail(error, ERR_INVALID,
                         "boot information: the memory range at 0x%lx, 0x%lx bytes, wraps", base,
                         size);
    if (info->memory_count == BOOT_MAX_MEMORY)
        return boot_fail(error, ERR_RANGE,
                         "boot information: more than %d memory ranges; raise BOOT_MAX_MEMORY",
                         BOOT_MAX_MEMORY);
    struct boot_memory *memory = &info->memory[info->memory_count++];

    memory->base = base;
    memory->size = size;
    memory->kind = e820_type == E820_USABLE ? BOOT_MEMORY_USABLE
                   : e820_type == E820_ACPI ? BOOT_MEMORY_ACPI
                                            : BOOT_MEMORY_RESERVED;
    return STATUS_OK;
}

static void take_name(void *context, char c)
{
    module_name_add(context, c);
}

enum status boot_add_module(const struct boot_error *error, struct boot_info *info, uint32_t start,
                            uint32_t end, uint64_t cmdline, uint64_t limit)
{
    struct module_name name = {.length = 0};
    enum status status = STATUS_OK;

    if (cmdline != 0)
        status = read_text(error, cmdline, limit, "a module's command line", take_name, &name);
    if (status != STATUS_OK)
        return status;
    if (end < start)
        return boot_fail(error, ERR_INVALID,
                         "boot information: module %u (\"%s\") ends at 0x%x, before its start 0x%x",
                         info->module_count + 1, name.text, end, start);
    return boot_enter_module(error, info, start, end - start, name.text, name.length);
}
