#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the header of the screen's font from a console font (PSF 1 or 2, 8x16, with its Unicode
table): the 95 printable ASCII characters, and a glyph for all others.
Usage: font.py FONT.psf.gz > font.h"""

import gzip
import struct
import sys

WIDTH, HEIGHT = 8, 16
FIRST, LAST = 0x20, 0x7E
OTHER = bytes([0] * 3 + [0x7E] + [0x42] * 8 + [0x7E] + [0] * 3)  # a box
PACKAGE = "console-setup-linux"


class Error(Exception):
    """What a user can put right."""


def read(path):
    try:
        with gzip.open(path) as f:
            return f.read()
    except FileNotFoundError:
        raise Error(f"no {path}: install the package {PACKAGE} (tests/setup.sh build does), or say "
                    "make FONT=... for another 8x16 font with a Unicode table")
    except (OSError, EOFError) as error:
        raise Error(f"{path}: {error}")


def psf1(data):
    """(glyphs, offset of the Unicode table, how to read it)."""
    mode, height = data[2:4]
    count = 512 if mode & 1 else 256
    if not mode & 6 or height != HEIGHT:
        raise Error(f"8x{height}, Unicode table: {'yes' if mode & 6 else 'no'}")
    return [data[4 + i * HEIGHT :][:HEIGHT] for i in range(count)], 4 + count * HEIGHT, entries1


def psf2(data):
    _, _, start, flags, count, size, height, width = struct.unpack_from("<8I", data)
    if not flags & 1 or (width, height, size) != (WIDTH, HEIGHT, HEIGHT):
        raise Error(f"{width}x{height}, Unicode table: {'yes' if flags & 1 else 'no'}")
    return [data[start + i * size :][:size] for i in range(count)], start + count * size, entries2


def entries1(table):
    """The characters of each glyph: 16-bit words up to 0xffff; sequences follow 0xfffe."""
    words = struct.unpack(f"<{len(table) // 2}H", table[: len(table) // 2 * 2])
    glyph = []
    for word in words:
        if word == 0xFFFF:
            yield glyph[: glyph.index(0xFFFE)] if 0xFFFE in glyph else glyph
            glyph = []
        else:
            glyph.append(word)


def entries2(table):
    """The same in UTF-8, up to 0xff; sequences follow 0xfe."""
    for glyph in table.split(b"\xff")[:-1]:
        yield [ord(c) for c in glyph.split(b"\xfe")[0].decode("utf-8", "replace")]


def load(path):
    """The glyphs of FIRST to LAST and the one for others, 16 bytes each, leftmost pixel in bit 7."""
    data = read(path)
    try:
        if data[:2] == b"\x36\x04":
            glyphs, at, entries = psf1(data)
        elif data[:4] == b"\x72\xb5\x4a\x86":
            glyphs, at, entries = psf2(data)
        else:
            raise Error("no PSF font")
    except (Error, struct.error, ValueError) as error:
        raise Error(f"{path}: {error}; an 8x16 PSF font with a Unicode table is needed")
    found = {}
    for glyph, characters in zip(glyphs, entries(data[at:])):
        for character in characters:
            found.setdefault(character, glyph)
    missing = [chr(c) for c in range(FIRST, LAST + 1) if len(found.get(c, b"")) != HEIGHT]
    if missing:
        raise Error(f"{path}: it has no glyph for {' '.join(missing)}")
    return [found[c] for c in range(FIRST, LAST + 1)] + [OTHER]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        glyphs = load(sys.argv[1])
    except Error as error:
        sys.exit(f"font: {error}")
    print("// Made from", sys.argv[1].rpartition("/")[2], "by tests/tools/font.py.")
    print("#ifndef GEN_FONT_H\n#define GEN_FONT_H\n#include <stdint.h>")
    print(f"#define FONT_FIRST 0x{FIRST:x}\n#define FONT_LAST 0x{LAST:x}")
    print(f"static const uint8_t font[{len(glyphs)}][{HEIGHT}] = {{")
    for glyph in glyphs:
        print("    {" + ", ".join(f"0x{byte:02x}" for byte in glyph) + "},")
    print("};\n#endif")


if __name__ == "__main__":
    main()
