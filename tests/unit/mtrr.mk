# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_mtrr
test_mtrr_SRCS = tests/unit/test_mtrr.c tests/unit/fake_print.c arch/cpu/mtrr.c hv/memory/uncached.c \
                 hv/memory/page_alloc.c arch/lib/format.c
