# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_acpi
test_acpi_SRCS = tests/unit/test_acpi.c drivers/acpi.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/ioapic.c drivers/format.c
UNIT_TESTS += test_acpi_cpus
test_acpi_cpus_SRCS = tests/unit/test_acpi_cpus.c tests/unit/fake_print.c drivers/acpi.c drivers/acpi_madt.c drivers/acpi_fadt.c \
                      hv/console_cpu.c drivers/format.c
