# SPDX-License-Identifier: Apache-2.0
"""Started without a configuration: what is shown of the machine, and that the configuration which is
proposed compiles and boots on it as it is."""

import os
import re
import shutil
import subprocess

import pytest

import bulkhead
import hardware
from conftest import KEY, MACHINES, bochs_machine, needs_bochs, needs_ovmf, ovmf
from refusal import refused

SLOW = 600  # seconds: Bochs on a busy machine
BEGIN, END = "---- configuration: copy from here ----", "---- configuration: copy to here ----"
FULL = [*hardware.e1000e("00:05.0"), "-device", "edu,addr=06.0", "-device", "VGA,addr=02.0",
        "-device", "pcie-root-port,id=rp,chassis=1,addr=07.0",
        "-device", "pcie-pci-bridge,id=pci,bus=rp", "-device", "e1000,bus=pci,addr=1",
        "-device", "e1000,bus=pci,addr=2"]
# A disk and a controller behind root ports, another behind a switch, and virtio on the first bus.
MORE = ["-device", "pcie-root-port,id=rn,chassis=2,addr=08.0",
        "-drive", "driver=null-co,size=64M,read-zeroes=on,if=none,id=null",
        "-device", "nvme,serial=bulkhead,drive=null,bus=rn",
        "-device", "pcie-root-port,id=ra,chassis=3,addr=09.0", "-device", "ahci,bus=ra",
        "-device", "pcie-root-port,id=rs,chassis=4,addr=0a.0", "-device", "x3130-upstream,id=up,bus=rs",
        "-device", "xio3130-downstream,id=down,bus=up,chassis=5", "-device", "qemu-xhci,bus=down",
        "-device", "virtio-net-pci,addr=0b.0", "-device", "virtio-rng-pci,addr=0c.0"]
BEHIND = {"03:00.0", "04:00.0", "07:00.0"}  # the disk and the controllers of these
CONVENTIONAL = ["-device", "pci-bridge,id=old,chassis_nr=6", "-device", "e1000,bus=old,addr=1",
                "-device", "piix3-usb-uhci", "-vga", "std"]
NUMA = ["-object", "memory-backend-ram,id=m0,size=2G", "-object", "memory-backend-ram,id=m1,size=1G",
        "-numa", "node,memdev=m0", "-numa", "node,memdev=m1"]

# Name: generation of QEMU, CPUs, MiB, further words, and CPUs of each partition that is proposed.
KINDS = {
    "one CPU, pc, 256 MiB": (7, "1", 256, ["-machine", "pc"], [[0]]),
    # too little memory for two partitions
    "two CPUs, 256 MiB, model max": (10, "2", 256, ["-cpu", "max"], [[0, 1]]),
    "threads, 1 GiB, VT-d": (7, "12,sockets=2,cores=3,threads=2", 1024,
                             [*hardware.iommu("intel-iommu"), *FULL, *MORE],
                             [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]),
    "32 CPUs, pc": (10, "32", 1024, ["-machine", "pc", *CONVENTIONAL],
                    [list(range(16)), list(range(16, 32))]),
    "three cores, x2APIC": (10, "3,sockets=1,cores=3", 1024, FULL, [[0, 1], [2]]),
    # on q35 a third of it above 4 GiB; twice as much takes twice as long to clear
    "NUMA, 3 GiB, AMD-Vi": (10, "4,sockets=2", 3072, [*NUMA, *hardware.iommu("amd-iommu"), *FULL],
                            [[0, 1], [2, 3]]),
}


def emulator(generation):
    for param in MACHINES:
        machine = param.values[0]
        if machine and (machine.version[0] >= 10) == (generation >= 10):
            return machine._replace(cpu=bulkhead.best_cpu(machine.version))
    pytest.skip(f"no QEMU {generation}")


def proposal(console):
    """The text between the marks."""
    end = console.wait(re.escape(END), "bulkhead", whole=True, timeout=SLOW)
    begin = console.wait(re.escape(BEGIN), "bulkhead", whole=True)
    return "\n".join(console.lines[begin + 1 : end]) + "\n"


def starts(boot, machine, text, **how):
    """All partitions of a configuration come up; returns them."""
    console = boot(machine, text, **how)
    blob = re.search(r"\S*test\.bin", " ".join(console.command)).group(0).split(",")[0]
    partitions = bulkhead.read_blob(blob)
    for partition in partitions:
        console.wait("Linux version", partition.name)
    check_stages(console)
    console.stop()
    return partitions


def check_stages(console):
    """What the stages of the start have cost adds up to the whole."""
    said = console.match(r"guests start \d+ us after entry; thousands of TSC ticks: (\d+), of these (.*)")
    stages = [int(n) for n in re.findall(r" (\d+)", re.sub(r"\(.*?\)", "", said.group(2)))]
    assert len(stages) == 12 and abs(sum(stages) - int(said.group(1))) <= len(stages)  # each is rounded


@pytest.mark.parametrize("kind", KINDS)
def test_boots_unchanged(boot, kind):
    generation, cpus, memory, more, shares = KINDS[kind]
    machine = emulator(generation)
    how = {"cpus": cpus, "memory": memory, "devices": more}
    console = boot(machine, modules=[], **how)
    text = proposal(console)
    said = console.text("bulkhead")
    assert ("8086:1237 host bridge" in said) == ("pc" in more)
    console.stop()

    partitions = starts(boot, machine, text, **how)
    assert [p.cpus for p in partitions] == shares
    # What is left is for boot modules: an eighth, but 64 MiB on a small machine, and what the
    # hypervisor and the firmware have.
    given = sum(p.memory for p in partitions) >> 20
    assert memory * 7 // 8 - 64 - 8 <= given < memory - 48
    if "iommu" in " ".join(more):
        # The two cards share a bus, and have INTx only.
        assert {"00:05.0", "00:06.0"} <= set(partitions[0].devices)
        assert "00:02.0" not in partitions[0].devices
        assert len({"02:01.0", "02:02.0"} & set(partitions[0].devices)) in (0, 2)
        assert re.search(r"goes together with 02:02\.0: they share a PCI bus", said)
        assert "interrupt remapping; serves" in said
        assert "xio3130-downstream" not in " ".join(more) or BEHIND <= set(partitions[0].devices)
    else:
        assert not partitions[0].devices
        assert "IOMMUs: missing, " in said
    assert f"x2APIC: {'yes' if generation >= 10 else 'no'}" in said


def test_what_is_shown(boot):
    machine = emulator(7)
    console = boot(machine, modules=[f"{bulkhead.BUILD}/count.elf"], cpus="4,cores=2,threads=2",
                   memory=1024, devices=FULL)
    proposal(console)
    for pattern in (r"no configuration among the 1 modules", r'module "count\.elf": \d+ KiB',
                    r"CPUs: 4 of AuthenticAMD, family 0x17",
                    r"CPU 3: APIC ID 3, package 0, core 1, thread 1",
                    r'x2APIC: no, .*turn on "x2APIC"', r"virtualization: AMD-V; nested paging: yes",
                    r"memory: 1023 MiB usable", r"0x100000-0x[0-9a-f]+: \d+ KiB, usable",
                    r'IOMMUs: missing, .*turn on "VT-d" \(Intel\) or "IOMMU"',
                    r"00:05\.0: 8086:10d3 Ethernet controller, INTA \(line \d+\), MSI \(1\), MSI-X \(5\)",
                    r"BAR 0: memory 0x[0-9a-f]+, 128 KiB, 32 bits", r"BAR 2: ports 0x[0-9a-f]+-0x",
                    r"00:1f\.0: 8086:2918 ISA bridge", r"can be a partition's that is trusted"):
        console.wait(pattern, "bulkhead", timeout=5)
    refused(console)  # no more than that
    console.type(KEY + "c")
    console.wait("free for partitions", "bulkhead", since=console.count() - 1)
    console.type(KEY + "qy")
    console.wait("leaving", "bulkhead")
    assert console.wait_end() == 0


def test_without_virtualization(boot, plain):
    """Names what to turn on, and proposes nothing that would not start."""
    console = boot(plain, modules=[], cpu="EPYC,-svm", cpus=2, memory=512)
    refused(console, 'virtualization: missing, .*turn on "SVM Mode"', "no configuration is proposed")
    assert BEGIN not in console.text()


def test_without_no_execute(boot, plain):
    console = boot(plain, modules=[], cpu="EPYC,-nx", cpus=1, memory=256)
    console.wait(r'with no-execute pages; .*turn on "Execute Disable Bit" or "NX Mode"')
    assert "nothing is started" not in console.text()  # not even that far


WAYS = ["iso", "image by BIOS", "image by UEFI", "one file", "no folder", "no configuration"]
UEFI_WAYS = WAYS[2:]


def made(target, end):
    """What make makes without a configuration."""
    run = subprocess.run(["make", "-s", "SETUP=0", target, "CONFIG="], cwd=bulkhead.ROOT,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode == 0, run.stdout.decode()
    return os.path.join(bulkhead.BUILD, f"inventory.{end}")


@pytest.mark.parametrize("way", [pytest.param(way, marks=needs_ovmf if way in UEFI_WAYS else ()) for way in WAYS],
                         ids=lambda way: way.replace(" ", "-"))
def test_each_way_without_a_configuration(boot, plain, tmp_path, way):
    """By each way to boot the machine is shown; with files but no configuration, those too."""
    how = {"modules": [], "cpus": 2, "memory": 512, "loader": "disk"}
    if way == "iso":
        how["devices"] = ["-cdrom", made("iso", "iso"), "-boot", "d"]
    elif way in WAYS[1:3]:
        path = shutil.copy(made("image", "img"), str(tmp_path / "disk.img"))
        how["devices"] = ["-drive", f"format=raw,if=ide,file={path}", *(ovmf(tmp_path) if "UEFI" in way else [])]
    else:
        path = made("efi", "efi") if way == "one file" else os.path.join(bulkhead.BUILD, "bulkhead.efi")
        folder = tmp_path / "esp" / "EFI" / "BOOT"
        folder.mkdir(parents=True)
        shutil.copy(path, str(folder / "BOOTX64.EFI"))
        if way == "no configuration":
            (folder / "bulkhead").mkdir()
            shutil.copy(f"{bulkhead.BUILD}/count.elf", str(folder / "bulkhead" / "vmlinuz"))
        how.update(loader="efi", esp=str(tmp_path / "esp"))
    console = boot(plain, **how)
    text = proposal(console)
    count = 1 if way == "no configuration" else 0
    console.wait(f"no configuration among the {count} modules: this is what the machine has", "bulkhead")
    console.wait(f"loaded by {'UEFI' if way in WAYS[3:] else 'Multiboot 2'}", "bulkhead")
    assert ('module "vmlinuz"' in console.text("bulkhead")) == (count == 1)
    assert 'name = "alpha"' in text


def test_iommu_that_cannot_be_used(boot, plain):
    console = boot(plain, modules=[], memory=512, devices=["-device", "intel-iommu,intremap=off"])
    refused(console, "has no interrupt remapping: turn it on", "IOMMUs: .* can't be used",
            "no configuration is proposed")
    assert BEGIN not in console.text()


@needs_bochs
def test_vtx(boot):
    """Four CPUs: Bochs 3.0 says in CPUID 0xb that those with the APIC IDs 0 and 1 share a core (one bit of
    the ID for one thread), and threads of a core have one owner."""
    machine = bochs_machine("corei7_skylake_x")
    console = boot(machine, modules=[], cpus=4)
    text = proposal(console)
    assert re.search(r"CPUs: 4 of GenuineIntel", console.text())
    assert re.search(r"virtualization: VT-x; EPT: yes", console.text())
    console.stop()
    assert re.findall(r'{ name = "(\w+)"', text) == ["alpha", "beta"], text
    # Linux takes minutes there: the small kernel instead, which wants no initial RAM disk.
    text = re.sub(r"(?m)^    initrd = .*$", "", text).replace('"vmlinuz"', '"count.elf"')
    console = boot(machine, text, cpus=4)
    for name in ("alpha", "beta"):
        console.wait("hello from count", name, timeout=SLOW)
