# SPDX-License-Identifier: Apache-2.0
"""bulkhead-config from its command line: check, build and show, and the file and line of what it
finds. Runs the host tool only."""

import hashlib
import os
import pathlib
import re
import struct
import subprocess
import zlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = os.environ.get("BULKHEAD_CONFIG", str(ROOT / "build" / "bulkhead-config"))

HEADER = struct.Struct("<8sIIII")  # magic, version, size, crc32, sections
SECTION = struct.Struct("<16sHHIII")  # type, version, flags, size of a record, offset, size
CHECKED_FROM = 20


def run(*args, cwd=None):
    return subprocess.run([TOOL, *map(str, args)], capture_output=True, text=True, timeout=20,
                          cwd=cwd)


def seal(blob):
    """The blob with its checksum right again."""
    return blob[:16] + struct.pack("<I", zlib.crc32(blob[CHECKED_FROM:])) + blob[CHECKED_FROM:]


def partition(**changes):
    """A good partition on one line, with changed or (None) missing keys."""
    keys = {"name": '"alpha"', "cpus": "1", "memory": '"64M"', "image": '"vmlinuz"'}
    keys.update(changes)
    return "{ " + " ".join(f"{k} = {v};" for k, v in keys.items() if v is not None) + " }"


def check_annotated(tmp_path, text):
    """Checks a file whose comments say what is to be found: '#! part | part' at the end of a line
    expects two messages there, each containing its part. Nothing else may be found."""
    file = tmp_path / "annotated.conf"
    file.write_text(text)
    expected = []
    for number, line in enumerate(text.splitlines(), 1):
        if "#!" in line:
            expected += [(number, part.strip()) for part in line.split("#!")[1].split("|")]

    result = run("check", file)
    found = result.stderr.splitlines()
    missing = []
    for number, part in expected:
        start = f"{file}:{number}: "
        hit = next((m for m in found if m.startswith(start) and part in m), None)
        if hit is None:
            missing.append((number, part))
        else:
            found.remove(hit)
    assert not missing and not found, f"missing {missing}, unexpected {found}"
    assert ("good" in result.stdout) == (not expected)
    assert result.returncode == (1 if expected else 0)
    return result.stderr


# ---- good configurations ------------------------------------------------------------------------


@pytest.mark.parametrize("name,partitions", [("two-linux", 2), ("one-linux", 1), ("eight", 8)])
def test_examples(tmp_path, name, partitions):
    conf = ROOT / "partitions" / f"{name}.conf"
    result = run("check", conf)
    assert result.returncode == 0
    assert result.stderr == ""
    assert f"good, {partitions} partition" in result.stdout

    blob = tmp_path / "out.bin"
    result = run("build", conf, "-o", blob)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    result = run("show", blob)
    assert result.returncode == 0
    assert len([line for line in result.stdout.splitlines() if not line.startswith(" ")]) == \
        partitions + 1


def test_two_linux_is_what_the_manual_promises(tmp_path):
    blob = tmp_path / "out.bin"
    assert run("build", ROOT / "partitions" / "two-linux.conf", "-o", blob).returncode == 0
    assert run("show", blob).stdout == (
        "PARTITION  CPUS    MEMORY  IMAGE\n"
        "alpha      any 2  512 MiB  vmlinuz\n"
        "    initrd   initrd.gz\n"
        "    cmdline  console=ttyS0\n"
        "    uuid     5f83a66f-c933-8baa-adca-822d50d46807\n"
        "beta       any 1  256 MiB  vmlinuz\n"
        "    initrd   initrd.gz\n"
        "    cmdline  console=ttyS0\n"
        "    uuid     5012932a-8b25-8aa6-9bc7-34c4457117a3\n")


def test_build_writes_the_documented_format(tmp_path):
    conf = tmp_path / "a.conf"
    blob = tmp_path / "a.bin"
    conf.write_text("""partitions = (
      { name = "a-1_Z"; cpus = (7, 2); memory = "4096K"; image = "k";
        image_sha256 = "%s"; modules = ( { name = "one"; cmdline = "x=1 y"; },
                                         { name = "two"; sha256 = "%s"; } );
        ioports = ( "0xf4-0xf7", "1280" );
        devices = ( { pci = "00:03.0"; }, { pci = "00Ab:cd:1f.7"; } );
        trust_dma = true; on_dma_fault = "stop"; framebuffer = true; hpet = true;
        multiboot_name = false; on_stray_access = "stop";
        uuid = "F81d4fae-7dec-11d0-a765-00a0c91e6bf6"; } );""" % ("0F" * 32, "a1" * 32))
    assert run("build", "-o", blob, conf).returncode == 0

    data = blob.read_bytes()
    magic, version, size, crc, sections = HEADER.unpack_from(data)
    assert (magic, version, size) == (b"BULKHEAD", 5, len(data))
    assert crc == zlib.crc32(data[CHECKED_FROM:])
    table, records, end = [], {}, HEADER.size + sections * SECTION.size
    for i in range(sections):
        kind, version, flags, record, offset, size = SECTION.unpack_from(data, HEADER.size + i * SECTION.size)
        assert (version, flags, offset) == (1, 0, -(-end // 8) * 8)
        table.append((kind.rstrip(b"\0").decode(), record, size // record))
        records[table[-1][0]] = data[offset : offset + size]
        end = offset + size
    assert end == len(data)
    assert table == [("strings", 1, 23), ("partitions", 152, 1), ("cpus", 4, 2), ("modules", 44, 2),
                     ("ioports", 4, 2), ("devices", 4, 2)]
    strings = records["strings"]
    assert strings == b"\0a-1_Z\0k\0one\0x=1 y\0two\0"

    memory, name, image, initrd, cmdline, flags, cpus, *slices, uuid = \
        struct.unpack_from("<Q6I8I16s", records["partitions"])
    assert memory == 4 << 20
    assert strings[name:].startswith(b"a-1_Z\0")
    assert strings[image:].startswith(b"k\0")
    assert (initrd, cmdline, flags, cpus) == (0, 0, 0x3f, 2)
    assert slices == [0, 2] * 4
    assert uuid.hex() == "f81d4fae7dec11d0a76500a0c91e6bf6"
    assert struct.unpack_from("<I32sI32s", records["partitions"], 80) == (1, b"\x0f" * 32, 0, bytes(32))
    assert struct.unpack("<2I", records["cpus"]) == (7, 2)
    one, text, given, _, two, none, also, digest = struct.unpack("<III32sIII32s", records["modules"])
    assert [strings[at:].split(b"\0")[0] for at in (one, text, two, none)] == [b"one", b"x=1 y", b"two", b""]
    assert (given, also, digest) == (0, 1, b"\xa1" * 32)
    assert struct.unpack("<4H", records["ioports"]) == (0xf4, 0xf7, 0x500, 0x500)
    assert struct.unpack("<HBBHBB", records["devices"]) == (0, 0, 0x18, 0xab, 0xcd, 0xff)


def test_show_lists_everything(tmp_path):
    conf = tmp_path / "a.conf"
    blob = tmp_path / "a.bin"
    conf.write_text("""partitions = (
      { name = "a-long-name-for-a-partition"; cpus = [5, 4]; memory = "2052K"; image = "mb.elf";
        modules = ( { name = "one"; cmdline = "x=1 y"; }, "two" );
        ioports = ( "0xf4-0xf7", "0x500" ); framebuffer = true; },
      { name = "b"; cpus = 3; memory = "2G"; image = "k"; trust_dma = true; on_dma_fault = "stop";
        devices = ( { pci = "0000:00:03.0"; }, { pci = "0001:AB:1f.7"; } ); } );""")
    assert run("build", conf, "--output", blob).returncode == 0
    assert run("show", blob).stdout == (
        "PARTITION                    CPUS     MEMORY  IMAGE\n"
        "a-long-name-for-a-partition  5,4    2052 KiB  mb.elf\n"
        "    module   one: x=1 y\n"
        "    module   two\n"
        "    ioports  0xf4-0xf7\n"
        "    ioports  0x500-0x500\n"
        "    uuid     1f4df949-a661-854e-b091-f23b114d4430\n"
        "    framebuffer\n"
        "b                            any 3     2 GiB  k\n"
        "    device   00:03.0\n"
        "    device   0001:ab:1f.7\n"
        "    uuid     1afd8038-afd4-818b-ae3e-c99a65b1a6cb\n"
        "    trusted: its devices may do DMA where no IOMMU confines them\n"
        "    stopped if the DMA of its devices is refused\n")


def test_same_input_gives_same_blob(tmp_path):
    conf = ROOT / "partitions" / "two-linux.conf"
    for name in ("a", "b"):
        assert run("build", conf, "-o", tmp_path / name).returncode == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_include_is_looked_for_beside_the_file(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "main.conf").write_text('partitions = (\n@include "part.conf"\n);\n')
    part = tmp_path / "conf" / "part.conf"
    part.write_text(partition())
    assert run("check", "conf/main.conf", cwd=tmp_path).returncode == 0
    part.write_text("\n" + partition(memory='"1M"'))
    result = run("check", "conf/main.conf", cwd=tmp_path)
    assert result.returncode == 1
    assert "part.conf:2: " in result.stderr and "too little" in result.stderr


# ---- what is wrong, and on which line -----------------------------------------------------------


def test_everything_at_once(tmp_path):
    check_annotated(tmp_path, """
colour = "blue";                 #! unknown key "colour"
partitions = (
  { name = "alpha";
    cpus = 0;                    #! "alpha": it has no CPU
    memory = "1M";               #! "alpha": 1048576 bytes of memory are too little
    image = "vmlinuz";
    initrd = "a b";              #! "alpha": a module's name
    cmdline = "a\\nb";            #! "alpha": a command line holds a control character
    ioports = (
      "0xf4-0xf7",
      "0x3f8",                   #! "alpha": of I/O ports 0x3f8-0x3f8 the hypervisor keeps
      "0xf6-0xf9",               #! "alpha": I/O ports 0xf6-0xf9 overlap its own 0xf4-0xf7
      "0x510-0x500",             #! "alpha": I/O ports 0x510-0x500 end before they start
      "f4",                      #! "alpha": entry 5 of ioports
      244,                       #! "alpha": entry 6 of ioports
      "0x10000"                  #! "alpha": entry 7 of ioports names a port that does not exist
    ); },
  { name = "alpha";              #! "alpha": an earlier partition has the same name
    cpus = ( 1,
             1,                  #! "alpha": it lists CPU 1 twice
             -1,                 #! "alpha": entry 3 of cpus
             "2",                #! "alpha": entry 4 of cpus
             64 );               #! "alpha": CPU 64 is none
    memory = "5000001";          #! "alpha": 5000001 bytes of memory are not a multiple
    image = "k";
    ioport = "0xf4"; },          #! "alpha": unknown key "ioport"
  { name = "a.b";                #! number 3: its name must be
    cpus = [ 1 ];                #! number 3: CPU 1 is already in the list of partition "alpha"
    memory = "64M";
    image = "k";
    modules = ( "one",
                { cmdline = "x"; },             #! number 3: module 2 has no name
                { name = 1; },                  #! number 3: name of module 3 must be a text
                { name = "m"; cmd = "x"; },     #! number 3: unknown key "cmd" of module 4
                5,                              #! number 3: module 5 must be
                "" );                           #! number 3: a module's name
    ioports = [ "0xf7" ]; },     #! number 3: I/O ports 0xf7-0xf7 overlap 0xf4-0xf7 of partition "alpha"
  { name = "d"; cpus = [2]; memory = "4M"; image = "k";
    devices = (
      { pci = "00:03.0"; },
      { pci = "0000:00:03.0"; }, #! "d": it lists device 00:03.0 twice
      { pci = "00:3.0"; },       #! "d": device 3: pci must be a string like "00:03.0" or "0000:00:03.0"
      { pci = "00:20.0"; },      #! "d": device 4: pci names a function that can't exist
      { pci = "00:04.8"; },      #! "d": device 5: pci names a function that can't exist
      { pci = 3; },              #! "d": device 6: pci must be a string like
      { },                       #! "d": device 7 has no pci
      { pci = "00:05.0";
        bus = 0; },              #! "d": unknown key "bus" of device 8; there is pci
      "00:04.0",                 #! "d": device 9 must be a group, { pci = "00:03.0"; }, not a text
      { pci = "00:06.0"; }
    );
    trust_dma = 1; },            #! "d": trust_dma must be true or false, not a number
  { name = "e"; cpus = [3]; memory = "4M"; image = "k";
    devices = ( { pci = "00:05.0"; },
                { pci = "00:06.0"; } );  #! "e": device 00:06.0 is already one of partition "d"
    on_dma_fault = "halt"; },    #! "e": on_dma_fault must be "log" or "stop"
  { }                            #! number 6: it has no name | no cpus | no memory | no image
);
""")


@pytest.mark.parametrize("key,value,part", [
    ("name", "5", "name must be a text in quotes, not a number"),
    ("name", '""', "its name must be 1 to 31"),
    ("name", '"BulkHead"', "its lines on the console would look like the hypervisor's own"),
    ("name", '"' + "n" * 32 + '"', "its name has 32 characters"),
    ("cpus", '"2"', "cpus must be a count"),
    ("cpus", "1.5", "cpus must be a count"),
    ("cpus", "-1", "cpus must be a count"),
    ("cpus", "true", "cpus must be a count"),
    ("cpus", "[]", "no CPU"),
    ("cpus", "()", "no CPU"),
    ("cpus", "[1.5]", "entry 1 of cpus"),
    ("cpus", "65", "65 CPUs are more"),
    ("cpus", "[" + ",".join(map(str, range(65))) + "]", "more than 64 CPUs"),
    ("memory", "64", "memory must be a size in quotes"),
    ("memory", "4831838208", "the number 4831838208 does not fit"),
    ("memory", "4831838208L", "memory must be a size in quotes"),
    ("memory", '"64"', "64 bytes of memory are too little"),
    ("memory", '"64X"', "memory must be a size in quotes"),
    ("memory", '"1025G"', "too much"),
    ("memory", '"99999999999999999999"', "no memory can have this size"),
    ("image", '""', "it has no image"),
    ("image", "[1]", "image must be a text in quotes, not an array"),
    ("image", "{ a = 1; }", "image must be a text in quotes, not a group"),
    ("image_sha256", "5", "image_sha256 must be a text in quotes, not a number"),
    ("image_sha256", '""', "must be the 64 hexadecimal digits that sha256sum prints; it has 0"),
    ("image_sha256", '"' + "a" * 63 + '"', "sha256sum prints; it has 63"),
    ("image_sha256", '"' + "A" * 65 + '"', "sha256sum prints; it has 65"),
    ("image_sha256", '"' + "a" * 63 + 'g"', "sha256sum prints; it holds something else"),
    ("initrd_sha256", '"0x00"', "initrd_sha256 must be the 64 hexadecimal digits"),
    ("initrd_sha256", '"' + "0" * 64 + '"', "initrd_sha256 is about its initrd, but it has none"),
    ("modules", '({ name = "m"; sha256 = "ab"; })', "sha256 of module 1 must be the 64"),
    ("modules", '({ name = "m"; sha256 = true; })', "sha256 of module 1 must be a text in quotes"),
    ("modules", '({ name = "m"; sha = "ab"; })', "there are name, cmdline, sha256"),
    ("initrd", '""', "initrd is empty"),
    ("initrd", '"build/initrd.gz"', '"build/initrd.gz" is a path; write the file\'s name only'),
    ("initrd", '"it\'s"', "can't hold ', which GRUB would change"),
    ("initrd", "initrd.gz", 'initrd.gz needs quotes: "initrd.gz"'),
    ("initrd", "1.5", "initrd must be a text in quotes, not a number with a fraction"),
    ("cmdline", "true", "cmdline must be a text in quotes, not a truth value"),
    ("cmdline", '"' + "x" * 2048 + '"', "has 2048 characters"),
    ("modules", '"one"', "modules must be a list"),
    ("ioports", '"0xf4"', "ioports must be a list"),
    ("ioports", '("0xf4-")', "entry 1 of ioports"),
    ("devices", '"00:03.0"', "devices must be a list"),
    ("devices", "[1]", "device 1 must be a group"),
    ("devices", '({ pci = "x"; })', "device 1: pci must be a string"),
    ("trust_dma", "1", "trust_dma must be true or false"),
    ("trust_dma", '"true"', "trust_dma must be true or false, not a text; leave the quotes out"),
    ("trust_dma", "true", "trust_dma = true is about its devices, but it has none"),
    ("on_dma_fault", "1", "on_dma_fault must be"),
    ("framebuffer", "1", "framebuffer must be true or false, not a number"),
    ("hpet", "1", "hpet must be true or false, not a number"),
    ("multiboot_name", '"no"', "multiboot_name must be true or false, not a text"),
    ("on_stray_access", '"log"', 'on_stray_access must be "ignore" or "stop"'),
    ("on_stray_access", "true", 'on_stray_access must be "ignore" or "stop"'),
    ("uuid", "1", "uuid must be a UUID in quotes"),
    ("uuid", '"f81d4fae7dec11d0a76500a0c91e6bf6"', "uuid must be a UUID in quotes"),
    ("uuid", '"00000000-0000-0000-0000-000000000000"', "its uuid is all zeros"),
    ("on_dma_fault", '"Stop"', "on_dma_fault must be"),
    ("on_dma_fault", '"stop"', 'on_dma_fault = "stop" is about its devices, but it has none'),
    ("host_address", "1", 'unknown key "host_address"; there are name, cpus, memory'),
])
def test_one_bad_value(tmp_path, key, value, part):
    """One message, on its line, and no other for the same mistake."""
    lines = partition(**{key: None})[:-1]
    stderr = check_annotated(tmp_path,
                             f"partitions = ( {lines}\n{key} = {value}; #! {part}\n }} );\n")
    assert len(stderr.splitlines()) == 1


def test_lines_of_last_entries(tmp_path):
    """libconfig itself would give the line of the closing bracket for some of these."""
    check_annotated(tmp_path, """partitions = ( {
  name = "alpha"; memory = "64M"; image = "k";
  cpus = [
    1,
    1            #! lists CPU 1 twice
  ];
  ioports = (
    "0xf4",
    "0x60"       #! the keyboard controller

  );
  modules = (
    "one",
    "two words"  #! a module's name
  ); } );
""")


def test_what_speaks_of_no_devices(tmp_path):
    check_annotated(tmp_path, "partitions = ( " + partition(trust_dma="false", on_dma_fault='"log"')
                    + ");")
    check_annotated(tmp_path, "partitions = ( " + partition(devices="()")[:-1] +
                    "\ntrust_dma = true; #! trust_dma = true is about its devices\n} );")
    # Devices were meant: their own mistake is the only one.
    check_annotated(tmp_path, "partitions = ( " + partition(trust_dma="true", on_dma_fault='"stop"')[:-1]
                    + '\ndevices = ( { pci = "3"; } ); #! device 1: pci must be\n} );')
    check_annotated(tmp_path, "partitions = ( " + partition(trust_dma="true", on_dma_fault='"stop"')[:-1]
                    + "\ndevices = 3; #! devices must be a list\n} );")


def test_framebuffer_of_two(tmp_path):
    given = partition(framebuffer="true")
    check_annotated(tmp_path, f"partitions = ( {given},\n" + partition(name='"b"')[:-1] +
                    '\nframebuffer = true; #! "b": framebuffer = true is already said of partition "alpha"\n} );')
    check_annotated(tmp_path, f"partitions = ( {given}, " + partition(name='"b"', framebuffer="false") + ");")


def test_initrd_and_modules(tmp_path):
    check_annotated(tmp_path, "partitions = ( " + partition(modules='("a")')[:-1] +
                    '\ninitrd = "i"; #! both an initrd\n} );')


@pytest.mark.parametrize("text,part", [
    ("", "there is no partitions list"),
    ("partitions = ();", "there is no partition"),
    ("partitions = [];", "( { ... }, { ... } ), not an array"),
    ('partitions = "two";', "partitions must be a list of groups"),
    ("partitions = { };", "partitions must be a list of groups"),
    ("partitions = ( 7 );", "partition number 1 must be a group"),
    ("partitions = ( {", "the { that stands here is not closed"),
    ("partitions = ( { name = \"a\"; name = \"b\"; } );", "duplicate"),
    ('@include "nowhere.conf"', "include"),
])
def test_bad_file(tmp_path, text, part):
    file = tmp_path / "x.conf"
    file.write_text(text)
    result = run("check", file)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{file}:1: ")
    assert part in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("text,line,part", [
    ('partitions = (\n  { name = "a"\n    cpus 2; }\n);\n', 3, "there is no = after cpus; write cpus = VALUE;"),
    ('partitions = ( {\n  memory = 512M; } );', 2, '512M needs quotes: "512M"'),
    ('partitions = (\n' + partition() + ',\n);\n', 2, "there is a comma too many before )"),
    ('partitions = [\n' + partition() + ' ];', 2, "a list of groups stands in round brackets"),
    ('partitions = (\n' + partition()[:-1] + ');', 2, "a { is closed by }, not by ); it was opened at "),
    ('# \u201cfine\u201d here\npartitions = ( { name = \u201ca\u201d; } );', 2, "these quotes are typographic"),
    ('partitions = ( {\n  name = "a;\n  image = "k"; } );', 2, "no closing quote on its line"),
    ('{ "partitions": [] }', 1, "a key must stand before this {"),
    ('/* to be done\npartitions = ();', 1, "is not closed; add */"),
], ids=["no-equals", "no-quotes", "comma-too-many", "square-brackets", "brace-not-closed", "typographic-quotes",
        "quote-missing", "json", "comment-not-closed"])
def test_slips(tmp_path, text, line, part):
    """More in tests/unit/test_config_syntax.c."""
    file = tmp_path / "x.conf"
    file.write_text(text)
    result = run("check", file)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{file}:{line}: ") and part in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_byte_order_mark(tmp_path):
    """It is skipped, in a file that is included too; as are carriage returns."""
    (tmp_path / "part.conf").write_text("\ufeff" + partition(cpus="0") + "\r\n", newline="")
    file = tmp_path / "x.conf"
    file.write_text('\ufeffpartitions = (\r\n@include "part.conf"\r\n);\r\n', newline="")
    result = run("check", file)
    assert result.stderr.splitlines() == \
        [f'{tmp_path}/part.conf:1: partition "alpha": it has no CPU; it needs at least one of its own']


@pytest.mark.parametrize("cpus", ["4294967297", "[4294967297]", "(2,\n4294967297)", "0x100000001", "[0x100000000]",
                                  "-4294967295", "4294967297L", "[ 18446744073709551617 ]", "99999999999999999999L"],
                         ids=["count", "array", "list", "hex", "hex-array", "negative", "long", "64-bits",
                              "long-64-bits"])
def test_no_number_is_cut(tmp_path, cpus):
    """libconfig keeps the low 32 bits of most of these without a word."""
    lines = ("partitions = (\n" + partition(cpus=cpus) + ");").splitlines()
    line = next(i for i, text in enumerate(lines, 1) if re.search(r"\d{10}|0x1", text))
    file = tmp_path / "x.conf"
    file.write_text("\n".join(lines))
    result = run("build", file, "-o", tmp_path / "x.bin")
    assert result.returncode == 1 and not (tmp_path / "x.bin").exists()
    assert result.stderr.startswith(f"{file}:{line}: ")
    assert len(result.stderr.splitlines()) == 1


def test_every_number_that_does_not_fit_is_told(tmp_path):
    (tmp_path / "part.conf").write_text("\n" + partition(name='"b"', cpus="[1, 4294967298]"))
    file = tmp_path / "x.conf"
    file.write_text("# 4294967297\npartitions = (\n" + partition(cpus="4294967297", cmdline='"4294967297"') +
                    ',\n@include "part.conf"\n);\n')
    assert run("check", file).stderr == "".join(
        f"{tmp_path}/{where}: the number {number} does not fit: 2147483647 is the largest (a size is a text in "
        'quotes, such as "512M")\n' for where, number in (("part.conf:2", 4294967298), ("x.conf:3", 4294967297)))


def test_other_partitions_are_checked_beside_a_stranger(tmp_path):
    check_annotated(tmp_path, "partitions = ( " + partition() + ",\n7,   #! number 2 must be a group\n" +
                    partition(name='"c d"') + "    #! number 3: its name must be\n);")


def test_too_many(tmp_path):
    many = ",\n".join(partition(name=f'"p{i}"') for i in range(16))
    check_annotated(tmp_path, f"partitions = (\n{many}\n);")
    check_annotated(tmp_path, f"partitions = (\n{many},\n{partition(name='%sq%s' % (chr(34), chr(34)))}"
                    " #! more than 16 partitions\n);")

    cpus = ",".join(map(str, range(40)))
    check_annotated(tmp_path, f"partitions = ( {partition(cpus=f'[{cpus}]')},\n"
                    + partition(name='"b"', cpus=f"[{cpus.replace('0,', '40,', 1)}]") +
                    ' #! "b": the partitions list more than 64 CPUs together' + " | already in the list" * 23 + "\n);")

    names = ",".join('"m"' for _ in range(1024))
    check_annotated(tmp_path, f"partitions = ( {partition(modules=f'({names})')} );")
    check_annotated(tmp_path, f"partitions = ( {partition(modules=f'({names})')},\n"
                    + partition(name='"b"', modules='("m")') +
                    ' #! "b": the partitions have more than 1024 modules\n);')

    ports = ",".join(f'"{0x1000 + i}"' for i in range(4096))
    check_annotated(tmp_path, f"partitions = ( {partition(ioports=f'({ports})')} );")
    check_annotated(tmp_path, f"partitions = ( {partition(ioports=f'({ports})')},\n"
                    + partition(name='"b"', ioports='("0xf4")') +
                    ' #! "b": the partitions have more than 4096 ioports\n);')


def devices(bus, count):
    return "(" + ",".join('{ pci = "%02x:%02x.%x"; }' % (bus, n >> 3, n & 7) for n in range(count)) + ")"


def test_too_many_devices(tmp_path):
    check_annotated(tmp_path, f"partitions = ( {partition(devices=devices(0, 16))} );")
    check_annotated(tmp_path, f"partitions = (\n{partition(devices=devices(0, 17))}"
                    ' #! "alpha": 17 devices are more than the 16 that its PCI bus has room for\n);')
    all_devices = "(" + ",".join(devices(bus, 256)[1:-1] for bus in range(4)) + ", { pci = \"07:00.0\"; } )"
    check_annotated(tmp_path, f"partitions = (\n{partition(devices=all_devices)}"
                    ' #! "alpha": the partitions have more than 1024 devices'
                    ' | "alpha": 1024 devices are more than the 16 that its PCI bus\n);')


def test_more_problems_than_are_listed(tmp_path):
    file = tmp_path / "x.conf"
    ports = ",\n".join('"9-8"' for _ in range(50))
    file.write_text(f"partitions = ( {partition(ioports=f'({ports})')} );")
    lines = run("check", file).stderr.splitlines()
    assert len(lines) == 33
    assert lines[0] == f"{file}: there is more to correct than the 32 values listed here"


def test_large(tmp_path):
    """Nearly as much as a file may have."""
    modules = ",".join('{ name = "m"; cmdline = "%s"; }' % ("x" * 2000) for _ in range(500))
    check_annotated(tmp_path, "partitions = (\n" + partition(modules=f"({modules})") + ");")


def test_documented_limits():
    """Those that the tool prints, row by row."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    rows = re.search(r"\| limit of \|.*\n\|[-|]+\n((?:\|.*\n)+)", text)[1]
    documented = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]
    result = run("limits")
    assert result.returncode == 0
    assert [re.split(r"  +", row) for row in result.stdout.splitlines()] == documented


def test_bad_configuration_is_not_built(tmp_path):
    file = tmp_path / "x.conf"
    blob = tmp_path / "x.bin"
    file.write_text("partitions = ( " + partition(cpus="0") + " );")
    blob.write_bytes(b"as it was")
    result = run("build", file, "-o", blob)
    assert result.returncode == 1
    assert f"{file}:1: " in result.stderr
    assert blob.read_bytes() == b"as it was"


# ---- hashes of modules --------------------------------------------------------------------------


@pytest.fixture
def folders(tmp_path):
    """A configuration and its modules' files in two folders, of which one has another vmlinuz."""
    for path, text in (("a/vmlinuz", b"abc"), ("b/vmlinuz", b"other"), ("b/initrd.gz", b"")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(text)
    (tmp_path / "x.conf").write_text(
        "partitions = (\n" + partition(initrd='"initrd.gz"') + ",\n" + partition(name='"beta"') + ");")
    return tmp_path


def digest(text):
    return hashlib.sha256(text).hexdigest()


def test_hashes_of_files(folders):
    """Of the first file found for each name; show prints them as sha256sum does."""
    result = run("build", "x.conf", "-o", "x.bin", "--modules", "a", "-m", "b", cwd=folders)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert run("show", "x.bin", cwd=folders).stdout == (
        "PARTITION  CPUS   MEMORY  IMAGE\n"
        "alpha      any 1  64 MiB  vmlinuz\n"
        "    initrd   initrd.gz\n"
        f"    sha256   {digest(b'abc')}  vmlinuz\n"
        f"    sha256   {digest(b'')}  initrd.gz\n"
        "    uuid     5f83a66f-c933-8baa-adca-822d50d46807\n"
        "beta       any 1  64 MiB  vmlinuz\n"
        f"    sha256   {digest(b'abc')}  vmlinuz\n"
        "    uuid     5012932a-8b25-8aa6-9bc7-34c4457117a3\n")
    run("build", "x.conf", "-o", "x.bin", "-m", "b", "-m", "a", cwd=folders)
    assert digest(b"other") in run("show", "x.bin", cwd=folders).stdout
    run("build", "x.conf", "-o", "x.bin", cwd=folders)
    assert "sha256" not in run("show", "x.bin", cwd=folders).stdout


@pytest.mark.parametrize("command", [("check",), ("build", "-o", "x.bin")])
def test_missing_module_file(folders, command):
    result = run(*command, "x.conf", "-m", "a", "-m", "nowhere", cwd=folders)
    assert result.returncode == 1
    assert result.stderr == (
        'x.conf:2: partition "alpha": there is no file "initrd.gz" in a or nowhere; put it there or give '
        "its SHA-256 by hand\n")
    assert not (folders / "x.bin").exists()


def test_hash_by_hand(folders):
    """It needs no file, is kept, and must be that of the file if there is one."""
    def configure(image_hash, initrd_hash):
        (folders / "x.conf").write_text(
            "partitions = (\n{ " + partition(initrd='"initrd.gz"')[2:-1] +
            f'\nimage_sha256 = "{image_hash}";\ninitrd_sha256 = "{initrd_hash}";\n }} );')

    configure(digest(b"abc"), digest(b"elsewhere").upper())
    result = run("build", "x.conf", "-o", "x.bin", "-m", "a", cwd=folders)
    assert (result.returncode, result.stderr) == (0, "")
    shown = run("show", "x.bin", cwd=folders).stdout
    assert digest(b"abc") in shown and digest(b"elsewhere") in shown

    result = run("build", "x.conf", "-o", "x.bin", "-m", "b", cwd=folders)
    assert result.returncode == 1
    assert result.stderr == "".join(
        f'x.conf:{line}: partition "alpha": the SHA-256 of module "{name}" is given as {given}, but '
        f"b/{name} has {found}; correct it, or leave it out\n"
        for line, name, given, found in [
            (3, "vmlinuz", digest(b"abc"), digest(b"other")),
            (4, "initrd.gz", digest(b"elsewhere"), digest(b""))])


def test_two_hashes_of_one_module(tmp_path):
    check_annotated(tmp_path, f"""partitions = (
  {{ name = "a"; cpus = 1; memory = "4M"; image = "k"; image_sha256 = "{"01" * 32}"; }},
  {{ name = "b"; cpus = 1; memory = "4M"; image = "k"; }},
  {{ name = "c"; cpus = 1; memory = "4M"; image = "k";
    image_sha256 = "{"02" * 32}"; #! "c": module "k" has another SHA-256 in partition "a"
    modules = (
      {{ name = "m"; sha256 = "{"03" * 32}"; }},
      {{ name = "m"; sha256 = "{"04" * 32}"; }} #! "c": module "m" has another SHA-256 in an earlier place
    ); }} );
""")


# ---- bad blobs ----------------------------------------------------------------------------------


@pytest.fixture
def blob(tmp_path):
    path = tmp_path / "good.bin"
    assert run("build", ROOT / "partitions" / "two-linux.conf", "-o", path).returncode == 0
    return path.read_bytes()


@pytest.mark.parametrize("spoil,part", [
    (lambda b: b"", "truncated: it has 0 bytes"),
    (lambda b: b[:20], "truncated: it has 20 bytes"),
    (lambda b: b[:-1], "truncated"),
    (lambda b: b + b"\0", "but there are"),
    (lambda b: b + bytes(1 << 20), "but there are"),
    (lambda b: b"X" + b[1:], "not a configuration"),
    (lambda b: b[:8] + struct.pack("<I", 1) + b[12:], "has version 1, this Bulkhead reads version 5"),
    (lambda b: b[:-3] + b"!" + b[-2:], "damaged"),
    (lambda b: seal(b[:HEADER.size] + b"X" + b[HEADER.size + 1:]), "a section has no proper type"),
    (lambda b: seal(b.replace(b"partitions\0", b"partition-s")), 'a section "partition-s" (version 1), which this'),
    (lambda b: seal(b.replace(b"alpha\0", b"beta\0\0")), 'partition "beta": an earlier partition'),
])
def test_show_refuses_a_bad_blob(tmp_path, blob, spoil, part):
    path = tmp_path / "bad.bin"
    path.write_bytes(spoil(blob))
    result = run("show", path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"{path}: ")
    assert part in result.stderr


# ---- the command line ---------------------------------------------------------------------------


def test_help_and_version():
    result = run("--help")
    assert result.returncode == 0
    for word in ("check FILE", "build FILE -o BLOB", "show BLOB", "limits"):
        assert word in result.stdout
    result = run("--version")
    assert result.returncode == 0
    assert result.stdout.startswith("bulkhead-config ")
    assert "blob version 5" in result.stdout


@pytest.mark.parametrize("args,part", [
    ((), "say what to do"),
    (("frobnicate", "x"), "no command frobnicate"),
    (("check",), "one file"),
    (("check", "a", "b"), "one file"),
    (("build", "a"), "-o BLOB"),
    (("check", "a", "-o", "b"), "-o is not for check"),
    (("show", "a", "-o", "b"), "-o is not for show"),
    (("limits", "a"), "nothing more is said to limits"),
    (("limits", "-o", "b"), "nothing more is said to limits"),
    (("show", "a", "--modules", "b"), "--modules is not for show"),
    (("build", "a", "-o", "b", *["-m", "c"] * 17), "too many folders of modules, at c"),
    (("build", "a", "-o"), "usage"),
    (("--nonsense",), "usage"),
])
def test_bad_usage(args, part):
    result = run(*args)
    assert result.returncode == 2
    assert result.stdout == ""
    assert part in result.stderr
    assert "usage: bulkhead-config" in result.stderr


@pytest.mark.parametrize("command", ["check", "show"])
def test_unreadable_file(tmp_path, command):
    for path, why in ((tmp_path / "nowhere", "No such file"), (tmp_path, "Is a directory")):
        result = run(command, path)
        assert result.returncode == 1
        assert result.stderr == f"{path}: can't be read: {os.strerror(2 if why[0] == 'N' else 21)}\n"


@pytest.mark.parametrize("output", ["own.conf", "link.bin", "module"])
def test_output_is_another_file(tmp_path, output):
    """A slip of the hand must not cost the configuration or a module."""
    own = tmp_path / "own.conf"
    own.write_text((ROOT / "partitions" / "two-linux.conf").read_text())
    (tmp_path / "link.bin").symlink_to(own)
    (tmp_path / "module").write_bytes(bytes(5000))
    before = (tmp_path / output).read_bytes()
    result = run("build", "own.conf", "-o", output, cwd=tmp_path)
    assert result.returncode == 1
    assert f"{output}: is there, and is no compiled configuration" in result.stderr
    assert (tmp_path / output).read_bytes() == before


@pytest.mark.parametrize("existing", [b"", b"BULKHEAD and more"], ids=["empty", "earlier"])
def test_output_is_written_again(tmp_path, existing):
    (tmp_path / "x.bin").write_bytes(existing)
    assert run("build", ROOT / "partitions" / "two-linux.conf", "-o", "x.bin", cwd=tmp_path).returncode == 0
    assert run("show", "x.bin", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("output", ["/dev/full", "nowhere/x.bin"])
def test_unwritable_output(tmp_path, output):
    result = run("build", ROOT / "partitions" / "two-linux.conf", "-o", output, cwd=tmp_path)
    assert result.returncode == 1
    assert f"{output}: can't be written: " in result.stderr
