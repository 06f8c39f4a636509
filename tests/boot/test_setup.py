# SPDX-License-Identifier: Apache-2.0
"""tests/setup.sh on releases that lack a package, or have other contents under its name. apt and dpkg are
stand-ins; what is looked for in the file system is this machine's."""

import os
import shutil
import subprocess

import pytest

import bulkhead

TOOLS = os.path.join(bulkhead.ROOT, "tests", "tools")
# What apt and dpkg are asked, answered from files in $FAKE: a package's name on each line.
FAKES = {
    "dpkg-query": "sort -u $FAKE/installed | sed 's/.*/installed:&/' | tr '\\n' ' '",
    "apt-cache": """
shift
printf '%s\\n' "$@" | grep -vxFf "$FAKE/lacking" | sed 's/$/:/; a \\  Candidate: 1.0'
""",
    "apt-get": """
while [ $# != 0 ]; do
    case $1 in
    update) exit 0 ;;
    download) : >"$2_1.0_amd64.deb"; exit 0 ;;
    install)
        printf '%s\\n' "$@" | grep -xFf "$FAKE/broken" && exit 100
        printf '%s\\n' "$@" >>"$FAKE/installed" ;;
    esac
    shift
done""",
    "dpkg": 'mkdir -p "$3/usr/lib/grub/i386-pc"; cp "$FAKE"/stage2_* "$3/usr/lib/grub/i386-pc" 2>/dev/null || true',
    "sudo": '"$@"',
}


class Release:
    def __init__(self, folder):
        self.tree, self.fake = folder / "tree", folder / "fake"
        self.cache = self.tree / "build" / "cache"
        (self.tree / "tests" / "tools").mkdir(parents=True)
        for path in ["setup.sh", *(f"tools/{name}" for name in os.listdir(TOOLS) if name.endswith(".sh"))]:
            shutil.copy(os.path.join(bulkhead.ROOT, "tests", path), str(self.tree / "tests" / path))
        (self.fake / "bin").mkdir(parents=True)
        for name, text in FAKES.items():
            path = self.fake / "bin" / name
            path.write_text("#!/bin/sh\n" + text + "\n")
            path.chmod(0o755)
        self.packages()

    def packages(self, lacking=(), broken=(), installed=()):
        for name, packages in (("lacking", lacking), ("broken", broken), ("installed", installed)):
            (self.fake / name).write_text("".join(f"{p}\n" for p in packages))

    def setup(self, target, **env):
        env = dict(os.environ, FAKE=str(self.fake), PATH=f"{self.fake}/bin:{os.environ['PATH']}", **env)
        return subprocess.run([str(self.tree / "tests" / "setup.sh"), target], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def installed(self):
        return (self.fake / "installed").read_text().split()

    def reason(self, part):
        path = self.cache / f"{part}.unavailable"
        return path.read_text() if path.exists() else None


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path)


def test_all_is_there(release):
    done = release.setup("test")
    assert done.returncode == 0, done.stderr
    assert {"nasm", "bochs", "clang", "sbsigntool"} <= set(release.installed())
    assert [release.reason(part) for part in ("bochs", "clang", "clang-format", "ovmf", "signing")] == [None] * 5
    assert "setup:" not in release.setup("build").stdout  # nothing is left to do


def test_optional_package_is_lacking(release):
    release.packages(lacking=["vgabios", "sbsigntool"])
    done = release.setup("test")
    assert done.returncode == 0, done.stderr
    assert "going on without bochs" in done.stdout and "going on without signing" in done.stdout
    assert release.reason("bochs").endswith("has no package vgabios\n")
    assert release.reason("signing").endswith("has no package sbsigntool\n")
    assert {"nasm", "clang", "ovmf"} <= set(release.installed())
    assert not {"bochs", "bochs-x"} & set(release.installed())  # of no use without the rest
    release.packages()
    assert release.setup("test").returncode == 0 and release.reason("bochs") is None


def test_optional_package_is_broken(release):
    release.packages(broken=["clang"])
    done = release.setup("test")
    assert done.returncode == 0, done.stderr
    assert "could not install clang" in release.reason("clang")
    assert {"nasm", "bochs", "sbsigntool"} <= set(release.installed())


@pytest.mark.parametrize("target, package", [("build", "nasm"), ("bochs", "vgabios"), ("test", "libcmocka-dev")])
def test_needed_package_is_lacking(release, target, package):
    release.packages(lacking=[package])
    done = release.setup(target)
    assert done.returncode == 1
    assert f"lacks what 'make {target}' needs: {package}" in done.stderr


def test_needed_package_has_other_contents(release):
    done = release.setup("build", FONT="/nowhere/font.psf.gz")
    assert done.returncode == 1
    assert "package console-setup-linux has no /nowhere/font.psf.gz" in done.stderr


def test_package_without_its_files(release):
    """As Debian 13's grub-legacy: the package is there, and empty. So are all others that are only
    unpacked."""
    done = release.setup("test")
    assert done.returncode == 0, done.stderr
    assert "GRUB legacy: going on without it" in done.stdout
    assert "grub-legacy_1.0_amd64.deb has no stage2_eltorito" in release.reason("grub-legacy")
    others = [path.stem for path in release.cache.glob("*.unavailable") if path.stem not in ("qemu10", "grub-legacy")]
    assert all(f"{other} has no " in release.reason(other) for other in others)
    (release.fake / "stage2_eltorito").write_text("GRUB 0.97")
    assert release.setup("test").returncode == 0
    assert release.reason("grub-legacy") is None
    assert (release.cache / "stage2_eltorito").read_text() == "GRUB 0.97"
