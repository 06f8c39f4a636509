# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_multiboot
test_multiboot_SRCS = tests/unit/test_multiboot.c tests/unit/fake_phys.c boot/multiboot1.c boot/multiboot2.c \
                      boot/multiboot_parse.c boot/module.c boot/error.c boot/screen.c arch/lib/format.c
UNIT_TESTS += test_multiboot_screen
test_multiboot_screen_SRCS = tests/unit/test_multiboot_screen.c tests/unit/fake_phys.c boot/multiboot1.c \
                             boot/multiboot2.c boot/multiboot_parse.c boot/module.c boot/error.c boot/screen.c \
                             boot/options.c arch/lib/format.c
