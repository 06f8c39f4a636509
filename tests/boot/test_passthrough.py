# SPDX-License-Identifier: Apache-2.0
"""Devices that belong to partitions, driven by the stock drivers of Debian's generic kernel."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

import bulkhead
import hardware
from bochs import free_port
from conftest import KEY, TIMEOUT, Console, bochs_machine, config, needs_device, partition

LINUX_TIMEOUT = 4 * TIMEOUT
BOCHS_TIMEOUT = 20 * TIMEOUT
# How often a partition with a busy disk is started anew.
RESTARTS = int(os.environ.get("BOOT_RESTARTS", "3"))


def linux_with(name, at, words, cpus=1, cmdline="", more=""):
    """A Linux partition that owns the function at `at` and does what bulkhead.test= names."""
    return partition(
        name, cpus, "256M", "vmlinuz-generic",
        f"console=ttyS0 quiet bulkhead.test={words} {cmdline}".strip(),
        f'initrd = "initrd-devices.gz"; devices = ( {{ pci = "{at}"; }} ); {more}',
    )


def known_sum():
    return hashlib.sha256(file_of(hardware.DISK, "known")).hexdigest()


def file_of(image, name):
    """A file of an ext4 image, read by the host."""
    debugfs = shutil.which("debugfs") or "/usr/sbin/debugfs"
    return subprocess.run([debugfs, "-R", f"cat /{name}", image], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True).stdout


# What follows "WORD done: ", to the end: a line that another partition's interrupted stands on the
# console in parts first.
SHAPES = {
    "devices": r"\d+",
    "disk": r"\S+ read [0-9a-f]{64} wrote [0-9a-f]{64}",
    "net": r"\S+ \S+ got \d+ bytes [0-9a-f]{64}",
    "affinity": r"\d+ moves",
    "read": r".* \d+ interrupts",
    "busydisk": "restart",
}


def done(console, name, word, since=0, timeout=LINUX_TIMEOUT):
    """What a partition says at the end of a word of bulkhead.test=, and in which line."""
    pattern = rf"\b{word} (done: {SHAPES[word]}$|failed: )"
    at = console.wait(pattern, name, since, timeout, whole=True)
    line = console.lines[at]
    assert f"{word} done: " in line, line
    return line.split(f"{word} done: ")[1], at


def check_device(console, name, driver, kind):
    """The partition's only function besides the host bridge is driven, with interrupts of this kind;
    returns how many of its own it has."""
    done(console, name, "devices")
    found = re.findall(r"device (\S+): (\S+), driver (\S+), (\d+) (\S+)", console.text(name))
    # The console may have shown a line in parts, the earlier ones cut short.
    rows = {row[0]: row for row in found}.values()
    driven = [row for row in rows if row[2] != "none"]
    assert [(row[2], row[4].rstrip(",")) for row in driven] == [(driver, kind)]
    assert len(rows) <= 2, rows
    return int(driven[0][3])


def interrupts(console, name, action):
    """How often all interrupts came together whose name in /proc/interrupts matches."""
    total = {}
    for number, counts, rest in re.findall(
        r"interrupts: +(\d+):((?: +\d+)+) +(.*)", console.text(name)
    ):
        if re.search(action, rest):
            total[number] = sum(map(int, counts.split()))
    return sum(total.values())


def check_disk(console, name, disk, image):
    """It read what is there, and what it wrote is in the image when the machine is off."""
    read, written = re.search(
        rf"{disk} read (\S+) wrote (\S+)", done(console, name, "disk")[0]
    ).groups()
    assert read == known_sum()
    console.type(KEY + "q")
    console.wait_end()
    assert hashlib.sha256(file_of(image, "written")).hexdigest() == written


def check_net(console, name, page):
    got, _ = done(console, name, "net")
    sum_of_page = hashlib.sha256(page.content).hexdigest()
    assert re.search(rf"10\.0\.2\.15 got {len(page.content)} bytes {sum_of_page}", got), got


def test_nvme_and_e1000e(boot, iommu_machine, disk, page):
    """Both at once, both with MSI-X, and neither sees the other's."""
    machine, iommu = iommu_machine
    needs_device(machine, iommu, "nvme", "e1000e")
    console = boot(
        machine,
        config(
            linux_with("alpha", "00:04.0", "devices,disk", cpus=2),
            linux_with("beta", "00:05.0", "devices,net", cmdline=f"bulkhead.url={page.url}"),
        ),
        devices=hardware.iommu(iommu) + hardware.nvme("00:04.0", disk) + hardware.e1000e("00:05.0"),
    )
    assert check_device(console, "alpha", "nvme", "msix") >= 2
    assert check_device(console, "beta", "e1000e", "msix") >= 3
    check_net(console, "beta", page)
    assert interrupts(console, "beta", r"MSI.*eth0") > 0
    done(console, "alpha", "disk")
    assert interrupts(console, "alpha", r"MSI.*nvme0q") > 0
    check_disk(console, "alpha", "nvme0n1", disk)


# Name, function that adds it to the machine, disk of the guest, driver, interrupts.
DISKS = [
    ("ahci", hardware.ahci, "sda", "ahci", "msi", ["ahci", "ide-hd"]),
    ("virtio-blk", hardware.virtio_blk, "vda", "virtio-pci", "msix", ["virtio-blk-pci"]),
    ("xhci-usb", hardware.usb_disk, "sda", "xhci_hcd", "msix", ["qemu-xhci", "usb-storage"]),
]


@pytest.mark.parametrize("iommu", ["intel-iommu", "amd-iommu"])
@pytest.mark.parametrize("kind", DISKS, ids=[row[0] for row in DISKS])
def test_disk(boot, apic_machine, iommu, kind, disk):
    _, add, name, driver, interrupt_kind, parts = kind
    needs_device(apic_machine, iommu, *parts)
    console = boot(
        apic_machine,
        config(linux_with("alpha", "00:04.0", "devices,disk", cmdline=f"bulkhead.disk={name}")),
        devices=hardware.iommu(iommu) + add("00:04.0", disk),
    )
    assert check_device(console, "alpha", driver, interrupt_kind) >= 1
    check_disk(console, "alpha", name, disk)


@pytest.mark.parametrize("iommu", ["intel-iommu", "amd-iommu"])
def test_virtio_net(boot, apic_machine, iommu, page):
    needs_device(apic_machine, iommu, "virtio-net-pci")
    console = boot(
        apic_machine,
        config(linux_with("beta", "00:05.0", "devices,net", cmdline=f"bulkhead.url={page.url}")),
        devices=hardware.iommu(iommu) + hardware.virtio_net("00:05.0"),
    )
    assert check_device(console, "beta", "virtio-pci", "msix") >= 2
    check_net(console, "beta", page)


def test_affinity(boot, apic_machine, page):
    """MSI-X vectors that the guest moves to its other CPU arrive there, and back."""
    needs_device(apic_machine, "intel-iommu", "e1000e")
    console = boot(
        apic_machine,
        config(linux_with("beta", "00:05.0", "net,affinity", cpus=2,
                          cmdline=f"bulkhead.url={page.url}")),
        devices=hardware.iommu("intel-iommu") + hardware.e1000e("00:05.0"),
    )
    check_net(console, "beta", page)
    # Both vectors that come often, to CPU 1 and to CPU 0.
    assert int(done(console, "beta", "affinity")[0].split()[0]) >= 4


def test_msi_affinity(boot, apic_machine):
    """The same with a device that has MSI only."""
    needs_device(apic_machine, "amd-iommu", "ahci", "ide-hd")
    console = boot(
        apic_machine,
        config(linux_with("alpha", "00:06.0", "disk,affinity", cpus=2,
                          cmdline="bulkhead.disk=sda")),
        devices=hardware.iommu("amd-iommu") + hardware.ahci("00:06.0"),
    )
    assert int(done(console, "alpha", "affinity")[0].split()[0]) >= 2


def test_interrupts_cause_no_exit(boot, apic_machine):
    """A disk that is read all the time interrupts its partition, which does not exit."""
    if "x2apic" not in apic_machine.cpu:
        pytest.skip("this model has no x2APIC: the end of an interrupt may exit")
    needs_device(apic_machine, "intel-iommu", "nvme")
    console = boot(
        apic_machine,
        config(linux_with("alpha", "00:04.0", "read", cmdline="bulkhead.n=8192")),
        devices=hardware.iommu("intel-iommu") + hardware.nvme("00:04.0"),
    )

    def exits():
        since = console.count()
        console.type(KEY + "c")
        return int(console.match(r"alpha/0: exits (\d+):", "bulkhead", since).group(1))

    console.wait("read: nvme0n1", "alpha", timeout=LINUX_TIMEOUT, whole=True)
    time.sleep(2)  # the start of the program that reads
    before = exits()
    time.sleep(3)
    after = exits()
    assert "read done" not in console.text("alpha"), "it was over too soon to tell"
    assert after - before == 0
    came = int(re.search(r"(\d+) interrupts", done(console, "alpha", "read")[0]).group(1))
    assert came > 8192


@pytest.mark.parametrize("iommu", ["intel-iommu", "amd-iommu"])
def test_busy_restarts(boot, apic_machine, iommu, disk):
    """A partition that restarts in the middle of reads and writes finds its disk in order each time."""
    needs_device(apic_machine, iommu, "nvme")
    console = boot(
        apic_machine,
        config(
            linux_with("alpha", "00:04.0", "disk,busydisk", cmdline="bulkhead.after=3"),
            partition("long"),
        ),
        devices=hardware.iommu(iommu) + hardware.nvme("00:04.0", disk),
    )
    at = 0
    for _ in range(RESTARTS + 1):
        _, at = done(console, "alpha", "disk", since=at)
        _, at = done(console, "alpha", "busydisk", since=at)
    console.wait(r"count \d+", "long", since=at)


def test_run(tmp_path):
    """`make run CONFIG=partitions/nvme-net.conf`, but for the port of its web server."""
    with open(os.path.join(bulkhead.ROOT, "partitions", "nvme-net.conf")) as f:
        text = f.read()
    assert ":8099/" in text
    source = tmp_path / "demo.conf"
    source.write_text(text.replace(":8099/", f":{free_port()}/"))
    program = os.path.join(bulkhead.ROOT, "tests", "tools", "run.py")
    console = Console([sys.executable, program, str(source)], str(tmp_path / "run.log"))
    try:
        assert "nvme0n1 read" in done(console, "alpha", "disk")[0]
        assert "10.0.2.15 got " in done(console, "beta", "net")[0]
        console.type(KEY + "q")
        console.wait_end()
    finally:
        console.stop()


def check_trusted(console, page, timeout=LINUX_TIMEOUT):
    """An e1000, which has only INTx, whose DMA goes to the host's addresses."""
    done(console, "beta", "net", timeout=timeout)
    assert re.search(r"00:0\d\.0.*trust_dma", console.text("bulkhead"))
    assert check_device(console, "beta", "e1000", "msi") == 0
    check_net(console, "beta", page)
    assert interrupts(console, "beta", "eth0") > 0


def test_e1000_without_iommu(boot, apic_machine, page):
    """The partition's memory is the host's at the same addresses, so that its stock driver works; the
    other partition's isn't."""
    needs_device(apic_machine, "e1000")
    console = boot(
        apic_machine,
        config(
            partition("long"),
            linux_with("beta", "00:05.0", "devices,net", cmdline=f"bulkhead.url={page.url}",
                       more="trust_dma = true;"),
        ),
        devices=hardware.e1000("00:05.0"),
    )
    check_trusted(console, page)


@pytest.mark.skipif(not shutil.which("bochs"), reason="Bochs is not installed")
def test_e1000_in_bochs(boot, page):
    """INTx, on a machine without an IOMMU."""
    console = boot(
        bochs_machine("corei7_skylake_x"),
        config(linux_with("beta", "00:02.0", "devices,net", cmdline=f"bulkhead.url={page.url}",
                          more="trust_dma = true;")),
        devices=["--e1000"],
    )
    check_trusted(console, page, BOCHS_TIMEOUT)
