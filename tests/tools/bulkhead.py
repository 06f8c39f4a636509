# SPDX-License-Identifier: Apache-2.0
"""What the tools, the boot tests and the benchmark share: reading a configuration blob, finding the
modules it names, the QEMU command line, and bootable images."""

import functools
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

import efi_image
from efi_image import split_entry

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(ROOT, "build")
SECOND_QEMU = os.path.join(BUILD, "cache", "qemu10", "run")
GRUB_LEGACY = os.path.join(BUILD, "cache", "stage2_eltorito")
CONFIG_TOOL = os.path.join(BUILD, "bulkhead-config")

# partitions/blob.h
HEADER = struct.Struct("<8sIIII")  # magic, version, size, CRC-32, sections
SECTION = struct.Struct("<16sHHIII")  # type, version, flags, size of a record, offset, size
PARTITION = struct.Struct("<Q6I8I16sI32sI32s")
CPU = struct.Struct("<I")
MODULE = struct.Struct("<III32s")
DEVICE = struct.Struct("<HBB")
BLOB_VERSION = 5
CRC_OFFSET = 16

# A disk image is whole cylinders of this geometry.
DISK_HEADS = 16
DISK_SECTORS = 63


class Error(Exception):
    """Something a user can put right: shown without a traceback."""


class Partition:
    def __init__(self, name, memory, cpus, names, devices):
        self.name = name
        self.memory = memory  # bytes
        self.cpus = cpus  # a count, or a list of numbers
        self.modules = names  # names of all its modules: image, initrd, further ones
        self.devices = devices  # PCI functions of the machine, as messages name them: "00:03.0"


def blob_sections(data):
    """Offset and number of records of each section of a blob, by its type."""
    found = {}
    for i in range(HEADER.unpack_from(data)[4]):
        kind, _, _, record, offset, size = SECTION.unpack_from(data, HEADER.size + i * SECTION.size)
        found[kind.rstrip(b"\0").decode()] = (offset, size // record)
    return found


def blob_partition_at(data, index):
    """Where the record of a partition stands in a blob."""
    return blob_sections(data)["partitions"][0] + index * PARTITION.size


def read_blob(path):
    """The partitions of a blob that bulkhead-config wrote."""
    with open(path, "rb") as f:
        data = f.read()
    magic, version, size, _, _ = HEADER.unpack_from(data)
    if magic != b"BULKHEAD" or version != BLOB_VERSION or size != len(data):
        raise Error(f"{path}: not a configuration of version {BLOB_VERSION}")
    sections = blob_sections(data)

    def string(offset):
        start = sections["strings"][0] + offset
        return os.fsdecode(data[start : data.index(b"\0", start)])

    def records(section, form, first, count):
        start, _ = sections.get(section, (0, 0))
        return [form.unpack_from(data, start + n * form.size) for n in range(first, first + count)]

    def device(segment, bus, devfn):
        place = f"{bus:02x}:{devfn >> 3:02x}.{devfn & 7}"
        return f"{segment:04x}:{place}" if segment else place

    found = []
    for fields in records("partitions", PARTITION, 0, sections["partitions"][1]):
        memory, name, image, initrd, _, _, cpu_count = fields[:7]
        cpus, modules, devices = fields[7:9], fields[9:11], fields[13:15]
        names = [string(image)] + ([string(initrd)] if initrd else [])
        names += [string(name_at) for name_at, _, _, _ in records("modules", MODULE, *modules)]
        listed = [number for number, in records("cpus", CPU, *cpus)]
        own = [device(*d) for d in records("devices", DEVICE, *devices)]
        found.append(Partition(string(name), memory, listed or cpu_count, names, own))
    return found


def seal_blob(data):
    """Gives a blob that a test has altered the right checksum again."""
    data = bytearray(data)
    struct.pack_into("<I", data, CRC_OFFSET, zlib.crc32(bytes(data[CRC_OFFSET + 4 :])))
    return bytes(data)


def build_config(config, out, *folders):
    """Compiles a configuration file; shows bulkhead-config's messages if it is refused. With folders,
    the blob has the hashes of the modules, whose files are looked for there."""
    command = [CONFIG_TOOL, "build", "-o", out]
    for folder in folders:
        command += ["--modules", folder]
    command += ["--", config]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if run.returncode != 0:
        raise Error(run.stdout.decode(errors="replace").rstrip())
    return out


def find_modules(partitions, *folders):
    """The files of all the modules that the partitions name, each once."""
    files = []
    for partition in partitions:
        for name in partition.modules:
            for folder in folders:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    break
            else:
                raise Error(
                    f"partition {partition.name}: no file {name} in {' or '.join(folders)}"
                )
            if path not in files:
                files.append(path)
    return files


def needed_cpus(partitions):
    """How many CPUs a machine must have for these partitions."""
    listed = [n for p in partitions if isinstance(p.cpus, list) for n in p.cpus]
    counted = sum(p.cpus for p in partitions if not isinstance(p.cpus, list))
    return max([len(listed) + counted] + [n + 1 for n in listed])


def needed_memory(partitions):
    """MiB for these partitions and their modules, with some to spare."""
    return sum(p.memory for p in partitions) // (1 << 20) + 512


def unavailable(part, otherwise):
    """Why the set-up has gone on without an optional part; `otherwise` if it gave no reason."""
    try:
        with open(os.path.join(BUILD, "cache", f"{part}.unavailable")) as f:
            return f.read().strip() or otherwise
    except FileNotFoundError:
        return otherwise


def missing(part, name, *files):
    """Why an optional part can't be used, or None: one of its files, or programs, is not there."""
    absent = [f for f in files if not (os.path.exists(f) if "/" in f else shutil.which(f))]
    return unavailable(part, f"{name} is not installed: there is no {absent[0]}") if absent else None


def installed_qemu():
    return os.environ.get("QEMU") or shutil.which("qemu-system-x86_64")


def qemu_version(qemu):
    """(major, minor) of an emulator."""
    text = subprocess.run([qemu, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    match = re.search(r"version (\d+)\.(\d+)", text)
    return int(match.group(1)), int(match.group(2))


def best_cpu(version):
    """TCG emulates x2APIC from version 9 on; it is tested with 10."""
    return "EPYC,+x2apic" if version[0] >= 10 else "EPYC"


def machine(qemu, cpu, cpus, memory):
    """The start of every command line. memory is in MiB."""
    return [
        *[qemu, "-accel", "tcg", "-machine", "q35", "-cpu", cpu, "-smp", str(cpus)],
        *["-m", str(memory), "-display", "none", "-no-reboot", "-nodefaults"],
    ]


def is_named(words):
    """Whether words give a module its name, whatever its file's is."""
    return any(word.startswith("name=") for word in words.split())


@functools.lru_cache(maxsize=None)
def links():
    """A folder whose path has no spaces, which goes when the program ends."""
    parent = tempfile.gettempdir()
    return tempfile.TemporaryDirectory(prefix="bulkhead-", dir="/tmp" if " " in parent else parent)


def initrd_entry(entry):
    """A module for QEMU's -initrd, where a path ends at a space and a comma ends a module."""
    path, words = split_entry(entry)
    if " " in path:
        name = os.path.basename(path)
        link = os.path.join(links().name, f"module-{len(os.listdir(links().name))}")
        os.symlink(os.path.abspath(path), link)
        path = link
        if not is_named(words):
            words = f"name={name.replace(' ', '_')} {words}"
    return f"{path} {words}".rstrip().replace(",", ",,")


def kernel(image, modules, append=""):
    """Boots by QEMU's own Multiboot loader. Modules are paths, with words after a space."""
    args = ["-kernel", image]
    if append:
        args += ["-append", append]
    if modules:
        args += ["-initrd", ",".join(initrd_entry(m) for m in modules)]
    return args


def make_efi(out, modules, append=""):
    """One UEFI program with everything in it. Modules as in kernel(), the configuration first; without
    any it shows what the machine has."""
    loader, image = (os.path.join(BUILD, "efi", name) for name in ("loader.efi", "bulkhead.elf"))
    try:
        return efi_image.make(out, loader, image, *(modules[:1] or [None]), modules[1:], append)
    except efi_image.Error as error:
        raise Error(str(error)) from error


def firmware(code, variables):
    """UEFI firmware for machine(): its code, and a file of variables that it may write to."""
    return [
        *["-drive", f"if=pflash,format=raw,readonly=on,file={code.replace(',', ',,')}"],
        *["-drive", f"if=pflash,format=raw,file={variables.replace(',', ',,')}"],
    ]


PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}")


def add_to_tree(tree, image, modules):
    """Copies them to the tree's boot/. The hypervisor's name there, and of each module the name and its
    command line: GRUB 2 does not put the file's name into that. A name that a file system or a boot
    loader might not take as it is stands in the command line only."""
    folder = os.path.join(tree, "boot")
    used = {"grub"}
    lines = []

    def add(path):
        name = os.path.basename(path)
        if not PLAIN_NAME.fullmatch(name) or name.lower() in used:
            name = f"module-{len(used)}"
        used.add(name.lower())
        shutil.copy(path, os.path.join(folder, name))
        return name

    image = add(image)
    for entry in modules:
        path, words = split_entry(entry)
        name, real = add(path), os.path.basename(path).replace(" ", "_")
        if not is_named(words):
            words = f"{real if name == real else 'name=' + real} {words}".rstrip()
        lines.append((name, words))
    return image, lines


def grub_words(words):
    """Words as GRUB's scripts have them: in quotes, where nothing but a quote has a meaning."""
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words.split())


def make_legacy_iso(out, image, modules, append=""):
    """An image that boots at once by GRUB 0.97, as a CD. Modules as in kernel()."""
    tree = out + ".tree"
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(os.path.join(tree, "boot", "grub"))
    shutil.copy(GRUB_LEGACY, os.path.join(tree, "boot", "grub"))
    name, modules = add_to_tree(tree, image, modules)
    lines = ["timeout 0", "default 0", "title Bulkhead", f"kernel /boot/{name} {append}".rstrip()]
    lines += [f"modulenounzip /boot/{name} {words}" for name, words in modules]
    with open(os.path.join(tree, "boot", "grub", "menu.lst"), "w") as f:
        f.write("\n".join(lines) + "\n")
    subprocess.run(
        ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-b", f"boot/grub/{os.path.basename(GRUB_LEGACY)}",
         "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", "-o", out, tree],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    shutil.rmtree(tree)
    return out


def make_iso(out, image, modules, append="", protocol=2, uefi=False):
    """A GRUB image that boots at once, as a CD or a disk; with `uefi` by UEFI, too. Modules as in
    kernel()."""
    # xorriso has marks of its own in paths: it sees only names in a folder of this program.
    folder = tempfile.mkdtemp(prefix="iso-", dir=os.path.dirname(os.path.abspath(out)))
    try:
        tree = os.path.join(folder, "tree")
        os.makedirs(os.path.join(tree, "boot", "grub"))
        command, module = ("multiboot2", "module2") if protocol == 2 else ("multiboot", "module")
        name, modules = add_to_tree(tree, image, modules)
        lines = ["set timeout=0", 'menuentry "Bulkhead" {',
                 f"  {command} /boot/{name} {grub_words(append)}".rstrip()]
        # It would unpack gzip files, which then have another hash.
        lines += [f"  {module} --nounzip /boot/{name} {grub_words(words)}" for name, words in modules]
        lines += ["  boot", "}", ""]
        with open(os.path.join(tree, "boot", "grub", "grub.cfg"), "w", encoding="utf-8",
                  errors="surrogateescape") as f:
            f.write("\n".join(lines))
        # Without a folder grub-mkrescue takes all of GRUB's platforms that are installed.
        platform = [] if uefi else ["-d", "/usr/lib/grub/i386-pc"]
        run = subprocess.run(
            ["grub-mkrescue", *platform, "-o", "image", "tree"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if run.returncode != 0:
            raise Error("grub-mkrescue: " + run.stdout.decode(errors="replace"))
        os.replace(os.path.join(folder, "image"), out)
    finally:
        shutil.rmtree(folder)
    if uefi:
        cylinder = DISK_HEADS * DISK_SECTORS * 512
        os.truncate(out, -(-os.path.getsize(out) // cylinder) * cylinder)
    return out
