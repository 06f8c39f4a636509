# SPDX-License-Identifier: Apache-2.0
"""What compilers make of an access to a device register, on pages that are trapped: the same instructions
on the bare machine and in a partition, with the same results."""

import re

import pytest

from conftest import BOCHS, config, partition
from devices import iommu_machines, needs_device, owns
from test_guests import run_checks


def options_of(machine):
    """Bochs stops at accesses of more than 4 bytes to its APICs. QEMU's RCL and RCR write CF before they
    find that they may not write memory, so an exit has the new CF already."""
    return "wide=no" if machine.qemu == BOCHS else "carry=no"


def values(console, source=None):
    # Each ends with a full stop: a line may be shown in parts, and then whole.
    found = re.findall(r"value (.*) (\w+)\.", console.text(source))
    assert found and len(set(found)) == len(found), "no value, or one twice"
    return dict(found)


def test_64_bit(boot, every_kind):
    options = options_of(every_kind)
    bare = boot(every_kind, modules=[], image="mmio.elf", append="env=bare " + options, cpus=1, memory=512)
    bare_ok = run_checks(bare, None)
    expected = values(bare)
    bare.stop()
    console = boot(
        every_kind,
        config(partition("one", image="mmio.elf", cmdline=options)),
        cpus=1,
    )
    assert run_checks(console, "one") == bare_ok >= 45
    assert values(console, "one") == expected


def test_32_bit(boot, every_kind):
    """A kernel that pushes what it reads, as clang compiles it, beside another that goes on."""
    console = boot(
        every_kind,
        config(
            partition("one", image="mmio32.elf", memory="8M"),
            partition("other", cmdline="n=3"),
        ),
        cpus=2,
    )
    console.wait("end 00000000", "one")
    found = {name: int(value, 16) for name, value in values(console, "one").items()}
    version = found["moved"]
    assert version & 0xFF in (0x11, 0x20)
    assert found == {
        "moved": version,
        "pushed": version,
        "times 3": 3 * version,
        "quotient": 0x12345678 // version,
        "popped": 0,
    }
    console.wait("count 3", "other")


@iommu_machines("vtd")
@pytest.mark.parametrize("page", ["msix", "config"])
def test_device(boot, iommu, page):
    """The pages of a device that are trapped: its MSI-X table and its configuration space."""
    needs_device(iommu.machine, "nvme")
    words = f"page={page} {options_of(iommu.machine)}"
    console = boot(
        iommu.machine,
        config(partition("one", image="mmio.elf", cmdline=words, more=owns("00:04.0"))),
        cpus=1,
        devices=[*iommu.devices, "-device", "nvme,serial=1,addr=4"],
    )
    assert run_checks(console, "one") >= 45
    assert re.search(r"register at 0x[^f]", console.text("one"))
    console.wait(r"exits .* pci [1-9]\d{2,}", "bulkhead")
