# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_acpi
fuzz_acpi_SRCS = tests/fuzz/fuzz_acpi.c tests/fuzz/fuzz_print.c drivers/acpi.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_serial.c drivers/ioapic.c drivers/format.c
fuzz_acpi_PART = 2
