// SPDX-License-Identifier: Apache-2.0
// Faults of firmware, made by putting functions of ours into its tables, or by using up what it
// has.
#ifndef TESTS_GUESTS_UEFI_FAULTS_H
#define TESTS_GUESTS_UEFI_FAULTS_H

#include <stdbool.h>

// Makes the faults whose names, joined by '+', are given: the table in faults.c has them. False if
// one is not known.
bool faults_begin(const char *names);

// Takes them all away.
void faults_end(void);

#endif
