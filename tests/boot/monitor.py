# SPDX-License-Identifier: Apache-2.0
"""QEMU's monitor: commands to the emulator of a running machine, and what its CPUs do."""

import re
import socket
import time

from console import TIMEOUT


def words(path):
    """Words of QEMU's command line for a monitor at the socket `path`."""
    return ["-monitor", f"unix:{path},server=on,wait=off"]


def monitor(path, command):
    """One command to QEMU's monitor; returns when it was carried out."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(str(path))
        text = b""
        while not text.endswith(b"(qemu) "):
            text += s.recv(4096)
        s.sendall(command.encode() + b"\n")
        text = b""
        while not text.endswith(b"\n(qemu) "):  # its echo has prompts too
            text += s.recv(4096)
    return text.decode(errors="replace")


def cpus(path):
    """For each CPU of the machine its RIP, and whether it sleeps (HLT)."""
    blocks = re.split(r"CPU#\d+", monitor(path, "info registers -a"))[1:]
    return [(int(re.search(r"[RE]IP=([0-9a-f]+)", b).group(1), 16), "HLT=1" in b) for b in blocks]


def wait_for_cpus(path, condition, what, timeout=TIMEOUT):
    """Waits until condition() holds of the list that cpus() returns."""
    deadline = time.monotonic() + timeout
    while True:
        seen = cpus(path)
        if condition(seen):
            return seen
        assert time.monotonic() < deadline, f"{what} within {timeout} s: {seen}"
        time.sleep(0.1)
