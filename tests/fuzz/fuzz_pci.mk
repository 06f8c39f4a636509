# SPDX-License-Identifier: Apache-2.0
FUZZERS += fuzz_pci
fuzz_pci_SRCS = tests/fuzz/fuzz_pci.c tests/fuzz/fuzz_print.c $(PCI_C) arch/lib/format.c
fuzz_pci_PART = 2
