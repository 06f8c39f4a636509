// SPDX-License-Identifier: Apache-2.0
// Enters modules into struct boot_info, whichever loader brought them.
#ifndef BOOT_MODULE_H
#define BOOT_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/lib/status.h"
#include "boot/boot_info.h"
#include "boot/error.h"

// Adds the module of `size` bytes at host-physical `base`, and keeps a copy of its name, `length`
// characters. ERR_RANGE if there are too many modules, the name is longer than BOOT_TEXT_SIZE - 1,
// or all names together are too long.
enum status boot_enter_module(const struct boot_error *error, struct boot_info *info, uint64_t base,
                              uint64_t size, const char *name, size_t length);

// `info` has been copied to where it is from address `from`.
void boot_info_moved(struct boot_info *info, uint64_t from);

// Finds a module's name in its command line, character by character, so that no length of what
// stands before it matters: the value of the first name= word, else the first word behind its last
// slash.
struct module_name {
    char text[BOOT_TEXT_SIZE];
    size_t length;    // of the name; BOOT_TEXT_SIZE or more: text[] has only its beginning
    unsigned words;   // begun so far
    unsigned matched; // characters of name= that the word began with; 6: it began otherwise
    bool in_word;
    bool is_named; // by a name= word
    bool is_done;  // that word has ended
};

// Starts as all zeroes; gets each character but the NUL.
void module_name_add(struct module_name *name, char c);

#endif
