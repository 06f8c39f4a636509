// SPDX-License-Identifier: Apache-2.0
// The equivalence guest: what its parts share. Each part looks at one side of the machine and
// prints one line per check, `NAME: OUTCOME`, that is the same on the bare machine and in a
// partition: what was observed, no address and no time. docs/equivalence.md lists the lines that
// differ.

#ifndef TESTS_GUESTS_EQUIV_EQUIV_H
#define TESTS_GUESTS_EQUIV_EQUIV_H

#include "tests/guests/guest.h"

// Prints a check's line. `name` is a dotted lower-case path that no other check has.
void outcome(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// The parts, in the order in which they run; `parts=cpu` on the command line runs one only.
void equiv_cpu(void);    // instructions, modes, exceptions
void equiv_device(void); // local APIC, several processors, the platform's devices

#endif
