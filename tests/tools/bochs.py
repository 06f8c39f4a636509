#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Boots an image in Bochs, whose first serial port is this program's standard input and output: on a
terminal it is the machine's console, and in a pipe it takes QEMU's place under the boot tests."""

import argparse
import functools
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty

import bulkhead

MODEL = "corei7_skylake_x"
BIOS = "/usr/share/bochs/BIOS-bochs-latest"
VGA_BIOS = "/usr/share/vgabios/vgabios-stdvga.bin"
# Instructions for each second that the machine believes to pass. Firmware and loader wait in that
# time, so a low number boots faster.
IPS = 4_000_000
START_SECONDS = 120  # on a busy machine

# The graphics card has text mode only: the hypervisor asks GRUB for a screen, the modes that the VGA BIOS
# lists here have no address, and GRUB would clear its own memory.
SETTINGS = """\
display_library: rfb, options="timeout=0"
plugin_ctrl: unmapped=1, biosdev=1, serial=1, iodebug=1, speaker=0
cpu: model={model}, count={cpus}, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=0
memory: guest={memory}, host={memory}
romimage: file={bios}
vgaromimage: file={vga}
vga: extension=none
ata0-master: {drive}
boot: {boot}
com1: enabled=1, {com1}
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
log: {log}
clock: sync=none, time0={time}
magic_break: enabled=1
"""

# In slot 1, which is function 00:02.0, on a user network like QEMU's. 82540EM: INTx, no MSI.
E1000 = """\
plugin_ctrl: e1000=1
pci: enabled=1, chipset=i440fx, slot1=e1000
e1000: enabled=1, mac=52:54:00:12:34:56, ethmod=slirp
"""


def drive(path):
    """A disk image by its name's end (.img), else a CD: the setting, and what it boots as. It lies in
    Bochs's own folder."""
    if not path.endswith(".img"):
        return f"type=cdrom, path={os.path.basename(path)}, status=inserted", "cdrom"
    heads, sectors = bulkhead.DISK_HEADS, bulkhead.DISK_SECTORS
    cylinders = os.path.getsize(path) // (heads * sectors * 512)
    place = f"type=disk, path={os.path.basename(path)}, mode=flat"
    return f"{place}, cylinders={cylinders}, heads={heads}, spt={sectors}", "disk"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def missing():
    """Why there is no Bochs to be used, or None."""
    return bulkhead.missing("bochs", "Bochs", "bochs", BIOS, VGA_BIOS)


@functools.lru_cache(maxsize=None)
def _help(*topic):
    if missing():
        return ""
    return subprocess.run(["bochs", "--help", *topic], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True).stdout


def version():
    """(major, minor); zeros without Bochs."""
    match = re.search(r"Bochs x86 Emulator (\d+)\.(\d+)", _help())
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def lacks(model):
    """Why this version can't have a CPU model, or None."""
    known = re.search(rf"^{re.escape(model)}$", _help("cpu"), re.MULTILINE)
    return None if known else "Bochs {}.{} has no CPU model ".format(*version()) + model


COMMAND = ["bochs", "-q", "-f", "bochsrc", "-rc", "rc"]


def prepare(folder, iso, com1, commands, model, cpus, memory, e1000):
    """Writes Bochs's settings, and what its debugger is to do, into the folder that it will run in."""
    if missing():
        raise bulkhead.Error(f"{missing()} (tests/setup.sh bochs installs it)")
    # Bochs's settings have marks of their own: it sees only names in its own folder.
    image = os.path.join(folder, "image" + os.path.splitext(iso)[1])
    os.symlink(os.path.realpath(iso), image)
    drive_setting, boot = drive(image)
    settings = SETTINGS.format(
        model=model, cpus=cpus, ips=IPS, memory=memory, bios=BIOS, vga=VGA_BIOS,
        drive=drive_setting, boot=boot, com1=com1, log="bochs.log", time=int(time.time()),
    )
    if e1000:
        settings += E1000
    with open(os.path.join(folder, "bochsrc"), "w") as f:
        f.write(settings)
    with open(os.path.join(folder, "rc"), "w") as f:
        f.write(commands)


class Machine:
    """A Bochs that runs, and the connection to its serial port."""

    def __init__(self, iso, model=MODEL, cpus=4, memory=1024, log=None, e1000=False):
        self.folder = tempfile.TemporaryDirectory(prefix="bochs-")
        self.log = os.path.join(self.folder.name, "bochs.log")
        if log:
            os.symlink(os.path.abspath(log), self.log)
        port = free_port()
        # Past the debugger's first stop; and out at the next, which is a guest's `xchg bx, bx`.
        prepare(self.folder.name, iso, f"mode=socket-server, dev=127.0.0.1:{port}", "c\nq\n",
                model, cpus, memory, e1000)
        self.output = open(os.path.join(self.folder.name, "output"), "wb")
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
            cwd=self.folder.name,
        )
        self.serial = self._connect(port)

    def _connect(self, port):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                time.sleep(0.1)
        self.close()
        raise bulkhead.Error("Bochs does not start:\n" + self.complaint())

    def complaint(self):
        """The last lines of what Bochs said."""
        lines = []
        for path in (self.log, self.output.name):
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    lines += f.read().splitlines()[-10:]
        return "\n".join(lines)

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


def relay(machine):
    """Until the machine ends, or its input does and nothing more comes."""
    sources = [machine.serial, sys.stdin.fileno()]
    while machine.process.poll() is None:
        ready, _, _ = select.select(sources, [], [], 0.5)
        if machine.serial in ready:
            data = machine.serial.recv(4096)
            if not data:
                return
            os.write(sys.stdout.fileno(), data)
        if sys.stdin.fileno() in ready:
            data = os.read(sys.stdin.fileno(), 256)
            if not data:
                sources.remove(sys.stdin.fileno())
            elif data == b"\x1c":  # Ctrl-\ leaves whatever the machine does
                return
            else:
                machine.serial.sendall(data)


def write_symbols(path):
    """The hypervisor's symbols, as Bochs's debugger reads them."""
    table = subprocess.run(["nm", os.path.join(bulkhead.BUILD, "bulkhead.elf")], check=True,
                           stdout=subprocess.PIPE, text=True).stdout
    with open(path, "w") as f:
        for address, kind, name in map(str.split, table.splitlines()):
            if kind not in "aA":  # a number, not a place
                f.write(f"{address} {name}\n")


def debug(iso, args):
    """Bochs's own debugger on this terminal. It has the hypervisor's symbols, and stops at boot_main."""
    serial = os.path.join(bulkhead.BUILD, "bochs-serial.log")
    with tempfile.TemporaryDirectory(prefix="bochs-") as folder:
        prepare(folder, iso, "mode=file, dev=serial", 'ldsym global "symbols"\nlb "boot_main"\nc\n',
                args.model, args.cpus, args.memory, args.e1000)
        write_symbols(os.path.join(folder, "symbols"))
        os.symlink(serial, os.path.join(folder, "serial"))
        print(f"The serial port's output goes to {os.path.relpath(serial)}.")
        sys.stdout.flush()
        return subprocess.call(COMMAND, cwd=folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", nargs="?", default="",
                        help="an .iso or .img, or a configuration that one is made of; none: an inventory")
    parser.add_argument("--model", default=MODEL, help="CPU model of Bochs")
    parser.add_argument("--cpus", type=int, default=4)
    parser.add_argument("--memory", type=int, default=1024, help="MiB")
    parser.add_argument("--e1000", action="store_true", help="a network interface at 00:02.0")
    parser.add_argument("--log", help="where Bochs writes what it notes")
    parser.add_argument("--debug", action="store_true",
                        help="Bochs's debugger on this terminal, stopped at the hypervisor's beginning")
    args = parser.parse_args()

    iso = args.image
    if not iso.endswith((".iso", ".img")):
        run = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
        # Bochs would need half a minute to hash two Linux systems.
        subprocess.run([sys.executable, run, "--iso", "--no-hashes", *([iso] if iso else [])],
                       check=True)
        name = os.path.splitext(os.path.basename(iso))[0] or "inventory"
        iso = os.path.join(bulkhead.BUILD, name + ".iso")
    if args.debug:
        return debug(iso, args)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the end of a test: Bochs ends too
    machine = Machine(iso, args.model, args.cpus, args.memory, args.log, args.e1000)
    terminal = sys.stdin.isatty()
    if terminal:
        print(f"Bochs: {args.cpus} CPUs, {args.memory} MiB, {args.model}. Ctrl-] n: next partition, "
              "Ctrl-\\: leave\r")
        before = termios.tcgetattr(sys.stdin)
        tty.setraw(sys.stdin)
    try:
        relay(machine)
    finally:
        if terminal:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        status = machine.close()
    if status and status > 0:
        sys.stderr.write(machine.complaint() + "\n")
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except bulkhead.Error as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
