# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_decode
test_decode_SRCS = tests/unit/test_decode.c hv/emulate/decode.c hv/emulate/decode_rare.c hv/emulate/decode_tables.c \
                   docs/tables/insn_names.c
