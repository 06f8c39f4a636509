# All register interfaces of the virtual devices.
FUZZERS += fuzz_vdev
fuzz_vdev_SRCS = tests/fuzz/fuzz_vdev.c $(wildcard hv/vdev/*.c) hv/pci_rules.c tests/unit/fake_pci_config.c
fuzz_vdev_PART = 2
# The PCI bus with functions on it, and MSI-X tables.
FUZZERS += fuzz_vpci
fuzz_vpci_SRCS = tests/fuzz/fuzz_vpci.c $(wildcard hv/vdev/vpci*.c) hv/vdev/vmsix.c hv/pci_rules.c \
                 tests/unit/fake_pci_config.c
fuzz_vpci_PART = 2
