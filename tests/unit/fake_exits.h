// SPDX-License-Identifier: Apache-2.0
// Handlers of exits (hv/exit/exits.h) that do nothing but say which of them was called, for tests
// of the back ends' dispatch; and what a row of the sensitive-instruction table expects of them.
#ifndef TESTS_UNIT_FAKE_EXITS_H
#define TESTS_UNIT_FAKE_EXITS_H

#include "docs/tables/sensitive.h"

// The last handler that was called, by its name; of exit_fault what it was told. NULL: none.
extern const char *fake_called;

// What the dispatch of an exit must have come to: what `row` says that the guest sees. `moved`: RIP
// is behind the instruction.
void expect_what_row_says(const struct sensitive_row *row, bool moved);

#endif
