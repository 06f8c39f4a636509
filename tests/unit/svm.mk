# SPDX-License-Identifier: Apache-2.0
# The decision code of the AMD-V back end, arch/svm.
UNIT_TESTS += test_svm_verdict
test_svm_verdict_SRCS = tests/unit/test_svm_verdict.c arch/svm/verdict.c arch/lib/format.c
UNIT_TESTS += test_ssbd
test_ssbd_SRCS = tests/unit/test_ssbd.c arch/virt/ssbd.c
