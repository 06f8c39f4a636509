# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_load
fuzz_load_SRCS = tests/fuzz/fuzz_load.c hv/load.c hv/load_job.c hv/load_space.c hv/load_bzimage.c \
                 hv/load_multiboot.c hv/load_elf.c hv/load_foreign.c hv/guest_e820.c hv/guest_bios.c \
                 hv/guest_acpi.c hv/guest_mptable.c hv/guest_smbios.c hv/guest_table.c \
                 drivers/format.c tests/unit/fake_guest_ram.c tests/unit/multiboot_image.c
fuzz_load_LIBS = -lcmocka # multiboot_image.c has expectations, for the unit tests
fuzz_load_PART = 2
