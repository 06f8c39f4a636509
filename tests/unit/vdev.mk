# The virtual devices, hv/vdev.
VDEV_TESTS := test_vuart test_vpit test_vrtc test_vpm test_vioapic test_vpci test_vreset test_vports
UNIT_TESTS += $(VDEV_TESTS)
test_vuart_SRCS = tests/unit/test_vuart.c hv/vdev/vuart.c
test_vpit_SRCS = tests/unit/test_vpit.c hv/vdev/vpit.c
test_vrtc_SRCS = tests/unit/test_vrtc.c hv/vdev/vrtc.c
test_vpm_SRCS = tests/unit/test_vpm.c hv/vdev/vpm.c
test_vioapic_SRCS = tests/unit/test_vioapic.c hv/vdev/vioapic.c
test_vpci_SRCS = tests/unit/test_vpci.c hv/vdev/vpci.c
test_vreset_SRCS = tests/unit/test_vreset.c hv/vdev/vreset.c
test_vports_SRCS = tests/unit/test_vports.c hv/vdev/ports.c
