# SPDX-License-Identifier: Apache-2.0
"""The ways in: GRUB with Multiboot 1 and 2, names of modules."""

import os
import re
import struct

import pytest

import bulkhead
from conftest import config, needs, partition
from test_guests import run_checks


@pytest.mark.parametrize("loader", ["multiboot1", "multiboot2"])
def test_grub(boot, apic_machine, loader):
    console = boot(
        apic_machine,
        config(partition("one", cmdline="n=3"), partition("two")),
        loader=loader,
    )
    console.wait(f"loaded by Multiboot {loader[-1]}", "bulkhead")
    console.wait("count 3", "one")
    console.wait("count 3", "two")


@needs(bulkhead.missing("grub-legacy", "GRUB 0.97", bulkhead.GRUB_LEGACY))
def test_grub_legacy(boot, plain):
    """GRUB 0.97 reads ELF32 only."""
    console = boot(plain, config(partition("one", cmdline="n=3"), partition("two")), loader="grub-legacy",
                   hashes=True)
    console.wait("loaded by Multiboot 1", "bulkhead")
    console.wait("count 3", "one")
    console.wait("count 3", "two")


def image_that_prefers_high(path):
    """The hypervisor with another wish in its relocatable tag: as high below 4 GiB as there is room."""
    with open(os.path.join(bulkhead.BUILD, "bulkhead.elf"), "rb") as f:
        image = bytearray(f.read())
    at = image.index(struct.pack("<HHIIIII", 10, 0, 24, 0x200000, 0xFFFFFFFF, 0x200000, 1))
    struct.pack_into("<I", image, at + 20, 2)
    path.write_bytes(image)
    return str(path)


def test_grub_moves_the_image(boot, apic_machine, tmp_path):
    """The image far from its link address, with every CPU started from there."""
    console = boot(
        apic_machine,
        config(partition("one", cpus=2, image="smp.elf"), partition("two")),
        image=image_that_prefers_high(tmp_path / "high.elf"),
        loader="multiboot2",
    )
    line = console.lines[console.wait("hypervisor memory: .*from 0x", "bulkhead", whole=True)]
    assert int(re.search("from (0x[0-9a-f]+)", line).group(1), 16) >= 1 << 30
    console.wait("every partition is alone", "bulkhead")
    console.wait("count 3", "two")
    assert run_checks(console, "one") >= 20


def test_grub_linux(boot, plain):
    """The whole path of make iso with a real kernel."""
    text = config(
        partition(
            "one", image="vmlinuz", memory="256M", cmdline="console=ttyS0 quiet bulkhead.test=smoke",
            more='initrd = "initrd.gz";',
        )
    )
    console = boot(plain, text, loader="multiboot2")
    console.wait("smoke done", "one", timeout=180)


def test_module_order_and_names(boot, plain, blob_of, tmp_path):
    """The configuration is known by its magic wherever it stands; name= goes before file names."""
    blob = tmp_path / "anything.xyz"
    blob.write_bytes(blob_of(config(partition("one", image="kernel", cmdline="n=1"))))
    count = os.path.join(bulkhead.BUILD, "count.elf")
    smp = os.path.join(bulkhead.BUILD, "smp.elf")
    console = boot(plain, modules=[smp, f"{count} quiet name=kernel", str(blob)])
    console.wait("hello from count", "one")
