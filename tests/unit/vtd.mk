# SPDX-License-Identifier: Apache-2.0
FAKE_DMAR := tests/unit/fake_dmar.c drivers/acpi/acpi.c drivers/vtd/dmar.c drivers/acpi/madt.c drivers/acpi/fadt.c \
             drivers/acpi/serial.c \
             drivers/pci/address.c arch/lib/format.c
VTD_C := drivers/vtd/vtd.c drivers/vtd/context.c drivers/vtd/fault.c drivers/vtd/interrupts.c drivers/vtd/queue.c \
         drivers/vtd/unit.c drivers/vtd/describe.c arch/memory/paging.c arch/memory/pt_format.c
FAKE_VTD := tests/unit/vtd_fixture.c tests/unit/fake_vtd.c tests/unit/fake_heap.c $(FAKE_DMAR)
UNIT_TESTS += test_dmar test_vtd test_vtd_units
test_dmar_SRCS = tests/unit/test_dmar.c $(FAKE_DMAR)
test_vtd_SRCS = tests/unit/test_vtd.c $(FAKE_VTD) $(VTD_C)
test_vtd_units_SRCS = tests/unit/test_vtd_units.c $(FAKE_VTD) $(VTD_C)
