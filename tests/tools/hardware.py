# SPDX-License-Identifier: Apache-2.0
"""PCI devices for machines in QEMU: how its command line names them, the set that `make run` offers,
and the web server that a partition with a network device fetches a page from."""

import http.server
import os
import threading

import bulkhead

DISK = os.path.join(bulkhead.BUILD, "disk.img")
# The host, as guests of QEMU's and Bochs's user network see it.
HOST = "10.0.2.2"


def iommu(kind):
    """An IOMMU that remaps interrupts too: "intel-iommu" or "amd-iommu". Before the devices. The
    latter is a pass-through for all devices in QEMU 10 unless it is told otherwise."""
    more = ",pt=off" if kind == "amd-iommu" else ""
    return ["-device", f"{kind},intremap=on{more}"]


def _drive(at, disk):
    # A name for each slot, so that several disks go together.
    name = "disk" + at.replace(".", "-").replace(":", "-")
    # Without a file of its own a device works on a copy, which ends with the machine.
    path, keep = (disk, "") if disk else (DISK, ",snapshot=on")
    return name, ["-drive", f"file={path.replace(',', ',,')},format=raw,if=none,id={name}{keep}"]


def _net(at):
    name = "net" + at.replace(".", "-").replace(":", "-")
    return name, ["-netdev", f"user,id={name}"]


def _addr(at):
    """QEMU's name for a function of bus 0: "04.0" for 00:04.0."""
    bus, function = at.split(":")
    assert bus == "00", at
    return "addr=" + function


def nvme(at, disk=None):
    name, drive = _drive(at, disk)
    return [*drive, "-device", f"nvme,serial=bulkhead,drive={name},{_addr(at)}"]


def ahci(at, disk=None):
    name, drive = _drive(at, disk)
    return [*drive, "-device", f"ahci,id=bus{name},{_addr(at)}",
            "-device", f"ide-hd,drive={name},bus=bus{name}.0"]


def usb_disk(at, disk=None):
    name, drive = _drive(at, disk)
    return [*drive, "-device", f"qemu-xhci,id=bus{name},{_addr(at)}",
            "-device", f"usb-storage,drive={name},bus=bus{name}.0"]


# Devices of virtio reach memory past an IOMMU unless they are told otherwise.
VIRTIO = "disable-legacy=on,iommu_platform=on"


def virtio_blk(at, disk=None):
    name, drive = _drive(at, disk)
    return [*drive, "-device", f"virtio-blk-pci,{VIRTIO},drive={name},{_addr(at)}"]


def virtio_net(at):
    name, netdev = _net(at)
    return [*netdev, "-device", f"virtio-net-pci,{VIRTIO},netdev={name},{_addr(at)}"]


def e1000e(at):
    name, netdev = _net(at)
    return [*netdev, "-device", f"e1000e,netdev={name},{_addr(at)}"]


def e1000(at):
    """Has neither MSI nor MSI-X."""
    name, netdev = _net(at)
    return [*netdev, "-device", f"e1000,netdev={name},{_addr(at)}"]


# The machine of `make run`: it has those of these that the configuration names.
OFFERED = {
    "00:04.0": nvme,
    "00:05.0": e1000e,
    "00:06.0": ahci,
    "00:07.0": virtio_net,
    "00:08.0": virtio_blk,
    "00:09.0": usb_disk,
}


def offered(partitions):
    """QEMU's options for the devices that a configuration's partitions name. What is not offered is
    left out: the hypervisor says that it is absent."""
    options = []
    for at in sorted({at for p in partitions for at in p.devices}):
        if at in OFFERED:
            options += OFFERED[at](at)
    return options


class PageServer:
    """Serves one page, whatever is asked for, on the loopback; `with` ends it. Port 0: any."""

    def __init__(self, page, port=0):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):  # noqa: N802
                self.send_response(200)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()

            def do_GET(self):  # noqa: N802
                self.do_HEAD()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        try:
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise bulkhead.Error(f"port {port} of this machine: {error.strerror}")
        self.url = f"http://{HOST}:{self.server.server_port}/page"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
