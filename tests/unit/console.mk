UNIT_TESTS += test_console test_console_stress
CONSOLE_TEST_PARTS = tests/unit/fake_uart.c drivers/console.c drivers/console_drain.c drivers/console_poll.c drivers/console_line.c drivers/console_ring.c drivers/console_log.c drivers/console_input.c drivers/console_sink.c drivers/uart.c drivers/format.c
test_console_SRCS = tests/unit/test_console.c $(CONSOLE_TEST_PARTS)
test_console_LIBS = -lpthread
test_console_stress_SRCS = tests/unit/test_console_stress.c $(CONSOLE_TEST_PARTS)
test_console_stress_LIBS = -lpthread
