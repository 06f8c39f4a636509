# SPDX-License-Identifier: Apache-2.0
"""What a machine shows on its screen: QEMU's picture of it, read with the font that the hypervisor
draws with."""

import json
import os
import socket
import time

import font

FONT = os.environ.get("FONT", "/usr/share/consolefonts/Lat15-Fixed16.psf.gz")
OTHER = "\ufffd"  # what stands for the glyph of all that is not ASCII


def colours(path):
    """Width, height, and the pixels of a binary PPM file, each a byte of red, green and blue."""
    with open(path, "rb") as f:
        data = f.read()
    kind, size, depth, pixels = data.split(b"\n", 3)
    width, height = map(int, size.split())
    assert (kind, depth) == (b"P6", b"255") and len(pixels) == width * height * 3, path
    return width, height, pixels


def picture(path):
    """Width, height, and the rows of a binary PPM file: for each pixel whether it is not black."""
    width, height, pixels = colours(path)
    lit = bytes(any(pixels[i : i + 3]) for i in range(0, len(pixels), 3))
    return width, height, [lit[y * width : (y + 1) * width] for y in range(height)]


def read(path):
    """The lines of text in a picture, without blanks at their ends; None if it is no text."""
    glyphs = font.load(FONT)
    characters = [chr(c) for c in range(font.FIRST, font.LAST + 1)] + [OTHER]
    known = {}
    for glyph, character in zip(glyphs, characters):
        dots = b"".join(bytes(byte >> bit & 1 for bit in range(7, -1, -1)) for byte in glyph)
        known.setdefault(dots, character)
    width, height, rows = picture(path)
    lines = []
    for top in range(0, height - font.HEIGHT + 1, font.HEIGHT):
        line = ""
        for left in range(0, width - font.WIDTH + 1, font.WIDTH):
            cell = b"".join(rows[top + y][left : left + font.WIDTH] for y in range(font.HEIGHT))
            if cell not in known:
                return None
            line += known[cell]
        lines.append(line.rstrip())
    return lines


class Screen:
    """The screen of a QEMU that was started with these words. Paths are short: sockets' must be."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "qmp")
        self.file = os.path.join(folder, "screen.ppm")
        self.words = ["-device", "VGA", "-qmp", f"unix:{self.socket},server=on,wait=off"]

    def dump(self, timeout=10):
        """Has QEMU write the picture."""
        deadline = time.monotonic() + timeout
        while not os.path.exists(self.socket):
            assert time.monotonic() < deadline, "QEMU has not opened its control socket"
            time.sleep(0.05)
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(timeout)
            control.connect(self.socket)
            answers = control.makefile("r")
            for command in ({"execute": "qmp_capabilities"},
                            {"execute": "screendump", "arguments": {"filename": self.file}}):
                control.sendall(json.dumps(command).encode())
                answer = {}
                while not {"return", "error"} & answer.keys():  # the greeting, events
                    answer = json.loads(answers.readline())
                assert "return" in answer, answer

    def lines(self):
        self.dump()
        return read(self.file)

    def wait(self, *texts, timeout=90):
        """The screen's lines as soon as each of the texts is in one of them."""
        deadline = time.monotonic() + timeout
        while True:
            lines = self.lines()
            missing = [t for t in texts if not any(t in line for line in lines or [])]
            if not missing:
                return lines
            if time.monotonic() > deadline:
                raise AssertionError(f"not on the screen: {missing}; it shows {lines}")
            time.sleep(0.3)
