# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_guest_walk
test_guest_walk_SRCS = tests/unit/test_guest_walk.c tests/unit/fake_flat_ram.c hv/memory/guest_walk.c
