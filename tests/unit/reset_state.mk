# SPDX-License-Identifier: Apache-2.0
# What registers hold after RESET and INIT, arch/reset_state.c.
UNIT_TESTS += test_reset_state
test_reset_state_SRCS = tests/unit/test_reset_state.c arch/reset_state.c hv/msr_policy.c hv/msr_rules.c hv/vapic_rules.c
