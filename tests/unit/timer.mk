# SPDX-License-Identifier: Apache-2.0
# Timers: the choice of their interrupt source.
UNIT_TESTS += test_timer_choice
test_timer_choice_SRCS = tests/unit/test_timer_choice.c hv/partition/timer_choice.c
# The machine's HPET.
UNIT_TESTS += test_hpet
test_hpet_SRCS = tests/unit/test_hpet.c tests/unit/fake_hpet.c drivers/clock/hpet.c
# The timer service.
UNIT_TESTS += test_timer
test_timer_CFLAGS = -include tests/unit/fake_cpu.h
test_timer_SRCS = tests/unit/test_timer.c hv/partition/timer.c hv/partition/timer_choice.c
# The assignment of the HPET's comparators.
UNIT_TESTS += test_comparator
test_comparator_CFLAGS = -include tests/unit/fake_cpu.h
test_comparator_SRCS = tests/unit/test_comparator.c tests/unit/fake_hpet.c hv/partition/comparator.c \
                       hv/start/gsi_taken.c drivers/clock/hpet.c
