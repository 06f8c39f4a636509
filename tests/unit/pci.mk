# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_pci_scan test_pci_groups test_pci_reset
PCI_C := drivers/pci_acs.c drivers/pci_address.c drivers/pci_bars.c drivers/pci_caps.c drivers/pci_class.c drivers/pci_config.c \
         drivers/pci_groups.c drivers/pci_quiesce.c drivers/pci_reset.c drivers/pci_scan.c drivers/pci_usb.c
PCI_TEST_C := $(PCI_C) drivers/format.c tests/unit/fake_pci.c tests/unit/fake_print.c
test_pci_scan_SRCS = tests/unit/test_pci_scan.c $(PCI_TEST_C)
test_pci_groups_SRCS = tests/unit/test_pci_groups.c $(PCI_TEST_C)
test_pci_reset_SRCS = tests/unit/test_pci_reset.c $(PCI_TEST_C)
