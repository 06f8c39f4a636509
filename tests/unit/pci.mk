# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_pci_scan test_pci_groups test_pci_reset
PCI_C := drivers/pci/acs.c drivers/pci/address.c drivers/pci/bars.c drivers/pci/caps.c drivers/pci/class.c \
         drivers/pci/config.c \
         drivers/pci/groups.c drivers/pci/quiesce.c drivers/pci/reset.c drivers/pci/scan.c drivers/pci/usb.c
PCI_TEST_C := $(PCI_C) arch/lib/format.c tests/unit/fake_pci.c tests/unit/fake_print.c
test_pci_scan_SRCS = tests/unit/test_pci_scan.c $(PCI_TEST_C)
test_pci_groups_SRCS = tests/unit/test_pci_groups.c $(PCI_TEST_C)
test_pci_reset_SRCS = tests/unit/test_pci_reset.c $(PCI_TEST_C)
