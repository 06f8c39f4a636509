# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_decode
fuzz_decode_SRCS = tests/fuzz/fuzz_decode.c tests/unit/zydis_compare.c hv/emulate/decode.c hv/emulate/decode_rare.c \
                   hv/emulate/decode_tables.c docs/tables/insn_names.c
fuzz_decode_LIBS = -lZydis
fuzz_decode_PART = 2
