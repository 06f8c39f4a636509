# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_acpi_ivrs
test_acpi_ivrs_SRCS = tests/unit/test_acpi_ivrs.c drivers/acpi_ivrs.c drivers/format.c
UNIT_TESTS += test_amdvi test_amdvi_units
AMDVI_TEST_C := tests/unit/amdvi_fixture.c tests/unit/fake_amdvi.c tests/unit/fake_heap.c drivers/acpi_ivrs.c \
                drivers/amdvi.c drivers/amdvi_describe.c drivers/amdvi_command.c drivers/amdvi_device.c drivers/amdvi_event.c \
                drivers/amdvi_irq.c drivers/amdvi_msi.c drivers/amdvi_unit.c drivers/ioapic.c drivers/pci_address.c drivers/pci_msi.c \
                drivers/format.c arch/paging.c arch/pt_format.c
test_amdvi_SRCS = tests/unit/test_amdvi.c $(AMDVI_TEST_C)
test_amdvi_units_SRCS = tests/unit/test_amdvi_units.c $(AMDVI_TEST_C)
