# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_acpi_ivrs
test_acpi_ivrs_SRCS = tests/unit/test_acpi_ivrs.c drivers/acpi_ivrs.c drivers/format.c
