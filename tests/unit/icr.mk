# SPDX-License-Identifier: Apache-2.0
# The ICR check, the virtual local APIC, and the policies of CPUID, MSRs and I/O ports.
UNIT_TESTS += test_icr test_vapic test_cpuid_policy test_msr_policy test_io_policy
test_icr_SRCS = tests/unit/test_icr.c hv/interrupt/icr.c
test_vapic_SRCS = tests/unit/test_vapic.c hv/interrupt/vapic.c hv/interrupt/vapic_rules.c hv/interrupt/icr.c
test_cpuid_policy_SRCS = tests/unit/test_cpuid_policy.c hv/policy/cpuid_policy.c hv/policy/cpuid_rules.c
test_msr_policy_SRCS = tests/unit/test_msr_policy.c hv/policy/msr_policy.c hv/policy/msr_rules.c \
                       hv/interrupt/vapic_rules.c hv/policy/cpuid_policy.c \
                       hv/policy/cpuid_rules.c
test_io_policy_SRCS = tests/unit/test_io_policy.c hv/policy/io_policy.c hv/machine/kept_ports.c
UNIT_TESTS += test_cpuid_lack
test_cpuid_lack_SRCS = tests/unit/test_cpuid_lack.c hv/policy/cpuid_lack.c hv/policy/cpuid_policy.c \
                       hv/policy/cpuid_rules.c arch/lib/format.c
