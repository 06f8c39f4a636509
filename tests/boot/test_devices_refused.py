# SPDX-License-Identifier: Apache-2.0
"""Devices that can't be given away: a message with the address and the reason, and nothing starts
half."""

import os
import struct

import pytest

import bulkhead
import hardware
from conftest import config, partition
from devices import EDU, edus, iommu_machines, needs_device, owns
from refusal import refused

ONE_FUNCTION = struct.Struct("<HBB")  # struct blob_device: segment, bus, device and function


def two(first, second=""):
    """Partitions "good", with devices, and "other", perhaps with some too."""
    return config(partition("good", more=first), partition("other", more=second))


def owner_of(*addresses, more=""):
    return two("", owns(*addresses, more=more))


@iommu_machines()
def test_absent(boot, iommu):
    console = boot(iommu.machine, owner_of("00:05.0"), devices=iommu.devices)
    refused(console, r'"other": .*00:05\.0 is not there')


@iommu_machines()
def test_no_such_bus(boot, iommu):
    console = boot(iommu.machine, owner_of("7f:05.0"), devices=iommu.devices)
    refused(console, r'"other": .*7f:05\.0 is not there')


@iommu_machines("vtd")
def test_one_of_two_absent(boot, iommu):
    """The one that is there is not given away either."""
    console = boot(iommu.machine, two(owns("00:05.0"), owns("00:06.0")),
                   devices=[*iommu.devices, *edus()])
    refused(console, r'"other": .*00:06\.0 is not there')


@iommu_machines()
def test_broken_tables_are_refused(boot, iommu):
    """A build that lets the last partition's devices reach the hypervisor: the audit finds it."""
    if not os.path.exists(os.path.join(bulkhead.BUILD, "audit-break", "bulkhead32.elf")):
        pytest.skip("make AUDIT_BREAK=1 has not been run")
    console = boot(iommu.machine, owner_of("00:05.0"), image="audit-break/bulkhead32.elf",
                   devices=[*iommu.devices, *edus()])
    refused(console, "audit: FAILED", "audit: .*other.*reaches the hypervisor's memory.*gpa 0x5000")


def test_in_two_partitions(blob_of):
    with pytest.raises(bulkhead.Error, match=r"00:05\.0.*good"):
        blob_of(two(owns("00:05.0"), owns("00:05.0")))


def test_twice_in_one(blob_of):
    with pytest.raises(bulkhead.Error, match=r"00:05\.0.*twice"):
        blob_of(owner_of("00:05.0", "00:05.0"))


@iommu_machines("vtd")
def test_in_two_partitions_of_a_foreign_blob(boot, iommu, blob_of, tmp_path):
    """As somebody else's compiler might have made it."""
    data = blob_of(two(owns("00:05.0"), owns("00:06.0")))
    at = data.rindex(ONE_FUNCTION.pack(0, 0, 6 << 3))
    data = data[:at] + ONE_FUNCTION.pack(0, 0, 5 << 3) + data[at + ONE_FUNCTION.size:]
    (tmp_path / "bad.bin").write_bytes(bulkhead.seal_blob(data))
    modules = [str(tmp_path / "bad.bin"), f"{bulkhead.BUILD}/count.elf"]
    console = boot(iommu.machine, modules=modules, devices=[*iommu.devices, *edus()])
    refused(console, r'"other": .*00:05\.0.*"good"')


BRIDGES = {
    "host": ("00:00.0", []),
    "isa": ("00:1f.0", []),
    "root-port": ("00:06.0", ["-device", "pcie-root-port,id=rp,chassis=1,addr=6"]),
}


@pytest.mark.parametrize("which", BRIDGES)
@iommu_machines("vtd")
def test_bridge(boot, iommu, which):
    address, devices = BRIDGES[which]
    console = boot(iommu.machine, owner_of(address), devices=[*iommu.devices, *devices])
    refused(console, rf'"other": .*{address}.*bridge')


def behind_bridge(*functions):
    """Devices behind a bridge to conventional PCI, which puts its own ID in the place of theirs."""
    words = ["-device", "pcie-root-port,id=rp,chassis=1,addr=6",
             "-device", "pcie-pci-bridge,id=pci,bus=rp"]
    for device in functions:
        words += ["-device", f"{EDU},bus=pci,addr={device:x}"]
    return words


@iommu_machines()
def test_behind_a_bridge_without_the_others(boot, iommu):
    """One of two can't be given away alone, whoever gets the other."""
    devices = [*iommu.devices, *behind_bridge(1, 2)]
    refused(boot(iommu.machine, owner_of("02:01.0"), devices=devices), r'"other": .*02:01\.0.*02:02\.0')
    console = boot(iommu.machine, two(owns("02:01.0"), owns("02:02.0")), devices=devices)
    refused(console, r"02:01\.0.*02:02\.0|02:02\.0.*02:01\.0")


# Under AMD-Vi QEMU translates DMA from behind a bridge as if it came from bus 0.
@iommu_machines("vtd")
def test_behind_a_bridge_together(boot, iommu):
    """Both together can."""
    own = owns("02:01.0", "02:02.0")
    guest = partition("good", 2, "16M", "dma.elf", "mode=check end=halt", own)
    console = boot(iommu.machine, config(guest, partition("other")),
                   devices=[*iommu.devices, *behind_bridge(1, 2)])
    console.wait("dma is done", "good")
    console.wait("count 2", "other")
    assert "2 devices" in console.text("good")
    assert "checks: 48 ok, 0 failed" in console.text("good")


@iommu_machines()
def test_functions_of_one_device(boot, iommu):
    devices = ["-device", f"{EDU},addr=5.0,multifunction=on", "-device", f"{EDU},addr=5.1"]
    console = boot(iommu.machine, owner_of("00:05.0"), devices=[*iommu.devices, *devices])
    refused(console, r'"other": .*00:05\.0.*00:05\.1')


def test_without_iommu(boot, apic_machine):
    refused(boot(apic_machine, owner_of("00:05.0"), devices=edus()), r'"other": .*00:05\.0.*IOMMU')


def test_trust_of_a_neighbour(boot, plain):
    """Another partition's trust_dma says nothing about this one's device."""
    console = boot(plain, two(owns("00:05.0", more="trust_dma = true;"), owns("00:06.0")),
                   devices=edus(2))
    refused(console, r'"other": .*00:06\.0.*IOMMU')


@iommu_machines("amdvi")
def test_line_of_two_partitions(boot, iommu):
    """Of two devices without MSI on one line the message names both: 00:06.0 and 00:07.0 are on one
    with QEMU's firmware."""
    needs_device(iommu.machine, "e1000")
    devices = [*iommu.devices, *hardware.e1000("00:06.0"), *hardware.e1000("00:07.0")]
    console = boot(iommu.machine, two(owns("00:06.0"), owns("00:07.0")), devices=devices)
    refused(console, r'"other": device 00:07\.0 has neither MSI nor MSI-X, .*shares its interrupt \d+ '
                     r'with device 00:06\.0 of partition "good": give both to one partition')
