// SPDX-License-Identifier: Apache-2.0
// Enters modules into struct boot_info, for every loader.
#ifndef BOOT_MODULE_H
#define BOOT_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "boot/boot_info.h"
#include "boot/error.h"

// Adds the module of `size` bytes at host-physical `base`, with a copy of its name of `length`
// characters. ERR_RANGE: there are too many modules, the name is longer than BOOT_TEXT_SIZE - 1, or
// all names together are too long.
enum status boot_enter_module(const struct boot_error *error, struct boot_info *info, uint64_t base,
                              uint64_t size, const char *name, size_t length);

// Adjusts the pointers of `info` after it was copied to its place from address `from`.
void boot_info_moved(struct boot_info *info, uint64_t from);

// Finds a module's name in its command line: the value of the first name= word, else the part of
// the first word after its last slash. It takes one character at a time, so the text before the
// name may have any length.
struct module_name {
    char text[BOOT_TEXT_SIZE];
    size_t length;    // of the name; from BOOT_TEXT_SIZE on, text[] holds only its beginning
    unsigned words;   // words begun so far
    unsigned matched; // how many characters of name= the word began with; 6: it began otherwise
    bool in_word;
    bool is_named; // the name comes from a name= word
    bool is_done;  // that word has ended
};

// Starts with all fields zero. Call it for each character except the NUL.
void module_name_add(struct module_name *name, char c);

#endif
