# SPDX-License-Identifier: Apache-2.0
"""Firmware with faults, and damaged UEFI programs: the loader says what is wrong and firmware gets
control back, many times in one boot, until a start works. See tests/guests/uefi/."""

import os
import re
import subprocess
from collections import namedtuple

import pytest

import bulkhead
import efi_image
from conftest import OVMF, compile_config, config, needs, needs_ovmf, partition

TWO = config(partition("one", cpus=2, cmdline="n=3"), partition("two", cmdline="n=3"))
HOOKS = os.path.join(bulkhead.BUILD, "efi", "hooks.efi")
COUNT = os.path.join(bulkhead.BUILD, "count.elf")

# What is started with which faults, what is said, what is returned, and how many times 2 MiB stay taken.
Case = namedtuple("Case", "faults program says returns kept", defaults=["Load Error", 0])

pytestmark = needs_ovmf


def disk(tmp_path, cases, programs):
    """A disk with the program that runs the cases, and the programs that they start."""
    esp = tmp_path / "faults"
    (esp / "EFI" / "BOOT").mkdir(parents=True)
    # Written anew: with the flags that firmware with strict rules asks for.
    efi_image.Image(efi_image.read(HOOKS)).write(str(esp / "EFI" / "BOOT" / "BOOTX64.EFI"))
    (esp / "cases").write_text("".join(f"{case.faults} {case.program}\n" for case in cases))
    for name, data in programs.items():
        path = esp / name.replace("\\", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return str(esp)


def check(console, cases):
    """Each case in turn."""
    at = 0
    for case in cases:
        at = console.wait(re.escape(f"case {case.faults} {case.program}"), since=at)
        end = console.wait("2 MiB kept: ", since=at, whole=True)
        said = "\n".join(console.lines[at:end + 1])
        assert re.search("Bulkhead: " + case.says, said), said
        assert "Bulkhead: nothing is started" in said, said
        assert f"returned: {case.returns}\n2 MiB kept: {case.kept}" in said, said


# ---- damaged programs ------------------------------------------------------------------------

def header(data, section):
    """Where the header of a section begins."""
    return data.index(section.encode().ljust(8, b"\0"))


def moved(data):
    """Two sections that firmware loads one over the other."""
    data = bytearray(data)
    at, to = header(data, ".bhmod"), header(data, ".bhconf")
    data[at + 12 : at + 16] = data[to + 12 : to + 16]  # virtual address
    return bytes(data)


def shortened(data):
    """A section that claims more than the file has."""
    data = bytearray(data)
    at = header(data, ".bhmod")
    data[at + 16 : at + 20] = (512).to_bytes(4, "little")  # size in the file
    return bytes(data)


def cut(data):
    return data[:-4096]


def spoiled(data):
    """The hypervisor's ELF file has become one for another machine."""
    data = bytearray(data)
    data[data.index(b"\x7fELF\2\1\1") + 18] ^= 1
    return bytes(data)


CASES = [
    Case("no-rsdp", "all.efi", r"firmware has no ACPI tables \(no RSDP\): turn on ACPI", "Unsupported"),
    Case("overlap", "all.efi", r"memory map: 0x\w+ bytes at 0x0 overlap 0x\w+ bytes at 0x0"),
    Case("no-map", "all.efi", "memory map: firmware does not give it", "Device Error"),
    Case("no-low", "all.efi", "memory map: no 4 free pages below 640 KiB"),
    Case("too-many", "all.efi", "memory map: more than 256 ranges"),
    Case("no-memory", "all.efi", "no 2 MiB of memory", "Out of Resources"),
    Case("none", "moved.efi", r"EFI image: sections \d+ \(.bhconf\) and \d+ \(.bhmod\) overlap"),
    Case("none", "shortened.efi", r"EFI image: of the 0x\w+ bytes of section .bhmod .* only 0x200"),
    Case("none", "spoiled.efi", "hypervisor: not an ELF64 file"),
    Case("none", r"full\loose.efi", "bulkhead/: more than 128 files; move some out", "Out of Resources"),
    Case("secure-boot", r"full\loose.efi", "no configuration .* Secure Boot is on", "Security Policy Violation"),
    # From its first failure on firmware may not be asked to take anything back.
    Case("never-leave", "all.efi", "firmware does not let go: ExitBootServices failed 8 times",
         "Invalid Parameter", 1),
]
# All memory below 4 GiB is taken, the map has hundreds of entries, and it changes while it is left.
LAST = Case("blt-only+many+high+leave-late", "all.efi", "")


def test_faults(boot, plain, tmp_path):
    blob = compile_config(tmp_path, TWO)
    whole = efi_image.read(bulkhead.make_efi(str(tmp_path / "all.efi"), [blob, COUNT]))
    loose = efi_image.read(os.path.join(bulkhead.BUILD, "bulkhead.efi"))
    esp = disk(tmp_path, [*CASES, LAST], {
        "all.efi": whole, "moved.efi": moved(whole), "shortened.efi": shortened(whole), "spoiled.efi": spoiled(whole),
        r"full\loose.efi": loose, **{rf"full\bulkhead\file{i}": b"x" for i in range(129)},
    })
    console = boot(plain, modules=[], loader="efi", esp=esp, memory=6144, devices=["-device", "VGA"])
    check(console, CASES)
    at = console.wait(re.escape(f"case {LAST.faults}"))
    assert int(console.match("loaded at (0x[0-9A-F]+)", since=at).group(1), 16) >= 1 << 32
    console.wait("Bulkhead: the framebuffer is not linear", since=at)
    console.wait("the memory map changes as it is left", since=at)
    console.wait("every partition is alone", "bulkhead", since=at)
    console.wait("one: ended by power-off", "bulkhead")
    console.wait("two: ended by power-off", "bulkhead")
    assert not any("screen:" in line for line in console.lines)


# ---- Secure Boot -----------------------------------------------------------------------------

SNAKEOIL = "/usr/share/ovmf/PkKek-1-snakeoil"
# Debian 13 has firmware that keeps code and data apart, too.
CODE = [f"{OVMF}/OVMF_CODE_4M.secboot{name}.fd" for name in (".strictnx", "")]
VARIABLES = f"{OVMF}/OVMF_VARS_4M.snakeoil.fd"


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


def changed(data):
    """A bit in the middle of the last module's contents: what only the signature watches."""
    data = bytearray(data)
    data[data.rindex(b"\x7fELF") + 0x800] ^= 1
    return bytes(data)


@needs(bulkhead.missing("signing", "sbsigntool", "openssl", "sbsign"))
@needs(bulkhead.missing("ovmf", "OVMF for Secure Boot", VARIABLES, SNAKEOIL + ".key"))
def test_secure_boot(boot, plain, tmp_path):
    blob = compile_config(tmp_path, config(partition("one", cmdline="n=3")))
    path = bulkhead.make_efi(str(tmp_path / "signed.efi"), [blob, COUNT])
    unsigned = efi_image.read(path)
    sign(tmp_path, path)
    signed = efi_image.read(path)
    cases = [Case("none", name + ".efi", "") for name in ("unsigned", "changed", "signed")]
    esp = disk(tmp_path, cases, {"unsigned.efi": unsigned, "changed.efi": changed(signed), "signed.efi": signed})
    sign(tmp_path, os.path.join(esp, "EFI", "BOOT", "BOOTX64.EFI"))
    console = boot(
        plain, modules=[], loader="efi", cpus=1, esp=esp, firmware=(next(filter(os.path.exists, CODE)), VARIABLES),
        devices=["-machine", "smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"],
    )
    at = 0
    for case in cases[:2]:
        at = console.wait(f"case none {case.program}", since=at)
        assert "not loaded: " in console.lines[console.wait("load", since=at + 1, whole=True)]
    at = console.wait("case none signed.efi")
    assert not any("Bulkhead" in line for line in console.lines[:at])
    console.wait("one: ended by power-off", "bulkhead", since=at)
