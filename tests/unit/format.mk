# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_format
test_format_SRCS = tests/unit/test_format.c arch/lib/format.c
