# SPDX-License-Identifier: Apache-2.0
"""A guest that calls the BIOS of a PC: there is none, which it is told, and the user too."""

from conftest import config, partition
from test_guests import run_checks


def test_calls(boot, each_vendor):
    """They are answered as by a BIOS that lacks the function, with a line of the log for each
    interrupt. What would never return ends the partition with a report that names the call."""
    guest = partition("loader", image="bios.elf", cmdline="last=0x16 last_ax=0x1000")
    console = boot(each_vendor, config(guest, partition("long")), cpus=2)
    assert run_checks(console, "loader") == 10
    for what in ("0x10, AX 0xe41 .video", "0x12, .*memory size", "0x13, AX 0x4200 .disk.*gets an error",
                 "0x15, AX 0xe820", "0x16, .*no key", "0x1a, AX 0xb101 .PCI", "0x21, "):
        console.wait(f"loader/0: calls the BIOS: int {what}.*no-real-mode", "bulkhead")
    at = console.wait("loader/0: a BIOS call that can't be served: int 0x16", "bulkhead")
    console.wait("loader: ended by fault", "bulkhead", since=at)
    assert console.text("bulkhead").count("calls the BIOS: int 0x13") == 1
    assert "FAIL" not in console.text("loader")
    console.wait(r"count \d+", "long", since=at)


def test_an_exception_in_real_mode_is_named(boot, plain):
    guest = partition("loader", image="bios.elf", cmdline="last=0x6")
    console = boot(plain, config(guest), cpus=1)
    console.wait("calls the BIOS: int 0x6, .*an exception in real mode.*it does nothing", "bulkhead")
    assert "can't be served" not in console.text("bulkhead")
