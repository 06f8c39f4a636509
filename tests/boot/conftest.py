# SPDX-License-Identifier: Apache-2.0
"""Boots configurations in QEMU and watches the serial console. A test gets `boot`, a function that
starts a machine, and usually `machine`, the emulator and CPU model to start it on."""

import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
import bochs  # noqa: E402
import bulkhead  # noqa: E402
import hardware  # noqa: E402
from console import TIMEOUT, Console  # noqa: E402, F401

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
        why = bulkhead.unavailable("qemu10", "tests/tools/qemu-second.sh has not been run")
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

KEY = "\x1d"  # Ctrl-], the console's
BOCHS = "bochs"  # as the emulator of a Machine; it boots through GRUB, with 1 GiB of memory


def needs(missing):
    """Skips a test for the reason that is given, if one is."""
    return pytest.mark.skipif(bool(missing), reason=missing or "")


needs_bochs = needs(bochs.missing())


def bochs_machine(model):
    return Machine(BOCHS, bochs.version(), model)


def needs_model(model):
    """Skips a test if Bochs, or this version of it, has no such CPU model."""
    return needs(bochs.missing() or bochs.lacks(model))


def bochs_command(tmp_path, machine, image, modules, cpus, append, options=()):
    iso = str(tmp_path / "bochs.iso")
    # The test guests, which run bare too, know only the older protocol.
    protocol = 2 if os.path.basename(image).startswith("bulkhead") else 1
    bulkhead.make_iso(iso, image.replace("bulkhead32", "bulkhead"), modules, append, protocol)
    program = os.path.join(bulkhead.ROOT, "tests", "tools", "bochs.py")
    return [sys.executable, program, iso, "--model", machine.cpu, "--cpus", str(cpus), *options]


def _plain():
    """The emulator that is there on every machine, with the CPU model that suits it best."""
    return Machine(*[(p, v, bulkhead.best_cpu(v)) for _, p, v, missing in _emulators() if p][0])


def _other():
    """A machine with local APICs in the mode that _plain() has them not in; None if there is none."""
    has = "x2apic" in _plain().cpu
    return next((p.values[0] for p in _apic_machines() if p.values[0] and
                 ("x2apic" in p.values[0].cpu) != has), None)


NAME_LENGTH = 28  # characters that an argument of a test adds to its name


def pytest_make_parametrize_id(config, val, argname):
    """The part of a test's name that stands for an argument: short, readable, and the same in every
    process, or pytest-xdist runs nothing. tests/tools/check_names.py checks that."""
    if isinstance(val, str):
        words = re.sub(r"[_.,:=+]*[^A-Za-z0-9_.,:=+][^A-Za-z0-9]*", "-", val).strip("-")
        if len(words) > NAME_LENGTH:
            words = re.sub(r"-[^-]*$", "", words[: NAME_LENGTH + 1])[:NAME_LENGTH]
        return words or "none"
    if isinstance(val, (bytes, float, re.Pattern)) or callable(val):
        return argname  # and a number, if there are several
    return None  # pytest's own name: a number's, or that of the argument


LONG = os.environ.get("BOOT_LONG")  # None, `only` for nothing else, or anything for both


def pytest_collection_modifyitems(config, items):
    """Long tests are skipped, so that names are the same in every run, or are the only ones."""
    def is_long(item):
        mark = item.get_closest_marker("long")
        return mark and (not mark.args or any(part in item.name for part in mark.args))

    if LONG == "only":
        config.hook.pytest_deselected(items=[item for item in items if not is_long(item)])
        items[:] = [item for item in items if is_long(item)]
    for item in items if LONG is None else []:
        if is_long(item):
            item.add_marker(pytest.mark.skip(reason="long: make long-test"))


def pytest_generate_tests(metafunc):
    if "machine" in metafunc.fixturenames:
        metafunc.parametrize("machine", MACHINES)
    # For what does not depend on the emulator but on the APIC's mode: one machine of each.
    if "apic_machine" in metafunc.fixturenames:
        metafunc.parametrize("apic_machine", _apic_machines())
    # The same, and VT-x: for small kernels, because Bochs is slow.
    if "each_vendor" in metafunc.fixturenames:
        metafunc.parametrize("each_vendor", _apic_machines() + [_bochs_param("corei7_skylake_x")])
    # Each emulator in each mode, VT-x, and an AMD-V with nRIP save: for what does depend on the emulator.
    if "every_kind" in metafunc.fixturenames:
        modes = [p for p in MACHINES if p.values[0] is None or p.values[0].cpu != "max"]
        models = [_bochs_param(model) for model in ("corei7_skylake_x", "ryzen")]
        metafunc.parametrize("every_kind", modes + models)


def _apic_machines():
    usable = [p for p in MACHINES if p.values[0] is not None]
    xapic = [p for p in usable if p.values[0].cpu == "EPYC"][:1]
    x2apic = [p for p in usable if p.values[0].cpu == "EPYC,+x2apic"][:1]
    absent = [p for p in MACHINES if p.values[0] is None]
    return xapic + (x2apic or absent)


def _bochs_param(model):
    return pytest.param(bochs_machine(model), id=f"bochs-{model}", marks=needs_model(model))


@pytest.fixture
def boot(request, tmp_path):
    """boot(machine, config, ...) starts a machine. `config` is a configuration's text, or None with
    `modules`. The files that it names come from tmp_path or build/. A test guest as `image` with no
    modules runs bare. With `loader` efi, `esp` is a folder with EFI/BOOT/BOOTX64.EFI, else one file
    with all is made; `firmware` is its code and variables. With
    disk, one of the devices boots. `devices` are further words of the emulator's command line. With
    `hashes` the files are checked against their SHA-256, which takes a second for a Linux. Without
    `serial` the console is the debug port, with None there is neither."""
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
        esp=None,
        firmware=None,
        devices=(),
        serial=True,
        cpu=None,
        hashes=False,
    ):
        image = os.path.join(bulkhead.BUILD, image)
        if config is not None:
            folders = str(tmp_path), bulkhead.BUILD
            blob = compile_config(tmp_path, config, folders=folders if hashes else ())
            modules = [blob] + bulkhead.find_modules(bulkhead.read_blob(blob), *folders)
        if machine.qemu == BOCHS:
            console = Console(bochs_command(tmp_path, machine, image, modules, cpus, append, devices),
                              str(tmp_path / f"bochs{len(running)}.log"))
            running.append(console)
            return console
        command = bulkhead.machine(machine.qemu, cpu or machine.cpu, cpus, memory)
        command += ["-chardev", "stdio,id=con,signal=off"]
        if serial:
            command += ["-serial", "chardev:con"]
        elif serial is not None:
            command += ["-device", "isa-debugcon,iobase=0xe9,chardev=con"]
        command += devices
        if loader == "efi":
            esp = esp or one_file(tmp_path, modules, append)
            command += ovmf(tmp_path, firmware) + ["-drive", f"format=raw,file=fat:rw:{esp}"]
        elif loader == "disk":
            pass  # one of the devices
        elif loader == "kernel":
            command += bulkhead.kernel(image, modules, append)
        else:
            iso = str(tmp_path / f"{loader}.iso")
            if loader == "grub-legacy":
                bulkhead.make_legacy_iso(iso, image, modules, append)
            else:
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


OVMF = "/usr/share/OVMF"
OVMF_FILES = f"{OVMF}/OVMF_CODE_4M.fd", f"{OVMF}/OVMF_VARS_4M.fd"
needs_ovmf = needs(bulkhead.missing("ovmf", "OVMF", *OVMF_FILES))


def ovmf(tmp_path, firmware=None):
    """Words of the command line for UEFI firmware: its code and variables, OVMF's if none are given."""
    code, variables = firmware or OVMF_FILES
    return bulkhead.firmware(code, shutil.copy(variables, str(tmp_path / "vars.fd")))


def one_file(tmp_path, modules, append=""):
    """A folder with an EFI program that holds all."""
    folder = tmp_path / "esp" / "EFI" / "BOOT"
    folder.mkdir(parents=True)
    bulkhead.make_efi(str(folder / "BOOTX64.EFI"), modules, append)
    return str(tmp_path / "esp")


def compile_config(tmp_path, text, name="test", folders=()):
    """Compiles a configuration's text, with the hashes of modules in the folders; returns the blob's
    path."""
    source = tmp_path / f"{name}.conf"
    source.write_text(text)
    return bulkhead.build_config(str(source), str(tmp_path / f"{name}.bin"), *folders)


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


@pytest.fixture
def other():
    return _other() or pytest.skip("no emulator with the other mode of local APICs")


def partition(name, cpus=1, memory="64M", image="count.elf", cmdline="", more=""):
    """A partition as the configuration file has it."""
    return (
        f'{{ name = "{name}"; cpus = {cpus}; memory = "{memory}"; image = "{image}"; '
        f'cmdline = "{cmdline}"; {more} }}'
    )


def config(*partitions):
    return "partitions = ( " + ",\n".join(partitions) + " );\n"


# ---- partitions with devices of their own ----------------------------------------------------

@pytest.fixture
def disks(tmp_path):
    """disks(count): paths of copies of the disk that the test may keep what was written to."""

    def copies(count):
        paths = [str(tmp_path / f"disk{i}.img") for i in range(count)]
        for path in paths:
            subprocess.run(["cp", "--sparse=always", hardware.DISK, path], check=True)
        return paths

    return copies


@pytest.fixture
def disk(disks):
    return disks(1)[0]


@pytest.fixture
def page():
    """A web server on the loopback; page.url is how a guest reaches it, page.content what it gets."""
    content = os.urandom(200_000)
    with hardware.PageServer(content) as server:
        server.content = content
        yield server
