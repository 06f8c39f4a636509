# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_decode_zydis
test_decode_zydis_SRCS = tests/unit/test_decode_zydis.c tests/unit/zydis_compare.c hv/emulate/decode.c \
                         hv/emulate/decode_rare.c hv/emulate/decode_tables.c docs/tables/insn_names.c
test_decode_zydis_LIBS = -lZydis
UNIT_TESTS += test_emulate_zydis
test_emulate_zydis_SRCS = tests/unit/test_emulate_zydis.c docs/tables/emulation_gaps.c hv/emulate/decode.c \
                          hv/emulate/decode_rare.c hv/emulate/decode_tables.c
test_emulate_zydis_LIBS = -lZydis
