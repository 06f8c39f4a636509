# SPDX-License-Identifier: Apache-2.0
"""Images as others make them: what GRUB and QEMU start is started, what can't work is refused by name."""

import os
import subprocess

import pytest

import bulkhead
from conftest import TIMEOUT, config, needs, partition
from refusal import refused

IMAGES = os.path.join(bulkhead.BUILD, "cache", "images")
MEMTEST = os.path.join(IMAGES, "memtest86+x64.bin")
IPXE = os.path.join(IMAGES, "ipxe.lkrn")


@needs(bulkhead.missing("memtest86+", "memtest86+", MEMTEST))
def test_memtest86(boot, plain, tmp_path):
    """Debian's file ends within its last paragraph. It tests memory, and finds all of it good."""
    os.symlink(MEMTEST, tmp_path / "memtest.bin")
    console = boot(plain, config(partition("one", memory="16M", image="memtest.bin", cpus=2,
                                           cmdline="console=ttyS0,115200"), partition("two")))
    console.wait("Memtest86", "one", timeout=2 * TIMEOUT)
    console.wait("Pass +", "one", timeout=2 * TIMEOUT)
    console.wait("count 3", "two")


@needs(bulkhead.missing("ipxe", "iPXE", IPXE))
def test_ipxe_is_refused(boot, plain, tmp_path):
    """Its only entry is that of real mode, for a BIOS."""
    os.symlink(IPXE, tmp_path / "ipxe.lkrn")
    refused(boot(plain, config(partition("one", image="ipxe.lkrn"), partition("two"))),
            'partition "one": image "ipxe.lkrn": has no entry for 32-bit or 64-bit mode .*'
            "a PC's BIOS, which a partition has not: use a Linux")


@pytest.mark.parametrize("content, what", [
    (b"\x1f\x8b\x08" + bytes(600), "is a gzip file: unpack it with gunzip"),
    (bytes(510) + b"\x55\xaa" + bytes(600), "is a boot sector or a disk image, which needs a BIOS"),
], ids=["gzip", "boot-sector"])
def test_foreign_image_is_named(boot, plain, tmp_path, content, what):
    (tmp_path / "kernel").write_bytes(content)
    refused(boot(plain, config(partition("one", image="kernel"))), f'image "kernel": {what}')


def test_multiboot_name(boot, plain):
    """The first word of the command line is the image's name, as Xen expects it, unless the
    configuration omits it."""
    console = boot(plain, config(
        partition("with", cmdline="n=1"),
        partition("without", cmdline="n=1", more="multiboot_name = false;"),
        partition("alone"),
    ))
    console.wait('hello from count: "count.elf n=1", ', "with")
    console.wait('hello from count: "n=1", ', "without")
    console.wait('hello from count: "count.elf", ', "alone")


def test_teaching_kernel(boot, each_vendor, tmp_path):
    """CS is 8 and DS 0x10 at a Multiboot kernel's entry, as QEMU and GRUB Legacy have it; the CRT
    controller's registers keep what is written; who waits for COM1's interrupt without OUT2 is told, once."""
    source = os.path.join(os.path.dirname(__file__), "teaching.asm")
    subprocess.run(["nasm", "-f", "bin", "-o", str(tmp_path / "teaching.bin"), source], check=True)
    console = boot(each_vendor, config(partition("one", image="teaching.bin")))
    console.wait("back from the interrupt", "one")
    console.wait("the cursor is kept", "one")
    console.wait("sent without OUT2", "one")
    console.wait("one/0: COM1 has an interrupt that it can't send, because MCR.OUT2", "bulkhead")
    assert console.text("bulkhead").count("MCR.OUT2") == 1
