# SPDX-License-Identifier: Apache-2.0
"""Debian's stock kernel in partitions."""

import base64
import os
import re
import struct
import subprocess
import time

import pytest

import bulkhead
from conftest import KEY, TIMEOUT, config, needs, partition

LINUX_TIMEOUT = 2 * TIMEOUT
DMIDECODE = "/usr/sbin/dmidecode"


def linux(name, cpus=1, memory="256M", cmdline="", more=""):
    return partition(
        name, cpus, memory, "vmlinuz", f"console=ttyS0 {cmdline}".strip(),
        'initrd = "initrd.gz"; ' + more,
    )


def two_linux():
    with open(os.path.join(bulkhead.ROOT, "partitions", "two-linux.conf")) as f:
        return f.read()


def ask(console, name, command, answer):
    """Types a command into the shell that has the keyboard and waits for what it prints."""
    since = console.count()
    console.type(command + "\r")
    return console.match(answer, name, since)


def test_two_linux(boot, machine):
    """What issue 2 promises a user of make run."""
    console = boot(machine, two_linux())
    console.wait(r"Ctrl-\]", "bulkhead")
    console.wait("Linux .* is up.*: 2 CPU", "alpha", timeout=LINUX_TIMEOUT)
    console.wait("Linux .* is up.*: 1 CPU", "beta", timeout=LINUX_TIMEOUT)

    # Each sees its own memory only.
    total = int(console.match(r"Mem: +(\d+) ", "alpha").group(1))
    assert 400 < total <= 512
    total = int(console.match(r"Mem: +(\d+) ", "beta").group(1))
    assert 180 < total <= 256
    console.wait(r"\$ ", "alpha")

    # There is a CPU left to end a wait, so alpha's lines came in one piece although both booted at
    # once. A few may have been taken for prompts where the emulator stood still.
    lines = console.text("alpha").split("\n")
    broken = sum(b.startswith(a) for a, b in zip(lines, lines[1:]) if a not in ("[alpha] ", b))
    assert broken <= len(lines) // 20, f"{broken} of {len(lines)}"

    # The keyboard is alpha's, then beta's, then alpha's again.
    ask(console, "alpha", "echo cpus=$(nproc) sum=$((6*7))", "cpus=2 sum=42")
    console.type(KEY + "n")
    console.wait("keyboard: beta", "bulkhead")
    ask(console, "beta", "echo cpus=$(nproc) sum=$((6*8))", "cpus=1 sum=48")
    assert "sum=48" not in console.text("alpha")
    console.type(KEY + "n")
    ask(console, "alpha", "echo sum=$((6*9))", "sum=54")

    # Interrupts by name: the timer ticks on both CPUs, the console's interrupt arrives.
    ask(console, "alpha", "grep -c -e LOC -e ttyS0 /proc/interrupts", r"\b2\b")

    for name in ("alpha", "beta"):
        text = console.text(name)
        assert "could not calculate" not in text
        assert "tsc: Detected" in text
        assert "Kernel panic" not in text
        assert "Call Trace" not in text
        if "x2apic" in machine.cpu:
            assert re.search("Switched APIC routing to:? physical x2apic", text)
    # Nothing on the terminal is without its prefix.
    started = console.wait(r"Ctrl-\]", "bulkhead")
    for line in console.lines[started:]:
        assert re.match(r"\[(alpha|beta|bulkhead)\] |$", line), line

    console.type(KEY + "c")
    for vcpu in ("alpha/0", "alpha/1", "beta/0"):
        console.wait(rf"{vcpu}: exits \d+:", "bulkhead")
    console.type(KEY + "qy")
    console.wait_end()


def test_linux_power_off(boot, apic_machine):
    """ACPI power-off stops one; the other goes on."""
    console = boot(
        apic_machine,
        config(linux("off", cmdline="quiet bulkhead.test=poweroff"), partition("long")),
    )
    at = console.wait("off: ended by power", "bulkhead", timeout=LINUX_TIMEOUT)
    console.wait(r"count \d+", "long", since=at)
    assert "Power down" in console.text("off")


def test_power_button(boot, apic_machine):
    """Ctrl-] s presses the button of the partition that has the keyboard: its Linux sees the event and
    shuts down. The other's system has enabled no button."""
    console = boot(
        apic_machine,
        config(
            partition("off", image="vmlinuz-generic", memory="256M",
                      cmdline="console=ttyS0 quiet bulkhead.test=button", more='initrd = "initrd-devices.gz";'),
            partition("plain"),
        ),
    )
    console.wait("waiting for the Power Button", "off", timeout=2 * LINUX_TIMEOUT)
    console.type(KEY + "2" + KEY + "s")
    at = console.wait("plain: its power button is pressed, but its system has not enabled", "bulkhead")
    assert "off: its power button" not in console.text("bulkhead")
    console.type(KEY + "1" + KEY + "s")
    console.wait("off: its power button is pressed$", "bulkhead", since=at)
    console.wait("0001 0074 0001", "off", since=at)  # EV_KEY, KEY_POWER, pressed
    at = console.wait("off: ended by power-off", "bulkhead", since=at)
    console.wait(r"count \d+", "plain", since=at)


def dmidecode(tmp_path, entry, table, *words):
    """What dmidecode says of tables: a dump of its own has the table 32 bytes behind the entry point."""
    entry = bytearray(entry)
    entry[24:28] = struct.pack("<I", 32)
    entry[21] = (entry[21] - sum(entry[16:31])) & 0xFF
    entry[4] = (entry[4] - sum(entry)) & 0xFF
    dump = tmp_path / "dmi.bin"
    dump.write_bytes(bytes(entry).ljust(32, b"\0") + table)
    run = subprocess.run([DMIDECODE, "--from-dump", str(dump), *words], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, check=True)
    return run.stdout.decode()


@needs(bulkhead.missing("dmidecode", "dmidecode", DMIDECODE))
def test_dmi(boot, plain, tmp_path):
    """SMBIOS names Bulkhead, the partition and its UUID, to Linux and to dmidecode."""
    uuid = "00112233-4455-6677-8899-aabbccddeeff"
    console = boot(plain, config(linux("named", cpus=2, cmdline="quiet bulkhead.test=dmi",
                                       more=f'uuid = "{uuid}";')))
    console.wait("dmi done", "named", timeout=LINUX_TIMEOUT)
    text = console.text("named")
    for name, value in [("sys_vendor", "Bulkhead"), ("product_name", "Bulkhead"), ("product_uuid", uuid),
                        ("product_serial", "named"), ("chassis_asset_tag", "named")]:
        assert f"dmi {name}: {value}" in text
    version = re.search(r"Bulkhead (\S+)", console.text("bulkhead")).group(1)
    assert f"dmi product_version: {version}" in text
    assert f"dmi bios_version: {version}" in text
    entry, table = (base64.b64decode("".join(re.findall(rf"{f} (\S+)", text)))
                    for f in ("smbios_entry_point", "DMI"))
    said = dmidecode(tmp_path, entry, table)
    for line in [f"UUID: {uuid}", "Serial Number: named", "Asset Tag: named", "Size: 256 MB",
                 "Socket Designation: CPU 1", "Maximum Capacity: 256 MB", "System is a virtual machine",
                 "End Of Table"]:
        assert line in said, line
    for wrong in ("BAD", "OUT OF SPEC", "broken", "Wrong", "truncated", "Invalid"):
        assert wrong not in said, wrong
    assert dmidecode(tmp_path, entry, table, "-s", "system-manufacturer").strip() == "Bulkhead"


@pytest.mark.parametrize("way", ["", *(f"reboot={way}" for way in "abekpt")])
def test_linux_reboot(boot, plain, way):
    """Linux starts again by each of the ways that it knows."""
    console = boot(
        plain,
        config(linux("again", cmdline=f"quiet {way} bulkhead.test=reboot"), partition("long")),
    )
    at = console.wait("rebooting now", "again", timeout=LINUX_TIMEOUT)
    if way == "reboot=t":
        at = console.wait("again: ended by triple fault", "bulkhead", since=at)
    at = console.wait("Linux .* is up", "again", since=at, timeout=LINUX_TIMEOUT)
    console.wait(r"count \d+", "long", since=at)


def test_speculative_store_bypass(boot, apic_machine):
    """On AMD's family 17h, whose SPEC_CTRL has no SSBD, Linux has it all the same, as on the machine."""
    console = boot(apic_machine, config(linux("alpha", cpus=2)))
    console.wait("Linux .* is up", "alpha", timeout=LINUX_TIMEOUT)
    file = "/sys/devices/system/cpu/vulnerabilities/spec_store_bypass"
    ask(console, "alpha", f"echo answer $(cat {file})", "answer Mitigation: .*prctl")


def test_smp_linux_reboots(boot, apic_machine):
    console = boot(
        apic_machine, config(linux("again", cpus=2, cmdline="quiet bulkhead.test=reboot"))
    )
    at = console.wait("rebooting now", "again", timeout=LINUX_TIMEOUT)
    console.wait("Linux .* is up.*: 2 CPU", "again", since=at, timeout=LINUX_TIMEOUT)


def test_linux_without_x2apic(boot, apic_machine):
    """The guest may stay in xAPIC mode on a host that has x2APIC."""
    console = boot(
        apic_machine,
        config(linux("plain", cpus=2, cmdline="nox2apic bulkhead.test=smoke")),
    )
    console.wait("smoke done", "plain", timeout=LINUX_TIMEOUT)
    assert "physical x2apic" not in console.text("plain")
    assert ": 2 CPU(s)" in console.text("plain")


def test_linux_with_8_cpus(boot, plain):
    console = boot(
        plain,
        config(linux("wide", cpus=8, memory="512M", cmdline="quiet bulkhead.test=smoke")),
        cpus=8,
    )
    console.wait("Linux .* is up.*: 8 CPU", "wide", timeout=LINUX_TIMEOUT)


def test_idle_linux_does_not_exit(boot, apic_machine):
    """Ten idle seconds of a Linux with one CPU in x2APIC mode: no exit at all."""
    if "x2apic" not in apic_machine.cpu:
        pytest.skip("xAPIC: the APIC timer's writes exit")
    console = boot(apic_machine, config(linux("idle", cmdline="quiet bulkhead.test=smoke")))
    console.wait("smoke done", "idle", timeout=LINUX_TIMEOUT)
    console.wait(r"\$ ", "idle")

    def exits():
        since = console.count()
        console.type(KEY + "c")
        return int(console.match(r"idle/0: exits (\d+):", "bulkhead", since).group(1))

    time.sleep(5)  # what the boot left to do
    before = exits()
    time.sleep(10)
    after = exits()
    # An unassigned CPU serves the key, so asking costs the partition nothing.
    assert after - before == 0
