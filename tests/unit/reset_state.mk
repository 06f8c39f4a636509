# SPDX-License-Identifier: Apache-2.0
# The registers after RESET and INIT, arch/virt/reset_state.c.
UNIT_TESTS += test_reset_state
test_reset_state_SRCS = tests/unit/test_reset_state.c arch/virt/reset_state.c hv/policy/msr_policy.c \
                        hv/policy/msr_rules.c hv/interrupt/vapic_rules.c
