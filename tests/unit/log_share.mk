# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_log_share
test_log_share_SRCS = tests/unit/test_log_share.c
