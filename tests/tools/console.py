# SPDX-License-Identifier: Apache-2.0
"""A machine running in QEMU: what its console prints, line by line as it comes, and its keyboard.

The partition that has the keyboard is shown before its line is whole, and when another's line comes
between, its own begins anew: so its lines may stand here more than once, the earlier ones cut
short. To count lines, match their ends.

A single partition starts alone on the terminal: its lines have no prefix. Here they get it all the
same, so that all tests look for a partition's lines in the same way; `raw` is what really came."""

import contextlib
import os
import re
import subprocess
import threading
import time

# Seconds. Emulation on a loaded machine is slow; a test that passes never waits this long.
TIMEOUT = float(os.environ.get("BOOT_TIMEOUT", "120"))
TAIL = 60  # lines of the console that a failure shows,
LAST = 5  # and of each source that is silent there


class Console:
    """A running machine: its console's lines as they come, and its keyboard."""

    def __init__(self, command, log_path):
        self.command = command
        self.raw = b""
        self._alone = None  # the only partition's name, if there is only one
        self._listed = False  # the list of partitions has been shown
        self.lines = []
        self.partial = ""  # the line that has not ended; as it came:
        self._rest = ""
        self._changed = threading.Condition()
        self._log = open(log_path, "wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        self._log_path = log_path
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            data = os.read(self.process.stdout.fileno(), 4096)
            with self._changed:
                if not data:
                    self._closed = True
                    if self.partial:
                        self.lines.append(self.partial)
                        self.partial = ""
                    self._changed.notify_all()
                    return
                self.raw += data
                text = self._rest + data.decode("latin-1").replace("\r", "")
                *whole, self._rest = text.split("\n")
                self.lines += map(self._with_prefix, whole)
                self.partial = self._rest
                if self._alone and self.partial and not "[bulkhead] ".startswith(self.partial[:11]):
                    self.partial = self._with_prefix(self.partial)
                self._changed.notify_all()

    def _with_prefix(self, line):
        """A whole line; the last thing that is said before the guests start is their list."""
        entry = re.match(r"\[bulkhead\]   (\d+) (\S+)( \(has the keyboard\))?$", line)
        if entry and not self._listed:
            self._alone = entry.group(2) if entry.group(1) == "1" else None
        if line.startswith("[bulkhead] ") or not self._alone:
            return line
        self._listed = True
        return line if line.startswith(f"[{self._alone}] ") else f"[{self._alone}] {line}"

    def wait(self, pattern, source=None, since=0, timeout=TIMEOUT, whole=False):
        """The index of the first line from `since` on that has `pattern`; `source` is the prefix
        that the line must bear: a partition's name or "bulkhead". With `whole` a line that has not
        ended yet does not count."""
        prefix = rf"^\[{re.escape(source)}\] .*" if source else ""
        regex = re.compile(prefix + f"(?:{pattern})")
        deadline = time.monotonic() + timeout
        with self._changed:
            at = since
            while True:
                while at < len(self.lines):
                    if regex.search(self.lines[at]):
                        return at
                    at += 1
                if self.partial and not whole and regex.search(self.partial):
                    return len(self.lines)
                left = deadline - time.monotonic()
                if self._closed:
                    raise AssertionError(f"the machine ended before {pattern!r} from {source}")
                if left <= 0:
                    raise AssertionError(f"no {pattern!r} from {source} within {timeout} s")
                self._changed.wait(left)

    def match(self, pattern, source=None, since=0, timeout=TIMEOUT):
        """As wait() for a line that has ended, but returns the match."""
        at = self.wait(pattern, source, since, timeout, whole=True)
        return re.search(pattern, self.lines[at])

    def count(self):
        """How many lines there are: what a later wait() may begin with."""
        with self._changed:
            return len(self.lines)

    def text(self, source=None):
        with self._changed:
            lines = list(self.lines)
        if source:
            lines = [line for line in lines if line.startswith(f"[{source}] ")]
        return "\n".join(lines)

    def type(self, text):
        try:
            self.process.stdin.write(text.encode("latin-1"))
            self.process.stdin.flush()
        except BrokenPipeError:
            raise AssertionError(f"the machine ended before {text!r} was typed") from None

    def wait_end(self, timeout=TIMEOUT):
        """Waits until the machine is off; returns QEMU's exit status."""
        return self.process.wait(timeout)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        with contextlib.suppress(BrokenPipeError):  # what was typed and never read
            self.process.stdin.close()
        self.process.stdout.close()
        self._log.close()

    def _last_of_each(self):
        """The last few lines of each source that is not heard in the tail."""
        last = {}
        for line in self.lines[:-TAIL]:
            source = re.match(r"\[\w+\] ", line)
            if source:
                last.setdefault(source.group(0), []).append(line)
        late = "\n".join(self.lines[-TAIL:])
        return [line for source, lines in last.items() if source not in late
                for line in [*lines[-LAST:], "..."]]

    def report(self):
        with open(self._log_path, errors="replace") as f:
            said = [line for line in f if "TCG doesn't support requested feature" not in line]
        with self._changed:
            tail = self._last_of_each() + self.lines[-TAIL:]
            tail += [self.partial] if self.partial else []
        return "\n".join([" ".join(self.command), *tail, *(["QEMU said:"] + said if said else [])])
