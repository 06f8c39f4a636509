# SPDX-License-Identifier: Apache-2.0
"""Boots configurations in QEMU and watches the serial console. A test gets `boot`, a function that
starts a machine, and usually `machine`, the emulator and CPU model to start it on."""

import os
import re
import subprocess
import sys
import threading
import time
from collections import namedtuple

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import bulkhead  # noqa: E402

# Emulation on a loaded machine is slow; a test that passes never waits this long.
TIMEOUT = float(os.environ.get("BOOT_TIMEOUT", "90"))
TAIL = 60  # lines of the console that a failure shows

Machine = namedtuple("Machine", "qemu version cpu")


def _emulators():
    """(label, path, version or None, why it can't be used)."""
    found = []
    installed = bulkhead.installed_qemu()
    if installed:
        version = bulkhead.qemu_version(installed)
        found.append((f"qemu{version[0]}", installed, version, None))
    else:
        found.append(("qemu", None, None, "qemu-system-x86_64 is not installed"))
    if os.access(bulkhead.SECOND_QEMU, os.X_OK):
        version = bulkhead.qemu_version(bulkhead.SECOND_QEMU)
        found.append((f"qemu{version[0]}", bulkhead.SECOND_QEMU, version, None))
    else:
        why = "tests/tools/qemu-second.sh has not been run"
        if os.path.exists(bulkhead.SECOND_QEMU_MISSING):
            with open(bulkhead.SECOND_QEMU_MISSING) as f:
                why = f.read().strip()
        found.append(("second-qemu", None, None, why))
    return found


def _machines():
    """One pytest parameter for each emulator and CPU model."""
    params = []
    for label, path, version, missing in _emulators():
        if missing:
            params.append(pytest.param(None, id=label, marks=pytest.mark.skip(reason=missing)))
            continue
        models = ["EPYC", "max"]
        if version[0] >= 10:
            models.insert(1, "EPYC,+x2apic")
        for model in models:
            params.append(pytest.param(Machine(path, version, model), id=f"{label}-{model}"))
    return params


MACHINES = _machines()


def _plain():
    """The emulator that is there on every machine, with the CPU model that suits it best."""
    return Machine(*[(p, v, bulkhead.best_cpu(v)) for _, p, v, missing in _emulators() if p][0])


def pytest_generate_tests(metafunc):
    if "machine" in metafunc.fixturenames:
        metafunc.parametrize("machine", MACHINES)
    # For what does not depend on the emulator but on the APIC's mode: one machine of each.
    if "apic_machine" in metafunc.fixturenames:
        usable = [p for p in MACHINES if p.values[0] is not None]
        xapic = [p for p in usable if p.values[0].cpu == "EPYC"][:1]
        x2apic = [p for p in usable if p.values[0].cpu == "EPYC,+x2apic"][:1]
        absent = [p for p in MACHINES if p.values[0] is None]
        metafunc.parametrize("apic_machine", xapic + (x2apic or absent))


class Console:
    """A running machine: its console's lines as they come, and its keyboard."""

    def __init__(self, command, log_path):
        self.command = command
        self.lines = []
        self.partial = ""
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
                text = self.partial + data.decode("latin-1").replace("\r", "")
                *whole, self.partial = text.split("\n")
                self.lines += whole
                self._changed.notify_all()

    def wait(self, pattern, source=None, since=0, timeout=TIMEOUT):
        """The index of the first line from `since` on that has `pattern`; `source` is the prefix
        that the line must bear: a partition's name or "bulkhead"."""
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
                if self.partial and regex.search(self.partial):
                    return len(self.lines)
                left = deadline - time.monotonic()
                if self._closed:
                    raise AssertionError(f"the machine ended before {pattern!r} from {source}")
                if left <= 0:
                    raise AssertionError(f"no {pattern!r} from {source} within {timeout} s")
                self._changed.wait(left)

    def match(self, pattern, source=None, since=0, timeout=TIMEOUT):
        """As wait(), but returns the match."""
        at = self.wait(pattern, source, since, timeout)
        line = self.lines[at] if at < len(self.lines) else self.partial
        return re.search(pattern, line)

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
        self.process.stdin.write(text.encode("latin-1"))
        self.process.stdin.flush()

    def wait_end(self, timeout=TIMEOUT):
        """Waits until the machine is off; returns QEMU's exit status."""
        return self.process.wait(timeout)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        self.process.stdin.close()
        self.process.stdout.close()
        self._log.close()

    def report(self):
        with open(self._log_path, errors="replace") as f:
            said = [line for line in f if "TCG doesn't support requested feature" not in line]
        with self._changed:
            tail = self.lines[-TAIL:] + ([self.partial] if self.partial else [])
        return "\n".join([" ".join(self.command), *tail, *(["QEMU said:"] + said if said else [])])


@pytest.fixture
def boot(request, tmp_path):
    """boot(machine, config, ...) starts a machine. `config` is a configuration's text, or None with
    `modules`. The files that it names come from tmp_path or build/."""
    running = []

    def start(
        machine,
        config=None,
        modules=None,
        cpus=4,
        memory=2048,
        image="bulkhead32.elf",
        append="",
        loader="kernel",
        devices=(),
        serial=True,
        cpu=None,
    ):
        image = os.path.join(bulkhead.BUILD, image)
        if config is not None:
            blob = compile_config(tmp_path, config)
            partitions = bulkhead.read_blob(blob)
            modules = [blob] + bulkhead.find_modules(partitions, str(tmp_path), bulkhead.BUILD)
        command = bulkhead.machine(machine.qemu, cpu or machine.cpu, cpus, memory)
        command += ["-chardev", "stdio,id=con,signal=off"]
        if serial:
            command += ["-serial", "chardev:con"]
        else:
            command += ["-device", "isa-debugcon,iobase=0xe9,chardev=con"]
        command += devices
        if loader == "kernel":
            command += bulkhead.kernel(image, modules, append)
        else:
            iso = str(tmp_path / f"{loader}.iso")
            elf = image.replace("bulkhead32", "bulkhead")
            bulkhead.make_iso(iso, elf, modules, append, 1 if loader == "multiboot1" else 2)
            command += ["-cdrom", iso, "-boot", "d"]
        console = Console(command, str(tmp_path / f"qemu{len(running)}.log"))
        running.append(console)
        return console

    request.node.consoles = running
    yield start
    for console in running:
        console.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for console in getattr(item, "consoles", []):
            report.sections.append(("machine", console.report()))


def compile_config(tmp_path, text, name="test"):
    """Compiles a configuration's text; returns the blob's path."""
    source = tmp_path / f"{name}.conf"
    source.write_text(text)
    return bulkhead.build_config(str(source), str(tmp_path / f"{name}.bin"))


@pytest.fixture
def blob_of(tmp_path):
    """blob_of(text): the bytes of the compiled configuration."""

    def compiled(text):
        with open(compile_config(tmp_path, text, "blob"), "rb") as f:
            return f.read()

    return compiled


@pytest.fixture
def plain():
    return _plain()


def partition(name, cpus=1, memory="64M", image="count.elf", cmdline="", more=""):
    """A partition as the configuration file has it."""
    return (
        f'{{ name = "{name}"; cpus = {cpus}; memory = "{memory}"; image = "{image}"; '
        f'cmdline = "{cmdline}"; {more} }}'
    )


def config(*partitions):
    return "partitions = ( " + ",\n".join(partitions) + " );\n"
