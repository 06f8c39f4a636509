# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_msi_check
test_msi_check_SRCS = tests/unit/test_msi_check.c hv/interrupt/msi_check.c hv/interrupt/icr.c
UNIT_TESTS += test_pci_pins
test_pci_pins_SRCS = tests/unit/test_pci_pins.c hv/device/pci_pins.c drivers/pci/address.c arch/lib/format.c
UNIT_TESTS += test_assign
test_assign_SRCS = tests/unit/test_assign.c hv/device/assign.c hv/policy/io_policy.c drivers/pci/address.c \
                   arch/lib/format.c \
                   $(CONFIG_BLOB_SRCS) $(BLOB_SRCS)
# The code that carries the decisions out, on a machine that exists in memory only.
PASSTHROUGH_SRCS := tests/unit/passthrough_fixture.c tests/unit/fake_pci_config.c tests/unit/fake_heap.c \
                    tests/unit/fake_print.c hv/device/passthrough.c hv/device/give.c hv/device/faults.c \
                    hv/device/irq.c hv/device/pins.c hv/device/pci_pins.c hv/machine/ioapic_pin.c hv/machine/pci.c \
                    hv/device/map.c hv/interrupt/msi_check.c hv/interrupt/icr.c hv/vpci/rules.c hv/vdev/vioapic.c \
                    hv/vpci/vmsix.c hv/vpci/vpci.c hv/vpci/bar.c hv/vpci/caps.c hv/vpci/function.c arch/lib/format.c \
                    drivers/ioapic/ioapic.c drivers/pci/address.c drivers/pci/msi.c \
                    arch/memory/paging.c arch/memory/pt_format.c
PASSTHROUGH_TESTS := test_passthrough test_passthrough_irq test_passthrough_map
UNIT_TESTS += $(PASSTHROUGH_TESTS)
$(foreach t,$(PASSTHROUGH_TESTS),$(eval $(t)_SRCS = tests/unit/$(t).c $(PASSTHROUGH_SRCS)))
# The IOAPIC's register pair does not behave like memory, so its accesses are wrapped.
$(foreach t,$(PASSTHROUGH_TESTS),$(eval $(t)_LIBS = -Wl,--wrap=ioapic_put -Wl,--wrap=ioapic_set \
    -Wl,--wrap=ioapic_get))
UNIT_TESTS += test_screen_grant
test_screen_grant_SRCS = tests/unit/test_screen_grant.c tests/unit/config_fixture.c hv/device/screen_grant.c \
                         hv/machine/screen_place.c \
                         drivers/pci/address.c arch/lib/format.c $(CONFIG_BLOB_SRCS) $(BLOB_SRCS)
