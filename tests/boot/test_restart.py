# SPDX-License-Identifier: Apache-2.0
"""What a restart leaves: nothing. And the ways to it."""

import re

import pytest

from conftest import BOCHS, bochs_machine, config, needs_bochs, partition

VTX = "corei7_skylake_x"

# The words of restart.elf's command line.
WAYS = {way: f"way={way}" for way in ("cf9", "kbd", "port92", "triple", "init")}
WAYS["acpi"] = "end=acpireset"
JUMPS = ("real", "low32", "high32", "low64", "high64")


def life(machine, words, cpus=1):
    """A partition with restart.elf. QEMU has one PAT for host and guest (docs/equivalence.md)."""
    skip = "" if machine.qemu == BOCHS else " skip=0x277"
    return partition("life", cpus=cpus, image="restart.elf", memory="8M", cmdline=words + skip)


def check_second_life(console, name):
    """The checks of the first start and of the second, in which the registers had been filled."""
    at = -1
    for _ in range(2):
        at = console.wait(r"checks: \d+ ok, \d+ failed", name, since=at + 1, whole=True)
        failed = [line for line in console.text(name).split("\n") if "FAIL" in line]
        assert not failed, "\n".join(failed)
        assert int(re.search(r"checks: (\d+) ok", console.lines[at]).group(1)) >= 30
        console.wait(r"filled \d+ registers", name, since=at)


def check_registers(boot, machine, way):
    console = boot(machine, config(life(machine, WAYS[way], cpus=2)), cpus=2)
    check_second_life(console, "life")
    console.wait("ok INIT: MXCSR kept, 0x0", "life")


def check_reset_vector(boot, machine, way):
    guest = life(machine, f"way={way} vector=1")
    console = boot(machine, config(guest, partition("long")), cpus=2)
    check_second_life(console, "life")
    console.wait("life: ended by reboot", "bulkhead")
    at = console.wait("count 3", "long")
    console.wait(r"count \d+", "long", since=at + 1)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_registers(boot, apic_machine, way):
    """Each register that has a value after RESET has it again, on the boot processor and on another;
    an INIT of that one keeps what the manuals say."""
    check_registers(boot, apic_machine, way)


def test_registers_with_pkru(boot, plain):
    machine = plain._replace(cpu="max")
    console = boot(machine, config(life(machine, WAYS["cf9"], cpus=2)), cpus=2)
    check_second_life(console, "life")
    console.wait("ok INIT: XSAVE component 9 kept", "life")


@pytest.mark.parametrize("way", JUMPS)
def test_reset_vector(boot, apic_machine, way):
    """A jump to the reset vector restarts the partition, from every mode."""
    check_reset_vector(boot, apic_machine, way)


# The ways that are one and the same from the device on are tried on QEMU alone. A triple fault in a
# guest on AMD-V ends Bochs.
@needs_bochs
@pytest.mark.parametrize("model, way", [(VTX, "cf9"), (VTX, "triple"), (VTX, "init"), ("ryzen", "cf9")])
def test_registers_in_bochs(boot, model, way):
    check_registers(boot, bochs_machine(model), way)


@needs_bochs
@pytest.mark.parametrize("way", ["real", "high64"])
def test_reset_vector_in_bochs(boot, way):
    check_reset_vector(boot, bochs_machine(VTX), way)
