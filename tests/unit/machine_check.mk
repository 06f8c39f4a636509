# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_machine_check
test_machine_check_SRCS = tests/unit/test_machine_check.c hv/life/machine_check_judge.c
