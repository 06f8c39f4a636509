# SPDX-License-Identifier: Apache-2.0
# The virtual local APIC and its ICR check.
FUZZERS += fuzz_icr
fuzz_icr_SRCS = tests/fuzz/fuzz_icr.c hv/interrupt/vapic.c hv/interrupt/vapic_rules.c hv/interrupt/icr.c
fuzz_icr_PART = 2
