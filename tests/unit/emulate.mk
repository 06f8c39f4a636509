# SPDX-License-Identifier: Apache-2.0
EMULATE_SRCS = tests/unit/fake_device.c tests/unit/fake_flat_ram.c hv/emulate/emulate.c hv/emulate/address.c \
               hv/emulate/alu.c hv/emulate/string.c hv/emulate/split.c hv/emulate/breakpoint.c \
               hv/emulate/string_io.c hv/memory/guest_walk.c \
               hv/emulate/compute.c hv/emulate/rare.c hv/emulate/vector.c tests/unit/fake_vectors.c \
               hv/emulate/decode.c hv/emulate/decode_rare.c hv/emulate/decode_tables.c
UNIT_TESTS += test_emulate
test_emulate_SRCS = tests/unit/test_emulate.c $(EMULATE_SRCS)
UNIT_TESTS += test_emulate_split
test_emulate_split_SRCS = tests/unit/test_emulate_split.c $(EMULATE_SRCS)
UNIT_TESTS += test_stray
test_stray_SRCS = tests/unit/test_stray.c hv/partition/stray.c
UNIT_TESTS += test_string_io
test_string_io_SRCS = tests/unit/test_string_io.c $(EMULATE_SRCS)
UNIT_TESTS += test_breakpoint
test_breakpoint_SRCS = tests/unit/test_breakpoint.c $(EMULATE_SRCS)
