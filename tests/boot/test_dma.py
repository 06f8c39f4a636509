# SPDX-License-Identifier: Apache-2.0
"""A guest that owns devices: they work, and what it tries through them stays its own affair. The
device is QEMU's `edu`, which does DMA to any address; dma.elf drives it. HOSTILE_SCALE multiplies the
actions of the attacks."""

import re

import pytest

from conftest import KEY, config, partition
from devices import edu_addresses, edu_behind_port, edus, iommu_machines, owns, without_x2apic
from refusal import refused
from victims import SCALE, SLOW, alone, check_alive, check_log, check_victim, times, victim, wait_victim

CHECKS = 24  # of one device in the mode `check`, with two CPUs
ATTACKERS = 8  # devices that attack memory at once: each needs 100 ms for a transfer
NVME_ADDRESS = "00:04.0"
NVME = ["-device", "nvme,serial=1,addr=4"]
REFUSED_DMA = r"attacker: device 00:0[5-9a-f]\.0: DMA (read of|write to) 0x[0-9a-f]+ refused"


def attacker(words, devices=1, more="", also=()):
    own = owns(*edu_addresses(devices), *also, more=more)
    return partition("attacker", 2, "16M", "dma.elf", f"end=halt seed=11 {words}", own)


def trusted(words, image="dma-high.elf", memory="128M"):
    """Without an IOMMU: its RAM begins above what the machine has low, and so does the image."""
    own = owns("00:05.0", more="trust_dma = true;")
    return partition("attacker", 2, memory, image, f"end=halt seed=11 {words}", own)


def start(boot, iommu, *partitions, devices=1, more=()):
    """Boots the partitions and the victim behind them, next to so many devices and `more`."""
    console = boot(
        iommu.machine,
        config(*partitions, victim(iommu.machine)),
        cpus=2 * len(partitions) + 1,
        devices=[*iommu.devices, *edus(devices), *more],
    )
    console.wait("hello from dma", "attacker", timeout=SLOW)
    return console


def attack(boot, iommu, words, devices=1, nvme=False):
    guest = attacker(words, devices, also=[NVME_ADDRESS] if nvme else [])
    console = start(boot, iommu, guest, devices=devices, more=NVME if nvme else [])
    console.wait("dma is done", "attacker", timeout=SLOW, whole=True)
    check_alive(console)
    check_victim(boot, iommu.machine, console)
    check_log(console, 2)
    assert "FAIL" not in console.text()
    return console


# ---- without a hypervisor

def test_bare(boot, machine):
    """The guest's driver and the emulator's device agree, so that what fails in a partition is ours."""
    console = boot(machine, image="dma.elf", cpus=2, memory=64, devices=edus(),
                   append="mode=check bare=yes pin_first=20")
    console.wait("dma is done", timeout=SLOW)
    assert f"checks: {CHECKS} ok, 0 failed" in console.text()


def test_bare_finds_leaks(boot, plain):
    """Where nothing guards the firmware's memory, the attack finds it and says so."""
    console = boot(plain, image="dma.elf", cpus=2, memory=64, devices=edus(2),
                   append="mode=memory bare=yes ranges=0xf8000-0x100000 step=0x2000")
    console.wait("dma is done", timeout=SLOW)
    console.wait("FAIL memory: nobody else's was read")


def test_bare_nvme(boot, machine):
    console = boot(machine, image="dma.elf", cpus=2, memory=64, devices=[*edus(), *NVME],
                   append="mode=msix,sweep count=2000 bare=yes ranges=0x80000000-0x90000000")
    console.wait("dma is done", timeout=SLOW)
    assert "FAIL" not in console.text()
    assert console.text().count("ok msix: arrives on another CPU") == 2


# ---- works

@iommu_machines()
def test_works(boot, iommu):
    console = start(boot, iommu, attacker("mode=check"))
    console.wait("dma is done", "attacker", timeout=SLOW, whole=True)
    assert f"checks: {CHECKS} ok, 0 failed" in console.text("attacker")
    check_alive(console)
    check_victim(boot, iommu.machine, console)


@iommu_machines()
def test_works_in_xapic_mode(boot, iommu):
    if "x2apic" not in iommu.machine.cpu:
        pytest.skip("the other test has it")
    test_works(boot, without_x2apic(iommu))


@iommu_machines()
def test_two_owners(boot, iommu):
    """Two partitions, a device each, at once: each sees only its own."""
    other = partition("other", 2, "16M", "dma.elf", "mode=check end=halt", owns("00:06.0"))
    console = start(boot, iommu, attacker("mode=check"), other, devices=2)
    for name in ("attacker", "other"):
        console.wait("dma is done", name, timeout=SLOW, whole=True)
        assert f"checks: {CHECKS} ok, 0 failed" in console.text(name)
        assert "2 cpus, 1 devices" in console.text(name)
    check_alive(console)


# ---- attacks

@iommu_machines()
def test_memory(boot, iommu):
    """DMA to everything below 4 GiB that isn't the guest's own: the host's RAM, which begins at the
    same numbers, with the other partitions, the hypervisor and its tables; devices; holes."""
    step = int(0x4000000 / SCALE)
    words = f"mode=memory step=0x{max(step, 0x1000):x}"
    console = attack(boot, iommu, words, devices=ATTACKERS)
    assert re.search(r"memory: \d+ writes, \d+ reads: .* 0 foreign", console.text("attacker"))
    if iommu.kind == "vtd":  # the other records nothing in QEMU
        assert re.search(REFUSED_DMA, console.text("bulkhead"))


@iommu_machines()
def test_memory_of_the_host(boot, iommu):
    """Only where the host's RAM is, at random."""
    words = f"mode=memory ranges=0x1000000-0x80000000 count={times(48)}"
    attack(boot, iommu, words, devices=ATTACKERS)


@iommu_machines()
def test_sweep(boot, iommu):
    """By a fast device, 64-bit addresses among the targets: every page of the host's RAM from
    HOSTILE_SCALE=100 on; and above 4 GiB."""
    step = int(max(0x100000 / SCALE, 0x1000))
    words = f"mode=sweep step=0x{step:x} ranges=0x1000000-0x80000000,0x100000000-0x120000000"
    attack(boot, iommu, words, nvme=True)


# Under VT-d QEMU delivers messages that a remapping unit must block. Under AMD-Vi it takes those that
# come by DMA for the IOAPIC's, whose NMI, the console's, passes.
@iommu_machines("amdvi")
def test_forged_interrupts(boot, iommu):
    attack(boot, iommu, f"mode=forge nmi=no forge={max(12, min(256, times(12)))}", devices=4)


@iommu_machines()
def test_messages(boot, iommu):
    """MSI of every vector, mode and destination: all 2^20 of them from HOSTILE_SCALE=350 on."""
    attack(boot, iommu, f"mode=msi count={min(times(3000), 1 << 20)}")


@iommu_machines()
def test_table_of_messages(boot, iommu):
    """An MSI-X table that two CPUs rewrite at once, while its device sends what stands there."""
    attack(boot, iommu, f"mode=msix count={times(3000)}", nvme=True)


@iommu_machines()
def test_bars(boot, iommu):
    attack(boot, iommu, "mode=bar", devices=2)


@iommu_machines()
def test_configuration_space(boot, iommu):
    """Ten million accesses from HOSTILE_SCALE=500 on."""
    attack(boot, iommu, f"mode=config,reset count={times(20_000)}", devices=2)


@iommu_machines()
def test_restarts(boot, iommu):
    """Each restart comes while a transfer is under way. Nothing of it arrives later, and the device
    works after each: one without a reset, and one that a port resets."""
    if iommu.kind == "vtd":
        guest, devices, more = attacker("mode=reboot", also=["01:00.0"]), 1, edu_behind_port()
    else:  # where QEMU translates the DMA of what is behind a bridge as if it were on bus 0
        guest, devices, more = attacker("mode=reboot", 2), 2, ()
    console = start(boot, iommu, guest, devices=devices, more=more)
    since = 0
    for _ in range(times(5)):
        since = console.wait(r"attacker: ended by reboot$", "bulkhead", since, SLOW, whole=True) + 1
    text = console.text("attacker")
    assert "restarting with 2 transfers under way" in text
    assert "FAIL" not in text
    results = re.findall(r"checks: (\d+) ok, (\d+) failed$", text, re.MULTILINE)
    assert len(results) >= times(5) and len(set(results)) == 1
    check_alive(console)
    check_victim(boot, iommu.machine, console)


# ---- faults

@iommu_machines("vtd")
def test_faults_are_reported(boot, iommu):
    """With the partition's name and the device; and not each of a thousand."""
    words = "mode=sweep ranges=0x1000000-0x80000000 count=1000"
    console = attack(boot, iommu, words, nvme=True)
    said = len(re.findall(r"attacker: device 00:04\.0: DMA .* refused", console.text("bulkhead")))
    assert 0 < said < 100


@iommu_machines("vtd")
def test_fault_stops(boot, iommu):
    """on_dma_fault = "stop": the partition ends at the first refused transfer, and only it."""
    alone(boot, iommu.machine)
    words = "mode=check,memory ranges=0x1000000-0x80000000 count=1000000"
    console = start(boot, iommu, attacker(words, more='on_dma_fault = "stop";'))
    console.wait(r"attacker/0: stopped.*device", "bulkhead", timeout=SLOW, whole=True)
    text = console.text("attacker")
    assert f"checks: {CHECKS} ok, 0 failed" in text, "what a driver does is no fault"
    assert "dma is done" not in text
    assert re.search(REFUSED_DMA, console.text("bulkhead")), "the report says what it tried"
    wait_victim(console, 2)
    check_alive(console)
    check_victim(boot, iommu.machine, console)


@iommu_machines("vtd")
def test_storm_of_faults(boot, iommu):
    """By a fast device, without end. The CPU that hears of faults is the victim's, as nobody else has
    one that is free: it goes on, and takes no NMI that isn't its own."""
    alone(boot, iommu.machine)
    guest = attacker("mode=sweep count=100000000 ranges=0x1000000-0x80000000", also=[NVME_ADDRESS])
    console = boot(iommu.machine, config(victim(iommu.machine), guest), cpus=3,
                   devices=[*iommu.devices, *edus(), *NVME])
    console.wait("a write to the guest's own memory", "attacker", timeout=SLOW, whole=True)
    console.type(KEY + "2")  # who has the keyboard is not shown in whole lines
    for _ in range(3):
        wait_victim(console, 2)
        check_alive(console)
    refusals = [int(n) for n in re.findall(r"attacker: (\d+) accesses of its devices were refused",
                                           console.text("bulkhead"))]
    assert len(refusals) == 3 and 16 < refusals[0] and refusals[2] < 200, "counted, and not for ever"
    assert re.search(r"attacker: device 00:04\.0: DMA .* refused", console.text("bulkhead"))
    check_victim(boot, iommu.machine, console)
    check_log(console, 2)


# ---- without an IOMMU

def test_no_iommu(boot, apic_machine):
    console = boot(apic_machine, config(attacker("mode=check"), victim(apic_machine)),
                   devices=edus())
    refused(console, r'"attacker": .*00:05\.0.*IOMMU')


def test_trusted(boot, apic_machine):
    """With trust_dma it is given away, with a warning, and works; the messages of its interrupts are
    checked as ever."""
    own = trusted(f"mode=check,msi,config count={times(1000)}")
    console = boot(apic_machine, config(victim(apic_machine), own), cpus=3, devices=edus())
    console.wait("dma is done", "attacker", timeout=SLOW, whole=True)
    assert re.search(r"00:05\.0.*trust_dma", console.text("bulkhead"))
    assert f"checks: {CHECKS} ok, 0 failed" in console.text("attacker")
    assert "FAIL" not in console.text()
    check_alive(console)
    check_victim(boot, apic_machine, console)


def test_trusted_restarts(boot, plain):
    """A transfer that was under way doesn't land behind the restart."""
    console = boot(plain, config(trusted("mode=reboot")), cpus=2,
                   devices=edus())
    since = 0
    for _ in range(times(3)):
        since = console.wait(r"restarting with 1 transfers under way$", "attacker", since, SLOW,
                             whole=True) + 1
    assert "FAIL" not in console.text()


def test_trusted_image_too_low(boot, plain):
    refused(boot(plain, config(trusted("", image="dma.elf")), devices=edus()),
            r'"attacker": image "dma.elf": segment 0 \(0x100000-.* below 0x.*IOMMU: link it higher')


def test_trusted_with_too_much_memory(boot, plain):
    """There is more, but not in one piece below 3 GiB."""
    refused(boot(plain, config(trusted("", memory="3G")), devices=edus(), memory=4096),
            r'"attacker": no 3072 MiB of memory in one piece below 3072 MiB.*give it less')
