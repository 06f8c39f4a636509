# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_mtrr
test_mtrr_SRCS = tests/unit/test_mtrr.c tests/unit/fake_print.c arch/mtrr.c hv/uncached.c hv/page_alloc.c drivers/format.c
