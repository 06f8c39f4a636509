# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_pci
fuzz_pci_SRCS = tests/fuzz/fuzz_pci.c drivers/pci_acs.c drivers/pci_bars.c drivers/pci_caps.c \
                drivers/pci_class.c drivers/pci_config.c drivers/pci_groups.c drivers/pci_quiesce.c \
                drivers/pci_reset.c drivers/pci_scan.c drivers/pci_usb.c drivers/format.c
fuzz_pci_PART = 2
