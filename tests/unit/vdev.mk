# The virtual devices, hv/vdev.
VDEV_TESTS := test_vuart test_vpit test_vrtc test_vpm test_vioapic test_vpci test_vreset test_vports \
              test_vpci_bus test_vpci_bar test_vpci_caps test_vmsix test_vcrtc \
              test_vpic test_vhpet
UNIT_TESTS += $(VDEV_TESTS)
test_vuart_SRCS = tests/unit/test_vuart.c hv/vdev/vuart.c
test_vpit_SRCS = tests/unit/test_vpit.c hv/vdev/vpit.c
test_vrtc_SRCS = tests/unit/test_vrtc.c hv/vdev/vrtc.c
test_vpm_SRCS = tests/unit/test_vpm.c hv/vdev/vpm.c
test_vioapic_SRCS = tests/unit/test_vioapic.c hv/vdev/vioapic.c
VPCI_SRCS := hv/vpci/vpci.c hv/vpci/bar.c hv/vpci/caps.c hv/vpci/function.c hv/vpci/rules.c \
             tests/unit/fake_pci_config.c
test_vpci_SRCS = tests/unit/test_vpci.c $(VPCI_SRCS)
test_vpci_bus_SRCS = tests/unit/test_vpci_bus.c $(VPCI_SRCS)
test_vpci_bar_SRCS = tests/unit/test_vpci_bar.c $(VPCI_SRCS)
test_vpci_caps_SRCS = tests/unit/test_vpci_caps.c $(VPCI_SRCS)
test_vmsix_SRCS = tests/unit/test_vmsix.c hv/vpci/vmsix.c
test_vcrtc_SRCS = tests/unit/test_vcrtc.c hv/vdev/vcrtc.c
test_vreset_SRCS = tests/unit/test_vreset.c hv/vdev/vreset.c
test_vports_SRCS = tests/unit/test_vports.c hv/vdev/ports.c
test_vpic_SRCS = tests/unit/test_vpic.c hv/vdev/vpic.c
test_vhpet_SRCS = tests/unit/test_vhpet.c hv/vdev/vhpet.c
