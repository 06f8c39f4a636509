# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_apic_base
test_apic_base_SRCS = tests/unit/test_apic_base.c arch/interrupt/apic_base.c
