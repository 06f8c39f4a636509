# SPDX-License-Identifier: Apache-2.0
# Compares the sensitive-instruction table of docs/tables with the hypervisor's tables.
UNIT_TESTS += test_sensitive
SENSITIVE_SRCS := $(wildcard docs/tables/sensitive*.c) arch/virt/exception_intercepts.c arch/svm/controls.c \
                  arch/vmx/controls.c arch/vmx/cr_rules.c hv/policy/msr_policy.c hv/policy/msr_rules.c \
                  hv/interrupt/vapic_rules.c arch/lib/format.c
test_sensitive_SRCS = tests/unit/test_sensitive.c $(SENSITIVE_SRCS) hv/policy/cpuid_policy.c \
                      hv/policy/cpuid_rules.c hv/emulate/decode.c hv/emulate/decode_rare.c \
                      hv/emulate/decode_tables.c docs/tables/insn_names.c
UNIT_TESTS += test_cpuid_notes
test_cpuid_notes_SRCS = tests/unit/test_cpuid_notes.c docs/tables/cpuid_notes.c hv/policy/cpuid_policy.c \
                        hv/policy/cpuid_rules.c
test_cpuid_notes_DEPS = $(GEN)/cpuid_names.inc
# The back ends' dispatch of exits; the tests include it.
UNIT_TESTS += test_svm_dispatch test_vmx_dispatch
test_svm_dispatch_SRCS = tests/unit/test_svm_dispatch.c tests/unit/fake_exits.c $(SENSITIVE_SRCS)
test_svm_dispatch_DEPS = arch/svm/exit.c
test_vmx_dispatch_SRCS = tests/unit/test_vmx_dispatch.c tests/unit/fake_exits.c $(SENSITIVE_SRCS)
test_vmx_dispatch_DEPS = arch/vmx/exit.c
