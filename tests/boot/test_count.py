# SPDX-License-Identifier: Apache-2.0
"""Several partitions side by side, and how one ends while the others go on."""

import os

import pytest

import bulkhead
from conftest import TIMEOUT, config, partition

NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight"]


def counts_on(console, name, by=5, since=None):
    """The partition counts `by` further than it has."""
    since = console.count() if since is None else since
    now = int(console.match(r"count (\d+)", name, since).group(1))
    console.wait(rf"count {now + by}\b", name, since)


@pytest.mark.parametrize("number", [1, 2, 8])
def test_partitions(boot, apic_machine, number):
    text = config(*[partition(n, memory="16M") for n in NAMES[:number]])
    console = boot(apic_machine, text, cpus=max(4, number))
    for name in NAMES[:number]:
        console.wait("hello from count", name)
    for name in NAMES[:number]:
        counts_on(console, name)
    # Each line is one source's, whole.
    for line in console.text().split("\n"):
        if "count " in line and "hello" not in line:
            assert line.count("count ") == 1 and line.startswith("["), line


def test_shipped_configurations(plain, boot):
    """partitions/eight.conf, as it is."""
    path = os.path.join(bulkhead.ROOT, "partitions", "eight.conf")
    with open(path) as f:
        console = boot(plain, f.read(), cpus=8)
    for name in NAMES:
        console.wait("count 3", name)


@pytest.mark.parametrize("end", ["poweroff", "triple", "fault"])
def test_end_stops_one(boot, apic_machine, end):
    console = boot(
        apic_machine,
        config(partition("short", cmdline=f"n=3 period=20 end={end}"), partition("long")),
    )
    console.wait("count 3", "short")
    reason = {"poweroff": "power", "triple": "triple fault", "fault": "0x1c0000000"}[end]
    at = console.wait(rf"short.*{reason}", "bulkhead")
    if end == "fault":
        # The report: partition and vCPU, RIP, address, instruction bytes.
        text = console.text("bulkhead")
        assert "short/0" in text
        assert "rip" in text.lower()
    counts_on(console, "long", since=at)
    text = console.text("short")
    assert text.count("hello from count") == 1
    assert "FAIL" not in text


@pytest.mark.parametrize("end", ["reboot", "kbd", "acpireset"])
def test_reboot_starts_again(boot, apic_machine, end):
    """Memory is cleared and devices are reset; the other partition doesn't notice."""
    console = boot(
        apic_machine,
        config(partition("again", cmdline=f"n=3 period=20 end={end}"), partition("long")),
    )
    at = 0
    for _ in range(3):
        at = console.wait("hello from count.*memory clean", "again", since=at) + 1
        at = console.wait("count 3", "again", since=at)
    counts_on(console, "long", since=at)
    assert "dirty" not in console.text("again")
    assert console.text("long").count("hello") == 1
    console.wait("again: started again", "bulkhead")


def test_smp_partition_reboots(boot, apic_machine):
    """The other CPUs of a partition that reboots start again too."""
    console = boot(
        apic_machine,
        config(partition("again", cpus=2, image="smp.elf", cmdline="end=reboot"), partition("long")),
    )
    at = 0
    for _ in range(2):
        at = console.wait("checks: .* 0 failed", "again", since=at) + 1
    counts_on(console, "long")


def test_all_end(boot, plain):
    """When the last partition has ended, the console says so."""
    console = boot(
        plain,
        config(*[partition(n, cmdline="n=2 period=10") for n in NAMES[:3]]),
    )
    console.wait("all partitions have ended", "bulkhead")


def test_halt_for_good(boot, plain):
    """CLI and HLT: the CPU sleeps, the partition does not end, and the keys still work."""
    console = boot(
        plain, config(partition("one", cmdline="n=1 end=halt"), partition("two", cmdline="n=2"))
    )
    console.wait("two: ended by", "bulkhead")
    assert "one: ended" not in console.text("bulkhead")
    console.type("\x1dc")
    console.wait("one/0: exits", "bulkhead")
    console.type("\x1dq")
    console.wait_end()
