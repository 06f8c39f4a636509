#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the format of the files that it is given. The sources are as clang-format 14 leaves them. Another
version checks what both format alike: all but macros and operators after a bracket. It says how many
places it has not checked."""

import difflib
import re
import shutil
import subprocess
import sys

VERSION = 14  # whose idea of .clang-format counts


def version_of(tool):
    said = subprocess.run([tool, "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return int(re.search(r"version (\d+)", said).group(1))


def formatted(tool, path):
    return subprocess.run([tool, path], stdout=subprocess.PIPE, check=True, text=True).stdout


def macro_lines(lines):
    """Which lines belong to a macro's definition."""
    inside, marks = False, []
    for line in lines:
        inside = inside or re.match(r"\s*#\s*define\b", line) is not None
        marks.append(inside)
        inside = inside and line.endswith("\\")
    return marks


def without_operator_blanks(lines):
    """Version 14 takes `(a) & b` for the cast of an address, and the star of `} *a;` for a product."""
    return [re.sub(r"\s+//", " //", re.sub(r"\s*([&*~-])\s*", r"\1", line)) for line in lines]


def differences(old, new):
    """(line number, old lines, new lines) of each change to be made, and how many were passed over."""
    changes, passed_over = [], 0
    macro = macro_lines(old)
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        own = all(macro[a:b]) if b > a else macro[max(a - 1, 0)]
        if own or without_operator_blanks(old[a:b]) == without_operator_blanks(new[c:d]):
            passed_over += 1
        else:
            changes.append((a + 1, old[a:b], new[c:d]))
    return changes, passed_over


def check_leniently(tool, version, paths):
    """Prints what is wrong, and how much could not be checked; whether all is well."""
    wrong = passed_over = 0
    for path in paths:
        with open(path) as f:
            old = f.read()
        changes, own = differences(old.split("\n"), formatted(tool, path).split("\n"))
        passed_over += own
        wrong += len(changes)
        for line, before, after in changes:
            print(f"{path}:{line}: clang-format {version} has it otherwise")
            print("\n".join([f"-{text}" for text in before] + [f"+{text}" for text in after]))
    print(f"format: checked with clang-format {version} where it agrees with {VERSION}; not checked: "
          f"{passed_over} places in macros, or with an operator after a bracket")
    return wrong == 0


def main():
    tool = shutil.which("clang-format")
    if not tool:
        sys.stderr.write("format: there is no clang-format\n")
        return 1
    said = subprocess.run([tool, "--dry-run", "-Werror", *sys.argv[1:]], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    version = version_of(tool)
    if version == VERSION or said.returncode == 0:
        print(said.stdout, end="")
        return said.returncode
    paths = sorted(set(re.findall(r"(?m)^(\S+?):\d+:\d+: error:", said.stdout)))
    if not paths:
        print(said.stdout, end="")
        return 1
    return 0 if check_leniently(tool, version, paths) else 1


if __name__ == "__main__":
    sys.exit(main())
