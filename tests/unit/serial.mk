# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_serial_choice
test_serial_choice_SRCS = tests/unit/test_serial_choice.c hv/serial_choice.c drivers/ioapic.c drivers/uart_com.c
