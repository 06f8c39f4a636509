# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_multiboot
fuzz_multiboot_SRCS = tests/fuzz/fuzz_multiboot.c boot/multiboot1.c boot/multiboot2.c boot/multiboot_parse.c \
                      boot/module.c boot/error.c boot/screen.c boot/options.c hv/machine/serial_choice.c \
                      drivers/ioapic/ioapic.c drivers/uart/com.c arch/lib/format.c
fuzz_multiboot_PART = 2
