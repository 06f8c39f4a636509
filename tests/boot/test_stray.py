# SPDX-License-Identifier: Apache-2.0
"""Accesses where a partition has neither memory nor a device: as on a PC they harm nobody, unless the
configuration says that they stop it. What is no plain access stops it in any case."""

import re

import pytest
from conftest import TIMEOUT, config, partition

SLOW = 4 * TIMEOUT
CHECKS = 27
STOP = 'on_stray_access = "stop";'
NOWHERE = 0x1C0000000


def stray(name="alpha", cmdline="", more="", **kwargs):
    return partition(name, image="stray.elf", cmdline=cmdline, more=more, **kwargs)


def test_ignored(boot, each_vendor):
    """Every width, locked, repeated, and half in RAM; counted, and told once for each page."""
    console = boot(each_vendor, config(stray()), cpus=1)
    console.wait("ended by power-off", "bulkhead", timeout=SLOW)
    console.wait("alpha/0: exits ", "bulkhead", whole=True)
    assert "FAIL" not in console.text("alpha")
    assert f"checks: {CHECKS} ok, 0 failed" in console.text("alpha")
    said = console.text("bulkhead")
    assert "alpha/0: nothing is at guest-physical 0xfed000f0 (a PC has there the HPET): a read gives ones" in said
    assert "alpha/0: guest-physical 0xfffffff0 is read-only: a write is dropped" in said
    for page in ("0xfed00", "0xfed01", "0x1c0000", "0x4000"):
        assert len(re.findall(f"nothing is at guest-physical {page}[0-9a-f]{{3}} ", said)) == 1, page
    assert int(re.search(r"alpha/0: exits .* stray (\d+)", said).group(1)) > 500


def test_stop(boot, each_vendor):
    console = boot(each_vendor, config(stray(more=STOP)), cpus=1)
    console.wait("alpha/0: reads outside its memory, at guest-physical 0xfed000f0", "bulkhead", timeout=SLOW)
    console.wait("alpha: ended by fault", "bulkhead")


UNSERVED = {
    "fetch": f"executes code outside its memory, at guest-physical {NOWHERE:#x}",
    "tables": f"page tables outside its memory, at guest-physical {NOWHERE:#x}",
    "stack": "(descriptor tables or stack outside its memory|triple fault)",
    "descriptors": "(descriptor tables or stack outside its memory|triple fault)",
    "fxsave": f"writes outside its memory in a way that can't be emulated, to guest-physical {NOWHERE:#x}",
}


@pytest.mark.parametrize("what", UNSERVED)
def test_still_stops(boot, plain, what):
    console = boot(plain, config(stray(cmdline=f"do={what}")))
    console.wait(UNSERVED[what], "bulkhead", timeout=SLOW)
    console.wait("alpha: ended by fault", "bulkhead")


def test_many_pages(boot, plain):
    """A guest that does nothing else: its lines are few, and its neighbour is not held up."""
    console = boot(plain, config(stray(cmdline="pages=5000"), partition("beta")))
    console.wait("pages touched from now on are only counted", "bulkhead")
    at = console.wait(r"count \d", "beta", since=console.count())
    for _ in range(20):
        at = console.wait(r"count \d", "beta", since=at + 1)
    lines = re.findall("alpha/0: nothing is at", console.text("bulkhead"))
    assert 0 < len(lines) <= 32
