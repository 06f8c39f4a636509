# SPDX-License-Identifier: Apache-2.0
"""The framebuffer as a partition's own: framebuffer = true."""

import re
import time

import pytest

from conftest import config, partition
from devices import owns
from refusal import refused
from screen import Screen, colours, picture

OWN = "framebuffer = true;"
ADDRESS = 0xF0000000  # where the guest has it
VGA = "00:05.0"
LINUX_TIMEOUT = 180


@pytest.fixture
def screen(tmp_path_factory):
    return Screen(str(tmp_path_factory.mktemp("s")))


def vga_at_5(screen):
    return [f"{word},addr=5" if word == "VGA" else word for word in screen.words]


def drawn(width, height, run):
    """What tests/guests/guest_pixels.c draws."""
    pixels = bytearray(width * height * 3)
    pixels[0::3] = bytes((x + 16 * run) & 0xFF for x in range(width)) * height
    pixels[1::3] = b"".join(bytes([y & 0xFF]) * width for y in range(height))
    pixels[2::3] = bytes([64 * run & 0xFF]) * (width * height)
    return bytes(pixels)


def test_pixels(boot, plain, screen):
    """One partition has the framebuffer, again after a restart, and draws on all of it, while the
    hypervisor's lines go to the serial port alone; at the same address the other has nothing."""
    console = boot(
        plain,
        config(partition("painter", image="pixels.elf", cmdline="runs=2 end=reboot", more=OWN),
               partition("other", image="pixels.elf", cmdline=f"end=fault address=0x{ADDRESS:x}",
                         more='on_stray_access = "stop";')),
        loader="multiboot1", devices=screen.words)
    console.wait("run 2 drawn, 0 pixels read back wrong", "painter")
    console.wait(f"reads outside its memory, at guest-physical 0x{ADDRESS:x}", "bulkhead")
    console.wait("other: ended by fault", "bulkhead")
    screen.dump()
    width, height, pixels = colours(screen.file)
    assert (width, height) == (1024, 768)
    assert pixels == drawn(width, height, 2)
    said = console.text("painter")
    line = f"framebuffer 1024x768 at 0x{ADDRESS:x}, 32 bits of type 1, 4096 bytes a line, colours 16+8 8+8 0+8"
    assert said.count(line) == 2 and "run 1 drawn, 0 pixels read back wrong" in said
    assert "no framebuffer" in console.text("other")
    own = console.text("bulkhead")
    assert "this console stays off it" in own and "screen: " not in own
    assert f"partition painter: the framebuffer, 1024x768, at its 0x{ADDRESS:x}" in own


def lit_lines(screen):
    """How many lines of the screen's text are not empty."""
    screen.dump()
    _, height, rows = picture(screen.file)
    return sum(any(map(any, rows[top : top + 16])) for top in range(0, height, 16))


def test_linux(boot, plain, screen):
    """Linux takes it for its console, even if the command line says that the hypervisor does not. It
    finds no file system, but it has much to say before."""
    console = boot(
        plain,
        config(partition("penguin", memory="256M", image="vmlinuz",
                         cmdline="console=tty0 console=ttyS0", more=OWN)),
        cpus=1, loader="multiboot2", append="framebuffer=off", devices=screen.words)
    console.wait(f"efifb: framebuffer at 0x{ADDRESS:x}, using .*, total 3072k", "penguin", timeout=LINUX_TIMEOUT)
    console.wait("efifb: mode is 1024x768x32, linelength=4096", "penguin")
    console.wait("Console: switching to colour frame buffer device 128x48", "penguin")
    deadline = time.monotonic() + LINUX_TIMEOUT
    while lit_lines(screen) < 30:
        assert time.monotonic() < deadline, "the kernel's messages do not fill the screen"
        time.sleep(0.2)


def test_there_is_none(boot, plain):
    """QEMU's own loader leaves none."""
    console = boot(plain, config(partition("one", more=OWN)))
    refused(console, 'partition "one": there is no framebuffer to give it: .*GRUB: gfxpayload')


def test_in_device_of_another(boot, plain, screen):
    """Nothing is started, so the screen shows why after all."""
    console = boot(
        plain,
        config(partition("one", more=OWN),
               partition("two", more=owns(VGA, more="trust_dma = true;"))),
        loader="multiboot2", devices=vga_at_5(screen))
    why = f'partition "one": the framebuffer at 0x[0-9a-f]+ is in BAR 0 of device {VGA}, which is another'
    refused(console, why)
    lines = screen.wait("nothing is started")
    assert any(re.search(why, line) for line in lines)
