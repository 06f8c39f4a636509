# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_acpi
fuzz_acpi_SRCS = tests/fuzz/fuzz_acpi.c tests/fuzz/fuzz_print.c drivers/acpi/acpi.c drivers/acpi/madt.c \
                 drivers/acpi/fadt.c drivers/acpi/serial.c drivers/ioapic/ioapic.c arch/lib/format.c
fuzz_acpi_PART = 2
