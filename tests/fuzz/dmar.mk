# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_dmar
fuzz_dmar_SRCS = tests/fuzz/fuzz_dmar.c tests/fuzz/fuzz_print.c drivers/acpi.c drivers/acpi_dmar.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_serial.c \
                 drivers/pci_address.c drivers/format.c
fuzz_dmar_PART = 4
