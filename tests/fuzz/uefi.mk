# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_uefi
fuzz_uefi_PART = 4
fuzz_uefi_SRCS = tests/fuzz/fuzz_uefi.c boot/uefi/pe.c boot/uefi/parts.c boot/uefi/elf_image.c \
                 boot/uefi/memory_map.c \
                 boot/error.c boot/module.c arch/lib/format.c
fuzz_uefi_CFLAGS = $(UEFI_TEST_CFLAGS)
