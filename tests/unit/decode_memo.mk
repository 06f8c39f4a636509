# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_decode_memo
test_decode_memo_SRCS = tests/unit/test_decode_memo.c $(EMULATE_SRCS)
