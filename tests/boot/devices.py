# SPDX-License-Identifier: Apache-2.0
"""Partitions that own PCI devices: the IOMMUs and the devices of the machine, and the lines of the
configuration."""

import functools
import subprocess
from collections import namedtuple

import pytest

import hardware
from conftest import MACHINES

IOMMUS = {"vtd": hardware.iommu("intel-iommu"), "amdvi": hardware.iommu("amd-iommu")}
FIRST_EDU = 5  # its device number on bus 0
EDU = "edu,dma_mask=0xffffffff"

# A machine and which IOMMU it has. `devices` begins a command line: it must come first there.
IommuMachine = namedtuple("IommuMachine", "machine kind devices")


def iommu_machines(*kinds, mixed=False):
    """Each emulator with each IOMMU; the local APICs in the better mode that it has. With `mixed` each
    emulator with one of the IOMMUs, the first with the last."""
    params = []
    number = 0
    for param in MACHINES:
        machine = param.values[0]
        if machine is not None and machine.cpu != ("EPYC,+x2apic" if machine.version[0] >= 10 else "EPYC"):
            continue
        number += 1
        some = list(kinds or IOMMUS)
        for kind in [some[-number % len(some)]] if mixed else some:
            value = IommuMachine(machine, kind, IOMMUS[kind])
            params.append(pytest.param(value, id=f"{param.id}-{kind}", marks=param.marks))
    return pytest.mark.parametrize("iommu", params)


def without_x2apic(iommu):
    return iommu._replace(machine=iommu.machine._replace(cpu="EPYC"))


def needs_device(machine, *names):
    """Skips a test if the emulator was built without one of these devices."""
    for name in names:
        if not _knows(machine.qemu, name):
            pytest.skip(f"this QEMU has no device {name}")


@functools.lru_cache(maxsize=None)
def _knows(qemu, name):
    # Not `-device help`: it loads all modules there are, also those of another QEMU, and fails.
    said = subprocess.run([qemu, "-device", f"{name},help"], capture_output=True, text=True).stdout
    return f"{name} options" in said


def edus(count=1):
    """So many of QEMU's `edu` devices, at 00:05.0, 00:06.0 and so on."""
    words = []
    for i in range(count):
        words += ["-device", f"{EDU},addr={FIRST_EDU + i:x}"]
    return words


def edu_behind_port():
    """One at 01:00.0 behind a port of its own, which can reset it."""
    return ["-device", "pcie-root-port,id=rp,chassis=1,addr=0x18",
            "-device", f"{EDU},bus=rp,addr=0"]


def edu_addresses(count=1):
    return [f"00:{FIRST_EDU + i:02x}.0" for i in range(count)]


def owns(*addresses, more=""):
    """The part of a partition's configuration that gives it these devices."""
    listed = ", ".join(f'{{ pci = "{address}"; }}' for address in addresses)
    return f"devices = ( {listed} ); {more}"
