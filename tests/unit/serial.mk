# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_serial_choice
test_serial_choice_SRCS = tests/unit/test_serial_choice.c hv/machine/serial_choice.c drivers/ioapic/ioapic.c \
                          drivers/uart/com.c
