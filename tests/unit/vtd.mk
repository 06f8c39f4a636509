# SPDX-License-Identifier: Apache-2.0
FAKE_DMAR := tests/unit/fake_dmar.c drivers/acpi.c drivers/acpi_dmar.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_serial.c \
             drivers/pci_address.c drivers/format.c
VTD_C := drivers/vtd.c drivers/vtd_context.c drivers/vtd_fault.c drivers/vtd_interrupts.c drivers/vtd_queue.c \
         drivers/vtd_unit.c drivers/vtd_describe.c arch/paging.c arch/pt_format.c
FAKE_VTD := tests/unit/vtd_fixture.c tests/unit/fake_vtd.c tests/unit/fake_heap.c $(FAKE_DMAR)
UNIT_TESTS += test_dmar test_vtd test_vtd_units
test_dmar_SRCS = tests/unit/test_dmar.c $(FAKE_DMAR)
test_vtd_SRCS = tests/unit/test_vtd.c $(FAKE_VTD) $(VTD_C)
test_vtd_units_SRCS = tests/unit/test_vtd_units.c $(FAKE_VTD) $(VTD_C)
