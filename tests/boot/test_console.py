# SPDX-License-Identifier: Apache-2.0
"""The terminal: one partition alone on it, what partitions can do to each other's lines, and pasted
text."""

import hashlib
import re
import time

import pytest

from conftest import BOCHS, KEY, TIMEOUT, bochs_machine, config, partition
from test_linux import LINUX_TIMEOUT, ask, linux

try:
    import pyte
except ImportError:
    pyte = None

needs_pyte = pytest.mark.skipif(pyte is None, reason="python3-pyte is not installed")

BOCHS_TIMEOUT = 12 * TIMEOUT
PASTE = 64 * 1024


class Terminal:
    """What a terminal of 80 x 24 shows of the bytes from a place on."""

    def __init__(self, console):
        self._console = console
        self.start()

    def start(self):
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self._at = len(self._console.raw)

    def rows(self):
        raw = self._console.raw
        self._stream.feed(raw[self._at :])
        self._at = len(raw)
        return [row.rstrip() for row in self.screen.display]

    def wait(self, condition, timeout=TIMEOUT):
        """Waits until condition(rows) holds; returns the rows."""
        deadline = time.monotonic() + timeout
        while not condition(self.rows()):
            assert time.monotonic() < deadline, "\n".join(["the terminal shows:", *self.rows()])
            time.sleep(0.1)
        return self.rows()


def wait_raw(console, part, since=0, timeout=TIMEOUT):
    """Waits until these bytes have come; returns where they end."""
    deadline = time.monotonic() + timeout
    while (at := console.raw.find(part, since)) < 0:
        assert time.monotonic() < deadline, f"no {part!r}"
        time.sleep(0.05)
    return at + len(part)


# ---- one partition alone

def test_single_is_raw(boot, plain):
    """The bytes of the only partition pass unchanged, until Ctrl-] r gives its lines a prefix."""
    console = boot(plain, config(partition("one", image="terminal.elf", cmdline="how=bytes delay=2000")))
    wait_raw(console, bytes(range(256)) + b"\r\nbytes sent\r\n")
    assert b"[one]" not in console.raw
    since = console.count()
    console.type(KEY + "r")
    console.wait("screen: all partitions' lines", "bulkhead", since)
    console.type(KEY + "c")
    console.wait("one/0: exits", "bulkhead", since)


def test_others_are_kept(boot, plain):
    """What the others say meanwhile is shown afterwards, line by line."""
    console = boot(plain, config(partition("one"), partition("two", cmdline="period=20")))
    console.wait("count 5", "two")
    console.type(KEY + "r")
    start = wait_raw(console, b"screen: one alone")
    wait_raw(console, b"\r\ncount 40\r\n", start)
    # Alone: no prefix but the hypervisor's, whose help stands above.
    assert b"[two]" not in console.raw[start:] and b"[one]" not in console.raw[start:]
    since = console.count()
    console.type(KEY + "r")
    console.wait("screen: all partitions' lines", "bulkhead", since)
    last = int(console.match(r"count (\d+)$", "two", since).group(1))
    console.wait(rf"count {last + 200}$", "two", since, whole=True)
    numbers = re.findall(r"^\[two\] count (\d+)$", console.text(), re.MULTILINE)
    assert [int(n) for n in numbers] == list(range(1, len(numbers) + 1))


def test_too_much_is_counted(boot, plain):
    """A hidden partition that says more than is kept goes on all the while, and that is said."""
    console = boot(plain, config(partition("one"), partition("two", cmdline="period=0")))
    console.wait("count 5", "two")
    console.type(KEY + "r")
    start = wait_raw(console, b"screen: one alone")
    wait_raw(console, b"count 100\r\n", start)
    since = console.count()
    console.type(KEY + "r")
    gone = console.match(r"two said more than is kept: (\d+) bytes", "bulkhead", since)
    assert int(gone.group(1)) > 0
    console.wait(r"count \d+$", "two", since, whole=True)


@needs_pyte
def test_full_screen(boot, plain):
    """vi and top of a Linux beside another partition; what is drawn is there again on return."""
    console = boot(plain, config(linux("alpha", cmdline="quiet"), partition("beta", cmdline="period=20")))
    console.wait(r"\$ $", "alpha", timeout=LINUX_TIMEOUT)
    ask(console, "alpha", "stty rows 24 cols 80; export TERM=vt100; echo set=$((6*7))", "set=42")
    terminal = Terminal(console)
    console.type(KEY + "r")
    terminal.wait(lambda rows: any("set=42" in row for row in rows))
    console.type("vi /tmp/new\r")
    terminal.wait(lambda rows: rows[0] == "" and rows[1:23] == ["~"] * 22 and "/tmp/new" in rows[23])
    console.type("ifirst line\rsecond line\x1b")
    drawn = terminal.wait(lambda rows: rows[:2] == ["first line", "second line"])
    assert drawn[2:23] == ["~"] * 21
    # There and back: the lines of all, then the same picture on an empty terminal.
    since = console.count()
    console.type(KEY + "r")
    console.wait("screen: all partitions' lines", "bulkhead", since)
    console.wait(r"count \d+", "beta", since)
    terminal.start()
    console.type(KEY + "r")
    terminal.wait(lambda rows: rows[:23] == drawn[:23])
    console.type(":wq\r")
    console.type("cat /tmp/new | tr a-z A-Z\r")
    terminal.wait(lambda rows: "SECOND LINE" in rows)
    console.type("top -d 1\r")
    terminal.wait(lambda rows: rows[0].startswith("Mem:") and "PID" in "".join(rows[2:5]))
    assert not any(row.startswith("[") for row in terminal.rows())
    console.type("q")


# ---- among others' lines

@needs_pyte
def test_prefixes_are_not_forged(boot, plain):
    """Without the keyboard nothing but characters and colours reaches the terminal."""
    console = boot(
        plain,
        config(
            partition("one", cmdline="period=500"),
            partition("evil", image="terminal.elf", cmdline="how=forge"),
            partition("bytes", image="terminal.elf", cmdline="how=bytes"),
        ),
    )
    console.wait("forgeries sent", "evil")
    console.wait("bytes sent", "bytes")
    terminal = pyte.Screen(400, 2000)
    pyte.ByteStream(terminal).feed(console.raw)
    rows = [row.rstrip() for row in terminal.display]
    evil = [row for row in rows if "forged" in row]
    assert len(evil) == 10
    for row in evil:
        assert row.startswith("[evil] "), row
    for row in filter(None, rows[next(i for i, row in enumerate(rows) if "Ctrl-]" in row) :]):
        assert re.match(r"\[(bulkhead|one|evil|bytes)\]( |$)", row), row
    sent = b"".join(re.findall(rb"^\[(?:evil|bytes)\] (.*)$", console.raw, re.MULTILINE))
    assert not re.search(rb"\x1b(?!\[[0-9;]*m)|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]", sent)


# ---- pasted text

def pasted():
    """64 KiB of lines that are all different."""
    text = "".join(f"{i:06d} the quick brown fox jumps over the lazy dog\n" for i in range(1300))
    return text[: PASTE - 1] + "\n"


def fnv(data):
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def test_paste(boot, each_vendor):
    """64 KiB arrive in a guest that at first does not read them, and nothing is lost."""
    text = pasted()
    slow = each_vendor.qemu == BOCHS
    console = boot(
        each_vendor,
        config(
            partition("one", image="paste.elf", cmdline=f"n={len(text)} delay={1000 if slow else 5000}"),
            partition("two", cmdline="period=1000"),
        ),
    )
    console.wait("ready", "one")
    console.type(text)
    timeout = BOCHS_TIMEOUT if slow else 2 * TIMEOUT
    found = console.match(r"received (\d+), hash (\w+), (\d+) overruns", "one", timeout=timeout)
    assert found.groups() == (str(PASTE), f"{fnv(text.encode()):08x}", "0")
    assert "dropped" not in console.text("bulkhead") and "lost" not in console.text("bulkhead")


def test_too_much_pasted(boot, plain):
    """A guest that reads nothing: 64 KiB are kept, and from then on it is said that they are not."""
    console = boot(plain, config(partition("one"), partition("two", cmdline="period=1000")))
    console.wait("count", "one")
    console.type(pasted() + KEY + "?")
    at = console.wait("q leave", "bulkhead", console.wait("count", "one"), timeout=4 * TIMEOUT)
    assert "does not read" not in "\n".join(console.lines[:at])
    console.type("x" * 100)
    console.wait("one does not read its input: what is typed now is dropped", "bulkhead", at)


@pytest.mark.parametrize("emulator", ["qemu", BOCHS])
@pytest.mark.long("bochs")
def test_paste_linux(boot, plain, emulator):
    """64 KiB into a Linux's `cat`, in lines, as a terminal pastes them."""
    slow = emulator == BOCHS
    machine = bochs_machine("corei7_skylake_x") if slow else plain
    text = pasted()
    console = boot(
        machine,
        config(linux("alpha", memory="128M", cmdline="quiet"), partition("beta", cmdline="period=1000")),
    )
    console.wait(r"\$ $", "alpha", timeout=BOCHS_TIMEOUT if slow else LINUX_TIMEOUT)
    ask(console, "alpha", "stty -echo; echo echo=$((6*7))", "echo=42")
    console.type("cat >/tmp/f; sha256sum /tmp/f; wc -c /tmp/f; stty echo\r")
    time.sleep(2)
    console.type(text + "\x04")
    timeout = BOCHS_TIMEOUT if slow else 2 * LINUX_TIMEOUT
    size = console.match(r"\b(\d+) /tmp/f", "alpha", timeout=timeout).group(1)
    assert int(size) == PASTE
    digest = console.match(r"([0-9a-f]{64})  /tmp/f", "alpha").group(1)
    assert digest == hashlib.sha256(text.encode()).hexdigest()
