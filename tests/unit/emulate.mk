# SPDX-License-Identifier: Apache-2.0
EMULATE_SRCS = tests/unit/fake_device.c tests/unit/fake_flat_ram.c hv/emulate.c hv/emulate_address.c \
               hv/emulate_alu.c hv/emulate_string.c hv/emulate_split.c hv/breakpoint.c hv/string_io.c hv/guest_walk.c \
               hv/emulate_compute.c hv/emulate_rare.c hv/emulate_vector.c tests/unit/fake_vectors.c \
               hv/decode.c hv/decode_rare.c hv/decode_tables.c
UNIT_TESTS += test_emulate
test_emulate_SRCS = tests/unit/test_emulate.c $(EMULATE_SRCS)
UNIT_TESTS += test_emulate_split
test_emulate_split_SRCS = tests/unit/test_emulate_split.c $(EMULATE_SRCS)
UNIT_TESTS += test_stray
test_stray_SRCS = tests/unit/test_stray.c hv/stray.c
UNIT_TESTS += test_string_io
test_string_io_SRCS = tests/unit/test_string_io.c $(EMULATE_SRCS)
UNIT_TESTS += test_breakpoint
test_breakpoint_SRCS = tests/unit/test_breakpoint.c $(EMULATE_SRCS)
