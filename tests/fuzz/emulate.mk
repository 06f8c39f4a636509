# SPDX-License-Identifier: Apache-2.0
# The instruction emulators, with guests in any state.
FUZZERS += fuzz_emulate fuzz_emulate_native
fuzz_emulate_SRCS = tests/fuzz/fuzz_emulate.c tests/fuzz/guest_machine.c tests/fuzz/walk_model.c \
                    $(filter-out tests/unit/fake_device.c,$(EMULATE_SRCS))
fuzz_emulate_native_SRCS = tests/fuzz/fuzz_emulate_native.c tests/fuzz/native.c tests/unit/fake_flat_ram.c \
                           tests/unit/fake_vectors.c hv/emulate/emulate.c hv/emulate/address.c hv/emulate/alu.c \
                           hv/emulate/compute.c hv/emulate/rare.c hv/emulate/split.c hv/emulate/string.c \
                           hv/emulate/vector.c \
                           hv/emulate/breakpoint.c hv/memory/guest_walk.c hv/emulate/decode.c \
                           hv/emulate/decode_rare.c hv/emulate/decode_tables.c \
                           docs/tables/insn_names.c
