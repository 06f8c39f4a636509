# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_ivrs
fuzz_ivrs_SRCS = tests/fuzz/fuzz_ivrs.c tests/fuzz/fuzz_print.c drivers/acpi_ivrs.c drivers/format.c
fuzz_ivrs_PART = 4
