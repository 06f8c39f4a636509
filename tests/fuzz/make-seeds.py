#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the fuzzers' first inputs, tests/fuzz/fuzz_NAME.seeds/seed-*: real headers, tables, code and
accesses, each in the form that its fuzzer reads. Run it after a change of such a form; the result is
committed. What a fuzzer has found stands beside them under other names."""

import os
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
CONFIG = os.path.join(ROOT, "build", "bulkhead-config")


def write(fuzzer, name, data):
    folder = os.path.join(HERE, f"{fuzzer}.seeds")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"seed-{name}"), "wb") as file:
        file.write(data)


def config():
    """Four bytes of setting (what is mended, CPUs - 1, log2 of MiB, modules), then a blob."""
    files = [os.path.join(ROOT, "partitions", f) for f in ("two-linux.conf", "eight.conf")]
    files.append(os.path.join(HERE, "fuzz_config_text.seeds", "all-keys.conf"))
    for file in files:
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run([CONFIG, "build", file, "-o", out.name], check=True)
            blob = out.read()
        name = os.path.splitext(os.path.basename(file))[0]
        write("fuzz_config", name, bytes([0, 15, 14, 0]) + blob)
        write("fuzz_config", f"{name}-mended", bytes([7, 15, 14, 0]) + blob)
    write("fuzz_config", "few-cpus", bytes([1, 1, 14, 0]) + blob)
    write("fuzz_config", "little-memory", bytes([1, 15, 4, 0]) + blob)
    write("fuzz_config", "module-missing", bytes([1, 15, 14, 0x20]) + blob)
    write("fuzz_config", "module-twice", bytes([1, 15, 14, 2]) + blob)
    write("fuzz_config", "blob-twice", bytes([1, 15, 14, 1]) + blob)
    write("fuzz_config", "truncated", bytes([0, 15, 14, 0]) + blob[:30])


# Kinds of numbers, as guest_machine.c makes them.
SMALL, DEVICE, NEGATIVE, NEAR_PAGE_END, FILLED = 0, 1, 2, 4, 7
REAL16, CODE32, CODE64 = 4, 1, 2
NARROW, PSE, PAE, LEVELS4, LEVELS5, OFF = 0, 1, 2, 4, 5, 7

# Code for all modes, with what its registers are: rAX a number, rCX a count, rDX a port, rBX and rDI
# in the device, rSI in RAM; in the last group rSI in the device and rDI in RAM.
MMIO = {
    "mov-store": "8907", "mov-load": "8b07", "mov-imm": "c70712345678", "mov-byte": "8a27",
    "add": "0107", "or-imm": "830f01", "cmp": "3907", "test-imm": "f60780", "inc": "fe07",
    "neg": "f71f", "movzx": "0fb607", "movsx": "0fbf0f", "movbe": "0f38f007", "movnti": "0fc30f",
    "xchg": "8707", "lock-xadd": "f00fc10f", "lock-cmpxchg": "f00fb10f", "bts-imm": "0fba2f03",
    "btc-reg": "0fbb0f", "stosb": "aa", "rep-stosd": "f3ab", "scasw": "66af", "repne-scasb": "f2ae",
    "movsd": "a5", "rep-movsb": "f3a4", "cmpsb": "a6", "repe-cmpsd": "f3a7", "fs-mov": "648907",
}
FROM_DEVICE = {"lodsd": "ad", "rep-lodsb": "f3ac", "rep-movsd": "f3a5", "repe-cmpsb": "f3a6"}
PORTS = {"insb": "6c", "rep-insd": "f36d", "outsb": "6e", "rep-outsw": "66f36f", "fs-outsb": "646e"}
CODE64_ONLY = {"movsxd": "486317", "rip": "8b05f0000000", "sib": "428b449b10", "movsq": "f348a5"}


def emulate_input(code, mode=CODE64, paging=LEVELS4, from_device=False, rcx=5, rflags=0, cpl=0):
    device, ram = (DEVICE, 0x110), (SMALL, 0x9ff0)
    regs = [(FILLED, 0x8123), (SMALL, rcx), (SMALL, 0x2f8), device, (SMALL, 0x7000), ram,
            device if from_device else ram, ram if from_device else device]
    regs += [(SMALL, n) for n in range(8)]
    data = struct.pack("<BHBBBHH", 1, 0x110, mode, paging, cpl, rflags, 0)
    data += b"".join(struct.pack("<BH", *r) for r in regs)
    for segment in range(6):
        data += struct.pack("<BBH", 0, 0, 0xC9B if segment == 1 else 0xC93)
    return data + bytes.fromhex(code).ljust(15, b"\x90")


def emulate():
    for name, code in {**MMIO, **CODE64_ONLY}.items():
        write("fuzz_emulate", name, emulate_input(code))
    for name, code in FROM_DEVICE.items():
        write("fuzz_emulate", f"{name}-from", emulate_input(code, from_device=True))
    for name, code in PORTS.items():
        write("fuzz_emulate", name, emulate_input(code, from_device=True))
    df, user = 1 << 10, 3
    write("fuzz_emulate", "pae", emulate_input("8907", CODE32, PAE | 0x40))
    write("fuzz_emulate", "narrow", emulate_input("8907", CODE32, NARROW | 8, cpl=user))
    write("fuzz_emulate", "pse", emulate_input("f3a4", CODE32, PSE | 8))
    write("fuzz_emulate", "no-paging", emulate_input("67f3a4", CODE32, OFF))
    write("fuzz_emulate", "real", emulate_input("678907", REAL16, OFF))
    write("fuzz_emulate", "real-outs", emulate_input("67f36f", REAL16, OFF))
    write("fuzz_emulate", "levels5", emulate_input("f3aa", CODE64, LEVELS5 | 0x78, rflags=df))
    write("fuzz_emulate", "long-ins", emulate_input("f36c", from_device=True, rcx=1000))
    write("fuzz_emulate", "fetched", emulate_input("8907", CODE64 | 8))


if __name__ == "__main__":
    config()
    emulate()
