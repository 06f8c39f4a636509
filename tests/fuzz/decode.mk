# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_decode
fuzz_decode_SRCS = tests/fuzz/fuzz_decode.c hv/decode.c hv/decode_tables.c
