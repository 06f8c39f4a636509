# All register interfaces of the virtual devices.
FUZZERS += fuzz_vdev
fuzz_vdev_SRCS = tests/fuzz/fuzz_vdev.c $(wildcard hv/vdev/*.c) hv/pci_rules.c tests/unit/fake_pci.c
