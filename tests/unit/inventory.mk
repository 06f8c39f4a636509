# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_topology test_inventory_plan test_inventory_devices
test_topology_SRCS = tests/unit/test_topology.c arch/cpu/topology.c
test_inventory_plan_SRCS = tests/unit/test_inventory_plan.c hv/start/inventory_plan.c hv/memory/guest_layout.c \
                           hv/memory/page_alloc.c
# The rules and the virtual bus are real; interrupts and IOMMU are fakes.
test_inventory_devices_SRCS = tests/unit/test_inventory_devices.c hv/start/inventory_devices.c hv/device/pci_pins.c \
                              hv/vpci/rules.c \
                              tests/unit/fake_heap.c tests/unit/fake_pci_config.c drivers/pci/address.c \
                              arch/lib/format.c hv/vpci/vpci.c hv/vpci/bar.c hv/vpci/caps.c hv/vpci/function.c
test_inventory_devices_SRCS += hv/device/assign.c hv/policy/io_policy.c drivers/pci/class.c $(BLOB_SRCS)
