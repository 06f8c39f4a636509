#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of docs/architecture.md as SVG: the storeys from the list in check-layers.py, a running
machine from docs/pictures/machine.txt.

    pictures.py           writes docs/pictures/*.svg
    pictures.py --check   fails if one of them is not what would be written"""

import argparse
import html
import importlib.util
import os
import re
import sys

TOOLS = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(TOOLS, "..", "..", "docs", "pictures")

SANS = "font-family='Helvetica, Arial, sans-serif'"
MONO = "font-family='Menlo, Consolas, monospace'"
SIZE = 12  # of the text, in pixels
CHARACTER, WIDE = 6.6, 7.4  # width that a character may have, in pixels; a bold or monospaced one
INK, PAPER, BAND, LINE = "#1b1f24", "#ffffff", "#f8f9fa", "#57606a"

# Fill and edge of a storey, by its top folder, and of a box, by its kind.
COLOURS = {
    "arch": ("#dbe9ff", "#4a7ebb"),
    "boot": ("#e8e0f5", "#7d5fb2"),
    "drivers": ("#dff3e1", "#4c9a57"),
    "partitions": ("#fbe4ec", "#b8557c"),
    "hv": ("#fdf0d5", "#c08a2d"),
    "guest": ("#dff3e1", "#4c9a57"),
    "hypervisor": ("#fdf0d5", "#c08a2d"),
    "hardware": ("#dbe9ff", "#4a7ebb"),
    "empty": ("#f3f4f6", "#9aa1a9"),
}


class Error(Exception):
    pass


# ---- SVG

def text(x, y, words, anchor="start", font=SANS, weight="normal", size=SIZE, halo=False):
    """With a halo it can be read where it stands on a line."""
    behind = f" stroke='{BAND}' stroke-width='4' paint-order='stroke'" if halo else ""
    return (f"<text x='{x:g}' y='{y:g}' {font} font-size='{size}' font-weight='{weight}' fill='{INK}' "
            f"text-anchor='{anchor}'{behind}>{html.escape(words, quote=False)}</text>")


def rectangle(x, y, width, height, fill, edge, dashed=False):
    dash = " stroke-dasharray='4 3'" if dashed else ""
    return (f"<rect x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}' rx='4' fill='{fill}' "
            f"stroke='{edge}'{dash}/>")


def line(x1, y1, x2, y2, start=False, end=True):
    ends = (" marker-start='url(#head)'" if start else "") + (" marker-end='url(#head)'" if end else "")
    return f"<line x1='{x1:g}' y1='{y1:g}' x2='{x2:g}' y2='{y2:g}' stroke='{LINE}' stroke-width='1.5'{ends}/>"


def drawing(width, height, title, parts):
    head = ("<defs><marker id='head' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' "
            f"orient='auto-start-reverse'><path d='M0 0 L8 4 L0 8 z' fill='{LINE}'/></marker></defs>")
    return "\n".join([
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:g}' height='{height:g}' "
        f"viewBox='0 0 {width:g} {height:g}'>",
        "<!-- SPDX-License-Identifier: Apache-2.0. Made by tests/tools/pictures.py (make docs). -->",
        f"<title>{html.escape(title, quote=False)}</title>", head,
        f"<rect width='{width:g}' height='{height:g}' fill='{PAPER}'/>", *parts, "</svg>", ""])


# ---- the storeys

def read_storeys():
    """STOREYS and NEVER of check-layers.py, whose name is no module's."""
    spec = importlib.util.spec_from_file_location("check_layers", os.path.join(TOOLS, "check-layers.py"))
    layers = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(layers)
    return layers.STOREYS, layers.NEVER


def rules_of(never):
    """NEVER by who and why: one sentence for all that they never use."""
    rules = {}
    for who, what, why in never:
        rules.setdefault((who, why), []).append(what)
    return [f"{who}/ never uses {', '.join(used)}: {why}" for (who, why), used in rules.items()]


def draw_storeys(storeys, never):
    margin, row, gap, arrow = 16, 22, 3, 30
    name_width = max(len(name) for name, _ in storeys) * WIDE + 24
    holds_width = max(len(holds) for _, holds in storeys) * CHARACTER + 12
    rules = rules_of(never)
    width = max(2 * margin + arrow + name_width + holds_width,
                2 * margin + max(len(rule) for rule in rules) * CHARACTER)
    top = margin + 28
    bottom = top + len(storeys) * (row + gap)
    parts = [text(margin, margin + 12, "A folder uses only what stands below it.", weight="bold")]
    for i, (name, holds) in enumerate(storeys):  # the first is the lowest
        y = bottom - (i + 1) * (row + gap)
        fill, edge = COLOURS[name.split("/")[0]]
        x = margin + arrow
        parts += [rectangle(x, y, width - margin - x, row, fill, edge),
                  text(x + 8, y + 15, name, font=MONO, weight="bold"),
                  text(x + name_width, y + 15, holds)]
    parts.append(line(margin + 10, top + 4, margin + 10, bottom - gap - 2))
    for i, rule in enumerate(rules):
        parts.append(text(margin, bottom + 20 + 18 * i, rule))
    return drawing(width, bottom + 20 + 18 * len(rules), "The storeys of Bulkhead", parts)


# ---- the machine

class Machine:
    """The lines of a text such as docs/pictures/machine.txt, checked."""

    def __init__(self, source):
        self.columns, self.bands, self.frames, self.boxes, self.arrows = 0, [], [], {}, []
        for number, content in enumerate(source.splitlines(), 1):
            fields = [field.strip() for field in content.split("|")]
            if content.strip() and not content.startswith("#"):
                try:
                    getattr(self, "read_" + fields[0], self.read_unknown)(*fields[1:])
                except (TypeError, ValueError) as error:
                    raise Error(f"machine.txt, line {number}: {error}") from None
        self.rows = 1 + max(box["row"] for box in self.boxes.values())

    def span(self, kind, field):
        match = re.fullmatch(kind + r" (\d+)-(\d+)", field)
        if not match or int(match[1]) > int(match[2]):
            raise ValueError(f"{field!r} is not '{kind} FIRST-LAST'")
        return int(match[1]), int(match[2])

    def number(self, kind, field):
        match = re.fullmatch(kind + r" (\d+)", field)
        if not match:
            raise ValueError(f"{field!r} is not '{kind} N'")
        return int(match[1])

    def read_unknown(self, *_):
        raise ValueError("begins with none of columns, band, frame, box, arrow")

    def read_columns(self, count):
        self.columns = int(count)

    def read_band(self, rows, title):
        self.bands.append((self.span("rows", rows), title))

    def read_frame(self, row, columns, title):
        self.frames.append((self.number("row", row), self.span("columns", columns), title))

    def read_box(self, name, row, columns, kind, *lines):
        place = {"row": self.number("row", row), "columns": self.span("columns", columns)}
        if name in self.boxes or kind not in COLOURS or place["columns"][1] >= self.columns:
            raise ValueError(f"the box {name} is there twice, of no known kind, or beyond the last column")
        for other, box in self.boxes.items():
            if box["row"] == place["row"] and not (box["columns"][1] < place["columns"][0] or
                                                   box["columns"][0] > place["columns"][1]):
                raise ValueError(f"the box {name} covers {other}")
        self.boxes[name] = {**place, "kind": kind, "lines": lines}

    def read_arrow(self, ends, where, label):
        match = re.fullmatch(r"(\w+) (<?)-> (\w+)", ends)
        if not match or match[1] not in self.boxes or match[3] not in self.boxes:
            raise ValueError(f"{ends!r} is not 'FROM -> TO' of two boxes that stand above")
        start, end = self.boxes[match[1]], self.boxes[match[3]]
        if where == "beside":
            if start["row"] != end["row"]:
                raise ValueError(f"{ends}: not in one row")
            column = None
        else:
            column = self.number("column", where)
            if start["row"] == end["row"] or not all(
                    box["columns"][0] <= column <= box["columns"][1] for box in (start, end)):
                raise ValueError(f"{ends}: column {column} does not lead from one to the other")
        self.arrows.append((start, end, column, match[2] == "<", label))


COLUMN, ROW, GAP_X, GAP_Y, SIDE = 128, 44, 24, 80, 100
FRAME_ABOVE, FRAME_BELOW = 27, 8  # a frame is larger than its boxes by this
BAND_ABOVE, BAND_BELOW = 30, 11


def box_edges(box):
    x = SIDE + box["columns"][0] * COLUMN + GAP_X / 2
    width = (box["columns"][1] - box["columns"][0] + 1) * COLUMN - GAP_X
    return x, row_top(box["row"]), width


def row_top(row):
    return 40 + row * (ROW + GAP_Y)


def fitting(words, width, character=CHARACTER):
    if len(words) * character > width:
        raise Error(f"machine.txt: {words!r} does not fit into {width:g} pixels")
    return words


def draw_box(box):
    x, y, width = box_edges(box)
    parts = [rectangle(x, y, width, ROW, *COLOURS[box["kind"]])]
    first = y + ROW / 2 + 4 - 8 * (len(box["lines"]) - 1)
    for i, words in enumerate(box["lines"]):
        weight, character = ("normal", CHARACTER) if i else ("bold", WIDE)
        parts.append(text(x + width / 2, first + 16 * i, fitting(words, width, character), "middle", weight=weight))
    return parts


def draw_frame(row, columns, title):
    """The frame, and the title, which may stand on arrows."""
    x = SIDE + columns[0] * COLUMN + 3
    width = (columns[1] - columns[0] + 1) * COLUMN - 6
    return (rectangle(x, row_top(row) - FRAME_ABOVE, width, FRAME_ABOVE + ROW + FRAME_BELOW, "none", LINE, True),
            text(x + 6, row_top(row) - 14, fitting(title, width - 6), size=11, halo=True))


def draw_arrow(start, end, column, both, label):
    (x1, y1, w1), (x2, y2, w2) = box_edges(start), box_edges(end)
    if column is None:
        y = y1 + ROW / 2
        ends = (x1 + w1, x2) if x1 < x2 else (x1, x2 + w2)
        return [line(ends[0], y, ends[1], y, both),
                text(sum(ends) / 2, y - 6, label, "middle", size=10, halo=True)]
    x = SIDE + (column + 0.5) * COLUMN
    y_from, y_to = (y1 + ROW, y2) if y1 < y2 else (y1, y2 + ROW)
    free = GAP_Y - BAND_ABOVE - BAND_BELOW  # between two bands, above the lower end
    return [line(x, y_from, x, y_to, both),
            text(x + 6, max(y_from, y_to) - BAND_ABOVE - free / 2 + 4, label, size=11)]


def draw_machine(machine):
    width, height = SIDE + machine.columns * COLUMN + 8, row_top(machine.rows) - GAP_Y + 20
    parts = []
    for (first, last), title in machine.bands:
        top, bottom = row_top(first) - BAND_ABOVE, row_top(last) + ROW + BAND_BELOW
        parts += [rectangle(6, top, width - 12, bottom - top, BAND, "#d0d7de"),
                  text(16, (top + bottom) / 2 + 4, title, weight="bold", size=13)]
    frames = [draw_frame(*frame) for frame in machine.frames]
    parts += [edge for edge, _ in frames]
    for arrow in machine.arrows:
        parts += draw_arrow(*arrow)
    parts += [title for _, title in frames]
    for box in machine.boxes.values():
        parts += draw_box(box)
    return drawing(width, height, "A running machine with two partitions", parts)


# ---- files

def pictures():
    """The text of each picture, by its path."""
    with open(os.path.join(FOLDER, "machine.txt"), encoding="utf-8") as file:
        machine = Machine(file.read())
    drawn = {"storeys.svg": draw_storeys(*read_storeys()), "machine.svg": draw_machine(machine)}
    return {os.path.normpath(os.path.join(FOLDER, name)): content for name, content in drawn.items()}


def is_in(path, content):
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        return file.read() == content


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    stale = [(path, content) for path, content in pictures().items() if not is_in(path, content)]
    for path, content in stale:
        if args.check:
            print(f"docs/pictures/{os.path.basename(path)} is not what would be written; run make docs")
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
    return 1 if args.check and stale else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Error as problem:
        print(problem)
        sys.exit(1)
