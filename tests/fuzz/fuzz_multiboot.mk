# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_multiboot
fuzz_multiboot_SRCS = tests/fuzz/fuzz_multiboot.c boot/multiboot1.c boot/multiboot2.c boot/multiboot_parse.c boot/boot_module.c boot/boot_error.c boot/boot_screen.c boot/options.c hv/serial_choice.c \
                      drivers/ioapic.c drivers/uart_com.c drivers/format.c
fuzz_multiboot_PART = 2
