# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_msi_check
test_msi_check_SRCS = tests/unit/test_msi_check.c hv/msi_check.c hv/icr.c
UNIT_TESTS += test_pci_pins
test_pci_pins_SRCS = tests/unit/test_pci_pins.c hv/pci_pins.c drivers/pci_address.c drivers/format.c
UNIT_TESTS += test_assign
test_assign_SRCS = tests/unit/test_assign.c hv/assign.c hv/io_policy.c drivers/pci_address.c drivers/format.c \
                   $(CONFIG_BLOB_SRCS) $(BLOB_SRCS)
# What carries the decisions out, on a machine of memory.
PASSTHROUGH_SRCS := tests/unit/passthrough_fixture.c tests/unit/fake_pci_config.c tests/unit/fake_heap.c \
                    tests/unit/fake_print.c hv/passthrough.c hv/passthrough_assign.c hv/passthrough_faults.c hv/passthrough_irq.c hv/passthrough_pins.c hv/pci_pins.c hv/ioapic_pin.c hv/machine_pci.c \
                    hv/passthrough_map.c hv/msi_check.c hv/icr.c hv/pci_rules.c hv/vdev/vioapic.c \
                    hv/vdev/vmsix.c $(wildcard hv/vdev/vpci*.c) drivers/format.c drivers/ioapic.c drivers/pci_address.c drivers/pci_msi.c \
                    arch/paging.c arch/pt_format.c
PASSTHROUGH_TESTS := test_passthrough test_passthrough_irq test_passthrough_map
UNIT_TESTS += $(PASSTHROUGH_TESTS)
$(foreach t,$(PASSTHROUGH_TESTS),$(eval $(t)_SRCS = tests/unit/$(t).c $(PASSTHROUGH_SRCS)))
# The IOAPIC's register pair is no memory.
$(foreach t,$(PASSTHROUGH_TESTS),$(eval $(t)_LIBS = -Wl,--wrap=ioapic_put -Wl,--wrap=ioapic_set \
    -Wl,--wrap=ioapic_get))
UNIT_TESTS += test_screen_grant
test_screen_grant_SRCS = tests/unit/test_screen_grant.c tests/unit/config_fixture.c hv/screen_grant.c hv/screen_place.c \
                         drivers/pci_address.c drivers/format.c $(CONFIG_BLOB_SRCS) $(BLOB_SRCS)
