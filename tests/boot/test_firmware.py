# SPDX-License-Identifier: Apache-2.0
"""What firmware leaves behind: leftover.elf (tests/guests) makes a mess of the machine and then starts
the hypervisor as a boot loader would. Processors that firmware leaves in MWAIT or HLT are there too, and
with OVMF in test_uefi.py: INIT wakes them from either."""

import os
import shutil

import pytest

import bulkhead
from conftest import MACHINES, bochs_machine, compile_config, config, partition

GUESTS = config(
    partition("one", cpus="[1, 2]", image="smp.elf"),
    partition("two", cpus="[3]", cmdline="n=4 period=20"),
)


def messy(boot, tmp_path, machine, words, **how):
    """Boots two partitions, behind a mess of these words; what the console said until both have done."""
    blob = compile_config(tmp_path, GUESTS)
    guests = bulkhead.find_modules(bulkhead.read_blob(blob), bulkhead.BUILD)
    image = os.path.join(bulkhead.BUILD, "bulkhead32.elf")
    console = boot(machine, modules=[image, blob, *guests], image="leftover.elf", append=words, **how)
    console.wait("leftover: entering", whole=True)
    console.wait("ended by power-off", "bulkhead")
    console.wait("checks: .* 0 failed", "one")
    console.wait("count 4", "two")
    assert "FAIL" not in console.text()
    return console


def xapic():
    return [p.values[0] for p in MACHINES if p.values[0] and p.values[0].version[0] < 10][:1]


def test_xapic(boot, tmp_path, plain):
    machine = (xapic() or [plain])[0]
    messy(boot, tmp_path, machine._replace(cpu="max"), "aps=1")


def test_x2apic_high_tables(boot, tmp_path):
    machine = [p.values[0] for p in MACHINES if p.values[0] and p.values[0].cpu == "EPYC,+x2apic"]
    if not machine:
        pytest.skip("no QEMU with x2APIC")
    words = "aps=1 apic=x2apic mtrr=1 tables=high"
    console = messy(boot, tmp_path, machine[0], words, memory=4096)
    said = console.text("bulkhead")
    assert "loaded by Multiboot 2" in said
    assert said.count("by the firmware's MTRRs uncached: left out") == 2
    assert "memory 0x10000000-0x101fffff: usable" in said
    assert "memory 0x100000000-0x17fffffff: usable" in said


@pytest.mark.skipif(not shutil.which("bochs"), reason="Bochs is not installed")
def test_vtx(boot, tmp_path):
    """QEMU's INIT clears MTRRs, Bochs's leaves them as a processor does."""
    console = messy(boot, tmp_path, bochs_machine("corei7_skylake_x"), "aps=1 apic=x2apic mtrr=1")
    for cpu in 1, 2, 3:
        console.wait(f"CPU {cpu}: memory types differ .*0x2ff is 0xc06, not 0xc00.*: made the same")
