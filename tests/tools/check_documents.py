#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what the documents say of the sources: `file:function` names a function that this file defines, a
path in backticks and the target of a link are there, and each step of a walk in docs/architecture.md begins
with a `file:function`.

    check_documents.py [FILE...]   README.md, CONTRIBUTING.md, CHANGELOG.md and docs/*.md if none is named
    check_documents.py --self-test"""

import argparse
import fnmatch
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WALKS = "docs/architecture.md"

TOPS = "arch|boot|drivers|hv|partitions|tests|docs"
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FUNCTION = re.compile(r"([\w.-]+(?:/[\w.-]+)+\.(?:c|h|asm|inc|py)):(\w+)")
PATH = re.compile(rf"(?:{TOPS})/[\w./*-]*")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PLACEHOLDER = re.compile(r"NAME|TOPIC")  # in a path: any text
STEP = re.compile(r"(\d+)\. +(.*)")
WALK = "## Walk: "


def defines(text, name, end):
    """Whether a source with this ending defines the function. A definition begins at the start of a line; in
    assembly it is a label."""
    name = re.escape(name)
    if end in ("asm", "inc"):
        form = rf"^{name}:"
    elif end == "py":
        form = rf"^\s*def {name}\("
    else:
        # No blank or brace at the start: no call. Then only arguments up to the brace: no declaration.
        form = rf"^(?:[A-Za-z_][^\n;{{}}]*[\s*])?{name}\([^;{{}}]*\)\s*\{{"
    return re.search(form, text, re.MULTILINE) is not None


def wrong_code(code, read, there):
    """What is wrong with a text in backticks, or None. `read`: the text of a file, None if there is none;
    `there`: whether a path, maybe with *, is there."""
    function = FUNCTION.fullmatch(code)
    if function:
        path, name = function.groups()
        text = read(path)
        if text is None:
            return f"there is no {path}"
        end = path.rsplit(".", 1)[1]
        return None if defines(text, name, end) else f"{path} defines no function {name}"
    if PATH.fullmatch(code) and not there(PLACEHOLDER.sub("*", code)):
        return f"there is no {code}"
    return None


def wrong_walks(lines):
    """What is wrong with the form of the walks: one is empty, or a step has no function."""
    wrong, heading, steps = [], None, 0
    for number, line in enumerate(lines + [WALK], 1):
        if line.startswith("## "):
            if heading and steps == 0:
                wrong.append(f"{heading}: no step")
            heading, steps = (line, 0) if line.startswith(WALK) else (None, 0)
        step = STEP.match(line) if heading else None
        if step:
            steps += 1
            code = CODE.match(step[2])
            if int(step[1]) != steps or not code or not FUNCTION.fullmatch(code[1]):
                wrong.append(f"line {number}: no step {steps} that begins with a `file:function`")
    return wrong if any(line.startswith(WALK) for line in lines) else ["no walk"]


def check(document, text, read, there):
    """All that is wrong in one document, one line for each thing."""
    wrong = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        found = [wrong_code(code, read, there) for code in CODE.findall(line)]
        for target in LINK.findall(line):
            path = os.path.normpath(os.path.join(os.path.dirname(document), target))
            if "://" not in target and not there(path):
                found.append(f"there is no {path}")
        wrong += [f"{document}, line {number}: {what}" for what in found if what]
    if document == WALKS:
        wrong += [f"{document}: {what}" for what in wrong_walks(lines)]
    return wrong


def read_source(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def is_there(path):
    return bool(glob.glob(os.path.join(ROOT, path)))


def documents():
    in_docs = glob.glob(os.path.join(ROOT, "docs", "*.md"))
    return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *sorted(os.path.relpath(path, ROOT) for path in in_docs)]


# ---- the check of the check

SOURCE = """\
static int declared(int a);
int plain(void)
{
    called(1);
    if (called_too()) {
    }
}
static __attribute__((cold)) enum status
split(struct a *a,
      int b)
{
}
static inline const char *pointer(void)
{
"""


def self_test():
    tree = {"hv/a.c": SOURCE, "hv/b.asm": "global other\nlabel:\n    call other\n", "docs/x.md": ""}

    def wrong(text, document="docs/y.md"):
        def there(path):
            return any(fnmatch.fnmatch(name, path + "*") for name in tree)
        return check(document, text, tree.get, there)

    walk = "## Walk: a\n1. `hv/a.c:plain` does.\n2. `hv/b.asm:label` too.\n"
    cases = [
        ("good functions", "`hv/a.c:plain` `hv/a.c:split` `hv/a.c:pointer` `hv/b.asm:label`", None),
        ("a declaration", "`hv/a.c:declared`", "defines no function declared"),
        ("a call", "`hv/a.c:called`", "defines no function called"),
        ("a call before a brace", "`hv/a.c:called_too`", "defines no function called_too"),
        ("the end of a name", "`hv/a.c:lain`", "defines no function lain"),
        ("no label", "`hv/b.asm:other`", "defines no function other"),
        ("no file", "`hv/c.c:plain`", "there is no hv/c.c"),
        ("good paths", "`hv/a.c` `hv/` [x](x.md#part) [y](https://example.org/z) `make hv/c.c`", None),
        ("a placeholder", "`hv/NAME.c`", None),
        ("a placeholder for nothing", "`hv/test_NAME.c`", "there is no hv/test_NAME.c"),
        ("no path", "see `hv/c.c`", "line 1: there is no hv/c.c"),
        ("no target", "[x](z.md)", "there is no docs/z.md"),
    ]
    walks = [
        ("a good walk", walk, None),
        ("no walk", "text\n", "no walk"),
        ("an empty walk", walk + "## Walk: b\n", "Walk: b: no step"),
        ("a step without a function", walk + "3. The guest runs.\n", "no step 3"),
        ("a step left out", walk + "4. `hv/a.c:plain` again.\n", "no step 3"),
    ]
    failed = 0
    for what, text, expected in cases + walks:
        found = wrong(text, WALKS if (what, text, expected) in walks else "docs/y.md")
        if bool(found) != bool(expected) or (expected and not any(expected in line for line in found)):
            failed += 1
            print(f"self-test: {what}: expected {expected or 'nothing'!r}, found {found}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("documents", nargs="*", metavar="FILE")
    args = parser.parse_args()
    if args.self_test:
        return 1 if self_test() else 0
    wrong = []
    for document in args.documents or documents():
        text = read_source(document)
        wrong += check(document, text, read_source, is_there) if text else [f"{document} is not there"]
    print("".join(f"{line}\n" for line in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
