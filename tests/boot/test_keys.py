# SPDX-License-Identifier: Apache-2.0
"""The console's own keys: Ctrl-] and a letter."""

from conftest import KEY, TIMEOUT, config, partition


def test_keys(boot, plain):
    console = boot(plain, config(partition("one"), partition("two")))
    console.wait("count 2", "two")

    console.type(KEY + "c")
    counters = console.wait(r"one/0: exits \d+:.* port \d+", "bulkhead")
    console.wait(r"two/0: exits \d+:", "bulkhead", counters)

    console.type(KEY + "2")
    console.wait("keyboard: two", "bulkhead")
    console.type(KEY + "n")
    console.wait("keyboard: one", "bulkhead")

    since = console.count()
    console.type(KEY + "?")
    console.wait("q leave", "bulkhead", since)

    # The log from the first line on, with the times and CPUs of what came before the counters.
    since = console.count()
    console.type(KEY + "l")
    console.wait(r"the log's last lines \(0 older", "bulkhead", since)
    first = console.wait(r"0\.\d{6} CPU 0: Bulkhead ", "bulkhead", since)
    console.wait(r"\d\.\d{6} CPU \d: keyboard: one", "bulkhead", first)

    since = console.count()
    console.wait("count", "one", since)  # all the while the guests go on
    console.wait("count", "two", since)

    # It asks before it resets the machine, which anything but y averts.
    since = console.count()
    console.type(KEY + "q")
    console.wait("2 partitions are running: y resets the machine", "bulkhead", since)
    console.type("n")
    on = console.wait("the machine goes on", "bulkhead", since)
    console.wait("count", "one", on + 1)
    console.wait("count", "two", on + 1)
    console.type(KEY + "q")
    console.wait("2 partitions are running", "bulkhead", on)
    console.type("y")
    console.wait("leaving", "bulkhead", on)
    # The machine is reset, which ends QEMU under -no-reboot.
    assert console.process.wait(TIMEOUT) == 0
