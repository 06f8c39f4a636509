# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_ivrs
fuzz_ivrs_SRCS = tests/fuzz/fuzz_ivrs.c tests/fuzz/fuzz_print.c drivers/amdvi/ivrs.c arch/lib/format.c
fuzz_ivrs_PART = 4
