// SPDX-License-Identifier: Apache-2.0
// A page-table walk as the manuals describe it, entry by entry, for comparison with the
// hypervisor's.
#ifndef TESTS_FUZZ_WALK_MODEL_H
#define TESTS_FUZZ_WALK_MODEL_H

#include "hv/memory/guest_walk.h"
#include "tests/unit/fake_flat_ram.h"

// guest_walk() on `flat` gives what the model gives: the result, the address or the error code, and
// accessed and dirty bits.
void compare_walk(const struct guest_paging *g, uint64_t gva, unsigned access);

#endif
