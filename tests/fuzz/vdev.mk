# All register interfaces of the virtual devices.
FUZZERS += fuzz_vdev
fuzz_vdev_SRCS = tests/fuzz/fuzz_vdev.c $(wildcard hv/vdev/*.c hv/vpci/*.c) tests/unit/fake_pci_config.c
fuzz_vdev_PART = 2
# The PCI bus with functions on it, and MSI-X tables.
FUZZERS += fuzz_vpci
fuzz_vpci_SRCS = tests/fuzz/fuzz_vpci.c hv/vpci/vpci.c hv/vpci/bar.c hv/vpci/caps.c hv/vpci/function.c \
                 hv/vpci/vmsix.c hv/vpci/rules.c \
                 tests/unit/fake_pci_config.c
fuzz_vpci_PART = 2
