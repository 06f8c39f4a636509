# SPDX-License-Identifier: Apache-2.0
"""The page of the local APIC moves, for each CPU on its own, to where the guest has no memory."""

import re

from conftest import TIMEOUT, config, partition

CHECKS = 30
SLOW = 4 * TIMEOUT


def test_moves(boot, each_vendor):
    """Twice, so that the second life begins after one that ended with the page away."""
    console = boot(each_vendor, config(partition("alpha", 2, image="apicbase.elf", cmdline="end=reboot")))
    at = 0
    for _ in range(2):
        at = console.wait("alpha: started again", "bulkhead", since=at + 1, timeout=SLOW, whole=True)
    text = console.text("alpha")
    assert "FAIL" not in text
    assert len(re.findall(f"checks: {CHECKS} ok, 0 failed$", text, re.MULTILINE)) >= 2
    assert "APIC: the APIC page can't be moved over memory of the guest" in console.text("bulkhead")
