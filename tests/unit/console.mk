# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_console test_console_log test_console_turn test_console_stress
CONSOLE_TEST_PARTS := tests/unit/fake_uart.c tests/unit/fake_ticker.c drivers/console/console.c \
                      drivers/console/drain.c drivers/console/turn.c drivers/console/view.c drivers/console/poll.c \
                      drivers/console/line.c drivers/console/filter.c drivers/console/screen.c \
                      drivers/console/ring.c drivers/console/log.c drivers/console/history.c drivers/console/input.c \
                      drivers/console/sink.c drivers/uart/uart.c drivers/uart/com.c drivers/console/framebuffer.c \
                      arch/lib/format.c
test_console_SRCS = tests/unit/test_console.c $(CONSOLE_TEST_PARTS)
test_console_LIBS = -lpthread
test_console_turn_SRCS = tests/unit/test_console_turn.c $(CONSOLE_TEST_PARTS)
test_console_turn_LIBS = -lpthread
test_console_stress_SRCS = tests/unit/test_console_stress.c $(CONSOLE_TEST_PARTS)
test_console_stress_LIBS = -lpthread
test_console_log_SRCS = tests/unit/test_console_log.c $(CONSOLE_TEST_PARTS)
test_console_log_LIBS = -lpthread
UNIT_TESTS += test_framebuffer
test_framebuffer_SRCS = tests/unit/test_framebuffer.c $(CONSOLE_TEST_PARTS)
test_framebuffer_LIBS = -lpthread
UNIT_TESTS += test_console_view
test_console_view_SRCS = tests/unit/test_console_view.c $(CONSOLE_TEST_PARTS)
test_console_view_LIBS = -lpthread
