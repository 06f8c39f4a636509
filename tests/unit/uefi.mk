# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_uefi_image test_uefi_firmware
UEFI_TEST_CFLAGS := -fshort-wchar -DGNU_EFI_USE_MS_ABI -isystem /usr/include/efi -isystem /usr/include/efi/x86_64
test_uefi_image_SRCS = tests/unit/test_uefi_image.c boot/uefi/pe.c boot/uefi/parts.c boot/uefi/elf_image.c \
                       boot/error.c boot/module.c arch/lib/format.c
test_uefi_firmware_SRCS = tests/unit/test_uefi_firmware.c boot/uefi/firmware.c boot/uefi/memory_map.c boot/error.c \
                          boot/screen.c arch/lib/format.c
test_uefi_firmware_CFLAGS = $(UEFI_TEST_CFLAGS)
