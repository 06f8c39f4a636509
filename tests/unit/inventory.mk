# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_topology test_inventory_plan test_inventory_devices
test_topology_SRCS = tests/unit/test_topology.c arch/topology.c
test_inventory_plan_SRCS = tests/unit/test_inventory_plan.c hv/inventory_plan.c hv/guest_layout.c hv/page_alloc.c
# The rules and the virtual bus are the real ones, interrupts and IOMMU are fakes.
test_inventory_devices_SRCS = tests/unit/test_inventory_devices.c hv/inventory_devices.c hv/pci_pins.c hv/pci_rules.c \
                              tests/unit/fake_heap.c tests/unit/fake_pci_config.c drivers/pci_address.c \
                              drivers/format.c $(wildcard hv/vdev/vpci*.c)
test_inventory_devices_SRCS += hv/assign.c hv/io_policy.c drivers/pci_class.c $(BLOB_SRCS)
