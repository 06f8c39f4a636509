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
from conftest import KEY, TIMEOUT, Console, bochs_machine, config, needs_bochs, partition
from devices import iommu_machines, needs_device, owns

LINUX_TIMEOUT = 4 * TIMEOUT
BOCHS_TIMEOUT = 20 * TIMEOUT
# How often a partition with a busy disk is started anew.
RESTARTS = int(os.environ.get("BOOT_RESTARTS", "2"))
READ_MIB = 8192  # some seconds of reading, while exits are counted


def linux_with(name, at, words, cpus=1, cmdline="", more=""):
    """A Linux partition that owns the functions at `at` and does what bulkhead.test= names."""
    return partition(
        name, cpus, "256M", "vmlinuz-generic",
        f"console=ttyS0 quiet bulkhead.test={words} {cmdline}".strip(),
        f'initrd = "initrd-devices.gz"; {owns(*at.split(), more=more)}',
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
    "disk": r"\d+",
    "net": r"\d+",
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


def check_devices(console, name, expected):
    """The partition's functions besides the host bridge are driven by exactly these drivers, each with
    interrupts of this kind, and no less than so many: {driver: (number, kind)}."""
    done(console, name, "devices")
    found = re.findall(r"device (\S+): (\S+), driver (\S+), (\d+) (\S+)", console.text(name))
    # The console may have shown a line in parts, the earlier ones cut short.
    rows = {row[0]: row for row in found}.values()
    driven = {row[2]: (int(row[3]), row[4].rstrip(",")) for row in rows if row[2] != "none"}
    assert driven.keys() == expected.keys()
    for driver, (least, kind) in expected.items():
        assert driven[driver][1] == kind, f"{driver} has {driven[driver]}"
        assert driven[driver][0] >= least, f"{driver} has {driven[driver]}"
    assert len(rows) <= len(expected) + 1, rows


def interrupts(console, name, action):
    """How often all interrupts came together whose name in /proc/interrupts matches."""
    total = {}
    for number, counts, rest in re.findall(
        r"interrupts: +(\d+):((?: +\d+)+) +(.*)", console.text(name)
    ):
        if re.search(action, rest):
            total[number] = sum(map(int, counts.split()))
    return sum(total.values())


def check_disks(console, name, images):
    """It read what is there, and what it wrote is in the images when the machine is off:
    {disk: image}."""
    assert int(done(console, name, "disk")[0]) == len(images)
    written = {}
    for disk in images:
        read, wrote = re.search(
            rf"disk {disk}: read (\w{{64}}) wrote (\w{{64}})$", console.text(name), re.MULTILINE
        ).groups()
        assert read == known_sum()
        written[images[disk]] = wrote
    return written


def check_images(console, written):
    console.type(KEY + "qy")
    console.wait_end()
    for image, wrote in written.items():
        assert hashlib.sha256(file_of(image, "written")).hexdigest() == wrote, image


def check_net(console, name, page, *drivers):
    """Each of its interfaces got an address, and the page."""
    assert int(done(console, name, "net")[0]) == len(drivers)
    sum_of_page = hashlib.sha256(page.content).hexdigest()
    for driver in drivers:
        got = rf"net {driver}: 10\.0\.2\.15 got {len(page.content)} bytes {sum_of_page}"
        assert re.search(got, console.text(name)), driver


@iommu_machines()
def test_stock_drivers(boot, iommu, disks, page):
    """Six devices of two partitions at once, and neither sees the other's."""
    needs_device(iommu.machine, "nvme", "ahci", "ide-hd", "virtio-blk-pci", "e1000e",
                 "virtio-net-pci", "qemu-xhci", "usb-storage")
    nvme, ahci, virtio, usb = disks(4)
    console = boot(
        iommu.machine,
        config(
            linux_with("alpha", "00:04.0 00:06.0 00:08.0", "devices,disk", cpus=2,
                       cmdline="bulkhead.disk=nvme0n1,sda,vda"),
            linux_with("beta", "00:05.0 00:07.0 00:09.0", "devices,net,disk",
                       cmdline=f"bulkhead.disk=sda bulkhead.url={page.url}"),
        ),
        devices=[*iommu.devices,
                 *hardware.nvme("00:04.0", nvme), *hardware.e1000e("00:05.0"),
                 *hardware.ahci("00:06.0", ahci), *hardware.virtio_net("00:07.0"),
                 *hardware.virtio_blk("00:08.0", virtio), *hardware.usb_disk("00:09.0", usb)],
    )
    check_devices(console, "alpha", {"nvme": (2, "msix"), "ahci": (1, "msi"),
                                     "virtio-pci": (2, "msix")})
    check_devices(console, "beta", {"e1000e": (3, "msix"), "virtio-pci": (2, "msix"),
                                    "xhci_hcd": (1, "msix")})
    check_net(console, "beta", page, "e1000e", "virtio_net")
    written = check_disks(console, "alpha", {"nvme0n1": nvme, "sda": ahci, "vda": virtio})
    written |= check_disks(console, "beta", {"sda": usb})
    for name, actions in (("alpha", ("nvme0q", "ahci", "virtio")), ("beta", ("eth", "virtio", "xhci"))):
        for action in actions:
            assert interrupts(console, name, rf"MSI.*{action}") > 0, f"{name}: {action}"
    check_images(console, written)


@iommu_machines(mixed=True)
def test_affinity(boot, iommu, page):
    """MSI-X vectors, and a device's only MSI, that the guest moves to its other CPU arrive there, and
    back."""
    needs_device(iommu.machine, "e1000e", "ahci", "ide-hd")
    console = boot(
        iommu.machine,
        config(linux_with("beta", "00:05.0 00:06.0", "disk,net,affinity", cpus=2,
                          cmdline=f"bulkhead.disk=sda bulkhead.url={page.url}")),
        devices=[*iommu.devices, *hardware.e1000e("00:05.0"), *hardware.ahci("00:06.0")],
    )
    check_net(console, "beta", page, "e1000e")
    # Both vectors that come often and the disk's, to CPU 1 and to CPU 0.
    assert int(done(console, "beta", "affinity")[0].split()[0]) >= 6


@iommu_machines("vtd")
def test_interrupts_cause_no_exit(boot, iommu):
    """A disk that is read all the time interrupts its partition, which does not exit."""
    if "x2apic" not in iommu.machine.cpu:
        pytest.skip("this model has no x2APIC: the end of an interrupt may exit")
    needs_device(iommu.machine, "nvme")
    console = boot(
        iommu.machine,
        config(linux_with("alpha", "00:04.0", "read", cmdline=f"bulkhead.n={READ_MIB}")),
        devices=[*iommu.devices, *hardware.nvme("00:04.0")],
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
    assert came > READ_MIB


@iommu_machines(mixed=True)
def test_busy_restarts(boot, iommu, disk):
    """A partition that restarts in the middle of reads and writes finds its disk in order each time."""
    needs_device(iommu.machine, "nvme")
    console = boot(
        iommu.machine,
        config(
            linux_with("alpha", "00:04.0", "disk,busydisk", cmdline="bulkhead.after=1"),
            partition("long"),
        ),
        devices=[*iommu.devices, *hardware.nvme("00:04.0", disk)],
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
        assert done(console, "alpha", "disk")[0] == "1"
        assert done(console, "beta", "net")[0] == "1"
        assert "disk nvme0n1: read " in console.text("alpha")
        assert "net e1000e: 10.0.2.15 got " in console.text("beta")
        console.type(KEY + "qy")
        console.wait_end()
    finally:
        console.stop()


def check_trusted(console, page, timeout=LINUX_TIMEOUT):
    """An e1000, which has only INTx, whose DMA goes to the host's addresses."""
    done(console, "beta", "net", timeout=timeout)
    assert re.search(r"00:0\d\.0.*trust_dma", console.text("bulkhead"))
    check_devices(console, "beta", {"e1000": (0, "msi")})
    check_net(console, "beta", page, "e1000")
    assert interrupts(console, "beta", "eth0") > 0


@iommu_machines(mixed=True)
def test_shared_lines(boot, iommu, page):
    """More functions than there are interrupt lines (QEMU's firmware uses two for PCI): those without
    MSI share them, and what has MSI does not stand in their way, in their own partition and in
    another one that was configured before."""
    needs_device(iommu.machine, "e1000", "nvme")
    cards = ["00:05.0", "00:06.0", "00:07.0"]
    devices = sum([hardware.e1000(at) for at in cards], [])
    console = boot(
        iommu.machine,
        config(
            linux_with("alpha", "00:03.0", "devices,disk"),
            linux_with("beta", " ".join(["00:04.0", *cards]), "devices,net",
                       cmdline=f"bulkhead.url={page.url}"),
        ),
        devices=iommu.devices + hardware.nvme("00:03.0") + hardware.nvme("00:04.0") + devices,
    )
    done(console, "beta", "devices")
    check_net(console, "beta", page, "e1000", "e1000", "e1000")
    for card in range(len(cards)):
        assert interrupts(console, "beta", f"eth{card}") > 0
    numbers = re.findall(r"driver e1000, 0 msi, irq (\d+)$", console.text("beta"), re.MULTILINE)
    assert len(set(numbers)) < len(cards), f"no two share: {numbers}"
    assert "driver nvme, 2 msix" in console.text("beta")
    done(console, "alpha", "disk")


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


@needs_bochs
@pytest.mark.long
def test_e1000_in_bochs(boot, page):
    """INTx, on a machine without an IOMMU, and VT-x."""
    console = boot(
        bochs_machine("corei7_skylake_x"),
        config(linux_with("beta", "00:02.0", "devices,net", cmdline=f"bulkhead.url={page.url}",
                          more="trust_dma = true;")),
        devices=["--e1000"],
    )
    check_trusted(console, page, BOCHS_TIMEOUT)
