# SPDX-License-Identifier: Apache-2.0
"""The console on the screen: a framebuffer that GRUB has set up."""

import gzip
import os
import struct
import subprocess
import sys

import pytest

import bulkhead
from conftest import config, partition
from devices import owns
from refusal import refused
from screen import Screen, picture

VGA = "00:05.0"
COLUMNS = 1024 // 8


@pytest.fixture
def screen(tmp_path_factory):
    return Screen(str(tmp_path_factory.mktemp("s")))


def test_screen_alone(boot, apic_machine, screen):
    """No serial port: all is on the screen, from the first line on."""
    boot(apic_machine, config(partition("one", cmdline="n=3"), partition("two", cmdline="n=2")),
         loader="multiboot2", serial=None, devices=screen.words)
    lines = screen.wait("[one] count 3", "[two] count 2", "all partitions have ended")
    assert lines[0].startswith("[bulkhead] Bulkhead ")
    assert any("no serial port" in line for line in lines)
    assert any("screen: 1024x768" in line for line in lines)


def test_screen_flood(boot, plain, screen):
    """Each CPU is a partition's, and all write as fast as they can: nobody is left behind. The serial
    port is not wanted."""
    text = config(*(partition(name, cmdline="n=400 period=0") for name in ("one", "two")))
    console = boot(plain, text, loader="multiboot1", cpus=2, append="console=none",
                   devices=screen.words)
    lines = screen.wait("all partitions have ended")
    for name in ("one", "two"):
        said = [line for line in lines if line.startswith(f"[{name}] count ")]
        # What another's line has broken off begins anew.
        whole = [line for line, after in zip(said, said[1:] + [""]) if not after.startswith(line)]
        counts = [int(line.split()[2]) for line in whole]
        assert counts == list(range(401 - len(counts), 401)), "a line is missing or twice"
    assert console.text() == ""


def test_screen_beside_serial_port(boot, plain, screen):
    console = boot(plain, config(partition("one", cmdline="n=3")), loader="multiboot2",
                   devices=screen.words)
    console.wait("all partitions have ended", "bulkhead")
    shown = screen.wait("all partitions have ended")
    lines = console.raw.decode("latin-1").replace("\r", "").split("\n")
    rows = [line[i : i + COLUMNS].rstrip() for line in lines for i in range(0, len(line.rstrip()), COLUMNS)]
    assert rows == [line for line in shown if line]


def test_screen_off(boot, plain, screen):
    console = boot(plain, config(partition("one", cmdline="n=3")), loader="multiboot2",
                   append="framebuffer=off", devices=screen.words)
    console.wait("count 3", "one")
    screen.dump()
    width, height, rows = picture(screen.file)
    assert (width, height) == (1024, 768) and not any(map(any, rows))  # as GRUB has left it
    assert not any("screen" in line for line in console.lines)


def test_screen_is_not_given_away(boot, plain, screen):
    """The graphics card's registers hold the screen: it is nobody's while the hypervisor uses it."""
    devices = [f"{word},addr=5" if word == "VGA" else word for word in screen.words]
    console = boot(plain, config(partition("one", more=owns(VGA) + " trust_dma = true;")),
                   loader="multiboot2", devices=devices)
    refused(console, rf"{VGA} has its BAR 0 .*over the screen.*framebuffer=off")


def psf2(width=8, height=16, flags=1, count=95, glyphs=None):
    """A font whose glyphs stand for ASCII's, the first ones of them if there are fewer."""
    head = struct.pack("<8I", 0x864AB572, 0, 32, flags, count, height, height, width)
    table = b"".join(bytes([0x20 + i, 0xFF]) for i in range(count))
    return gzip.compress(head + bytes(height * count if glyphs is None else glyphs) + table)


@pytest.mark.parametrize("data, why", [
    (None, "install the package console-setup-linux"),
    (b"plain", "Not a gzipped file"),
    (gzip.compress(b"text"), "no PSF font"),
    (gzip.compress(b"\x72\xb5\x4a\x86"), "8x16 PSF font with a Unicode table is needed"),
    (psf2(height=8), "8x8, Unicode table: yes"),
    (psf2(flags=0), "8x16, Unicode table: no"),
    (psf2(count=94), "no glyph for ~"),
    (psf2(glyphs=10), "no glyph for "),
    (psf2(), None),
])
def test_fonts(tmp_path, data, why):
    """What the build says of a font that is not there or not fit."""
    path = tmp_path / "font.psf.gz"
    if data is not None:
        path.write_bytes(data)
    tool = os.path.join(bulkhead.ROOT, "tests", "tools", "font.py")
    said = subprocess.run([sys.executable, tool, str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert (said.returncode == 0) == (why is None)
    assert "Traceback" not in said.stderr
    assert f"font: {path}" in said.stderr or f"font: no {path}" in said.stderr or why is None
    assert (why or "") in said.stderr
