# SPDX-License-Identifier: Apache-2.0
# The instruction emulators, on guests of any state.
FUZZERS += fuzz_emulate fuzz_emulate_native
fuzz_emulate_SRCS = tests/fuzz/fuzz_emulate.c tests/fuzz/guest_machine.c tests/fuzz/walk_model.c \
                    $(filter-out tests/unit/fake_device.c,$(EMULATE_SRCS))
fuzz_emulate_native_SRCS = tests/fuzz/fuzz_emulate_native.c tests/fuzz/native.c tests/unit/fake_flat_ram.c \
                           tests/unit/fake_vectors.c hv/emulate.c hv/emulate_address.c hv/emulate_alu.c \
                           hv/emulate_compute.c hv/emulate_rare.c hv/emulate_split.c hv/emulate_string.c \
                           hv/emulate_vector.c \
                           hv/breakpoint.c hv/guest_walk.c hv/decode.c hv/decode_rare.c hv/decode_tables.c \
                           docs/tables/insn_names.c
