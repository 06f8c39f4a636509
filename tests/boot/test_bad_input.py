# SPDX-License-Identifier: Apache-2.0
"""Everything that can be wrong with what the hypervisor is given: a message that says what, which
partition and what to do, and nothing starts half."""

import os
import struct

import pytest

import bulkhead
from conftest import config, partition
from refusal import refused

TWO = config(partition("good"), partition("other"))


def blob_file(tmp_path, data):
    path = tmp_path / "bad.bin"
    path.write_bytes(data)
    return str(path)


def guest(name="count.elf"):
    return os.path.join(bulkhead.BUILD, name)


def patch(data, offset, fmt, value, seal=True):
    data = bytearray(data)
    struct.pack_into(fmt, data, offset, value)
    return bulkhead.seal_blob(data) if seal else bytes(data)


# struct blob_partition, and the entry of its section in the table, which is the second.
MEMORY, NAME, IMAGE, FLAGS, CPU_COUNT = 0, 8, 12, 24, 28
ENTRY = bulkhead.HEADER.size + bulkhead.SECTION.size
TYPE, VERSION, OFFSET, SIZE = 0, 16, 24, 28


def field(data, partition, offset):
    return bulkhead.blob_partition_at(data, partition) + offset


# ---- the blob itself

def test_two_configurations(boot, plain, blob_of, tmp_path):
    blob = blob_of(TWO)
    (tmp_path / "second.bin").write_bytes(blob)
    files = [blob_file(tmp_path, blob), str(tmp_path / "second.bin"), guest()]
    refused(boot(plain, modules=files), '"bad.bin" and "second.bin" both are one')


@pytest.mark.parametrize("keep", [20, 23, 60, -1])
def test_truncated(boot, plain, blob_of, tmp_path, keep):
    data = blob_of(TWO)[:keep]
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), "truncated: .*build it again")


def test_wrong_version(boot, plain, blob_of, tmp_path):
    data = patch(blob_of(TWO), 8, "<I", 77)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), "has version 77, this Bulkhead reads version")


def test_wrong_checksum(boot, plain, blob_of, tmp_path):
    data = blob_of(TWO)
    data = patch(data, field(data, 0, MEMORY), "<Q", 32 << 20, seal=False)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), "damaged: its checksum is .*build it again")


# ---- what another Bulkhead's compiler may have written

def test_section_of_a_later_bulkhead(boot, plain, blob_of, tmp_path):
    """It is named, so that nobody takes what was configured for what runs."""
    data = patch(blob_of(config(partition("good", more='devices = ( { pci = "00:03.0"; } );'))),
                 bulkhead.HEADER.size + 2 * bulkhead.SECTION.size + TYPE, "<16s", b"networks")
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]),
            'has a section "networks" .version 1., which this Bulkhead does not know; build it again with the '
            "bulkhead-config of this Bulkhead")


def test_section_of_another_version(boot, plain, blob_of, tmp_path):
    data = patch(blob_of(TWO), ENTRY + VERSION, "<H", 2)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]),
            'section "partitions" has version 2, this Bulkhead reads version 1; build it again with the bulkhead-config')


# ---- what the compiler would refuse, in a blob that somebody else made

# partition, field, format, value, message
BAD_FIELDS = {
    "no cpu": (0, CPU_COUNT, "<I", 0, '"good": it has no CPU'),
    "too many cpus": (0, CPU_COUNT, "<I", 1000, '"good": 1000 CPUs are more than'),
    "no memory": (0, MEMORY, "<Q", 0, '"good": 0 bytes of memory are too little'),
    "memory of an odd size": (0, MEMORY, "<Q", (64 << 20) + 1, '"good": .* not a multiple'),
    "memory beyond all bounds": (0, MEMORY, "<Q", 1 << 62, '"good": .* of memory are too much'),
    "no image": (0, IMAGE, "<I", 0, '"good": it has no image'),
    "trust without a device": (0, FLAGS, "<I", 1, '"good": trust_dma = true is about its devices'),
    "flags of another version": (0, FLAGS, "<I", 1 << 31, '"good": .*its flags are unknown'),
    "image outside the strings": (0, IMAGE, "<I", 0x7FFFFFFF, "malformed: image of record 0 .* lies outside the strings"),
}


@pytest.mark.parametrize("what", BAD_FIELDS, ids=lambda w: w.replace(" ", "-"))
def test_bad_field(boot, plain, blob_of, tmp_path, what):
    number, offset, fmt, value, message = BAD_FIELDS[what]
    data = blob_of(TWO)
    data = patch(data, field(data, number, offset), fmt, value)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), message)


# The second partition's name, which is as long in each.
BAD_NAMES = {
    "name twice": (b"good", b"good", '"good": .*the same name'),
    "name with a control character": (b"good", b"a\x1b[2", "partition number 2: its name must be"),
    "name of the hypervisor": (b"alpha-one", b"Bulk-Head",
                               '"Bulk-Head": its lines on the console would look like the hypervisor\'s own'),
}


@pytest.mark.parametrize("what", BAD_NAMES, ids=lambda w: w.replace(" ", "-"))
def test_bad_name(boot, plain, blob_of, tmp_path, what):
    before, after, message = BAD_NAMES[what]
    other = (before[:-1] + b"x").decode()
    data = blob_of(config(partition("good"), partition(other)))
    data = bulkhead.seal_blob(data.replace(other.encode() + b"\0", after + b"\0"))
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), message)


# The entry of the section "partitions".
BAD_SECTIONS = {
    "no partitions": (20, "<I", 1, '"strings" is not where the one before it ends'),
    "sections beyond the file": (20, "<I", 0x10000000, "table of sections leads outside the file"),
    "records beyond the file": (ENTRY + SIZE, "<I", 0xFFFFFFE0, '"partitions" leads outside the file'),
    "records over others": (ENTRY + OFFSET, "<I", 24, '"partitions" is not where the one before it ends'),
}


@pytest.mark.parametrize("what", BAD_SECTIONS, ids=lambda w: w.replace(" ", "-"))
def test_bad_section(boot, plain, blob_of, tmp_path, what):
    offset, fmt, value, message = BAD_SECTIONS[what]
    data = patch(blob_of(TWO), offset, fmt, value)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), "malformed: .*" + message)


def test_cpu_twice(boot, plain, blob_of, tmp_path):
    data = blob_of(config(partition("good", cpus="[1]"), partition("other", cpus="[2]")))
    cpus, _ = bulkhead.blob_sections(data)["cpus"]
    data = patch(data, cpus + bulkhead.CPU.size, "<I", 1)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), '"other": CPU 1 is already in the list of partition "good"')


def test_ports_overlap(boot, plain, blob_of, tmp_path):
    data = blob_of(
        config(
            partition("good", more='ioports = ( "0xf4-0xf7" );'),
            partition("other", more='ioports = ( "0xe0-0xe3" );'),
        )
    )
    at = data.index(struct.pack("<HH", 0xE0, 0xE3))
    data = patch(data, at, "<H", 0xF6)
    data = patch(data, at + 2, "<H", 0xF9)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), '"other": I/O ports 0xf6-0xf9 overlap 0xf4-0xf7 of partition "good"')


# ---- against the machine

def test_too_many_cpus(boot, plain):
    refused(boot(plain, config(partition("good", cpus=3), partition("other", cpus=2))), '"other": it wants 2 CPUs, but 1 of .* left')


def test_no_such_cpu(boot, plain):
    refused(boot(plain, config(partition("good"), partition("other", cpus="[1, 9]"))), '"other": CPU 9 is not there')


def test_too_much_memory(boot, plain):
    refused(
        boot(plain, config(partition("good"), partition("other", memory="3G")), memory=1024),
        '"other": it wants 3072 MiB of memory, but',
    )


def test_missing_module(boot, plain, blob_of, tmp_path):
    data = blob_of(config(partition("good"), partition("other", image="absent.elf")))
    refused(
        boot(plain, modules=[blob_file(tmp_path, data), guest()]), '"other": there is no module "absent.elf" .loaded: bad.bin, count.elf'
    )


def test_missing_initrd(boot, plain, blob_of, tmp_path):
    data = blob_of(
        config(partition("good", image="vmlinuz", memory="256M", more='initrd = "absent.gz";'))
    )
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest("vmlinuz")]), '"good": there is no module "absent.gz"')


def test_module_name_twice(boot, plain, blob_of, tmp_path):
    data = blob_of(TWO)
    files = [blob_file(tmp_path, data), guest(), guest("smp.elf") + " name=count.elf"]
    refused(boot(plain, modules=files), 'loaded 2 modules "count.elf"')


def test_port_of_the_hypervisor(boot, plain, blob_of, tmp_path):
    data = blob_of(config(partition("good", more='ioports = ( "0xe0-0xe3" );')))
    at = data.index(struct.pack("<HH", 0xE0, 0xE3))
    data = patch(patch(data, at, "<H", 0x3F8), at + 2, "<H", 0x3F8)
    refused(boot(plain, modules=[blob_file(tmp_path, data), guest()]), '"good": .*the hypervisor keeps 0x3f8-0x3ff')


# ---- images

def elf32(segment_address, size=0x1000, entry=None):
    """A Multiboot kernel of one segment of HLT at the address."""
    magic, flags = 0x1BADB002, 0
    body = struct.pack("<III", magic, flags, -(magic + flags) & 0xFFFFFFFF).ljust(size, b"\xf4")
    header = struct.pack(
        "<16sHHIIIIIHHHHHH",
        b"\x7fELF\1\1\1", 2, 3, 1, entry or segment_address + 16, 52, 0, 0, 52, 32, 1, 0, 0, 0,
    )
    segment = struct.pack("<8I", 1, 4096, segment_address, segment_address, size, size, 7, 4096)
    return (header + segment).ljust(4096, b"\0") + body


BAD_IMAGES = {
    "unknown kind": (b"this is no kernel\n" * 100, "of no known kind: use a Linux bzImage or a Multiboot 1 kernel"),
    "empty": (b"", "is empty"),
    "ELF without Multiboot header": (b"\x7fELF\1\1\1" + bytes(4089) + b"\xf4" * 4096, "without a Multiboot header"),
    "segment outside the partition": (elf32(0x8000000), r"segment 0 \(0x8000000-0x8000fff\) lies outside"),
    "segment that wraps": (elf32(0xFFFFF800), r"segment 0 \(0xfffff800-0x1000007ff\) lies outside"),
    "segment over the end": (elf32(0x3FFF800), r"segment 0 \(0x3fff800-0x40007ff\) lies outside"),
    "entry outside": (elf32(0x100000, entry=0x7000000), "entry point 0x7000000 lies in none of its segments"),
    "bzImage cut short": (None, "has 12288 bytes and should have"),
}


@pytest.mark.parametrize("what", BAD_IMAGES, ids=lambda w: w.replace(" ", "-"))
def test_bad_image(boot, plain, tmp_path, what):
    data, message = BAD_IMAGES[what]
    if data is None:
        with open(guest("vmlinuz"), "rb") as f:
            data = f.read(0x3000)
    (tmp_path / "bad.img").write_bytes(data)
    text = config(partition("good"), partition("other", image="bad.img"))
    refused(boot(plain, text), f'"other": image "bad.img": .*{message}')


# ---- machines

def test_no_amd_v(boot, machine):
    refused(boot(machine, TWO, cpu=machine.cpu + ",-svm"), "AMD-V")


def test_no_nested_paging(boot, plain):
    refused(boot(plain, TWO, cpu=plain.cpu + ",-npt"), "nested paging")


def test_not_amd(boot, plain):
    """An Intel CPU under TCG has neither."""
    refused(boot(plain, TWO, cpu="Skylake-Client"), "AMD-V|virtualization")


def test_no_serial_port(boot, plain):
    """Without a UART the debug port, which emulators have, gets the console; guests run."""
    console = boot(plain, config(partition("one", cmdline="n=3")), serial=False)
    console.wait("serial port", "bulkhead")
    console.wait("count 3", "one")


def test_broken_tables_are_refused(boot, plain):
    """A build whose second-level table is broken on purpose: the audit finds it."""
    if not os.path.exists(os.path.join(bulkhead.BUILD, "audit-break", "bulkhead32.elf")):
        pytest.skip("make AUDIT_BREAK=1 has not been run")
    console = boot(plain, TWO, image="audit-break/bulkhead32.elf")
    refused(console, "audit: FAILED", "audit: .*other.*reaches the hypervisor's memory")


def test_audit_is_printed(boot, plain):
    console = boot(plain, TWO)
    console.wait("audit: .* 0 violations", "bulkhead")
    console.wait("count 2", "good")
