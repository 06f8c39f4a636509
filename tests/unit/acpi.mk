# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_acpi
test_acpi_SRCS = tests/unit/test_acpi.c drivers/acpi.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_serial.c drivers/ioapic.c drivers/format.c
UNIT_TESTS += test_acpi_serial
test_acpi_serial_SRCS = tests/unit/test_acpi_serial.c tests/unit/fake_print.c drivers/acpi.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_serial.c drivers/format.c
