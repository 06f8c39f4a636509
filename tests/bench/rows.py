# SPDX-License-Identifier: Apache-2.0
"""The benchmark's table: what is measured, on which vendor's hardware, and what is to be reached."""

VENDORS = {"amd": "AMD-V", "vtx": "VT-x"}


def number(value, unit=""):
    if value is None:
        return "–"
    return f"{value:.2f}{unit}" if isinstance(value, float) else f"{value}{unit}"


def markdown(head, lines):
    made = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    made += ["| " + " | ".join(cells) + " |" for cells in lines]
    return "\n".join(made) + "\n"


class Row:
    """A line of the table. `amd` and `vtx` are greatest values on that vendor's hardware, or None;
    `as_bare`: no more than bare, on either. `bare` and `ours` hold a figure for each vendor that
    was measured."""

    def __init__(self, what, name, peers="–", amd=None, vtx=None, as_bare=False, unit=""):
        self.what, self.name, self.peers = what, name, peers
        self.targets, self.as_bare, self.unit = {"amd": amd, "vtx": vtx}, as_bare, unit
        self.bare, self.ours = {}, {}

    def take(self, vendor, bare, ours):
        """Takes this row's figures out of all that a run printed."""
        if self.name in ours:
            self.ours[vendor] = ours[self.name]
        if self.name in bare:
            self.bare[vendor] = bare[self.name]

    def good(self, vendor):
        """None where nothing is to be reached, or nothing was measured."""
        limit = self.bare.get(vendor) if self.as_bare else self.targets[vendor]
        if limit is None or vendor not in self.ours:
            return None
        return self.ours[vendor] <= limit

    def goal(self):
        if self.as_bare:
            return "as bare"
        goals = {v: f"≤ {number(t, self.unit)}" for v, t in self.targets.items() if t is not None}
        # A goal for one vendor only says so where the other has a figure.
        if not goals.keys() ^ self.ours.keys() and len(set(goals.values())) == 1:
            return next(iter(goals.values()))
        return ", ".join(f"{VENDORS[v]} {goal}" for v, goal in goals.items()) or "–"

    def verdict(self):
        said = {}
        for vendor in VENDORS:
            if self.as_bare or self.targets[vendor] is not None:
                said[vendor] = {True: "yes", False: "NO", None: "not measured"}[self.good(vendor)]
        if len(set(said.values())) <= 1:
            return next(iter(said.values()), "–")
        return ", ".join(f"{VENDORS[v]} {word}" for v, word in said.items())

    def missed(self):
        return [f"{self.what} ({VENDORS[v]})" for v in VENDORS if self.good(v) is False]

    def cells(self):
        figures = [held.get(v) for v in VENDORS for held in (self.bare, self.ours)]
        return [
            self.what, *[number(f, self.unit) for f in figures], self.peers, self.goal(),
            self.verdict(),
        ]


def table(rows):
    head = ["what"] + [f"{vendor}: {who}" for vendor in VENDORS.values()
                       for who in ("bare", "Bulkhead")]
    head += ["Jailhouse / Xen / KVM (AMD-V)", "to reach", "reached"]
    return markdown(head, [row.cells() for row in rows])


# What hv/partition/counters.c calls the kinds, and what they are.
EXIT_KINDS = {
    "cpuid": "CPUID",
    "hypercall": "hypercall",
    "rdmsr": "RDMSR of an MSR that is emulated",
    "wrmsr": "WRMSR: ICR in x2APIC mode, and MSRs that are emulated",
    "port": "emulated port",
    "port-string": "emulated port, string instruction",
    "apic-page": "local APIC's page, in xAPIC mode",
    "ioapic": "emulated IOAPIC",
    "pci": "PCI configuration space and MSI-X tables",
    "instruction": "CR0, CR4, XSETBV, WBINVD and the like",
    "nmi": "NMI",
    "exception": "exception",
    "other": "other",
}
# What a boot needs at most: Linux tries the PIT by an 8259 and then takes its own timer, and each of those
# few ticks is an NMI, and a window in which its vector is given.
MOST_EXITS = {"nmi": 10, "exception": 0, "other": 10}


def exit_table(boots):
    """`boots`: for each machine (a column) its exits by kind."""
    kinds = [*EXIT_KINDS, *[k for counts in boots.values() for k in counts if k not in EXIT_KINDS]]
    lines = []
    for kind in dict.fromkeys(kinds):
        found = [counts.get(kind, 0) for counts in boots.values()]
        if any(found) or kind in MOST_EXITS:
            goal = f"≤ {MOST_EXITS[kind]}" if kind in MOST_EXITS else "–"
            lines.append([EXIT_KINDS.get(kind, kind), *map(str, found), goal])
    lines.append(["all", *[str(sum(counts.values())) for counts in boots.values()], "–"])
    return markdown(["exits of", *boots, "to reach"], lines)


def missed_exits(boots):
    return [
        f"exits of a Linux boot: {kind} ({where})"
        for where, counts in boots.items() for kind, most in MOST_EXITS.items() if counts.get(kind, 0) > most
    ]


# Attacks of hostile.elf whose neighbour's longest gap is measured, and what they are.
GAP_ATTACKS = {
    "cpuid": "CPUID loop",
    "icr": "every value of the ICR to every ID",
    "flood": "interrupts to itself and to every ID",
    "ports": "string instructions to every port",
    "console": "flood of the console",
    "restarts": "restart loop, memory cleared each time",
}
GAP_GROWTH = 100  # instructions by which an attacker may lengthen its neighbour's longest gap


def gap_rows(gaps):
    """`gaps`: the longest by attack, and "spin": that next to a neighbour that only computes."""
    calm = gaps["spin"]
    rows = []
    for name, what in GAP_ATTACKS.items():
        row = Row(f"neighbour's longest gap: {what}", f"gap_{name}", amd=calm + GAP_GROWTH)
        row.take("amd", {row.name: calm}, {row.name: gaps[name]})
        rows.append(row)
    return rows
