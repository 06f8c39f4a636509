# SPDX-License-Identifier: Apache-2.0
"""Which serial port is the console: console= on the command line, ACPI's SPCR, PCI cards. The console
of these machines is never COM1, which goes to a file of its own."""

import re
import struct

import pytest

from conftest import KEY, config, partition
from devices import IOMMUS, owns
from refusal import refused

CARD = "00:05.0"
PCI_CARD = ["-device", "pci-serial,chardev=con,addr=5"]
COM2 = ["-device", "isa-serial,chardev=con,iobase=0x2f8,irq=3"]
NO_IRQ = ["-device", "isa-serial,chardev=con,iobase=0x2f8,irq=5"]
COUNT = config(partition("one"), partition("two"))


@pytest.fixture
def com1(tmp_path):
    """Words for COM1, and what has been said there."""

    class Com1:
        path = tmp_path / "com1.txt"
        words = ["-chardev", f"file,id=com1,path={path}", "-device", "isa-serial,chardev=com1,iobase=0x3f8,irq=4"]

        def text(self):
            return self.path.read_text()

    return Com1()


def spcr(tmp_path, address):
    """Words for an SPCR table that says that firmware's console is at this port, or in memory."""
    memory = address > 0xFFFF
    place = (0, 32, 0, 3, address) if memory else (1, 8, 0, 1, address)
    body = struct.pack("<B3xBBBBQBBI", 0x12 if memory else 0, *place, 3, 3, 3)
    body += struct.pack("<BBBBBBHHBBBIBI", 7, 0, 1, 0, 3, 0, 0xFFFF, 0xFFFF, 0, 0, 0, 0, 0, 0)
    return acpi_table(tmp_path, "SPCR", body)


def dbg2(tmp_path, port):
    """The same for a debugger's port, behind one that is none."""
    body = struct.pack("<II", 44, 2)
    for kind, address in ((0x8003, 0x500), (0x8000, port)):
        body += struct.pack("<BHBHHHHHHHHH", 0, 38, 1, 0, 0, 0, 0, kind, 0, 0, 22, 34)
        body += struct.pack("<BBBBQI", 1, 8, 0, 1, address, 8)
    return acpi_table(tmp_path, "DBG2", body)


def acpi_table(tmp_path, name, body):
    path = tmp_path / f"{name}.dat"
    path.write_bytes(body)
    return ["-acpitable", f"sig={name},rev=2,data={path}"]


def answers(console):
    """The keyboard works."""
    since = console.count()
    console.type(KEY + "?")
    console.wait("q leave", "bulkhead", since)


def test_com2(boot, plain, com1):
    console = boot(plain, COUNT, serial=None, append="console=com2", devices=[*com1.words, *COM2])
    assert console.wait("Bulkhead ", "bulkhead") == console.wait("the console is COM2", "bulkhead") - 1
    console.wait("count 2", "two")
    assert "arrives" not in console.text("bulkhead")  # no word that it does not
    answers(console)
    assert com1.text() == ""


def test_spcr(boot, plain, com1, tmp_path):
    """Without console= it is where the firmware has its own; a partition can't have its ports."""
    text = config(partition("one", more='ioports = ( "0x2f0-0x2ff" );'))
    console = boot(plain, text, serial=None, devices=[*com1.words, *COM2, *spcr(tmp_path, 0x2f8)])
    refused(console, "the console is COM2, says ACPI's SPCR",
            "keeps 0x2f8-0x2ff on this machine: the hypervisor's console")
    assert com1.text() == ""


def test_debug_port(boot, plain):
    """Nor that of an emulator without a serial port."""
    text = config(partition("one", more='ioports = ( "0xe8-0xe9" );'))
    refused(boot(plain, text, serial=False), "no serial port at", "keeps 0xe9-0xe9 on this machine")


@pytest.mark.parametrize("kind", IOMMUS)
def test_pci_card(boot, plain, com1, kind):
    """Its interrupt is one of PCI's, and remapped."""
    console = boot(plain, COUNT, serial=None, append=f"console=pci:{CARD},57600",
                   devices=[*IOMMUS[kind], *com1.words, *PCI_CARD])
    console.wait("the console is the serial port at I/O port 0x", "bulkhead")
    assert console.lines[0].startswith("[bulkhead] Bulkhead ")
    console.wait("count 2", "two")
    assert "arrives" not in console.text("bulkhead")
    answers(console)
    assert com1.text() == ""


@pytest.mark.parametrize("cpus", [3, 2])
def test_without_interrupt(boot, plain, tmp_path, cpus):
    """COM2 with the interrupt of another port: a CPU of nobody's looks at it, if there is one."""
    devices = [*NO_IRQ, *dbg2(tmp_path, 0x2F8)]
    text = config(partition("one", cmdline="n=20 period=0"), partition("two"))
    console = boot(plain, text, cpus=cpus, serial=None, append="console=acpi", devices=devices)
    console.wait("no interrupt of COM2 arrives" + (": CPU 2 looks" if cpus > 2 else ".* no keyboard"),
                 "bulkhead")
    console.wait("count 20", "one")
    console.wait("count 2", "two")
    if cpus > 2:
        answers(console)


def test_card_is_not_given_away(boot, plain, com1):
    console = boot(plain, config(partition("one", more=owns(CARD) + " trust_dma = true;")), serial=None,
                   append=f"console=pci:{CARD}", devices=[*com1.words, *PCI_CARD])
    refused(console, rf'"one": device {CARD} is the serial port of the hypervisor\'s console')


@pytest.mark.parametrize("choice, why, firmwares, what", [
    ("com3", "can't be had: no 16550 answers", 0x3E8, "COM3, .*: no 16550 answers there"),
    ("pci:00:06.0", "can't be had: there is no such PCI function", 0xFEDC9000,
     "the serial port at 0xfedc9000, .*: no 16550 answers there"),
    ("com5", "is none of com1 to com4", 0x800000, "the serial port at 0x800000, .*memory that is free"),
])
def test_wrong_choice(boot, plain, tmp_path, choice, why, firmwares, what):
    """Said on what is taken in its place: SPCR names a place where there is no port, so COM1."""
    console = boot(plain, modules=[], memory=256, append=f"console={choice}",
                   devices=spcr(tmp_path, firmwares))
    console.wait("nothing is started", "bulkhead")
    said = console.text("bulkhead")
    assert console.lines[0].startswith("[bulkhead] Bulkhead ")
    assert re.search(rf"console={choice} on the command line {why}", said)
    assert re.search(f"the console is not {what}", said)
    answers(console)
