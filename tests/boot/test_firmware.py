# SPDX-License-Identifier: Apache-2.0
"""What firmware leaves behind: leftover.elf (tests/guests) makes a mess of the machine and then starts
the hypervisor as a boot loader would. Processors that firmware leaves in MWAIT or HLT are there too, and
with OVMF in test_uefi.py: INIT wakes them from either."""

import os
import re

import pytest

import bulkhead
from conftest import KEY, MACHINES, bochs_machine, compile_config, config, needs_bochs, partition
from devices import EDU, iommu_machines, needs_device, owns
from test_guests import run_checks

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
    """APIC IDs 0, 1, 2 and 4; disabled, doubled and unreachable processors in the MADT; no RSDP where
    a BIOS has it that leads there; the boot CPU's APIC globally disabled; 5-level paging."""
    machine = (xapic() or [plain])[0]
    console = messy(
        boot, tmp_path, machine._replace(cpu="max,-x2apic"), "aps=1 apic=off tables=high",
        cpus="4,maxcpus=6,sockets=2,cores=3", memory=4096,
    )
    said = console.text("bulkhead")
    assert "leftover: CPU with APIC ID 4 left asleep" in console.text()
    assert "APIC ID 0 is that of processors 0 and 67: the first counts" in said
    assert "the CPU with APIC ID 300 can't be reached without x2APIC" in said
    assert "machine: 4 CPUs, xAPIC" in said


@pytest.fixture
def x2apic():
    machines = [p.values[0] for p in MACHINES if p.values[0] and p.values[0].cpu == "EPYC,+x2apic"]
    if not machines:
        pytest.skip("no QEMU with x2APIC")
    return machines[0]


def test_x2apic(boot, tmp_path, x2apic):
    words = "aps=1 apic=x2apic soft=1 mtrr=1 tables=high"
    console = messy(boot, tmp_path, x2apic, words, memory=4096)
    said = console.text("bulkhead")
    assert "loaded by Multiboot 2" in said
    assert said.count("by the firmware's MTRRs uncached: left out") == 2
    assert "memory 0x10000000-0x101fffff: usable" in said
    assert "memory 0x100000000-0x17fffffff: usable" in said


@needs_bochs
def test_vtx(boot, tmp_path):
    """QEMU's INIT clears MTRRs, Bochs's leaves them as a processor does."""
    console = messy(boot, tmp_path, bochs_machine("corei7_skylake_x"), "aps=1 apic=x2apic mtrr=1")
    for cpu in 1, 2, 3:
        console.wait(f"CPU {cpu}: memory types differ .*0x2ff is 0xc06, not 0xc00.*: made the same")


def test_apic_ids_beyond_255(boot, x2apic):
    """Two CPUs that no 8 bits can name, one of them with the boot CPU's ID in its lowest 8; the MADT has
    284 more, disabled. The console's interrupt goes to one that it reaches."""
    more = [word for socket in (256, 280) for word in
            ("-device", f"EPYC-x86_64-cpu,socket-id={socket},die-id=0,module-id=0,core-id=0,thread-id=0")]
    console = boot(
        x2apic,
        config(
            partition("far", cpus="[2, 3]", image="smp.elf"),
            partition("near", cpus="[0]", cmdline="period=20"),
        ),
        cpus="2,maxcpus=288,sockets=288", devices=more,
    )
    run_checks(console, "far")
    console.wait("count 5", "near")
    console.type(KEY + "c")
    console.wait("far/1: exits", "bulkhead")


@iommu_machines("vtd", mixed=True)
def test_second_host_bridge(boot, iommu):
    """A device behind another root bus does DMA and sends messages for its partition. Its INTx is not
    looked at: it does not come at the line that SeaBIOS writes into the register."""
    needs_device(iommu.machine, "pxb-pcie")
    bridge = ["-device", "pxb-pcie,id=root,bus_nr=64,bus=pcie.0",
              "-device", "pcie-root-port,id=rp,bus=root,chassis=2", "-device", f"{EDU},bus=rp,addr=0"]
    own = owns("41:00.0")
    console = boot(
        iommu.machine,
        config(partition("one", 2, "16M", "dma.elf", "mode=check end=halt seed=11", own)),
        cpus=3, devices=[*iommu.devices, *bridge],
    )
    console.wait("ok .*: MSI when a transfer is done", "one", whole=True)
    assert len(re.findall(r"\] ok", console.text("one"))) >= 18
    assert "FAIL" not in console.text("one")
