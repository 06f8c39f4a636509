// SPDX-License-Identifier: Apache-2.0
// The hypervisor's page heap for host tests: pages at made-up physical addresses, allocation that
// can be told to fail, and a check of every access for pages that were never handed out.
#ifndef TESTS_UNIT_FAKE_HEAP_H
#define TESTS_UNIT_FAKE_HEAP_H

#include "arch/memory/heap.h"

#define FAKE_HEAP_BASE  0x7654000000ull
#define FAKE_HEAP_PAGES 8192u

// Empties the heap and lets every allocation succeed.
void fake_heap_reset(void);
// The allocation after `count` more fails, and all after it; negative: none fails.
void fake_heap_fail_after(long count);
// Pages handed out now.
unsigned fake_heap_used(void);
// Hands out all that is left, zeroed: every address of the heap can be read from then on.
void fake_heap_take_all(void);
// A number that changes with which pages are handed out, and with their content.
uint64_t fake_heap_hash(void);

#endif
