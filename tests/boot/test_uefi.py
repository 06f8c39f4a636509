# SPDX-License-Identifier: Apache-2.0
"""UEFI firmware: one file with everything in it, loose files, a disk image for BIOS and UEFI, and Secure
Boot."""

import os
import re
import shutil
import subprocess
import sys

import pytest

import bulkhead
from conftest import OVMF, Console, compile_config, config, one_file, ovmf, partition
from test_guests import run_checks

TWO = config(partition("one", cmdline="n=3"), partition("two", cmdline="n=3"))

pytestmark = pytest.mark.skipif(not os.path.isdir(OVMF), reason="OVMF is not installed")


def image_base(console):
    line = console.lines[console.wait("hypervisor memory: .*from 0x", "bulkhead", whole=True)]
    return int(re.search("from (0x[0-9a-f]+)", line).group(1), 16)


def test_one_file(boot, apic_machine):
    """More than 4 GiB: the hypervisor is put above, and starts the other CPUs from there."""
    text = config(partition("one", cpus=2, image="smp.elf"), partition("two"))
    console = boot(apic_machine, text, loader="efi", memory=6144)
    console.wait("loaded by UEFI", "bulkhead")
    assert image_base(console) >= 1 << 32
    console.wait("every partition is alone", "bulkhead")
    console.wait("count 3", "two")
    assert run_checks(console, "one") >= 20


def test_small_machine(boot, plain):
    console = boot(plain, config(partition("one", cmdline="n=3")), loader="efi", cpus=1, memory=256)
    assert image_base(console) < 1 << 28
    console.wait("one: ended by power-off", "bulkhead")


def test_network(boot, plain, tmp_path):
    """The same file through iPXE, the boot ROM of QEMU's network card."""
    blob = compile_config(tmp_path, TWO)
    folder = one_file(tmp_path, [blob, os.path.join(bulkhead.BUILD, "count.elf")])
    network = [
        *["-netdev", f"user,id=n,tftp={folder}/EFI/BOOT,bootfile=BOOTX64.EFI"],
        *["-device", "e1000,netdev=n,bootindex=1"],
    ]
    console = boot(plain, modules=[], loader="disk", devices=ovmf(tmp_path) + network)
    console.wait("one: ended by power-off", "bulkhead")
    console.wait("two: ended by power-off", "bulkhead")


def loose_files(tmp_path, files):
    """The EFI program without a configuration, and files beside it."""
    folder = tmp_path / "esp" / "EFI" / "BOOT"
    (folder / "bulkhead").mkdir(parents=True)
    shutil.copy(os.path.join(bulkhead.BUILD, "bulkhead.efi"), str(folder / "BOOTX64.EFI"))
    for name, path in files.items():
        shutil.copy(path, str(folder / "bulkhead" / name))
    return str(tmp_path / "esp")


def test_loose_files(boot, plain, tmp_path):
    blob = compile_config(tmp_path, config(partition("one", image="a-kernel", cmdline="n=3")))
    count = os.path.join(bulkhead.BUILD, "count.elf")
    esp = loose_files(tmp_path, {"bulkhead.bin": blob, "a-kernel": count})
    console = boot(plain, modules=[], loader="efi", esp=esp)
    console.wait("one: ended by power-off", "bulkhead")


def test_nothing_to_start(boot, plain, tmp_path):
    """Firmware gets control back: it goes on to its shell."""
    count = os.path.join(bulkhead.BUILD, "count.elf")
    console = boot(plain, modules=[], loader="efi", esp=loose_files(tmp_path, {"count.elf": count}))
    console.wait("Bulkhead: no configuration: no bulkhead.bin")
    console.wait("Bulkhead: nothing is started")
    console.wait("UEFI Interactive Shell")


def test_no_acpi(boot, plain):
    console = boot(plain, config(partition("one")), loader="efi", devices=["-machine", "acpi=off"])
    console.wait("Bulkhead: firmware has no ACPI tables")
    console.wait("UEFI Interactive Shell")


def test_damaged_file(boot, plain, tmp_path):
    """Two sections that firmware loads one over the other: refused before anything starts."""
    blob = compile_config(tmp_path, config(partition("one")))
    esp = one_file(tmp_path, [blob, os.path.join(bulkhead.BUILD, "count.elf")])
    path = os.path.join(esp, "EFI", "BOOT", "BOOTX64.EFI")
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        conf, module = data.index(b".bhconf\0"), data.index(b".bhmod\0\0")
        data[module + 12 : module + 16] = data[conf + 12 : conf + 16]  # virtual address
        f.seek(0)
        f.write(data)
    console = boot(plain, modules=[], loader="efi", esp=esp)
    console.wait(r"Bulkhead: EFI image: sections \d+ \(.bhconf\) and \d+ \(.bhmod\) overlap")


@pytest.fixture
def disk_image(tmp_path):
    blob = compile_config(tmp_path, TWO)
    return bulkhead.make_iso(
        str(tmp_path / "disk.img"),
        os.path.join(bulkhead.BUILD, "bulkhead.elf"),
        [blob, os.path.join(bulkhead.BUILD, "count.elf")],
        uefi=True,
    )


@pytest.mark.skipif(not shutil.which("bochs"), reason="Bochs is not installed")
def test_disk_image_vtx(disk_image, tmp_path):
    program = os.path.join(bulkhead.ROOT, "tests", "tools", "bochs.py")
    console = Console([sys.executable, program, disk_image], str(tmp_path / "bochs.log"))
    try:
        console.wait("two: ended by power-off", "bulkhead")
    finally:
        console.stop()


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_disk_image(boot, plain, disk_image, tmp_path, firmware):
    disk = ["-drive", f"format=raw,if=ide,file={disk_image}"]
    if firmware == "uefi":
        disk += ovmf(tmp_path)
    console = boot(plain, modules=[], loader="disk", devices=disk)
    console.wait("loaded by Multiboot 2", "bulkhead")
    console.wait("one: ended by power-off", "bulkhead")
    console.wait("two: ended by power-off", "bulkhead")


# ---- Secure Boot -----------------------------------------------------------------------------

SNAKEOIL = "/usr/share/ovmf/PkKek-1-snakeoil"
SECURE = (f"{OVMF}/OVMF_CODE_4M.secboot.fd", f"{OVMF}/OVMF_VARS_4M.snakeoil.fd")


def sign(tmp_path, path):
    """Signs with the key that OVMF's variables trust."""
    key = str(tmp_path / "snakeoil.key")
    subprocess.run(
        ["openssl", "rsa", "-in", SNAKEOIL + ".key", "-passin", "pass:snakeoil", "-out", key],
        check=True, capture_output=True,
    )
    subprocess.run(
        ["sbsign", "--key", key, "--cert", SNAKEOIL + ".pem", "--output", path, path],
        check=True, capture_output=True,
    )


def flip_a_bit(path):
    """In the middle of the last module's contents: what only the signature watches."""
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        at = data.index(b"\x7fELF", data.index(b"\x7fELF") + 4)  # the hypervisor is the first
        data[at + 0x800] ^= 1
        f.seek(0)
        f.write(data)


@pytest.mark.skipif(not shutil.which("sbsign"), reason="sbsigntool is not installed")
@pytest.mark.parametrize("how", ["signed", "unsigned", "changed"])
def test_secure_boot(boot, plain, tmp_path, how):
    blob = compile_config(tmp_path, config(partition("one", cmdline="n=3")))
    esp = one_file(tmp_path, [blob, os.path.join(bulkhead.BUILD, "count.elf")])
    path = os.path.join(esp, "EFI", "BOOT", "BOOTX64.EFI")
    if how != "unsigned":
        sign(tmp_path, path)
    if how == "changed":
        flip_a_bit(path)
    console = boot(
        plain, modules=[], loader="efi", cpus=1, esp=esp, firmware=SECURE,
        devices=["-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"],
    )
    if how == "signed":
        console.wait("one: ended by power-off", "bulkhead")
        return
    console.wait("BdsDxe: failed to load .*(Access Denied|Security Violation)")
    assert not any("Bulkhead 0." in line for line in console.lines)
