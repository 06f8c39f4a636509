# SPDX-License-Identifier: Apache-2.0
"""Guests that attack, next to a victim that must not notice: its memory, its interrupts and what it
prints are those of a run without an attacker. HOSTILE_SCALE multiplies the attackers' actions."""

import re

from conftest import bochs_machine, config, needs_bochs, partition
from victims import SLOW, check_alive, check_log, check_victim, counters, times, victim, wait_done, wait_victim

RESTARTS = 1000

# What ends a guest for good: `how=` of the attack `end`.
ENDS = ["table-apic", "table-ioapic", "table-none", "stack-ioapic", "stack-none", "frame-none",
        "idt-none", "gdt-none", "code-ioapic", "code-none", "cr3-ioapic", "cr3-none"]


def hostile(name, words, cpus=1, memory="16M"):
    return partition(name, cpus, memory, "hostile.elf", f"end=halt {words}", 'on_stray_access = "stop";')


def actions(console):
    """By attack and CPU: all that a finished attack did, or what it said so far."""
    done = {}
    for name, count in re.findall(r"(\w+/\d): (\d+) actions more$", console.text(), re.MULTILINE):
        done[name] = done.get(name, 0) + int(count)
    for name, count in re.findall(r"(\w+/\d): done, (\d+) actions", console.text()):
        done[name] = int(count)
    return done


def attack(boot, machine, *attackers, cpus, may_end=()):
    """Boots the attackers and the victim behind them, and checks it when all attackers are done; or,
    as for those of `may_end`, have ended themselves."""
    console = boot(machine, config(*attackers, victim(machine)), cpus=cpus)
    for attacker in attackers:
        name = re.search('name = "(.*?)"', attacker).group(1)
        ended = rf"|^\[bulkhead\] {name}: ended by .*fault" if name in may_end else ""
        wait_done(console, name, rf"^\[{name}\] hostile is done{ended}")
    check_alive(console)
    check_victim(boot, machine, console)
    check_log(console, len(attackers) + 1)
    assert "FAIL" not in console.text()
    return console


def test_random(boot, apic_machine):
    """Ten million random actions, each kind its share. A port access of a string instruction is one
    action; of what exits one by one there is less, because each costs an emulator 50 us and more."""
    console = attack(
        boot,
        apic_machine,
        hostile("code", f"seed=2 attack0=cpuid,hypercalls,msrs attack1=sensitive,random "
                        f"count={times(60_000)}", 2),
        hostile("apic", f"seed=3 attack0=control,apic,ioapic,redirection,icr,apicbase "
                        f"count={times(30_000)}", 2),
        hostile("ports", f"seed=1 attack0=ports count={times(9_850_000)}"),
        cpus=6,
        may_end=("code",),
    )
    done = actions(console)
    assert sum(done.values()) >= times(10_000_000), done


def test_storms(boot, apic_machine):
    """Interrupts of every kind, exceptions without end, code that another CPU rewrites."""
    attack(
        boot,
        apic_machine,
        hostile("race", f"seed=4 attack0=rewrite attack1=race count={times(2_000)}", 2),
        hostile("code", "seed=7 attack1=straddle,tables,debug,alignment,caches "
                        f"count={times(2_000)}", 2),
        hostile("storm", f"seed=5 attack0=nmis,inits,flood,timer count={times(2_000)}", 2),
        hostile("flood", f"seed=6 attack0=console,caches count={times(50_000)}"),
        cpus=8,
        # QEMU may go on with code that is no more, and then it can't be emulated.
        may_end=("race",),
    )


def test_ends(boot, apic_machine):
    """Page tables, stacks, descriptor tables and code where there is no memory, and triple faults:
    each ends its own partition, whatever is pending there, and no other."""
    guests = [hostile(how, f"attack0=end how={how}") for how in ENDS]
    guests.append(hostile("triple", "attack0=triple"))
    console = boot(apic_machine, config(*guests, victim(apic_machine)), cpus=len(guests) + 1)
    wait_victim(console, 1)
    before = counters(console)[0]
    for name in ENDS + ["triple"]:
        console.wait(rf"{name}: ended by (fault|triple fault)", "bulkhead", timeout=SLOW)
    check_alive(console)
    check_victim(boot, apic_machine, console)
    check_log(console, len(guests) + 1)
    assert counters(console)[0] == before


def test_restarts(boot, apic_machine):
    """A thousand restarts by every way, with interrupts of every vector waiting: no memory is lost."""
    guests = [hostile(f"again{i}", "attack0=restarts", memory="8M") for i in range(3)]
    console = boot(apic_machine, config(*guests, victim(apic_machine)), cpus=4)
    wait_victim(console, 1)
    before = counters(console)[0]
    restarts = 0
    while restarts < times(RESTARTS):
        wait_victim(console, 2)
        after, text = counters(console)
        restarts = sum(map(int, re.findall(r"has started again (\d+) times", text)))
    assert after == before
    check_alive(console)
    check_victim(boot, apic_machine, console)
    # Each restart has a report only while the partition's share of lines lasts.
    reports = len(re.findall("again[0-9]: started again, ", console.text("bulkhead")))
    assert 0 < reports < restarts / 4


@needs_bochs
def test_vtx(boot):
    """All of it in small on VT-x in Bochs, which is slow."""
    attack(
        boot,
        bochs_machine("corei7_skylake_x"),
        hostile("code", "seed=7 attack0=cpuid,hypercalls,msrs,control,ports "
                        f"attack1=sensitive,random,straddle,tables,debug count={times(400)}", 2),
        hostile("storm", "seed=8 attack0=nmis,inits,flood,apicbase,icr,apic,ioapic,redirection,"
                         f"caches count={times(400)}", 2),
        cpus=5,
        may_end=("code",),
    )
