# SPDX-License-Identifier: Apache-2.0
# The instruction emulators, on guests of any state.
FUZZERS += fuzz_emulate
fuzz_emulate_SRCS = tests/fuzz/fuzz_emulate.c tests/fuzz/guest_machine.c \
                    $(filter-out tests/unit/fake_device.c,$(EMULATE_SRCS))
