# SPDX-License-Identifier: Apache-2.0
ACPI_PARSER := drivers/acpi/acpi.c drivers/acpi/madt.c drivers/acpi/fadt.c drivers/acpi/serial.c arch/lib/format.c
UNIT_TESTS  += test_acpi test_acpi_cpus test_acpi_serial
test_acpi_SRCS        = tests/unit/test_acpi.c drivers/ioapic/ioapic.c $(ACPI_PARSER)
test_acpi_cpus_SRCS   = tests/unit/test_acpi_cpus.c tests/unit/fake_print.c hv/machine/console_cpu.c $(ACPI_PARSER)
test_acpi_serial_SRCS = tests/unit/test_acpi_serial.c tests/unit/fake_print.c $(ACPI_PARSER)
