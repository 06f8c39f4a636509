#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the names of the tests that pytest collects: the same in every process, short, and made of
characters that can be read and typed. pytest-xdist runs nothing if two workers collect different names."""

import os
import re
import subprocess
import sys
import tempfile
import time

import bulkhead

LONGEST = 120  # characters, with the file's name
GOOD = re.compile(r"[\w.]+\.py::\w+(?:\[[\w.,:=+-]+\])?")


def collect(seed):
    """The names, as a process of its own collects them, with a hash seed and a temporary folder that no
    other has."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    with tempfile.TemporaryDirectory() as folder:
        # Options of the user's change what is listed.
        env = dict(os.environ, PYTHONHASHSEED=str(seed), TMPDIR=folder, PYTEST_ADDOPTS="")
        done = subprocess.run(command, cwd=os.path.join(bulkhead.ROOT, "tests", "boot"), env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = [line for line in done.stdout.splitlines() if "::" in line]
    if done.returncode != 0 or not found:
        raise bulkhead.Error(f"pytest collects nothing:\n{done.stdout}")
    return found


def wrong_names(found):
    """What is wrong with each of the names, one line for each."""
    wrong = []
    for name in found:
        if not GOOD.fullmatch(name):
            wrong.append(f"has characters other than letters, digits and _.,:=+-: {name}")
        elif len(name) > LONGEST:
            wrong.append(f"has {len(name)} characters, more than {LONGEST}: {name}")
    return wrong + [f"is there twice: {name}" for name in sorted(set(found)) if found.count(name) > 1]


def check():
    """All that is wrong, one line for each name."""
    first = collect(1)
    second = int(time.time())
    while int(time.time()) == second:  # gzip's header, say, has the second
        time.sleep(0.05)
    other = collect(2)
    wrong = wrong_names(first)
    if first != other:
        differ = [f"{a}\n  {b}" for a, b in zip(first, other) if a != b] or ["one more, one less"]
        wrong += [f"differs between two processes: {names}" for names in differ]
    return wrong


def main():
    wrong = check()
    for line in wrong:
        print(f"test's name {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except bulkhead.Error as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
