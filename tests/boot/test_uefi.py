# SPDX-License-Identifier: Apache-2.0
"""UEFI firmware: one file with everything in it, from a disk and from the network, loose files, and a
disk image for BIOS and UEFI. What firmware does wrong is in test_uefi_faults.py."""

import os
import re
import shutil
import sys

import pytest

import bulkhead
import efi_image
from conftest import Console, compile_config, config, needs_bochs, needs_ovmf, one_file, ovmf, partition
from hardware import PageServer
from screen import Screen

ONE = config(partition("one", cmdline="n=3"))
TWO = config(partition("one", cpus=2, cmdline="n=3"), partition("two", cmdline="n=3"))
COUNT = os.path.join(bulkhead.BUILD, "count.elf")

pytestmark = needs_ovmf


@pytest.fixture
def screen(tmp_path_factory):
    return Screen(str(tmp_path_factory.mktemp("s")))


def image_base(lines):
    line = next(line for line in lines if "hypervisor memory: " in line and "from 0x" in line)
    return int(re.search("from (0x[0-9a-f]+)", line).group(1), 16)


def test_one_file(boot, other):
    """More than 4 GiB: the hypervisor is put above, and starts the other CPUs from there."""
    console = boot(other, TWO, loader="efi", memory=6144)
    console.wait("loaded by UEFI", "bulkhead")
    console.wait("every partition is alone", "bulkhead")
    console.wait("one: ended by power-off", "bulkhead")
    console.wait("two: ended by power-off", "bulkhead")
    assert image_base(console.lines) >= 1 << 32


def test_screen(boot, plain, screen):
    """No serial port and little memory: everything is on the screen that firmware has set up, and a single
    partition alone on it, without its name."""
    boot(plain, ONE, loader="efi", cpus=1, memory=256, serial=None, devices=screen.words)
    lines = screen.wait("count 3", "all partitions have ended")
    assert lines[0].startswith("[bulkhead] Bulkhead ")
    assert any("no serial port" in line for line in lines)
    assert any(re.search(r"screen: \d+x\d+ at 0x", line) for line in lines)
    assert any("loaded by UEFI" in line for line in lines)
    assert image_base(lines) < 1 << 28


def test_code_and_data_apart(tmp_path):
    """Each section is on pages of its own, none to be written and executed, and the file says so."""
    data = efi_image.read(bulkhead.make_efi(str(tmp_path / "one.efi"), [compile_config(tmp_path, ONE), COUNT]))
    image = efi_image.Image(data)
    assert image.header[image.optional + 70] | image.header[image.optional + 71] << 8 == efi_image.NX_COMPAT
    flags = {fields[0].rstrip(b"\0"): fields[9] for fields, _ in image.sections}
    both = efi_image.WRITE | efi_image.EXECUTE
    assert flags[b".text"] & both == efi_image.EXECUTE and flags[b".data"] & both == efi_image.WRITE
    assert not any(flags[name] & both for name in (b".bhimage", b".bhconf", b".bhmod", b".bhnames"))
    assert not any(fields[2] % 4096 for fields, _ in image.sections)
    image.sections[0][0][9] |= both
    with pytest.raises(efi_image.Error, match="code and data apart"):
        image.write(str(tmp_path / "bad.efi"))


def test_limits_agree():
    with open(os.path.join(bulkhead.ROOT, "boot", "boot_info.h")) as f:
        most = int(re.search(r"#define BOOT_MAX_MODULES (\d+)", f.read()).group(1))
    assert efi_image.MAX_MODULES == most - 1  # and the configuration


def network(words):
    """A network card that firmware has a driver for, to boot from."""
    return ["-netdev", f"user,id=n,{words}", "-device", "virtio-net-pci,romfile=,netdev=n,bootindex=1"]


def test_pxe(boot, plain, tmp_path):
    """Firmware gets control back from a disk that can't be started from, and goes on with its own PXE."""
    folder = one_file(tmp_path, [compile_config(tmp_path, ONE), COUNT])
    disk = loose_files(tmp_path / "disk", {f"file{i}": COUNT for i in range(129)})
    devices = [
        *["-drive", f"format=raw,if=none,id=d,file=fat:rw:{disk}", "-device", "ide-hd,drive=d,bootindex=0"],
        *network(f"tftp={folder}/EFI/BOOT,bootfile=BOOTX64.EFI"),
    ]
    console = boot(plain, modules=[], loader="disk", cpus=1, devices=ovmf(tmp_path) + devices)
    console.wait("Bulkhead: bulkhead/: more than 128 files")
    at = console.wait("Bulkhead: nothing is started")
    at = console.wait("PXE", since=at)
    console.wait("loaded by UEFI", "bulkhead", since=at)
    console.wait("one: ended by power-off", "bulkhead")


NO_PXE = [word for ip in (4, 6)
          for word in ("-fw_cfg", f"name=opt/org.tianocore/IPv{ip}PXESupport,string=no")]


def test_http(boot, plain, tmp_path):
    """The same by firmware's HTTP boot."""
    path = bulkhead.make_efi(str(tmp_path / "one.efi"), [compile_config(tmp_path, ONE), COUNT])
    with open(path, "rb") as f, PageServer(f.read()) as server:
        console = boot(plain, modules=[], loader="disk", cpus=1,
                       devices=ovmf(tmp_path) + NO_PXE + network(f"bootfile={server.url}.efi"))
        console.wait("URI: http")
        console.wait("one: ended by power-off", "bulkhead")


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
    esp = loose_files(tmp_path, {"bulkhead.bin": blob, "a-kernel": COUNT})
    console = boot(plain, modules=[], loader="efi", cpus=1, esp=esp)
    console.wait("one: ended by power-off", "bulkhead")


@pytest.fixture
def disk_image(tmp_path):
    blob = compile_config(tmp_path, TWO)
    return bulkhead.make_iso(
        str(tmp_path / "disk.img"),
        os.path.join(bulkhead.BUILD, "bulkhead.elf"),
        [blob, COUNT],
        uefi=True,
    )


@needs_bochs
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


def test_without_no_execute(boot, plain):
    console = boot(plain, ONE, loader="efi", cpus=1, cpu="EPYC,-nx", memory=512)
    console.wait('Bulkhead: the processor shows no no-execute pages: turn on "Execute Disable Bit"')
