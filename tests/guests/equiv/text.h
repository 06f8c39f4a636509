// SPDX-License-Identifier: Apache-2.0
// A line that is put together from pieces.

#ifndef TESTS_GUESTS_EQUIV_TEXT_H
#define TESTS_GUESTS_EQUIV_TEXT_H

#include "tests/guests/guest.h"

struct text {
    char s[320];
    unsigned length; // what does not fit is left out
};

void text_add(struct text *t, const char *s);
void text_hex(struct text *t, uint64_t value);
void text_decimal(struct text *t, int64_t value);
// " name 0x12"
void text_item(struct text *t, const char *name, uint64_t value);

#endif
