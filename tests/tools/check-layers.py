#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the storeys: which folder may use which. A folder includes only what stands before it in
STOREYS, and itself; the linked objects refer to each other in the same way; no folder grows without bound;
and few files need each other in a circle.

    check-layers.py [OBJECT...]   includes, and what the objects (build/obj/...) need of each other
    check-layers.py --self-test   the check itself, on a made-up tree"""

import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# From the ground up. A back end stands above hv/exit, because an exit enters the hypervisor through it.
STOREYS = [
    ("arch/lib", "freestanding C that knows no machine: types, status, string, format, spinlock"),
    ("arch/cpu", "CPUID, MSRs, MTRRs, machine-check banks, TSC, topology, ports"),
    ("arch/memory", "page tables, heap, windows, per-CPU areas"),
    ("arch/interrupt", "local APIC, exceptions, panic"),
    ("arch/virt", "the interface of the two back ends, the types that cross it, what both share"),
    ("boot", "Multiboot and UEFI entry, start of further CPUs"),
    ("drivers/uart", "the 16550"),
    ("drivers/console", "the one console and its many sources, the framebuffer"),
    ("drivers/acpi", "the firmware's tables"),
    ("drivers/clock", "HPET, RTC"),
    ("drivers/pci", "configuration space, functions, BARs, resets"),
    ("drivers/ioapic", "the IOAPIC's registers"),
    ("drivers/iommu", "the interface of the two IOMMUs"),
    ("drivers/vtd", "VT-d and its DMAR table"),
    ("drivers/amdvi", "AMD-Vi and its IVRS table"),
    ("partitions", "the blob's definition and its checks; its compiler is on the host"),
    ("hv/memory", "page allocator, guest layout, guest memory, guest page walk"),
    ("hv/interrupt", "ICR check, virtual APIC, MSI check"),
    ("hv/machine", "what was discovered; the configuration against it; kept ports; module hashes"),
    ("hv/emulate", "decoder, emulation, string I/O, breakpoints"),
    ("hv/policy", "rules for CPUID, MSRs and ports"),
    ("hv/vdev", "virtual devices"),
    ("hv/vpci", "virtual PCI"),
    ("hv/guest", "loaders and firmware tables of guests"),
    ("hv/partition", "struct partition, struct vcpu, their interrupts and timers, counters, log"),
    ("hv/device", "passthrough"),
    ("hv/console", "serial port, screen, service, a partition's end of the console"),
    ("hv/life", "create, load, end, work of a vCPU, machine checks"),
    ("hv/exit", "one handler for each event; the platform"),
    ("arch/svm", "the back end for AMD-V"),
    ("arch/vmx", "the back end for VT-x"),
    ("hv/audit", "the proof of isolation; needs nothing of the table writers"),
    ("hv/start", "main, inventory, stages"),
    ("boot/uefi", "the UEFI loader, a program of its own"),
]

# What no order says: (who, what it never uses, why). A name is that of a folder or of a file without its end.
NEVER = [
    ("hv", "arch/svm", "hv/ knows the back ends by arch/virt/virt.h only"),
    ("hv", "arch/vmx", "hv/ knows the back ends by arch/virt/virt.h only"),
    ("hv/audit", "arch/memory/paging", "the audit shares no code with what writes the tables"),
    ("hv/audit", "arch/memory/pt_format", "the audit shares no code with what writes the tables"),
    ("hv/audit", "drivers/vtd", "the audit shares no code with what writes the tables"),
    ("hv/audit", "drivers/amdvi", "the audit shares no code with what writes the tables"),
]

# (who, the header or the symbol, why it may all the same).
EXCEPTIONS = [
    ("boot/multiboot", "boot_main", "every way in ends by calling the hypervisor"),
    ("boot/uefi", "boot_main", "every way in ends by calling the hypervisor"),
    ("hv/start/virt_choice", "svm_ops", "the one place that names the back ends"),
    ("hv/start/virt_choice", "vmx_ops", "the one place that names the back ends"),
]
EXCEPTIONS_MAX = 5
SOURCES_MAX = 24  # in a folder, headers apart
CIRCLE_MAX = 4  # files that need each other, a source and its header being one

TOPS = ("arch", "boot", "drivers", "hv", "partitions")
SOURCE_ENDS = (".c", ".asm")
ENDS = SOURCE_ENDS + (".h", ".inc")
INCLUDE = re.compile(r'^[ \t]*[#%][ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)


class Error(Exception):
    pass


def folder_of(path):
    return os.path.dirname(path)


def node(path):
    """A source and its header are one."""
    return os.path.splitext(path)[0]


def under(path, name):
    return node(path) == name or path.startswith(name + "/")


def excused(who, what):
    return any(node(who) == name and what == thing for name, thing, _ in EXCEPTIONS)


class Check:
    """`storeys`: names of folders, in order. Collects what is wrong, one line for each thing."""

    def __init__(self, storeys):
        self.rank = {name: i for i, name in enumerate(storeys)}
        self.wrong = []

    def folders(self, paths):
        count = {}
        for path in sorted(paths):
            name = folder_of(path)
            if name not in self.rank:
                self.wrong.append(f"{path}: its folder is no storey of STOREYS")
            elif path.endswith(SOURCE_ENDS):
                count[name] = count.get(name, 0) + 1
        for name, number in count.items():
            if number > SOURCES_MAX:
                self.wrong.append(f"{name} has {number} sources, more than {SOURCES_MAX}")

    def use(self, who, what, name, verb):
        """`who` uses the file `what`, by the header or symbol `name`. Whether that counts for circles."""
        if excused(who, name):
            return False
        a, b = self.rank.get(folder_of(who)), self.rank.get(folder_of(what))
        if a is not None and b is not None and b > a:
            self.wrong.append(f"{who} {verb} {name}, which stands above it, in {folder_of(what)}")
        for user, used, why in NEVER:
            if under(who, user) and under(what, used):
                self.wrong.append(f"{who} {verb} {name} of {used}: {why}")
        return True

    def includes(self, texts):
        graph = {node(path): set() for path in texts}
        for path in sorted(texts):
            for header in INCLUDE.findall(texts[path]):
                if header in texts:
                    if self.use(path, header, header, "includes"):
                        graph[node(path)].add(node(header))
                elif header.startswith(tuple(top + "/" for top in TOPS)):
                    self.wrong.append(f"{path} includes {header}, which is not there")
        self.circles(graph, "include")

    def symbols(self, needs, defines):
        """`needs`: the symbols that each source's object needs; `defines`: the source of each symbol."""
        graph = {}
        for path in sorted(needs):
            for symbol in sorted(needs[path]):
                home = defines.get(symbol)
                if home is not None and self.use(path, home, symbol, "refers to"):
                    graph.setdefault(node(path), set()).add(node(home))
        self.circles(graph, "call or read")

    def circles(self, graph, verb):
        for circle in strong_components(graph):
            names = " ".join(sorted(circle))
            if len({folder_of(name) for name in circle}) > 1:
                self.wrong.append(f"a circle that crosses folders; these {verb} each other: {names}")
            elif len(circle) > CIRCLE_MAX:
                self.wrong.append(f"a circle of {len(circle)}, more than {CIRCLE_MAX}; these {verb} each other: {names}")


def strong_components(graph):
    """Sets of nodes that reach each other, of two or more (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(at):
        index[at] = low[at] = len(index)
        stack.append(at)
        for to in sorted(graph.get(at, ())):
            if to == at:
                continue
            if to not in index:
                visit(to)
                low[at] = min(low[at], low[to])
            elif to in stack:
                low[at] = min(low[at], index[to])
        if low[at] == index[at]:
            cut = stack.index(at)
            if len(stack) - cut > 1:
                found.append(set(stack[cut:]))
            del stack[cut:]

    for start in sorted(graph):
        if start not in index:
            visit(start)
    return found


def read_tree(root):
    texts = {}
    for top in TOPS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), root)
                if name.endswith(ENDS):
                    with open(os.path.join(root, path), encoding="utf-8") as file:
                        texts[path] = file.read()
    return texts


def source_of(path):
    """build/obj/hv/exit/exits.o: hv/exit/exits.c; .../entry.asm.o: .../entry.asm."""
    inside = path.split("/obj/", 1)[-1]
    return inside[: -len(".o")] if inside.endswith(".asm.o") else inside[: -len(".o")] + ".c"


def read_objects(paths):
    needs, defines = {}, {}
    for path in paths:
        done = subprocess.run(["nm", "--format=posix", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Error(f"nm can't read {path}: {done.stderr.strip()}")
        source = source_of(path)
        needs[source] = set()
        for line in done.stdout.splitlines():
            symbol, kind = line.split()[:2]
            if kind == "U":
                needs[source].add(symbol)
            elif kind.isupper():
                defines[symbol] = source
    return needs, defines


def check(storeys, texts, objects=None):
    result = Check(storeys)
    if len(EXCEPTIONS) > EXCEPTIONS_MAX:
        result.wrong.append(f"{len(EXCEPTIONS)} exceptions, more than {EXCEPTIONS_MAX}")
    result.folders(texts)
    result.includes(texts)
    if objects is not None:
        result.symbols(*objects)
    return result.wrong


# ---- the check of the check

GOOD_TREE = {
    "arch/lib/a.h": "",
    "arch/lib/a.c": '#include "arch/lib/a.h"\n#include <string.h>\n',
    "hv/exit/b.h": '#include "arch/lib/a.h"\n',
    "hv/exit/b.c": '#include "hv/exit/b.h"\n#include "hv/exit/c.h"\n',
    "hv/exit/c.h": "",
    "hv/exit/c.c": '#include "hv/exit/b.h"\n',
    "arch/vmx/e.asm": '%include "arch/lib/f.inc"\n',
    "arch/lib/f.inc": "",
}


def self_test():
    storeys = [name for name, _ in STOREYS]
    several = {f"hv/exit/n{i}.c": "" for i in range(SOURCES_MAX + 1)}
    ring = [f"hv/exit/r{i}" for i in range(CIRCLE_MAX + 1)]
    circle = {f"{a}.h": f'#include "{b}.h"\n' for a, b in zip(ring, ring[1:] + ring[:1])}
    needs = {"arch/lib/a.c": {"below"}, "hv/exit/b.c": {"below", "other"}, "hv/exit/c.c": set()}
    defines = {"below": "arch/lib/a.c", "other": "hv/exit/c.c", "above": "hv/exit/b.c"}
    up = {**needs, "arch/lib/a.c": {"above"}}
    cases = [
        ("a good tree", GOOD_TREE, None, 0),
        ("good objects", GOOD_TREE, (needs, defines), 0),
        ("an include upwards", {**GOOD_TREE, "arch/lib/a.h": '#include "hv/exit/c.h"\n'}, None, "stands above"),
        ("one in assembly", {**GOOD_TREE, "arch/lib/f.inc": '%include "arch/vmx/e.asm"\n'}, None, "stands above"),
        ("a circle through folders", {**GOOD_TREE, "arch/lib/a.h": '#include "hv/exit/b.h"\n'}, None, "crosses"),
        ("a source and the header of another", {**GOOD_TREE, "arch/lib/a.c": '#include "hv/exit/c.h"\n'}, None, "stands above"),
        ("a large circle", {**GOOD_TREE, **circle}, None, "a circle of"),
        ("a large folder", {**GOOD_TREE, **several}, None, "sources, more than"),
        ("a folder without a storey", {**GOOD_TREE, "hv/attic/x.c": ""}, None, "no storey"),
        ("a header that is not there", {**GOOD_TREE, "hv/exit/c.h": '#include "hv/exit/gone.h"\n'}, None, "not there"),
        ("the audit and a table writer", {**GOOD_TREE, "arch/memory/paging.h": "",
                                          "hv/audit/x.c": '#include "arch/memory/paging.h"\n'}, None, "shares no code"),
        ("hv/ and a back end", {**GOOD_TREE, "arch/svm/s.h": "", "hv/start/x.c": '#include "arch/svm/s.h"\n'}, None, "virt.h only"),
        ("a symbol upwards", GOOD_TREE, (up, defines), "refers to above"),
        ("a symbol that is excused", {**GOOD_TREE, "boot/uefi.asm": "", "hv/start/main.c": ""},
         ({"boot/uefi.asm": {"boot_main"}}, {"boot_main": "hv/start/main.c"}), 0),
    ]
    failed = 0
    for what, texts, objects, expected in cases:
        wrong = check(storeys, texts, objects)
        good = not wrong if expected == 0 else any(expected in line for line in wrong)
        if not good:
            failed += 1
            print(f"self-test: {what}: expected {expected or 'nothing'!r}, found {wrong}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("objects", nargs="*", metavar="OBJECT")
    args = parser.parse_args()
    if args.self_test:
        return 1 if self_test() else 0
    storeys = [name for name, _ in STOREYS]
    try:
        wrong = check(storeys, read_tree(ROOT), read_objects(args.objects) if args.objects else None)
    except Error as error:
        wrong = [str(error)]
    print("".join(f"storeys: {line}\n" for line in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
