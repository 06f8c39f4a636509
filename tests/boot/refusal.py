# SPDX-License-Identifier: Apache-2.0
"""The hypervisor refuses what it is given."""

import re


def refused(console, *patterns):
    """The console says all of the patterns, then that nothing is started; and no guest ran."""
    console.wait("nothing is started", "bulkhead", whole=True)
    text = console.text("bulkhead")
    for pattern in patterns:
        assert re.search(pattern, text, re.IGNORECASE), f"not said: {pattern}"
    assert "hello from" not in console.text()
    assert console.process.poll() is None, "the machine must stop, not reset"
