#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles a configuration and starts it in QEMU on this terminal; with --iso, --efi or --image makes
a GRUB image, a UEFI program or a disk image instead. Files that the configuration names are looked for
in build/ and beside it. Without a configuration the hypervisor starts alone, and shows what the machine
has."""

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys

import bulkhead
import hardware

PAGE = b"This page was fetched by a partition, with its own network device.\n"


def page_server(blob):
    """The server for a page that a command line names as bulkhead.url=, if one does."""
    if blob is None:
        return contextlib.nullcontext()
    with open(blob, "rb") as f:
        port = re.search(rb"bulkhead\.url=http://10\.0\.2\.2:(\d{1,5})/", f.read())
    if not port:
        return contextlib.nullcontext()
    return hardware.PageServer(PAGE, int(port.group(1)))


# What make builds under such a name.
TAKEN = {"bulkhead.efi", "disk.img"}


def output(name):
    """The path of a file to make in build/."""
    if name in TAKEN:
        raise bulkhead.Error(f"build/{name} is another file; give the configuration another name")
    return os.path.join(bulkhead.BUILD, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", help="none: an inventory of the machine")
    parser.add_argument("--iso", action="store_true", help="make build/NAME.iso, start nothing")
    parser.add_argument("--efi", action="store_true", help="make build/NAME.efi, start nothing")
    parser.add_argument("--image", action="store_true", help="make build/NAME.img, start nothing")
    parser.add_argument("--no-hashes", action="store_true",
                        help="don't have the modules' hashes checked: an emulator takes its time")
    parser.add_argument("--cpu", help="QEMU CPU model")
    parser.add_argument("--qemu", help="the emulator", default=bulkhead.installed_qemu())
    parser.add_argument("--iommu", choices=["intel-iommu", "amd-iommu", "none"],
                        default="intel-iommu", help="for partitions with devices")
    args = parser.parse_args()

    name, blob, partitions, modules = "inventory", None, [], []
    if args.config:
        name = os.path.splitext(os.path.basename(args.config))[0]
        folders = bulkhead.BUILD, os.path.dirname(os.path.abspath(args.config))
        blob = bulkhead.build_config(args.config, os.path.join(bulkhead.BUILD, name + ".bin"),
                                     *(() if args.no_hashes else folders))
        partitions = bulkhead.read_blob(blob)
        modules = [blob] + bulkhead.find_modules(partitions, *folders)

    does = f"boots {len(partitions)} partition(s)" if args.config else "shows what a machine has,"
    if args.iso or args.image:
        out = output(name + (".img" if args.image else ".iso"))
        image = os.path.join(bulkhead.BUILD, "bulkhead.elf")
        bulkhead.make_iso(out, image, modules, uefi=args.image)
        print(f"{os.path.relpath(out)}: {does} through GRUB")
        return 0
    if args.efi:
        out = bulkhead.make_efi(output(name + ".efi"), modules)
        print(f"{os.path.relpath(out)}: {does} by UEFI, as \\EFI\\BOOT\\BOOTX64.EFI on a stick, or by "
              "PXE or HTTP")
        return 0

    qemu = args.qemu
    if not qemu:
        raise bulkhead.Error("no qemu-system-x86_64: tests/setup.sh run installs it")
    cpu = args.cpu or bulkhead.best_cpu(bulkhead.qemu_version(qemu))
    cpus = max(4, bulkhead.needed_cpus(partitions) if partitions else 0)
    memory = max(2048, bulkhead.needed_memory(partitions))
    command = bulkhead.machine(qemu, cpu, cpus, memory)
    if not partitions or any(p.devices for p in partitions):
        if args.iommu != "none":
            command += hardware.iommu(args.iommu)
        command += hardware.offered(partitions) if partitions else hardware.e1000e("00:05.0")
    # Ctrl-C belongs to the guests; Ctrl-] q y is how to leave.
    command += ["-chardev", "stdio,id=con,signal=off", "-serial", "chardev:con"]
    command += bulkhead.kernel(os.path.join(bulkhead.BUILD, "bulkhead32.elf"), modules)
    log_path = os.path.join(bulkhead.BUILD, "qemu.log")
    print(f"QEMU: {cpus} CPUs, {memory} MiB, {cpu}. Ctrl-] n: next partition, Ctrl-] q y: leave")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the emulator ends too
    # TCG warns of each feature of the CPU model that it lacks; that would be the first screen.
    with open(log_path, "w") as log, page_server(blob):
        status = subprocess.call(command, stderr=log)
    if status != 0:
        with open(log_path) as log:
            lines = [line for line in log if "TCG doesn't support requested feature" not in line]
        sys.stderr.write("".join(lines[-20:]))
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except bulkhead.Error as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
