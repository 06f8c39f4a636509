# SPDX-License-Identifier: Apache-2.0
"""What a restart leaves: nothing. And the ways to it."""

import re

import pytest

from conftest import BOCHS, config, partition

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
    console.wait(r"filled \d+ registers", name)
    at = console.wait("checks: ", name, whole=True)
    console.wait("checks: ", name, since=at + 1, whole=True)
    failed = [line for line in console.text(name).split("\n") if "FAIL" in line]
    assert not failed, "\n".join(failed)
    assert len(re.findall("ok start: MXCSR 0x1f80", console.text(name))) >= 2


@pytest.mark.parametrize("way", sorted(WAYS))
def test_registers(boot, each_vendor, way):
    """Each register that has a value after RESET has it again, on the boot processor and on another;
    an INIT of that one keeps what the manuals say."""
    console = boot(each_vendor, config(life(each_vendor, WAYS[way], cpus=2)), cpus=2)
    check_second_life(console, "life")
    assert "ok INIT: MXCSR kept" in console.text("life")
    assert int(re.search(r"CPU 1 filled (\d+) registers", console.text("life")).group(1)) >= 20


@pytest.mark.parametrize("model", ["max", "EPYC"])
def test_registers_of_other_models(boot, plain, model):
    """With PKRU (max)."""
    console = boot(plain, config(life(plain, WAYS["cf9"], cpus=2)), cpus=2, cpu=model)
    check_second_life(console, "life")


@pytest.mark.parametrize("way", JUMPS)
def test_reset_vector(boot, each_vendor, way):
    """A jump to the reset vector restarts the partition, from every mode."""
    guest = life(each_vendor, f"way={way}")
    console = boot(each_vendor, config(guest, partition("long")), cpus=2)
    check_second_life(console, "life")
    console.wait("life: ended by reboot", "bulkhead")
    at = console.wait("count 3", "long")
    console.wait(r"count \d+", "long", since=at + 1)
