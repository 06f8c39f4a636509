# SPDX-License-Identifier: Apache-2.0
"""Timers that interrupt, as far as a guest programs one."""

import re

import pytest

import hardware
from conftest import config, partition
from test_guests import run_checks

HPET = "hpet = true;"


def test_timers(boot, each_vendor):
    """PIT and HPET through 8259s and IOAPIC, with an unowned CPU."""
    console = boot(each_vendor, config(partition("one", image="ticks.elf", more=HPET)))
    assert run_checks(console, "one") >= 38


def test_timers_without_unowned_cpu(boot, each_vendor):
    """All CPUs have an owner: its own CPU's timer, or the machine's HPET."""
    console = boot(
        each_vendor,
        config(
            partition("one", image="ticks.elf", more=HPET),
            partition("rest", cpus=3, cmdline="n=1"),
        ),
    )
    assert run_checks(console, "one") >= 38


def test_pit_in_xapic_and_x2apic_mode(boot, apic_machine):
    """The guest's choice of mode, with a partition that ticks beside it."""
    console = boot(
        apic_machine,
        config(
            partition("one", image="ticks.elf", cmdline="hpet=0 apic=x2apic"
                      if "x2apic" in apic_machine.cpu else "hpet=0"),
            partition("other", image="ticks.elf", cmdline="hpet=0"),
        ),
    )
    assert run_checks(console, "one") >= 27
    assert run_checks(console, "other") >= 27


NO_HPET = ["-machine", "hpet=off"]


@pytest.mark.parametrize("devices", [NO_HPET, hardware.iommu("amd-iommu")], ids=["none", "amdvi"])
def test_no_timer_is_left(boot, apic_machine, devices):
    """All CPUs have an owner, there is no VT-x, and no comparator that can be used. The guest is told in
    one line of the log, for each life once, and goes on without."""
    console = boot(
        apic_machine,
        config(
            partition("one", image="ticks.elf", cmdline="only=none", more=HPET),
            partition("rest", cpus=3, cmdline="n=3"),
        ),
        devices=devices,
    )
    assert run_checks(console, "one") == 6
    console.wait("one: ended by power-off", "bulkhead")
    console.wait("rest: ended by power-off", "bulkhead")
    said = [line for line in console.text("bulkhead").split("\n") if "can't interrupt" in line]
    assert len(said) == 1
    assert said[0].endswith("one: its PIT can't interrupt: the machine has no timer left for it; leave a CPU to "
                            "no partition")


TICKS = 100


def exits_of(console):
    """What the partition's one CPU exited for, by event, once it has ended."""
    text = console.match(r"one/0: exits \d+:(.*)", "bulkhead").group(1)
    return {event: int(n) for event, n in re.findall(r"([a-z-]+) (\d+)", text)}


@pytest.mark.parametrize("rest", [0, 3], ids=["unowned", "owned"])
@pytest.mark.parametrize("way", ["pic", "pin", "hpet"])
def test_exits_per_tick(boot, apic_machine, way, rest):
    """A tick through the IOAPIC costs no exit, one through the 8259s an NMI and the guest's EOI."""
    parts = [partition("one", image="ticks.elf", cmdline=f"only={way} ticks={TICKS}", more=HPET)]
    if rest:
        parts.append(partition("rest", cpus=rest, cmdline="n=1"))
    console = boot(apic_machine, config(*parts))
    console.wait(f"{way}: {TICKS} ticks", "one")
    exits = exits_of(console)
    if way == "pic":
        assert TICKS <= exits["nmi"] + exits.get("other", 0) <= 2 * TICKS
    else:
        assert exits.get("nmi", 0) + exits.get("other", 0) < 5


@pytest.mark.parametrize("rest", [0, 3], ids=["unowned", "owned"])
def test_no_tick_reaches_the_next_life(boot, apic_machine, rest):
    """A partition that resets itself while its timer is fast, again and again."""
    parts = [partition("one", memory="16M", image="ticks.elf", cmdline="only=restart")]
    if rest:
        parts.append(partition("rest", cpus=rest, memory="16M", cmdline="n=1"))
    console = boot(apic_machine, config(*parts))
    since = 0
    for _ in range(4):
        since = console.wait("ok it ticked", "one", since=since) + 1
        since = console.wait("one: started again", "bulkhead", since=since) + 1
    assert "FAIL" not in console.text("one")
