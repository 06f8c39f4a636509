# SPDX-License-Identifier: Apache-2.0
"""A victim next to those who attack: it must not notice. Its memory, its interrupts and what it prints
are those of a run without an attacker."""

import os
import re

from conftest import BOCHS, KEY, config, partition

SCALE = float(os.environ.get("HOSTILE_SCALE", "1"))
SLOW = 900 * max(1, SCALE)  # seconds, where several emulators share a few CPUs
PATTERNS = 8  # as in guest_victim.c: after so many lines the victim's begin anew
MOST_LINES = 100  # of the hypervisor's own for a partition, its start and its end

victims_alone = {}  # the victim's lines of a run without attacker, by machine


def times(count):
    return int(count * SCALE)


def victim(machine):
    # Bochs's timer is slow. What the victim prints does not depend on it.
    words = "size=64 period=1000" if machine.qemu == BOCHS else "size=64"
    return partition("victim", memory="16M", image="victim.elf", cmdline=words)


def victim_lines(console):
    """What it printed of its patterns. If it has the keyboard, a line that another's interrupted
    before its end is shown twice, one below the other: then it counts once."""
    kept, gap = [], True
    for line in console.text("victim").split("\n"):
        if re.search(r"pattern .* words bad$", line):
            if gap or line != kept[-1]:
                kept.append(line)
            gap = False
        gap = gap or "] gap" in line
    return [line.removeprefix("[victim] ") for line in kept]


def wait_victim(console, lines):
    """Until the victim has printed so many lines more."""
    since = console.count()
    for _ in range(lines):
        since = console.wait("pattern .* words bad$", "victim", since, SLOW, whole=True) + 1


def alone(boot, machine):
    """The lines of one turn, the first first."""
    if machine not in victims_alone:
        console = boot(machine, config(partition("quiet", memory="16M"), victim(machine)), cpus=2)
        console.wait(f"pattern {PATTERNS - 1}: .* bad$", "victim", timeout=SLOW, whole=True)
        lines = victim_lines(console)[:PATTERNS]
        assert len(set(lines)) == PATTERNS
        assert all("50 interrupts, 0 unexpected, 0 words bad" in line for line in lines)
        victims_alone[machine] = lines
        console.stop()
    return victims_alone[machine]


def check_victim(boot, machine, console):
    """What the victim printed is what it prints when alone, over and over."""
    expected = alone(boot, machine)
    lines = victim_lines(console)
    for i, line in enumerate(lines):
        context = "\n".join(lines[max(0, i - 2) : i + 3])
        assert line == expected[i % PATTERNS], f"line {i} of the victim's:\n{context}"
    assert len(lines) > 2
    assert "FAIL" not in console.text("victim")


def counters(console):
    """What the key for the counters shows: (bytes of the heap used, KiB free), and the text."""
    since = console.count()
    console.type(KEY + "c")
    console.wait(r"victim/0: exits \d+:", "bulkhead", since, SLOW)
    pattern = r"memory: (\d+) bytes of the heap used, (\d+) KiB free"
    match = console.match(pattern, "bulkhead", since, SLOW)
    return match.groups(), "\n".join(console.lines[since:])


def wait_done(console, name, end):
    """Until the partition has printed a line with `end`; not longer than its first failed check. If
    it does not come, the report shows what its CPUs do."""
    try:
        console.wait(rf"^\[{name}\] .*FAIL|{end}", timeout=SLOW, whole=True)
    except AssertionError:
        for _ in range(2):  # exits that go on, or not
            counters(console)
        raise
    failed = re.search(rf"^\[{name}\] .*FAIL.*", console.text(name), re.MULTILINE)
    assert not failed, failed.group(0)


def check_alive(console):
    """The hypervisor answers, the victim goes on, and there was no panic."""
    counters(console)
    wait_victim(console, 2)
    assert not re.search("PANIC|in the hypervisor", console.text("bulkhead"))


def check_log(console, partitions):
    said = console.text("bulkhead").count("\n")
    most = MOST_LINES * partitions * max(1, SCALE)  # a line or two a second, however long it takes
    assert said < most, f"{said} lines of the hypervisor's own"
