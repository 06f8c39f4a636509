# SPDX-License-Identifier: Apache-2.0
# The guest loaders, and the tables that a guest gets.
LOAD_SRCS := hv/guest/load.c hv/guest/load_job.c hv/guest/load_space.c hv/guest/load_bzimage.c \
             hv/guest/load_multiboot.c \
             hv/guest/load_elf.c hv/guest/load_foreign.c hv/guest/e820.c hv/guest/bios.c hv/guest/acpi.c \
             hv/guest/mptable.c hv/guest/smbios.c hv/guest/table.c arch/lib/format.c \
             tests/unit/fake_guest_ram.c

UNIT_TESTS += test_load test_load_space test_load_bzimage test_load_multiboot test_load_elf
test_load_SRCS = tests/unit/test_load.c $(LOAD_SRCS)
test_load_bzimage_SRCS = tests/unit/test_load_bzimage.c $(LOAD_SRCS)
test_load_multiboot_SRCS = tests/unit/test_load_multiboot.c tests/unit/multiboot_image.c $(LOAD_SRCS)
test_load_elf_SRCS = tests/unit/test_load_elf.c tests/unit/multiboot_image.c $(LOAD_SRCS)
test_load_space_SRCS = tests/unit/test_load_space.c hv/guest/load_space.c hv/guest/e820.c \
                       tests/unit/fake_guest_ram.c

UNIT_TESTS += test_guest_acpi test_guest_aml test_guest_mptable test_guest_smbios
GUEST_ACPI_SRCS := tests/unit/guest_acpi_fixture.c hv/guest/acpi.c hv/guest/table.c \
                   arch/lib/format.c tests/unit/fake_guest_ram.c
test_guest_acpi_SRCS = tests/unit/test_guest_acpi.c $(GUEST_ACPI_SRCS)
test_guest_aml_SRCS = tests/unit/test_guest_aml.c $(GUEST_ACPI_SRCS)
test_guest_mptable_SRCS = tests/unit/test_guest_mptable.c hv/guest/mptable.c hv/guest/table.c \
                          arch/lib/format.c tests/unit/fake_guest_ram.c

test_guest_smbios_SRCS = tests/unit/test_guest_smbios.c hv/guest/smbios.c hv/guest/table.c \
                         arch/lib/format.c tests/unit/fake_guest_ram.c

# The stubs in place of a BIOS, their answers, and how many triple faults restart a guest.
UNIT_TESTS += test_guest_bios
test_guest_bios_SRCS = tests/unit/test_guest_bios.c hv/guest/bios.c hv/guest/bios_rules.c tests/unit/fake_guest_ram.c
