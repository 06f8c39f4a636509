# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_tsc_scale
test_tsc_scale_SRCS = tests/unit/test_tsc_scale.c
