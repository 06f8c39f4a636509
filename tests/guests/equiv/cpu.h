// SPDX-License-Identifier: Apache-2.0
// The groups of the processor's checks, each in the file of its name.

#ifndef TESTS_GUESTS_EQUIV_CPU_H
#define TESTS_GUESTS_EQUIV_CPU_H

#include "tests/guests/equiv/engine.h"

// One instruction in several places.
struct insn_row {
    const char *name; // of the check, without the place
    const char *bytes;
    uint8_t length;
    uint16_t where; // AT(place) bits
    uint16_t show;
    uint64_t rax, rcx, rdx;
    uint32_t rflags;
    uint8_t memory; // the operand is [rDI]: with an address prefix in 16-bit code
};

#define ROW(name_, string, where_, ...) ROW_(name_, string, where_, __VA_ARGS__)
#define ROW_(name_, string, where_, show_, ...)                                                    \
    {                                                                                              \
        .name = (name_), .bytes = (string), .length = sizeof(string) - 1, .where = (where_),       \
        .show = (show_), ##__VA_ARGS__                                                             \
    }

void run_rows(const struct insn_row *rows, unsigned count);
#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof(rows[0]))

bool is_amd(void);
// A hypervisor that says so. For what can't be run in a partition.
bool hypervisor_there(void);
// QEMU takes reserved bits of control registers, and goes astray with them: `reserved=no`.
bool reserved_bits_checked(void);

void checks_tables(void);
void checks_control(void);
void checks_hidden(void);
void checks_flow(void);
void checks_msrs(void);
void checks_exceptions(void);
void checks_page_faults(void);
void checks_steps(void);
void checks_shadow(void);
void checks_string_io(void);
void checks_mmio(void);
void checks_paging(void);
void checks_enabled(void);

#endif
