// SPDX-License-Identifier: Apache-2.0
// print() for tests of what warns: the text is kept.
#ifndef TESTS_UNIT_FAKE_PRINT_H
#define TESTS_UNIT_FAKE_PRINT_H

#include <stdbool.h>

void fake_print_clear(void);
bool fake_printed(const char *part);
unsigned fake_print_count(void); // calls since it was cleared

#endif
