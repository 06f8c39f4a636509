# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_dmar
fuzz_dmar_SRCS = tests/fuzz/fuzz_dmar.c tests/fuzz/fuzz_print.c drivers/acpi/acpi.c drivers/vtd/dmar.c \
                 drivers/acpi/madt.c drivers/acpi/fadt.c drivers/acpi/serial.c \
                 drivers/pci/address.c arch/lib/format.c
fuzz_dmar_PART = 4
