#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs systems of others in a partition, one after another, and says how far each came. They are too
large and too slow for `make test`. What they need is fetched from the Debian archive into
build/cache/guests; disks with a system of their own are made by debootstrap, as root. With --record the
result goes into the table of docs/guests.md."""

import argparse
import glob
import gzip
import os
import re
import shutil
import struct
import subprocess
import sys
import time

import bulkhead
import hardware
from console import Console

GUESTS = os.path.join(bulkhead.BUILD, "cache", "guests")
TABLE = os.path.join(bulkhead.ROOT, "docs", "guests.md")
STEP = 900  # seconds that a step may take
KEY = "\x1d"  # Ctrl-], the console's


def mirror():
    """The archive that this machine's apt is configured for; Debian's other releases are beside its own."""
    said = subprocess.run(["apt-get", "indextargets", "--format", "$(LABEL) $(COMPONENT) $(REPO_URI)",
                           "Created-By: Packages"], check=True, capture_output=True, text=True).stdout
    for line in said.splitlines():
        label, component, uri = line.split(" ", 2)
        if label == "Debian" and component == "main":
            return uri
    raise bulkhead.Error("apt has no source of Debian's main archive, or apt-get update has not been run")


def run(*command, **more):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    except FileNotFoundError:
        raise bulkhead.Error(f"{command[0]} is not installed") from None
    if done.returncode != 0:
        raise bulkhead.Error(f"{' '.join(command)}: {done.stdout.decode(errors='replace').strip()[-500:]}")
    return done.stdout.decode(errors="replace")


# ---- what the systems are made of ---------------------------------------------------------------

def apt_for(arch, suite):
    """Options of apt for another architecture or release than the machine's, with lists of their own."""
    root = os.path.join(GUESTS, f"apt-{suite}-{arch}")
    for folder in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    sources = os.path.join(root, "sources.list")
    with open(sources, "w") as f:
        f.write(f"deb {mirror()} {suite} main\n")
    options = {"Dir::State": f"{root}/state", "Dir::Cache": f"{root}/cache", "Dir::State::status": "/dev/null",
               "Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null",
               "APT::Architecture": arch, "APT::Architectures": arch, "APT::Sandbox::User": "root"}
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    if not glob.glob(f"{root}/state/lists/*Packages*"):
        run("apt-get", "-q", *words, "update")
    return words


def package(name, arch="amd64", suite="bookworm"):
    """The folder of an unpacked package. One that only stands for the newest kernel is followed."""
    folder = os.path.join(GUESTS, f"{name}-{suite}-{arch}")
    if not os.path.isdir(folder):
        words = apt_for(arch, suite)
        depends = run("apt-cache", *words, "depends", name)
        kernel = re.search(r"^ *Depends: (linux-image-\d\S+)", depends, re.M)
        new = folder + ".new"
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(new)
        run("apt-get", "-q", *words, "download", kernel.group(1) if kernel else name, cwd=new)
        deb = glob.glob(f"{new}/*.deb")[0]
        run("dpkg", "-x", deb, new)
        os.remove(deb)
        os.rename(new, folder)
    return folder


def only(pattern):
    found = glob.glob(pattern)
    if len(found) != 1:
        raise bulkhead.Error(f"{pattern}: {len(found)} files instead of one")
    return found[0]


def put(folder, name, source):
    """Links a file into the folder of a system, under the name that its configuration has."""
    target = os.path.join(folder, name)
    if os.path.lexists(target):
        os.remove(target)
    os.symlink(os.path.abspath(source), target)


def debian_disk(folder, suite):
    """A system of its own on a disk: systemd, a shell on the console, kexec."""
    root = os.path.join(GUESTS, f"root-{suite}")
    disk = os.path.join(folder, "disk.img")
    if not os.path.exists(os.path.join(root, "made")):
        shutil.rmtree(root, ignore_errors=True)
        run("debootstrap", "--variant=minbase",
            "--include=systemd-sysv,udev,dbus,linux-image-amd64,kexec-tools", suite, root, mirror())
    proc = os.path.join(root, "proc")
    if os.path.ismount(proc):
        run("umount", proc)
    with open(os.path.join(root, "etc", "fstab"), "w") as f:
        f.write("LABEL=root / ext4 defaults 0 1\n")
    with open(os.path.join(root, "etc", "hostname"), "w") as f:
        f.write(f"{suite}\n")
    run("sed", "-i", "s/^root:[^:]*:/root::/", os.path.join(root, "etc", "shadow"))  # no password
    open(os.path.join(root, "made"), "w").close()
    if not os.path.exists(disk):
        run("mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", root, disk + ".new", "1400M")
        os.rename(disk + ".new", disk)
    put(folder, "vmlinuz", only(f"{root}/boot/vmlinuz-*"))
    put(folder, "initrd.img", only(f"{root}/boot/initrd.img-*"))


def debian12(folder):
    debian_disk(folder, "bookworm")


def debian13(folder):
    debian_disk(folder, "trixie")


def rt_kernel(folder):
    put(folder, "vmlinuz", only(package("linux-image-rt-amd64") + "/boot/vmlinuz-*"))
    put(folder, "initrd.gz", os.path.join(bulkhead.BUILD, "initrd.gz"))


def i386_kernel(folder):
    put(folder, "vmlinuz", only(package("linux-image-686", "i386") + "/boot/vmlinuz-*"))
    tree = os.path.join(folder, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree + "/bin")
    for name in ("proc", "sys", "dev"):
        os.mkdir(f"{tree}/{name}")
    shutil.copy(package("busybox-static", "i386") + "/bin/busybox", tree + "/bin/busybox")
    with open(tree + "/init", "w") as f:
        f.write("#!/bin/busybox sh\n/bin/busybox mount -t proc proc /proc\n"
                "echo \"up: $(/bin/busybox uname -rm)\"\n/bin/busybox grep -c ^processor /proc/cpuinfo\n"
                "exec /bin/busybox poweroff -f\n")
    os.chmod(tree + "/init", 0o755)
    with open(folder + "/initrd.gz", "wb") as f:
        subprocess.run("find . | cpio -o -H newc -R 0:0 2>/dev/null | gzip -9", shell=True, cwd=tree, check=True,
                       stdout=f)


def installer(folder):
    images = (package("debian-installer-12-netboot-amd64") +
              "/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
    put(folder, "vmlinuz", images + "/linux")
    put(folder, "initrd.gz", images + "/initrd.gz")


def memtest(folder):
    put(folder, "memtest.bin", package("memtest86+") + "/boot/memtest86+x64.bin")


def coreboot_table(memory):
    """What coreboot leaves below 4 KiB for its payload: the memory map. memory in bytes. (coreboot's
    commonlib/coreboot_tables.h: lb_header, lb_memory.)"""
    ranges = [(0, 0x9f000, 1), (0x100000, memory - 0x100000, 1)]
    entries = b"".join(struct.pack("<QQI", *each) for each in ranges)
    record = struct.pack("<II", 1, 8 + len(entries)) + entries
    return struct.pack("<4sIIIII", b"LBIO", 24, 0, len(record), 0, 1) + record


def behind_coreboot(elf, memory, low=0x800, at=0x90000):
    """Gives an ELF32 payload a start that does what coreboot would: its table is put below 4 KiB, where no image
    may lie. The start is loaded by what was PT_GNU_STACK, which no loader of a kernel reads."""
    with open(elf, "rb") as f:
        image = bytearray(f.read())
    entry, headers = struct.unpack_from("<II", image, 24)
    size, count = struct.unpack_from("<HH", image, 42)
    stack = next(place for place in range(headers, headers + size * count, size)
                 if struct.unpack_from("<I", image, place)[0] == 0x6474e551)
    table = coreboot_table(memory)
    # mov esi, at + 32; mov edi, low; mov ecx, bytes; cld; rep movsb; mov ecx, entry; jmp ecx
    code = struct.pack("<BIBIBI3sBI2s", 0xbe, at + 32, 0xbf, low, 0xb9, len(table), b"\xfc\xf3\xa4", 0xb9, entry,
                       b"\xff\xe1").ljust(32, b"\x90") + table
    struct.pack_into("<8I", image, stack, 1, len(image), at, at, len(code), len(code), 5, 1)
    struct.pack_into("<I", image, 24, at)
    with open(elf, "wb") as f:
        f.write(image + code)


def grub(folder):
    """Debian's GRUB for coreboot has a Multiboot header, but takes its memory map from coreboot's tables only."""
    commands = os.path.join(folder, "grub.cfg")
    elf = os.path.join(folder, "grub.elf")
    with open(commands, "w") as f:
        f.write("serial --port=0x3f8 --speed=115200\nterminal_output serial\n"
                "echo GRUB is up\nlsacpi\ndate\nhalt\n")
    run("grub-mkimage", "-d", package("grub-coreboot-bin") + "/usr/lib/grub/i386-coreboot", "-O", "i386-coreboot",
        "-o", elf, "-p", "(memdisk)", "-c", commands, "serial", "terminal", "echo", "lsacpi", "date", "halt")
    behind_coreboot(elf, 64 << 20)


def xen(folder):
    """Xen by Multiboot, with a kernel for its first domain."""
    with gzip.open(only(package("xen-hypervisor-4.17-amd64") + "/boot/xen-*-amd64.gz")) as packed, \
         open(os.path.join(folder, "xen.elf"), "wb") as elf:
        shutil.copyfileobj(packed, elf)
    put(folder, "vmlinuz", os.path.join(bulkhead.BUILD, "vmlinuz"))


# ---- the systems --------------------------------------------------------------------------------

class System:
    def __init__(self, title, prepare, partition, steps, devices=(), iommu=False, memory=2048):
        self.title = title
        self.prepare = prepare  # called with the folder of the system's files
        self.partition = partition  # the keys of its configuration
        self.steps = steps  # in turn: texts to wait for, or ("type", text)
        self.devices = devices  # called with the folder; options of QEMU
        self.iommu = iommu
        self.memory = memory  # of the machine, in MiB

    def config(self):
        return f'partitions = ( {{ name = "guest"; {self.partition} }} );\n'


def type_(text):
    return "type", text


def own_disk(folder):
    return hardware.nvme("00:04.0", os.path.join(folder, "disk.img")) + ["-snapshot"]


def own_sata_disk(folder):
    return hardware.ahci("00:06.0", os.path.join(folder, "disk.img")) + ["-snapshot"]


def network(folder):
    return hardware.e1000e("00:05.0")


DISK = ('cpus = 2; memory = "768M"; image = "vmlinuz"; initrd = "initrd.img"; '
        'cmdline = "console=ttyS0 root=LABEL=root rw systemd.default_timeout_start_sec=900 '
        'systemd.default_device_timeout_sec=900"; devices = ( {{ pci = "{}"; }} );')
LOGIN = [r"login: ", type_("root\r"), r"root@\w+:~# "]
OFF = [type_("systemctl poweroff\r"), r"ended by power-off"]

SYSTEMS = {
    "memtest86+": System(
        "memtest86+ 6.10", memtest,
        'cpus = 2; memory = "16M"; image = "memtest.bin"; cmdline = "console=ttyS0,115200";',
        ["Memtest86", r"Pass +"]),
    "rt": System(
        "Debian 12's PREEMPT_RT kernel, busybox", rt_kernel,
        'cpus = 2; memory = "256M"; image = "vmlinuz"; initrd = "initrd.gz"; '
        'cmdline = "console=ttyS0 bulkhead.test=smoke,poweroff";',
        ["PREEMPT_RT", r"Linux \S*rt\S* is up: 2 CPU", "smoke done", "ended by power-off"]),
    "i386": System(
        "Debian 12's i386 kernel, busybox", i386_kernel,
        'cpus = 2; memory = "256M"; image = "vmlinuz"; initrd = "initrd.gz"; cmdline = "console=ttyS0";',
        [r"32-bit entry", r"up: \S+-686 i686", r"guest\] 2", "ended by power-off"]),
    "grub": System(
        "GRUB 2.06 (Debian's i386-coreboot image), by Multiboot, with coreboot's table", grub,
        'cpus = 1; memory = "64M"; image = "grub.elf"; multiboot_name = false;',
        ["GRUB is up", "BULKHD", "ended by power-off"]),
    "xen": System(
        "Xen 4.17, by Multiboot, to the start of its first domain", xen,
        'cpus = 2; memory = "512M"; image = "xen.elf"; '
        'cmdline = "no-real-mode com1=115200,8n1 console=com1 loglvl=all noreboot"; '
        'modules = ( { name = "vmlinuz"; cmdline = "console=hvc0"; } );',
        ["Brought up 2 CPUs", "Building a PV Dom0", "Freed .* init memory"]),
    "debian12": System(
        "Debian 12, systemd, own NVMe disk", debian12, DISK.format("00:04.0"), LOGIN + OFF, own_disk, True),
    "debian12-sata": System(
        "Debian 12, systemd, own SATA disk", debian12, DISK.format("00:06.0"), LOGIN + OFF, own_sata_disk, True),
    "button": System(
        "Debian 12, systemd, own NVMe disk: Ctrl-] s", debian12, DISK.format("00:04.0"),
        LOGIN + [type_(KEY + "s"), "power button is pressed$", "ended by power-off"], own_disk, True),
    "kexec": System(
        "Debian 12, systemd, own NVMe disk: kexec into the same kernel", debian12, DISK.format("00:04.0"),
        LOGIN + [type_("kexec -l /vmlinuz --initrd=/initrd.img --reuse-cmdline && systemctl kexec\r"),
                 r"\[ +0\.0+\] Linux version"] + LOGIN + OFF, own_disk, True),
    "debian13": System(
        "Debian 13, systemd, own NVMe disk", debian13, DISK.format("00:04.0"), LOGIN + OFF, own_disk, True),
    "installer": System(
        "Debian 12's installer to the choice of a mirror", installer,
        'cpus = 1; memory = "1G"; image = "vmlinuz"; initrd = "initrd.gz"; '
        'cmdline = "console=ttyS0 DEBIAN_FRONTEND=text locale=en_US.UTF-8 keymap=us hostname=guest domain="; '
        'devices = ( { pci = "00:05.0"; } );',
        ["Configuring the network with DHCP", "Choose a mirror of the Debian archive"], network, True),
}


def boot(name, system, qemu, cpu):
    folder = os.path.join(GUESTS, name)
    os.makedirs(folder, exist_ok=True)
    system.prepare(folder)
    config = os.path.join(folder, "guest.conf")
    with open(config, "w") as f:
        f.write(system.config())
    blob = bulkhead.build_config(config, os.path.join(folder, "guest.bin"))
    modules = [blob] + bulkhead.find_modules(bulkhead.read_blob(blob), folder)
    command = bulkhead.machine(qemu, cpu, 4, system.memory)
    if system.iommu:
        command += hardware.iommu("intel-iommu")
    if system.devices:
        command += system.devices(folder)
    command += ["-chardev", "stdio,id=con,signal=off", "-serial", "chardev:con"]
    command += bulkhead.kernel(os.path.join(bulkhead.BUILD, "bulkhead32.elf"), modules)
    return Console(command, os.path.join(folder, "qemu.log"))


def walk(console, steps):
    """None, or how far it came and which step did not come."""
    at = 0
    came = "start"
    for step in steps:
        if isinstance(step, tuple):
            time.sleep(2)  # what comes after a prompt may still be on its way
            at = console.count()
            console.type(step[1])
            continue
        try:
            at = console.wait(step, since=at, timeout=STEP)
        except AssertionError as error:
            return f"comes to `{came}`, then {error}"
        came = step
    return None


def record(title, keys, emulator, seen):
    """Puts a row into the table: the one of this system on this emulator, or a new one."""
    with open(TABLE) as f:
        lines = f.read().split("\n")
    row = f"| {title} | `{keys}` | {emulator} | {seen} |"
    first = next(i for i, line in enumerate(lines) if line.startswith("|---")) + 1
    end = next(i for i in range(first, len(lines)) if not lines[i].startswith("|"))
    same = [i for i in range(first, end) if lines[i].startswith(f"| {title} |")]
    on_it = [i for i in same if f"| {emulator} |" in lines[i]]
    if on_it:
        lines[on_it[0]] = row
    else:
        lines.insert(same[-1] + 1 if same else end, row)
    with open(TABLE, "w") as f:
        f.write("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="which; all if left out", metavar="|".join(SYSTEMS))
    parser.add_argument("--record", action="store_true", help="write what was seen into docs/guests.md")
    parser.add_argument("--qemu", default=bulkhead.installed_qemu(), help="the emulator")
    parser.add_argument("--cpu", help="its CPU model")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in SYSTEMS]
    if unknown:
        raise bulkhead.Error(f"no system is called {unknown[0]}: choose of {', '.join(SYSTEMS)}")
    version = bulkhead.qemu_version(args.qemu)
    cpu = args.cpu or bulkhead.best_cpu(version)
    emulator = f"QEMU {version[0]}.{version[1]}, {cpu}"
    bad = 0
    for name in args.names or SYSTEMS:
        system = SYSTEMS[name]
        began = time.monotonic()
        try:
            console = boot(name, system, args.qemu, cpu)
        except bulkhead.Error as error:
            print(f"{name}: not run: {error}", flush=True)
            bad += 1
            continue
        try:
            failure = walk(console, system.steps)
        finally:
            console.stop()
        with open(os.path.join(GUESTS, name, "console.txt"), "w") as f:
            f.write("\n".join(console.lines + [console.partial]))
        last = [step for step in system.steps if isinstance(step, str)][-1]
        seen = f"not as it should: {failure}" if failure else f"works, to `{last}`"
        print(f"{name}: {seen} ({time.monotonic() - began:.0f} s)", flush=True)
        bad += failure is not None
        if args.record:
            record(system.title, system.partition.replace("|", "\\|"), emulator, seen)
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except bulkhead.Error as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
