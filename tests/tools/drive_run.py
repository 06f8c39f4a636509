#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `make run`, or the command that is given, on a pseudo-terminal as a user would: waits until both
Linux systems have their shells, asks each of them for a sum, and leaves by Ctrl-] q. What it says goes to
the standard output. The exit status is 0 if all of that worked and the command ended well."""

import argparse
import os
import pty
import re
import select
import sys
import time

KEY = b"\x1d"  # Ctrl-], the console's
SYSTEMS = "alpha", "beta"
COLOURS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Failure(Exception):
    pass


class Terminal:
    def __init__(self, command, seconds):
        self.deadline = time.monotonic() + seconds
        self.said = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvp(command[0], command)

    def read(self):
        """Takes what the command says next; False at its end."""
        ready, _, _ = select.select([self.fd], [], [], 1)
        if time.monotonic() > self.deadline:
            raise Failure("out of time")
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # how Linux says that the other side is closed
            data = b""
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        self.said = COLOURS.sub(b"", self.said + data)
        return bool(data)

    def wait(self, pattern, since=0):
        """Until it is said from the offset `since` on; the offset behind it."""
        while True:
            found = re.search(pattern, self.said[since:])
            if found:
                return since + found.end()
            if not self.read():
                raise Failure(f"the command ended before {pattern.decode()!r}")

    def type(self, keys):
        os.write(self.fd, keys)

    def status(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def drive(terminal):
    for name in SYSTEMS:
        terminal.wait(rb"\[%s\] .*is up" % name.encode())
    for number, name in enumerate(SYSTEMS):
        since = len(terminal.said)
        terminal.type(KEY + b"%d" % (number + 1))
        time.sleep(1)
        terminal.type(b"\recho sum=$((%d+7*6))\r" % (number * 1000))
        terminal.wait(rb"sum=%d\b" % (number * 1000 + 42), since)
    terminal.type(KEY + b"q")
    time.sleep(1)  # the question whether to leave
    try:
        terminal.type(b"y")
    except OSError:
        pass  # it has left without one
    status = terminal.status()
    if status != 0:
        raise Failure(f"the command ended with status {status}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600, help="for all of it, packages included")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    terminal = Terminal(args.command or ["make", "run"], args.seconds)
    try:
        drive(terminal)
    except Failure as failure:
        print(f"\ndrive_run: {failure}")
        try:
            os.kill(terminal.pid, 15)
        except ProcessLookupError:
            pass
        return 1
    print("\ndrive_run: both systems came up, did their sums, and the machine was left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
