// SPDX-License-Identifier: Apache-2.0
// Modules and their names: boot/module.h.
#include "boot/module.h"

#include "arch/lib/string.h"

#define NAME_WORD       "name="
#define NAME_WORD_SIZE  5u
#define NAME_WORD_OTHER 6u // above any count of matched characters

enum status boot_enter_module(const struct boot_error *error, struct boot_info *info, uint64_t base,
                              uint64_t size, const char *name, size_t length)
{
    unsigned number = info->module_count + 1;

    if (info->module_count == BOOT_MAX_MODULES)
        return boot_fail(error, ERR_RANGE, "boot information: more than %d modules; load fewer",
                         BOOT_MAX_MODULES);
    if (length >= BOOT_TEXT_SIZE)
        return boot_fail(
            error, ERR_RANGE,
            "boot information: the name of module %u has more than %d characters; give "
            "it a shorter one by name= in its command line",
            number, BOOT_TEXT_SIZE - 1);
    if (length >= BOOT_NAMES_SIZE - info->names_used)
        return boot_fail(error, ERR_RANGE,
                         "boot information: the names of the first %u modules have more than %d "
                         "characters together; give them shorter ones by name= in their command "
                         "lines",
                         number, BOOT_NAMES_SIZE - 1);
    char *kept = info->names + info->names_used;

    memcpy(kept, name, length);
    kept[length] = '\0';
    info->names_used += (unsigned)length + 1;
    info->modules[info->module_count++] = (struct boot_module){base, size, kept};
    return STATUS_OK;
}

void boot_info_moved(struct boot_info *info, uint64_t from)
{
    for (unsigned i = 0; i < info->module_count; i++)
        info->modules[i].name =
            (const char *)((uint64_t)info + ((uint64_t)info->modules[i].name - from));
}

static void append(struct module_name *name, char c)
{
    if (name->length + 1 < BOOT_TEXT_SIZE) {
        name->text[name->length] = c;
        name->text[name->length + 1] = '\0';
    }
    name->length++;
}

static void restart(struct module_name *name)
{
    name->length = 0;
    name->text[0] = '\0';
}

static void end_word(struct module_name *name)
{
    name->in_word = false;
    name->is_done = name->is_named;
}

void module_name_add(struct module_name *name, char c)
{
    if (c == ' ' || c == '\t') {
        end_word(name);
        return;
    }
    if (name->is_done)
        return;
    if (!name->in_word) {
        name->in_word = true;
        name->matched = 0;
        name->words++;
    }
    if (name->is_named || name->words == 1)
        append(name, c);
    if (name->is_named)
        return;
    if (name->words == 1 && c == '/')
        restart(name);
    if (name->matched < NAME_WORD_SIZE)
        name->matched = c == NAME_WORD[name->matched] ? name->matched + 1 : NAME_WORD_OTHER;
    if (name->matched == NAME_WORD_SIZE) {
        name->is_named = true;
        restart(name);
    }
}
