# SPDX-License-Identifier: Apache-2.0
"""Several partitions side by side, and how one ends while the others go on."""

import os
import re

import pytest

import bulkhead
from conftest import TIMEOUT, config, partition

HELLO = r"hello from count: .* KiB$"
NAMES = ["one", "two", "three", "four", "five", "six", "seven", "eight"]


def counts_on(console, name, by=5, since=None):
    """The partition counts `by` further than it has."""
    since = console.count() if since is None else since
    first = None
    while True:
        # A number that is cut short is too small, so this never ends too early by more than that.
        at = console.wait(r"count \d+$", name, since, whole=True)
        number = int(re.search(r"count (\d+)", console.lines[at]).group(1))
        first = number if first is None else first
        if number >= first + by:
            return
        since = at + 1


@pytest.mark.parametrize("number", [1, 2, 8])
def test_partitions(boot, each_vendor, number):
    text = config(*[partition(n, memory="16M") for n in NAMES[:number]])
    console = boot(each_vendor, text, cpus=max(4, number))
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


def test_triple_faults(boot, each_vendor):
    """A triple fault is a reset, as on a PC; the third within 10 s stops the partition, and no other."""
    console = boot(
        each_vendor,
        config(partition("short", cmdline="n=3 period=20 end=triple"), partition("long")),
    )
    at = 0
    for _ in range(2):
        at = console.wait("short: ended by triple fault", "bulkhead", since=at, whole=True) + 1
        at = console.wait("short: started again", "bulkhead", since=at, whole=True) + 1
    at = console.wait("short/0: triple fault, the third within 10 s: stopped", "bulkhead", since=at)
    at = console.wait("short: ended by triple fault", "bulkhead", since=at, whole=True)
    at = console.wait("short/0: exits", "bulkhead", since=at, whole=True)
    counts_on(console, "long", since=at)
    assert len(re.findall(HELLO, console.text("short"), re.MULTILINE)) == 3
    assert "dirty" not in console.text("short")


@pytest.mark.parametrize("end", ["poweroff", "fault"])
def test_end_stops_one(boot, each_vendor, end):
    console = boot(
        each_vendor,
        config(partition("short", cmdline=f"n=3 period=20 end={end}"), partition("long")),
    )
    console.wait("count 3", "short")
    at = console.wait("short: ended by", "bulkhead", whole=True)
    text = console.text("bulkhead")
    if end == "fault":
        # The report: partition and vCPU, address, RIP, instruction bytes.
        assert re.search("short/0: reads outside.*0x1c0000000", text)
        assert re.search("short/0: rip 0x1[0-9a-f]{5} ", text)
        assert re.search("short/0: instruction bytes: ([0-9a-f]{2} ){10}", text)
    assert f"short: ended by {dict(poweroff='power-off', fault='fault')[end]}" in text
    counts_on(console, "long", since=at)
    text = console.text("short")
    assert len(re.findall(HELLO, text, re.MULTILINE)) == 1
    assert "FAIL" not in text


@pytest.mark.parametrize("end", ["reboot", "kbd", "acpireset"])
def test_reboot_starts_again(boot, each_vendor, end):
    """Memory is cleared and devices are reset; the other partition doesn't notice."""
    console = boot(
        each_vendor,
        config(partition("again", cmdline=f"n=3 period=20 end={end}"), partition("long")),
    )
    at = 0
    for _ in range(3):
        at = console.wait("hello from count.*memory clean", "again", since=at) + 1
        at = console.wait("count 3", "again", since=at)
    counts_on(console, "long", since=at)
    assert "dirty" not in console.text("again")
    assert len(re.findall(HELLO, console.text("long"), re.MULTILINE)) == 1
    console.wait("again: started again", "bulkhead")


def test_reboot_loop_is_not_logged_for_ever(boot, plain):
    """Each restart has its lines only as long as the partition's share of them lasts."""
    console = boot(
        plain,
        config(partition("again", memory="16M", cmdline="n=0 end=reboot"), partition("long")),
    )
    at = console.wait(r"again: \d+ lines about it were not shown", "bulkhead")
    console.wait("again: started again", "bulkhead", since=at)
    starts = len(re.findall(HELLO, console.text("again"), re.MULTILINE))
    shown = len(re.findall("again: started again", console.text("bulkhead")))
    assert 8 <= shown < starts - 1
    counts_on(console, "long", since=at)


def test_smp_partition_reboots(boot, each_vendor):
    """The other CPUs of a partition that reboots start again too."""
    console = boot(
        each_vendor,
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
    console.type("\x1dqy")
    console.wait_end()
