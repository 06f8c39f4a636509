# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_acpi_ivrs
test_acpi_ivrs_SRCS = tests/unit/test_acpi_ivrs.c drivers/amdvi/ivrs.c arch/lib/format.c
UNIT_TESTS += test_amdvi test_amdvi_units
AMDVI_TEST_C := tests/unit/amdvi_fixture.c tests/unit/fake_amdvi.c tests/unit/fake_heap.c drivers/amdvi/ivrs.c \
                drivers/amdvi/amdvi.c drivers/amdvi/describe.c drivers/amdvi/command.c drivers/amdvi/device.c \
                drivers/amdvi/event.c \
                drivers/amdvi/irq.c drivers/amdvi/msi.c drivers/amdvi/unit.c drivers/ioapic/ioapic.c \
                drivers/pci/address.c drivers/pci/msi.c \
                arch/lib/format.c arch/memory/paging.c arch/memory/pt_format.c
test_amdvi_SRCS = tests/unit/test_amdvi.c $(AMDVI_TEST_C)
test_amdvi_units_SRCS = tests/unit/test_amdvi_units.c $(AMDVI_TEST_C)
