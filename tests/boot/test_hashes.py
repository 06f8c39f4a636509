# SPDX-License-Identifier: Apache-2.0
"""Modules whose SHA-256 the configuration has: the right files start, others are refused by name."""

import os

import pytest

import bulkhead
from conftest import compile_config, config, partition
from refusal import refused

# Two that share a module, and one with another.
THREE = config(
    partition("one", cmdline="n=3"),
    partition("two", cmdline="n=3"),
    partition("three", image="smp.elf"),
)


def built(name):
    return os.path.join(bulkhead.BUILD, name)


def test_good_modules(boot, plain):
    """Each is hashed once, and the time that this took is told."""
    console = boot(plain, THREE, hashes=True)
    console.wait(r"hashes of 2 modules checked in \d+ us", "bulkhead")
    console.wait("count 3", "one")
    console.wait("count 3", "two")
    console.wait("hello from", "three")


@pytest.mark.parametrize("place", [0x40, -1], ids=["near-its-start", "in-its-last-byte"])
def test_one_bit(boot, plain, tmp_path, place):
    blob = compile_config(tmp_path, THREE, folders=[bulkhead.BUILD])
    with open(built("smp.elf"), "rb") as f:
        data = bytearray(f.read())
    data[place] ^= 0x01
    (tmp_path / "smp.elf").write_bytes(data)
    console = boot(plain, modules=[blob, built("count.elf"), str(tmp_path / "smp.elf")])
    refused(
        console,
        'module "smp.elf" is not the file that the configuration was built for: its SHA-256 starts '
        "with [0-9a-f]{16}, expected is [0-9a-f]{16}; load that file",
    )
    assert '"count.elf"' not in console.text("bulkhead")


def test_other_files(boot, plain, tmp_path):
    """Another guest under the name; and every module that differs is named, not only the first."""
    blob = compile_config(tmp_path, THREE, folders=[bulkhead.BUILD])
    files = [built("smp.elf") + " name=count.elf", built("count.elf") + " name=smp.elf"]
    refused(boot(plain, modules=[blob, *files]), 'module "count.elf" is not', 'module "smp.elf" is not')


def test_hash_by_hand(boot, plain, tmp_path):
    """Without the files, at their word."""
    text = config(partition("one"), partition("two", more=f'image_sha256 = "{"5a" * 32}";'))
    blob = compile_config(tmp_path, text)
    refused(boot(plain, modules=[blob, built("count.elf")]), 'module "count.elf" .*expected is 5a5a5a5a5a5a5a5a;')


def test_two_hashes_of_one_module(boot, plain, tmp_path):
    """In a blob that somebody else made."""
    blob = compile_config(tmp_path, config(partition("one"), partition("two")), folders=[bulkhead.BUILD])
    with open(blob, "rb") as f:
        data = bytearray(f.read())
    last_byte = bulkhead.blob_partition_at(data, 2) - 36 - 1  # of the second's image
    data[last_byte] ^= 0x80
    (tmp_path / "bad.bin").write_bytes(bulkhead.seal_blob(data))
    refused(
        boot(plain, modules=[str(tmp_path / "bad.bin"), built("count.elf")]),
        '"two": module "count.elf" has another SHA-256 in partition "one"; a module is one file',
    )
