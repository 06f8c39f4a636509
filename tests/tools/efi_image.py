#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the hypervisor, a configuration and modules into the UEFI loader, each as a section of the PE
file: what boot/uefi/parts.h finds there. Firmware loads them with the program, so each has an address,
and a signature covers them."""

import argparse
import os
import struct
import sys

PE_OFFSET = 0x3C
SECTION = struct.Struct("<8sIIIIIIHHI")  # of which the first 5: name, size, address, file size, offset
SECTION_FLAGS = 0x40000040  # initialized data, readable
WRITE, EXECUTE = 0x80000000, 0x20000000  # among a section's flags
NX_COMPAT = 0x100  # among the DLL characteristics: works where only code may be executed
MAX_MODULES = 127  # boot/boot_info.h: BOOT_MAX_MODULES, the configuration aside
PAGE = 4096  # each module begins on one
MAX_NAME = 255  # characters of a module's name


class Error(Exception):
    """Something a user can put right: shown without a traceback."""


def align_up(value, alignment):
    return (value + alignment - 1) // alignment * alignment


class Image:
    """A PE32+ file to append sections to."""

    def __init__(self, data):
        self.pe = struct.unpack_from("<I", data, PE_OFFSET)[0]
        if data[:2] != b"MZ" or data[self.pe : self.pe + 4] != b"PE\0\0":
            raise Error("the loader is no PE file")
        count, optional = struct.unpack_from("<H12xH", data, self.pe + 6)
        self.optional = self.pe + 24
        self.table = self.optional + optional
        self.memory_align, self.file_align = struct.unpack_from("<II", data, self.optional + 32)
        self.header = bytearray(data[: self.table])
        self.sections = []  # [fields, contents]
        for i in range(count):
            fields = list(SECTION.unpack_from(data, self.table + i * SECTION.size))
            self.sections.append([fields, data[fields[4] : fields[4] + fields[3]]])

    def end(self):
        """Where the next section may lie in memory: always on a page of its own."""
        ends = [fields[2] + fields[1] for fields, _ in self.sections]
        return align_up(max(ends), max(self.memory_align, 4096))

    def append(self, name, contents):
        if contents:
            fields = [name.encode(), len(contents), self.end(), 0, 0, 0, 0, 0, 0, SECTION_FLAGS]
            self.sections.append([fields, contents])

    def write(self, path):
        """Headers, then the sections in order: nothing between them, nothing behind them."""
        size = align_up(self.table + len(self.sections) * SECTION.size, self.file_align)
        if size > min(fields[2] for fields, _ in self.sections):
            raise Error("too many sections: the headers reach into the first one")
        offset = size
        table = b""
        for fields, contents in self.sections:
            if fields[9] & WRITE and fields[9] & EXECUTE or fields[2] % 4096:
                raise Error(f"section {fields[0].decode()}: firmware that keeps code and data apart "
                            "can't load it: to be written and executed, or not on a page of its own")
            fields[3] = align_up(len(contents), self.file_align)
            fields[4] = offset if contents else 0
            offset += fields[3]
            table += SECTION.pack(*fields)
        if self.end() >= 1 << 32:
            raise Error("more than 4 GiB of modules")
        struct.pack_into("<H", self.header, self.pe + 6, len(self.sections))
        struct.pack_into("<II", self.header, self.optional + 56, self.end(), size)
        struct.pack_into("<I", self.header, self.optional + 64, 0)  # checksum: not for EFI
        struct.pack_into("<H", self.header, self.optional + 70, NX_COMPAT)
        with open(path, "wb") as f:
            f.write((bytes(self.header) + table).ljust(size, b"\0"))
            for fields, contents in self.sections:
                f.write(contents.ljust(fields[3], b"\0"))


def read(path):
    with open(path, "rb") as f:
        return f.read()


def split_entry(entry):
    """The path and the words of "PATH WORDS". A path may hold spaces: it is the longest part that is a
    file."""
    at = len(entry)
    while at > 0 and not os.path.isfile(entry[:at]):
        at = entry.rfind(" ", 0, at)
    if at <= 0:
        path, _, words = entry.partition(" ")
        return path, words
    return entry[:at], entry[at:].strip()


def make(out, loader, hypervisor, config=None, modules=(), cmdline=""):
    """Modules are paths, with words after a space of which name= gives another name."""
    if len(modules) > MAX_MODULES:
        raise Error(f"{len(modules)} modules; an EFI image holds {MAX_MODULES}")
    image = Image(read(loader))
    image.append(".bhimage", read(hypervisor))
    image.append(".bhcmd", cmdline.encode())
    if config:
        image.append(".bhconf", read(config))
    names, together = b"", b""
    for entry in modules:
        path, words = split_entry(entry)
        contents = read(path)
        if not contents:
            raise Error(f"{path}: empty")
        named = [w[5:] for w in words.split() if w.startswith("name=")]
        name = named[0] if named else os.path.basename(path)
        if len(os.fsencode(name)) > MAX_NAME:
            raise Error(f"{path}: its name has more than {MAX_NAME} characters")
        names += b"%d %s\n" % (len(contents), os.fsencode(name))
        together = together.ljust(align_up(len(together), PAGE), b"\0") + contents
    image.append(".bhmod", together)
    image.append(".bhnames", names)
    image.write(out)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", dest="out", required=True)
    parser.add_argument("-c", dest="config", help="the configuration blob")
    parser.add_argument("--cmdline", default="", help="of the hypervisor")
    parser.add_argument("loader")
    parser.add_argument("hypervisor")
    parser.add_argument("module", nargs="*")
    args = parser.parse_args()
    make(args.out, args.loader, args.hypervisor, args.config, args.module, args.cmdline)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Error, OSError) as error:
        sys.stderr.write(f"efi_image.py: {error}\n")
        sys.exit(1)
