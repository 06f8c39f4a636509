#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what the hypervisor costs and compares it with the bare machine, with other hypervisors
and with what is to be reached: AMD-V in QEMU, VT-x in Bochs. Under -icount QEMU's TSC counts
instructions, and that of Bochs with one CPU always does, so the figures are exact and repeat; only
exits of an idle and of a booting Linux are taken in real time. Prints a table and writes
build/bench.md. The exit status says whether a target was missed."""

import argparse
import os
import re
import shutil
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import bochs  # noqa: E402
import bulkhead  # noqa: E402
import hardware  # noqa: E402
from console import Console  # noqa: E402
from rows import GAP_ATTACKS, Row, exit_table, gap_rows, missed_exits, table  # noqa: E402

ICOUNT = [
    *["-icount", "shift=0,sleep=off"],
    *["-rtc", "base=2020-01-01,clock=vm", "-seed", "42"],
]
WORK = os.path.join(bulkhead.BUILD, "bench")
HYPERVISOR = os.path.join(bulkhead.BUILD, "bulkhead32.elf")
HYPERVISOR_GRUB = os.path.join(bulkhead.BUILD, "bulkhead.elf")
BENCH = os.path.join(bulkhead.BUILD, "bench.elf")
TICKS_ELF = os.path.join(bulkhead.BUILD, "ticks.elf")
FORKS = 200
IDLE_SECONDS = 10
SLOW = 600  # seconds: single-threaded emulation of a whole Linux
KEY_COUNTERS = "\x1dc"


# The other hypervisors were measured with the same kernel under QEMU 7.2, without nRIP save.
PLAIN_ROWS = [
    Row("CPUID", "cpuid", "124 / 5428 / 3065", amd=100, vtx=120),
    Row("CPUID, leaf 1", "cpuid_1"),
    Row("CPUID, leaf 7", "cpuid_7"),
    Row("CPUID, leaf 0xd, subleaf 0", "cpuid_d_0"),
    Row("CPUID, leaf 0xd, subleaf 5", "cpuid_d_5"),
    Row("CPUID, leaf 4", "cpuid_4"),
    Row("CPUID, leaf 0x8000001d", "cpuid_8000001d"),
    Row("CPUID, leaf 0x80000008", "cpuid_80000008"),
    Row("hypercall, invalid number", "hypercall", "164 / 5499 / 3318", amd=100, vtx=120),
    Row("emulated port read (0x61)", "port_61_read", "2 / 1172 / 7244", amd=120),
    Row("CR3 load", "cr3_load", as_bare=True),
    Row("page fault", "page_fault", as_bare=True),
    Row("xAPIC EOI write", "xapic_eoi", "2415 / 17550 / 3946", amd=800),
    Row("xAPIC TPR write", "xapic_tpr_write", "2415 / 17550 / 3946", amd=800),
    Row("xAPIC TPR read", "xapic_tpr_read"),
]
X2APIC_ROWS = [
    Row("x2APIC EOI", "x2apic_eoi", as_bare=True),
    Row("x2APIC TPR write", "x2apic_tpr_write", as_bare=True),
    Row("x2APIC timer, arming", "x2apic_timer_arm", as_bare=True),
    Row("x2APIC timer, waking from HLT", "x2apic_timer_wake", as_bare=True),
    Row("x2APIC self-IPI and its interrupt", "x2apic_self_ipi", as_bare=True),
    Row("HLT with an interrupt waiting", "x2apic_hlt_wake", as_bare=True),
    Row("x2APIC IPI by the ICR, to itself", "x2apic_icr_ipi"),
]
# Ticks of a timer, by what ticks.elf calls the way they come.
TICKS_MEASURED = 100
PIC_ROWS = [
    Row("PIT's tick through the 8259s", "pic", amd=3700, vtx=2700),
    Row("PIT's tick through the 8259s: exits", "exits_pic", amd=2.0, vtx=2.0),
]
PIN_ROWS = [
    Row("PIT's tick through the IOAPIC, x2APIC", "pin", as_bare=True),
    Row("PIT's tick through the IOAPIC, x2APIC: exits", "exits_pin", amd=0.0, vtx=0.0),
    Row("HPET's tick through the IOAPIC, x2APIC", "hpet", amd=90, vtx=90),
    Row("HPET's tick through the IOAPIC, x2APIC: exits", "exits_hpet", amd=0.0, vtx=0.0),
]


def start(emulator, cpu, cpus, memory, image, modules, append="", icount=True, devices=()):
    command = bulkhead.machine(emulator, cpu, cpus, memory)
    command += ["-chardev", "stdio,id=con,signal=off", "-serial", "chardev:con"]
    command += (ICOUNT if icount else []) + list(devices)
    command += bulkhead.kernel(image, modules, append)
    return Console(command, os.path.join(WORK, "qemu.log"))


def start_bochs(name, image, modules, protocol=2, append=""):
    """One CPU: with more of them the TSC goes in steps."""
    iso = bulkhead.make_iso(os.path.join(WORK, f"{name}.iso"), image, modules, append, protocol)
    program = os.path.join(bulkhead.ROOT, "tests", "tools", "bochs.py")
    return Console([sys.executable, program, iso, "--cpus", "1"], os.path.join(WORK, f"{name}.log"))


def compiled(text, name="bench", folders=()):
    """The modules of a configuration's text, the compiled configuration first; with the hashes of those
    in the folders."""
    source = os.path.join(WORK, f"{name}.conf")
    with open(source, "w") as f:
        f.write(text)
    blob = bulkhead.build_config(source, os.path.join(WORK, f"{name}.bin"), *folders)
    return [blob] + bulkhead.find_modules(bulkhead.read_blob(blob), bulkhead.BUILD)


def start_partitions(emulator, cpu, text, memory=1024, icount=True, cpus=4, devices=()):
    return start(emulator, cpu, cpus, memory, HYPERVISOR, compiled(text), "", icount, devices)


def one_partition(image, memory, cmdline, more=""):
    return (
        f'partitions = ( {{ name = "bench"; cpus = 1; memory = "{memory}"; image = "{image}"; '
        f'cmdline = "{cmdline}"; {more} }} );\n'
    )


def linux_partition(cmdline):
    return one_partition("vmlinuz", "256M", f"console=ttyS0 {cmdline}", 'initrd = "initrd.gz";')


OPERATIONS = one_partition("bench.elf", "64M", "")
POWER_OFF = linux_partition("quiet bulkhead.test=poweroff")


def finished(console, pattern, timeout=SLOW):
    """Waits for the pattern, ends the machine and returns the match."""
    try:
        match = console.match(pattern, timeout=timeout)
        console.output = console.text()
        return match
    except AssertionError as error:
        raise bulkhead.Error(f"{error}\n{console.report()}")
    finally:
        console.stop()


def operations(console, end="bench done"):
    finished(console, end)
    found = re.findall(r"^(?:\[bench\] )?bench (\w+) (-?\d+)$", console.output, re.MULTILINE)
    return {name: int(value) for name, value in found}


def measure_operations(rows, emulator, cpu):
    bare = operations(start(emulator, cpu, 1, 256, BENCH, []))
    ours = operations(start_partitions(emulator, cpu, OPERATIONS))
    for row in rows:
        row.take("amd", bare, ours)


def measure_ticks(rows, vendor, bare, ours):
    """What a tick costs where nothing else is done, and its exits: by how many there are more in a run
    with twice the ticks. One CPU has them all. `bare` and `ours` start ticks.elf with a command line,
    and ours gives it an HPET or not. The HPET has no bare figure: that of Bochs brings ticks.elf nothing."""
    for way in [row.name for row in rows if not row.name.startswith("exits")]:
        words = f"only={way} cost=1 apic={'xapic' if way == 'pic' else 'x2apic'} ticks="
        cost_bare = {}
        if way != "hpet":
            cost_bare = operations(bare(words + str(TICKS_MEASURED)), rf"{way}: \d+ ticks")
        counts = []
        for ticks in (TICKS_MEASURED, 2 * TICKS_MEASURED):
            console = ours(words + str(ticks), "hpet = true;" if way == "hpet" else "")
            cost = operations(console, r"bench/0: exits \d+:.*")
            counts.append(int(re.search(r"bench/0: exits (\d+):", console.output).group(1)))
        cost[f"exits_{way}"] = round((counts[1] - counts[0]) / TICKS_MEASURED, 2)
        for row in rows:
            row.take(vendor, cost_bare, cost)


def measure_ticks_amd(rows, emulator, cpu):
    measure_ticks(
        rows, "amd",
        lambda words: start(emulator, cpu, 1, 256, TICKS_ELF, [], words),
        lambda words, more: start_partitions(
            emulator, cpu, one_partition("ticks.elf", "64M", words, more), cpus=1),
    )


def measure_ticks_vtx(rows):
    measure_ticks(
        rows, "vtx",
        lambda words: start_bochs("bochs-bare-ticks", TICKS_ELF, [], 1, words),
        lambda words, more: start_bochs(
            "bochs-ticks", HYPERVISOR_GRUB,
            compiled(one_partition("ticks.elf", "64M", words, more), "bochs-ticks")),
    )


def boot_exits(console):
    """The exits by kind that the hypervisor prints when Linux has powered off."""
    text = finished(console, r"bench/0: exits \d+:(.*)").group(1)
    return {kind: int(count) for kind, count in re.findall(r"([a-z-]+) (\d+)", text)}


def measure_vtx(rows, linux):
    """What operations cost in Bochs; returns the exits of a Linux boot."""
    bare = operations(start_bochs("bochs-bare", BENCH, [], 1))
    modules = compiled(OPERATIONS, "bochs-bench")
    ours = operations(start_bochs("bochs-bench", HYPERVISOR_GRUB, modules))
    for row in rows:
        row.take("vtx", bare, ours)
    measure_ticks_vtx(PIC_ROWS + PIN_ROWS)
    if not linux:
        return None
    modules = compiled(POWER_OFF, "bochs-linux")
    return boot_exits(start_bochs("bochs-linux", HYPERVISOR_GRUB, modules))


def bochs_missing():
    """What VT-x can't be measured without, or None."""
    if bochs.missing():
        return bochs.missing()
    if not shutil.which("grub-mkrescue") or not shutil.which("xorriso"):
        return "grub-mkrescue or xorriso is not installed, and Bochs boots from an image"
    return None


def measure_forks(emulator, cpu):
    row = Row(f"{FORKS} × fork and exec in Linux, over bare", "forks", "3.4 % / 26 % / 14 %", amd=1.0, unit=" %")
    words = f"quiet maxcpus=1 bulkhead.test=forkbench bulkhead.n={FORKS}"
    kernel = os.path.join(bulkhead.BUILD, "vmlinuz")
    initrd = os.path.join(bulkhead.BUILD, "initrd.gz")
    pattern = r"forkbench \d+: (\d+) ticks"
    console = start(emulator, cpu, 1, 256, kernel, [initrd], f"console=ttyS0 {words}")
    bare = int(finished(console, pattern).group(1))
    console = start_partitions(emulator, cpu, linux_partition(words))
    ours = int(finished(console, pattern).group(1))
    row.take("amd", {row.name: 0.0}, {row.name: (ours - bare) * 100.0 / bare})
    return row


def exits(console):
    since = console.count()
    console.type(KEY_COUNTERS)
    return int(console.match(r"bench/0: exits (\d+):", since=since).group(1))


def exits_within(console, seconds):
    before = exits(console)
    time.sleep(seconds)
    return exits(console) - before


def measure_idle(emulator, cpu):
    row = Row(f"exits in {IDLE_SECONDS} idle seconds, 1-CPU Linux, x2APIC", "idle", "~26 per second", amd=0)
    console = start_partitions(emulator, cpu, linux_partition("quiet"), icount=False)

    try:
        console.wait(r"\$ ", "bench", timeout=SLOW)
        time.sleep(5)  # what the boot left to do
        row.take("amd", {}, {row.name: exits_within(console, IDLE_SECONDS)})
    except AssertionError as error:
        raise bulkhead.Error(f"{error}\n{console.report()}")
    finally:
        console.stop()
    return row


# A disk without a medium: it answers at once, so nothing of the host's is measured.
EMPTY_DISK = [
    *["-drive", "driver=null-co,size=128M,read-zeroes=on,if=none,id=disk"],
    *["-device", "nvme,serial=bulkhead,drive=disk,addr=04.0"],
]
READ_MIB = 512
BUSY_SECONDS = 3


def reading_partition(words):
    return one_partition(
        "vmlinuz-generic", "256M", f"console=ttyS0 quiet maxcpus=1 bulkhead.test=read {words}",
        'initrd = "initrd-devices.gz"; devices = ( { pci = "00:04.0"; } );',
    )


def measure_disk(emulator, cpu):
    """A MiB read from NVMe: the least of many, in which the CPU did not sleep. Bare without an IOMMU, as
    the guest sees the machine."""
    row = Row("1 MiB read from NVMe by Linux, over bare", "disk", amd=1.0, unit=" %")
    words = f"bulkhead.n={READ_MIB}"
    kernel = os.path.join(bulkhead.BUILD, "vmlinuz-generic")
    initrd = os.path.join(bulkhead.BUILD, "initrd-devices.gz")
    pattern = r"readbench \d+ MiB: \d+ ticks, the least of 1 MiB (\d+) ticks, \d+ interrupts"
    append = f"console=ttyS0 quiet maxcpus=1 bulkhead.test=read {words}"
    console = start(emulator, cpu, 1, 256, kernel, [initrd], append, devices=EMPTY_DISK)
    bare = int(finished(console, pattern).group(1))
    console = start_partitions(emulator, cpu, reading_partition(words),
                               devices=hardware.iommu("intel-iommu") + EMPTY_DISK)
    ours = int(finished(console, pattern).group(1))
    print(f"bench: 1 MiB from NVMe: bare {bare}, Bulkhead {ours} instructions", flush=True)
    row.take("amd", {row.name: 0.0}, {row.name: (ours - bare) * 100.0 / bare})
    return row


def measure_disk_exits(emulator, cpu):
    row = Row(f"exits in {BUSY_SECONDS} s of reading from NVMe, x2APIC", "disk_exits", amd=0)
    console = start_partitions(emulator, cpu, reading_partition("bulkhead.n=16384"), icount=False,
                               devices=hardware.iommu("intel-iommu") + EMPTY_DISK)
    try:
        console.wait("read: nvme0n1", "bench", timeout=SLOW)
        time.sleep(2)  # the start of the program that reads
        row.take("amd", {}, {row.name: exits_within(console, BUSY_SECONDS)})
        if "read done" in console.text("bench"):
            raise bulkhead.Error("the disk was read before its exits could be counted")
        came = console.match(r"read done: .* (\d+) interrupts", timeout=SLOW).group(1)
        print(f"bench: {came} interrupts of the disk", flush=True)
    except AssertionError as error:
        raise bulkhead.Error(f"{error}\n{console.report()}")
    finally:
        console.stop()
    return row


def measure_memory(emulator, cpu):
    image = Row("hypervisor image", "image", amd=512, unit=" KiB")
    kept = Row("all memory it keeps, 4 CPUs, 2 GiB guests", "kept", amd=4096, unit=" KiB")
    text = "partitions = ( " + ", ".join(
        f'{{ name = "{name}"; cpus = 2; memory = "1G"; image = "count.elf"; }}' for name in "ab"
    ) + " );\n"
    console = start_partitions(emulator, cpu, text, memory=3072, icount=False)
    match = finished(console, r"hypervisor memory: image (\d+) KiB, kept (\d+) KiB", 120)
    image.take("amd", {}, {"image": int(match.group(1))})
    kept.take("amd", {}, {"kept": int(match.group(2))})
    return [image, kept]


# A CPU's reset by INIT counts, in QEMU, as the time to the next timer of the machine. This one ticks
# every 100 us, and nobody sees it.
TICKS = [
    *["-netdev", "hubport,id=hub,hubid=0"],
    *["-object", "filter-buffer,id=ticks,netdev=hub,interval=100"],
]
START_LIMIT = 30.0  # millions of instructions


def measure_start(emulator, cpu):
    """From the loader's entry to the first guest instruction, without what grows with the partitions:
    memory that is cleared, images that are copied, and their hashes."""
    row = Row("start: entry to first guest instruction, 4 CPUs", "start", amd=START_LIMIT, unit=" M")
    text = (
        'partitions = ( { name = "bench"; cpus = 4; memory = "128M"; image = "vmlinuz"; '
        'initrd = "initrd.gz"; cmdline = "quiet"; } );\n'
    )
    modules = compiled(text, "start", [bulkhead.BUILD])
    console = start(emulator, cpu, 4, 1024, HYPERVISOR, modules, devices=TICKS)
    said = finished(console, r"TSC ticks: (\d+), of these (.*)", 120)
    cost = {name: int(n) for name, n in re.findall(r"(\w[\w ]*) (\d+)", said.group(2))}
    print(f"bench: the start, in thousands of instructions: {said.group(0)}", flush=True)
    aside = [cost[name] for name in ("hashes", "clearing", "copying")]
    if 0 in aside:
        raise bulkhead.Error("the start had nothing to clear, to copy or to hash")
    row.take("amd", {}, {row.name: (int(said.group(1)) - sum(aside)) / 1000})
    return row


def measure_gaps(emulator, cpu):
    """The longest time in which a victim of one CPU does not get on, next to an attacker of one CPU.
    Instruction counting runs the CPUs in turns, each until the next timer: the victim's runs all the
    time, so a turn is the same whatever the neighbour does, and what is longer is the hypervisor's. Of the
    rounds' longest the median counts: now and then a timer of QEMU's UART ends the victim's turn as it
    begins. What interrupts the victim's CPU would be one of its exits."""
    gaps = {}
    for name in ("spin", *GAP_ATTACKS):
        text = (
            'partitions = ( { name = "neighbour"; cpus = 1; memory = "16M"; image = "hostile.elf"; '
            f'cmdline = "end=halt attack0={name} count=1000000000"; }}, '
            '{ name = "bench"; cpus = 1; memory = "16M"; image = "victim.elf"; '
            'cmdline = "size=256 idle=spin timer=periodic period=6250 rounds=9"; } );\n'
        )
        console = start_partitions(emulator, cpu, text, cpus=2)
        exits = finished(console, "bench/0: exits .*").group(0)
        if "nmi" in exits:
            raise bulkhead.Error(f"the victim's CPU was interrupted for its neighbour: {exits}")
        found = re.findall(r"^\[bench\] gap 0: (\d+)$", console.output, re.MULTILINE)
        gaps[name] = int(statistics.median(map(int, found)))
    return gap_rows(gaps)


def version(emulator):
    return ".".join(map(str, bulkhead.qemu_version(emulator)))


def measure(quick):
    """Returns the rows, the Linux boots' exits by machine, and the notes."""
    installed = bulkhead.installed_qemu()
    x2apic = None
    for emulator in (installed, bulkhead.SECOND_QEMU):
        if os.access(emulator, os.X_OK) and bulkhead.qemu_version(emulator)[0] >= 10:
            x2apic = (emulator, "EPYC,+x2apic")
    operation_rows = PLAIN_ROWS + X2APIC_ROWS
    rows, boots, notes = operation_rows + PIC_ROWS + PIN_ROWS, {}, []
    notes.append("Instructions, net of an empty pair of RDTSC. AMD-V under QEMU "
                 + version(installed) + (f", x2APIC under {version(x2apic[0])}" if x2apic else ""))

    with ThreadPoolExecutor(max_workers=1) as beside:
        missing = bochs_missing()
        if missing:
            vtx = None
            notes.append(f"VT-x was not measured: {missing}.")
            print(f"bench: skipping VT-x: {missing} (tests/setup.sh bench)", flush=True)
        else:
            vtx = beside.submit(measure_vtx, operation_rows, not quick)
            notes[0] += f"; VT-x under Bochs, {bochs.MODEL}"
        measure_operations(PLAIN_ROWS, installed, "EPYC")
        measure_ticks_amd(PIC_ROWS, installed, "EPYC")
        if x2apic:
            measure_operations(X2APIC_ROWS, *x2apic)
            measure_ticks_amd(PIN_ROWS, *x2apic)
        else:
            notes.append("There is no QEMU 10 here: AMD-V with x2APIC was not measured.")
        if not quick:
            # In x2APIC mode Linux reads the APIC timer's count by RDMSR, which QEMU 10 does not
            # survive under instruction counting ("Bad icount read").
            rows.append(measure_forks(installed, "EPYC"))
            rows.append(measure_disk(installed, "EPYC"))
            for label, machine in (("xAPIC", (installed, "EPYC")), ("x2APIC", x2apic)):
                if machine:
                    console = start_partitions(*machine, POWER_OFF, icount=False, cpus=1)
                    boots[f"AMD-V, {label}"] = boot_exits(console)
            if x2apic:
                rows.append(measure_idle(*x2apic))
                rows.append(measure_disk_exits(*x2apic))
        rows.append(measure_start(installed, "EPYC"))
        rows += measure_gaps(installed, "EPYC")
        rows += measure_memory(*(x2apic or (installed, "EPYC")))
        if vtx and not quick:
            boots["VT-x, x2APIC"] = vtx.result()
        elif vtx:
            vtx.result()
    notes[0] += "."
    return rows, boots, notes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave Linux out")
    args = parser.parse_args()
    os.makedirs(WORK, exist_ok=True)

    rows, boots, notes = measure(args.quick)
    text = table(rows) + "\n" + "\n".join(notes) + "\n"
    if boots:
        text += "\nVM exits while Linux boots on one CPU to its first program and powers off.\n\n"
        text += exit_table(boots)
    with open(os.path.join(bulkhead.BUILD, "bench.md"), "w") as f:
        f.write(text)
    print(text)
    missed = [what for row in rows for what in row.missed()] + missed_exits(boots)
    if missed:
        print("missed: " + "; ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except bulkhead.Error as error:
        sys.stderr.write(f"bench: {error}\n")
        sys.exit(2)
