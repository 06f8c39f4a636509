# SPDX-License-Identifier: Apache-2.0
"""Machine checks, as QEMU's monitor injects them. They are taken by a CPU of nobody's: into a running
guest QEMU delivers them past the hypervisor's intercept."""

import re

import monitor as qemu
from conftest import config, partition
from monitor import monitor

IDLE_CPU = 3
BANK = 2
ENABLED = 1 << 60
HARMFUL = 5 << 61 | ENABLED  # valid, uncorrected, enabled
ADDRESS = 1 << 58
CORRUPT = 1 << 57
RESUMABLE = 1  # MCG_STATUS.RIPV


MACHINE_MIB = 512
PARTITION_MIB = 64


def start(boot, plain, tmp_path):
    path = tmp_path / "monitor"
    console = boot(
        plain,
        config(
            partition("alpha", memory=f"{PARTITION_MIB}M", cmdline="n=100000 period=50 me=alpha"),
            partition("beta", memory=f"{PARTITION_MIB}M", cmdline="n=100000 period=50 me=beta"),
        ),
        memory=MACHINE_MIB,
        devices=qemu.words(path),
    )
    console.wait("count 2", "alpha")
    console.wait("count 2", "beta")
    return console, path


def inject(path, status, address, mcg=RESUMABLE):
    monitor(path, f"mce {IDLE_CPU} {BANK} {status:#x} {mcg:#x} {address:#x} 0")


def memory_of(path, name, tmp_path):
    """A host-physical address in a partition's memory: that of its ACPI tables' root, behind which
    within the partition's size its command line stands."""
    dump = tmp_path / "memory"
    said = monitor(path, f'pmemsave 0 {MACHINE_MIB << 20:#x} "{dump}"')
    assert dump.exists(), said
    data = dump.read_bytes()
    roots = [m.start() for m in re.finditer(rb"RSD PTR .BULKHD", data, re.DOTALL)
             if m.start() % 16 == 0 and sum(data[m.start() : m.start() + 20]) % 256 == 0]
    lines = [m.start() for m in re.finditer(rb"me=" + name.encode() + rb"\0", data)]
    near = [r for r in roots if any(-(1 << 20) < at - r < (PARTITION_MIB - 1) << 20 for at in lines)]
    assert near, f"{name} is not in the machine's memory: {roots} {lines}"
    return near[0]


def test_memory_of_a_partition(boot, plain, tmp_path):
    """An error in the memory of one partition, found by a CPU of nobody's, stops that one."""
    console, path = start(boot, plain, tmp_path)
    address = memory_of(path, "beta", tmp_path)
    inject(path, HARMFUL | ADDRESS, address)
    console.wait(f"beta: machine check: .*, at host-physical {address:#x}", "bulkhead")
    console.wait("beta/0: stopped: its memory has failed", "bulkhead")
    at = console.wait("beta: ended by fault", "bulkhead")
    console.wait(r"count \d", "alpha", since=at)
    console.wait(r"count \d", "alpha", since=console.count())
    assert "PANIC" not in console.text("bulkhead")


def test_nothing_to_stop(boot, plain, tmp_path):
    """One that tells of no error which was to be reported: it is another CPU's."""
    console, path = start(boot, plain, tmp_path)
    inject(path, HARMFUL & ~ENABLED, 0)
    at = console.count()
    for name in ("alpha", "beta"):
        console.wait(r"count \d", name, since=at)
    assert "PANIC" not in console.text("bulkhead")


def test_nowhere(boot, plain, tmp_path):
    """An error that can't be pinned on a partition stops the machine, and says why."""
    console, path = start(boot, plain, tmp_path)
    inject(path, HARMFUL | CORRUPT, 0)
    console.wait("PANIC: machine check on CPU 3: .*bank 2: status 0xb200000000000000", "bulkhead")
