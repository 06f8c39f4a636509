# SPDX-License-Identifier: Apache-2.0
# The choice of what makes a timer's interrupts.
UNIT_TESTS += test_timer_choice
test_timer_choice_SRCS = tests/unit/test_timer_choice.c hv/timer_choice.c
