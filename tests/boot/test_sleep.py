# SPDX-License-Identifier: Apache-2.0
"""CPUs that have nothing to do sleep: what the emulator says of them."""

import os
import subprocess

import bulkhead
from conftest import config, partition
from monitor import cpus, monitor, wait_for_cpus, words
from test_machine_check import BANK, CORRUPT, HARMFUL, RESUMABLE

CPUS = 4


def sleep(path, which=range(CPUS), seen_asleep=3):
    """Waits until these CPUs sleep, and looks again a few times: they stay asleep."""
    for _ in range(seen_asleep):
        wait_for_cpus(path, lambda seen: all(seen[i][1] for i in which), f"CPUs {list(which)} don't sleep")


def start(boot, plain, tmp_path, *args, **kwargs):
    path = tmp_path / "monitor"
    return boot(plain, *args, cpus=CPUS, devices=words(path), **kwargs), path


def bad_image(tmp_path):
    """Found out when all CPUs run."""
    (tmp_path / "bad.img").write_bytes(b"this is no kernel\n" * 100)
    return config(partition("good"), partition("bad", image="bad.img"))


def test_bad_image(boot, plain, tmp_path):
    console, path = start(boot, plain, tmp_path, bad_image(tmp_path))
    console.wait("nothing is started", "bulkhead", whole=True)
    sleep(path)


def test_bad_configuration(boot, plain, tmp_path):
    """Found out before the other CPUs are started: they are as the firmware left them."""
    console, path = start(boot, plain, tmp_path, config(partition("big", memory="64G")))
    console.wait("nothing is started", "bulkhead", whole=True)
    sleep(path)


def test_inventory(boot, plain, tmp_path):
    console, path = start(boot, plain, tmp_path, modules=[])
    console.wait("nothing is started", "bulkhead", whole=True)
    sleep(path)


def test_unowned_and_ended(boot, plain, tmp_path):
    """CPUs without an owner, and those of a partition that has ended."""
    text = config(partition("alpha", cmdline="n=100000 period=50"),
                  partition("beta", cmdline="n=1"))
    console, path = start(boot, plain, tmp_path, text)
    console.wait("beta: ended", "bulkhead")
    at = console.wait("count 3", "alpha")
    sleep(path, range(1, CPUS))
    console.wait(r"count \d", "alpha", since=at)


def code_of(function):
    """The addresses of a function of the hypervisor: first, and behind the last."""
    elf = os.path.join(bulkhead.BUILD, "bulkhead.elf")
    for line in subprocess.run(["nm", "-S", elf], capture_output=True, text=True, check=True).stdout.split("\n"):
        words_ = line.split()
        if len(words_) == 4 and words_[3] == function:
            return int(words_[0], 16), int(words_[0], 16) + int(words_[1], 16)
    raise AssertionError(f"no {function} in {elf}")


def waits_for_loading(boot, plain, tmp_path):
    """A machine whose CPUs other than the first wait for it to load a partition, which means to clear
    its memory. On a machine that was too fast, another one is started."""
    first, behind = code_of("wait_for")
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        console, path = start(boot, plain, folder, config(partition("large", memory="1600M")))
        console.wait("machine: ", "bulkhead")
        while "hello" not in console.text("large"):
            if all(first <= rip < behind for rip, _ in cpus(path)[1:]):
                return console, path
        console.stop()
    raise AssertionError("the CPUs were never seen where they wait")


def test_panic_before_guests(boot, plain, tmp_path):
    """CPUs that wait for others to come as far stop when one panics: here the first, which takes a
    machine check that nobody can be blamed for while it loads a partition."""
    console, path = waits_for_loading(boot, plain, tmp_path)
    monitor(path, f"mce 0 {BANK} {HARMFUL | CORRUPT:#x} {RESUMABLE:#x} 0 0")
    console.wait("PANIC: machine check on CPU 0", "bulkhead")
    sleep(path)
