# SPDX-License-Identifier: Apache-2.0
"""The test guests, which look at their partition from inside."""

import os
import re

import pytest

from conftest import TIMEOUT, config, partition


def run_checks(console, name, timeout=TIMEOUT):
    """Waits for a guest's summary and fails with the checks that failed."""
    at = console.wait(r"checks: \d+ ok, \d+ failed", name, timeout=timeout, whole=True)
    failed = [line for line in console.text(name).split("\n") if "FAIL" in line]
    assert not failed, "\n".join(failed)
    ok = int(re.search(r"checks: (\d+) ok", console.lines[at]).group(1))
    return ok


def test_probe(boot, machine):
    console = boot(machine, config(partition("one", image="probe.elf", memory="128M")))
    assert run_checks(console, "one") > 80
    console.wait("power", "bulkhead")


def test_probe_above_4_gib(boot, plain):
    """A partition whose memory reaches over the hole. Emulators take their time to clear it."""
    console = boot(
        plain, config(partition("big", image="probe.elf", memory="3200M")), memory=6 * 1024
    )
    run_checks(console, "big", 4 * TIMEOUT)


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_smp(boot, machine, cpus):
    console = boot(machine, config(partition("many", cpus=cpus, image="smp.elf")))
    run_checks(console, "many")
    assert f"{cpus} cpus" in console.text("many")


def test_exits(boot, apic_machine):
    """NMIs to a CPU that does nothing but exit, single steps and shadows over exits."""
    console = boot(
        apic_machine, config(partition("exits", cpus=2, image="exits.elf", cmdline="kicks=50"))
    )
    assert run_checks(console, "exits") >= 19


def test_smp_on_listed_cpus(boot, each_vendor):
    """Virtual and physical APIC IDs differ."""
    console = boot(
        each_vendor,
        config(
            partition("many", cpus="[3, 1]", image="smp.elf"),
            partition("other", cpus="[2]", cmdline="period=20"),
        ),
    )
    run_checks(console, "many")
    console.wait("count 5", "other")


def test_two_smp_side_by_side(boot, each_vendor):
    """IPIs of every kind on both sides: none may reach the other."""
    console = boot(
        each_vendor,
        config(
            partition("left", cpus="[0, 2]", image="smp.elf"),
            partition("right", cpus="[3, 1]", image="smp.elf"),
        ),
    )
    run_checks(console, "left")
    run_checks(console, "right")


@pytest.mark.parametrize("image", ["count.elf", "count64.elf", "count.flat"])
def test_multiboot_kernels(boot, each_vendor, image):
    console = boot(each_vendor, config(partition("one", image=image, cmdline="n=3 period=10")))
    console.wait(r'hello from count: ".*n=3 period=10", memory clean', "one")
    console.wait("count 3", "one")


def test_modules(boot, plain, tmp_path):
    """Modules reach a Multiboot guest whole, in order, with their command lines."""
    data = bytes(i * 7 & 0xFF for i in range(70000))
    (tmp_path / "first.dat").write_bytes(data)
    (tmp_path / "second.dat").write_bytes(b"x")
    more = (
        'modules = ( { name = "first.dat"; cmdline = "one two"; }, '
        '{ name = "second.dat"; cmdline = ""; } );'
    )
    console = boot(plain, config(partition("one", cmdline="n=1", more=more)))
    console.wait(rf'module 0 at 0x\w+: 70000 bytes, sum {sum(data)}, "first.dat one two"', "one")
    console.wait(rf'module 1 at 0x\w+: 1 bytes, sum {ord("x")}, "second.dat"', "one")


def test_passed_port(boot, plain):
    """A port that the configuration passes through reaches the machine: here QEMU's exit."""
    console = boot(
        plain,
        config(
            partition("one", cmdline="n=1 exit=0xf4", more='ioports = ( "0xf4-0xf7" );'),
            partition("two"),
        ),
        devices=["-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
    )
    assert console.wait_end() == 1


def test_port_not_passed(boot, plain):
    """The same without the permission harms nobody."""
    console = boot(
        plain,
        config(partition("one", cmdline="n=1 exit=0xf4"), partition("two")),
        devices=["-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
    )
    at = console.wait("powering off", "one")
    console.wait(r"count \d", "two", since=at)
