# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_decode
test_decode_SRCS = tests/unit/test_decode.c hv/decode.c hv/decode_rare.c hv/decode_tables.c docs/tables/insn_names.c
