# SPDX-License-Identifier: Apache-2.0
"""bulkhead-config as a user meets it: all errors at once with file and line, exit status, nothing
written when the input is bad."""

import os
import re
import subprocess

import pytest

import bulkhead
from conftest import config, partition


def tool(*args):
    run = subprocess.run([bulkhead.CONFIG_TOOL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def check(tmp_path, text):
    path = tmp_path / "c.conf"
    path.write_text(text)
    status, out, err = tool("check", str(path))
    return status, (out + err).replace(str(path), "FILE")


GOOD = 'name = "a"; cpus = 1; memory = "64M"; image = "k";'

BAD = {
    "no partitions": ("", 1, "partitions"),
    "empty list": ("partitions = ();", 1, "partition"),
    "syntax": ("partitions = (\n{ name = ;\n", 2, "syntax"),
    "unknown key": (f"partitions = ( {{ {GOOD}\n colour = 1; }} );", 2, 'a.*unknown key "colour"'),
    "unknown key outside": (f"partitions = ( {{ {GOOD} }} );\nother = 1;", 2, "other"),
    "cpus of the wrong type": (
        'partitions = ( { name = "a"; memory = "64M"; image = "k";\n cpus = "two"; } );', 2, "a.*cpus"),
    "no cpus": ('partitions = ( { name = "a"; memory = "64M"; image = "k"; } );', 1, "a.*cpus"),
    "zero cpus": (
        'partitions = ( { name = "a"; memory = "64M"; image = "k"; cpus = 0; } );', 1, "a.*CPU|a.*cpu"),
    "cpu twice": (f'partitions = ( {{ name = "a"; cpus = [1]; memory = "64M"; image = "k"; }},\n'
                  f'{{ name = "b"; cpus = [1]; memory = "64M"; image = "k"; }} );', 2, "b.*CPU 1"),
    "name twice": (f"partitions = ( {{ {GOOD} }},\n{{ {GOOD} }} );", 2, "a.*same name|name.*twice"),
    "no name": ('partitions = ( { cpus = 1; memory = "64M"; image = "k"; } );', 1, "name"),
    "no image": ('partitions = ( { name = "a"; cpus = 1; memory = "64M"; } );', 1, "a.*image"),
    "no memory": ('partitions = ( { name = "a"; cpus = 1; image = "k"; } );', 1, "a.*memory"),
    "memory without a unit that exists": (
        'partitions = ( { name = "a"; cpus = 1; image = "k";\n memory = "12Q"; } );', 2, "a.*memory"),
    "memory that overflows": (
        'partitions = ( { name = "a"; cpus = 1; image = "k";\n memory = "99999999999999999999G"; } );',
        2, "a.*memory"),
    "too little memory": (
        'partitions = ( { name = "a"; cpus = 1; image = "k";\n memory = "4K"; } );', 2, "a.*memory"),
    "ports overlap": (f'partitions = ( {{ {GOOD} ioports = ( "0xf4-0xf7" ); }},\n'
                      '{ name = "b"; cpus = 1; memory = "64M"; image = "k";\n'
                      ' ioports = ( "0xf6" ); } );', 3, "b.*0xf6.*a"),
    "ports backwards": (f'partitions = ( {{ {GOOD}\n ioports = ( "0xf7-0xf4" ); }} );', 2, "a.*0xf"),
    "port that does not exist": (
        f'partitions = ( {{ {GOOD}\n ioports = ( "0x10000" ); }} );', 2, "a.*0x10000|a.*ports"),
    "port of the console": (f'partitions = ( {{ {GOOD}\n ioports = ( "0x3f8" ); }} );', 2, "a.*0x3f8"),
}


@pytest.mark.parametrize("what", BAD, ids=lambda w: w.replace(" ", "-"))
def test_check_refuses(tmp_path, what):
    text, line, message = BAD[what]
    status, said = check(tmp_path, text)
    assert status == 1
    assert re.search(rf"(?m)^FILE:{line}: .*(?:{message})", said) or (
        line == 1 and re.search(rf"(?m)^FILE(:1)?: .*(?:{message})", said)
    ), said


def test_all_errors_at_once(tmp_path):
    text = 'partitions = (\n{ name = "a";\n cpus = 0;\n memory = "x";\n image = 1; } );'
    status, said = check(tmp_path, text)
    assert status == 1
    for line in (3, 4, 5):
        assert f"FILE:{line}: " in said, said


SHIPPED = sorted(
    name
    for name in os.listdir(os.path.join(bulkhead.ROOT, "partitions"))
    if name.endswith(".conf")
)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configurations_are_good(tmp_path, name):
    path = os.path.join(bulkhead.ROOT, "partitions", name)
    assert tool("check", path)[0] == 0
    blob = str(tmp_path / "blob")
    assert tool("build", path, "-o", blob)[0] == 0
    status, shown, _ = tool("show", blob)
    assert status == 0
    for p in bulkhead.read_blob(blob):
        assert p.name in shown


def test_build_writes_nothing_when_bad(tmp_path):
    path = tmp_path / "c.conf"
    path.write_text("partitions = ();")
    blob = tmp_path / "blob"
    assert tool("build", str(path), "-o", str(blob))[0] == 1
    assert not blob.exists()


def test_blob_is_as_documented(tmp_path, blob_of):
    """The tests' own reader of the blob agrees with bulkhead-config about what is in it."""
    more = (
        'initrd = "i";'
    )
    data = blob_of(config(partition("one", cpus="[3, 1]", memory="1G", image="k", more=more),
                          partition("two", cpus=2, memory="512M")))
    path = tmp_path / "b"
    path.write_bytes(data)
    one, two = bulkhead.read_blob(str(path))
    assert (one.name, one.cpus, one.memory, one.modules) == ("one", [3, 1], 1 << 30, ["k", "i"])
    assert (two.name, two.cpus, two.memory, two.modules) == ("two", 2, 512 << 20, ["count.elf"])
    assert bulkhead.seal_blob(data) == data
    assert bulkhead.needed_cpus([one, two]) == 4


@pytest.mark.parametrize("damage", ["truncated", "checksum", "magic", "absent"])
def test_show_refuses(tmp_path, blob_of, damage):
    data = bytearray(blob_of(config(partition("one"))))
    if damage == "truncated":
        data = data[:-3]
    elif damage == "checksum":
        data[60] ^= 1
    elif damage == "magic":
        data[0] ^= 1
    path = tmp_path / "b"
    if damage != "absent":
        path.write_bytes(data)
    status, _, said = tool("show", str(path))
    assert status == 1 and str(path) in said


def test_usage(tmp_path):
    assert tool()[0] == 2
    assert tool("fly", "x")[0] == 2
    assert tool("check", str(tmp_path / "absent.conf"))[0] == 1
