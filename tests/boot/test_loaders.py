# SPDX-License-Identifier: Apache-2.0
"""The ways in: GRUB with Multiboot 1 and 2, names of modules."""

import os

import pytest

import bulkhead
from conftest import config, partition


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
