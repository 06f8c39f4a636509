# SPDX-License-Identifier: Apache-2.0
"""Popek and Goldberg's equivalence: the same guest on the bare machine and in a partition, compared
line by line. docs/equivalence.md lists the lines that may differ, each with its reason."""

import fnmatch
import os
import re
import subprocess

import pytest

import bulkhead
from conftest import BOCHS, config, partition

TABLES = os.path.join(bulkhead.BUILD, "bulkhead-tables")
DIFFERENCES = os.path.join(bulkhead.ROOT, "docs", "equivalence.md")
CPUS = 4
SLOW = 600
LEAST = 1750  # checks: that the guest did not leave most of them out
# The machines that the list of differences knows.
PLACES = {"qemu-7.2-xapic", "qemu-10.0-xapic", "qemu-10.0-x2apic",
          "bochs-2.7-vmx", "bochs-2.7-svm", "bochs-3.0-vmx", "bochs-3.0-svm"}


def place_of(machine):
    """What the list of differences calls this machine."""
    version = "{}.{}".format(*machine.version)
    if machine.qemu == BOCHS:
        return f"bochs-{version}-{'svm' if machine.cpu == 'ryzen' else 'vmx'}"
    return f"qemu-{version}-{'x2apic' if 'x2apic' in machine.cpu else 'xapic'}"


def options_of(machine):
    """What the guest has to leave out: QEMU takes reserved bits of control registers and goes astray
    with them; Bochs's AMD-V lets a guest into real mode with paging, and carries virtual-8086 mode
    and single steps over #VMEXIT into its host; Bochs 3.0 stands still at a breakpoint on an
    instruction, with a hypervisor and without."""
    place = place_of(machine)
    if place.endswith("-svm"):
        return "reserved=no steps=no v86=no"
    if place == "bochs-3.0-vmx":
        return "code-breaks=no"
    return "reserved=no" if machine.qemu != BOCHS else ""


def read_differences():
    """(pattern of checks, places) of each row of the table."""
    rows = []
    with open(DIFFERENCES) as f:
        for line in f:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("| `") and len(cells) >= 5:
                patterns = re.findall(r"`(\S+?)`", cells[1])
                places = {place for pattern in patterns for place in fnmatch.filter(PLACES, pattern)}
                assert all(cells) and all(fnmatch.filter(PLACES, pattern) for pattern in patterns), line
                rows.append((cells[0].strip("`"), places))
    assert rows, f"{DIFFERENCES} has no table"
    return rows


def outcomes(console, source=None):
    """The guest's lines by name. The guest says at the end how many there must be."""
    at = console.wait(r"outcomes: \d+", source, timeout=SLOW, whole=True)
    total = int(re.search(r"outcomes: (\d+)", console.lines[at]).group(1))
    found = {}
    prefix = f"[{source}] " if source else ""
    for line in console.text(source).split("\n"):
        match = re.match(r"([a-z]\w*(?:\.[\w-]+)+): (.*)$", line[len(prefix) :])
        if match:
            # Begun anew after another's line: the last one is whole.
            found[match.group(1)] = match.group(2)
    assert len(found) == total, f"{total} outcomes, but {len(found)} different names"
    assert total >= LEAST
    return found


def rows_without_checks(found):
    """The rows of the sensitive-instruction table whose test is a check here, and is not there."""
    said = subprocess.run([TABLES, "--tests"], stdout=subprocess.PIPE, check=True).stdout.decode()
    tests = [line.split() for line in said.splitlines()]
    return [
        f"row {row}: no check {test}.*" for row, test in tests
        if "/" not in test and not any(name.startswith(test + ".") for name in found)
    ]


def compare(machine, bare, ours):
    """The lines that differ and are not listed, and the rows that list nothing."""
    rows = [pattern for pattern, places in read_differences() if place_of(machine) in places]
    used, wrong = set(), []
    for name in sorted(set(bare) | set(ours)):
        left, right = bare.get(name, "(absent)"), ours.get(name, "(absent)")
        if left == right:
            continue
        matching = {row for row in rows if fnmatch.fnmatchcase(name, row)}
        used |= matching
        if not matching:
            wrong.append(f"{name}\n  bare:      {left}\n  partition: {right}")
    wrong += [f"listed in docs/equivalence.md, but the same: {row}" for row in rows if row not in used]
    return wrong


def test_equivalence(boot, every_kind):
    machine = every_kind
    if place_of(machine) not in PLACES:
        pytest.skip(f"docs/equivalence.md does not know {place_of(machine)}")
    bare = boot(machine, modules=[], image="equiv.elf", append="env=bare " + options_of(machine), cpus=CPUS, memory=512)
    expected = outcomes(bare)
    bare.stop()
    console = boot(
        machine,
        config(
            partition(
                "one", cpus=CPUS, image="equiv.elf", memory="256M", cmdline=options_of(machine)
            )
        ),
        cpus=CPUS,
        memory=1024,
    )
    wrong = compare(machine, expected, outcomes(console, "one"))
    wrong += rows_without_checks(expected)
    assert not wrong, f"on {place_of(machine)}:\n" + "\n".join(wrong)
