# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_load
fuzz_load_SRCS = tests/fuzz/fuzz_load.c hv/guest/load.c hv/guest/load_job.c hv/guest/load_space.c \
                 hv/guest/load_bzimage.c \
                 hv/guest/load_multiboot.c hv/guest/load_elf.c hv/guest/load_foreign.c hv/guest/e820.c \
                 hv/guest/bios.c \
                 hv/guest/acpi.c hv/guest/mptable.c hv/guest/smbios.c hv/guest/table.c \
                 arch/lib/format.c tests/unit/fake_guest_ram.c tests/unit/multiboot_image.c
fuzz_load_LIBS = -lcmocka # multiboot_image.c has expectations, for the unit tests
fuzz_load_PART = 2
