# SPDX-License-Identifier: Apache-2.0
"""Intel's VT-x, and a second AMD-V, in Bochs. It is slow: small guests, and Linux once."""


import pytest

from conftest import KEY, bochs_machine, config, needs_bochs, needs_model, partition
from test_guests import run_checks
from test_linux import ask, linux

pytestmark = needs_bochs

LINUX_TIMEOUT = 900  # it takes about two minutes where nothing else runs

# x2APIC and all of VT-x; the least VT-x that works, xAPIC only; the most in Bochs 2.7, and in 3.0, where a
# server's and a client's differ; AMD-V with nRIP save.
NAMES = ["corei7_skylake_x", "corei5_arrandale_m520", "tigerlake", "sapphire_rapids", "arrow_lake", "ryzen"]
MODELS = [pytest.param(name, marks=needs_model(name)) for name in NAMES]


@pytest.mark.parametrize("model", MODELS)
def test_ends(boot, model):
    """Power-off, triple fault, fault and reboot, side by side."""
    console = boot(
        bochs_machine(model),
        config(
            partition("off", cmdline="n=3"),
            partition("fault", cmdline="n=2 end=fault"),
            partition("again", cmdline="n=2 end=reboot"),
            # A triple fault in a guest on AMD-V ends Bochs.
            partition("triple", cmdline="n=3" if model == "ryzen" else "n=3 end=triple"),
        ),
    )
    console.wait("ended by power-off", "bulkhead")
    console.wait("fault: ended by fault", "bulkhead")
    console.wait("again: started again", "bulkhead")
    if model != "ryzen":
        console.wait("triple: ended by triple fault", "bulkhead")


@pytest.mark.parametrize("model", MODELS)
def test_smp(boot, model):
    console = boot(bochs_machine(model), config(partition("many", cpus=3, image="smp.elf")))
    assert run_checks(console, "many") >= 30


@pytest.mark.parametrize("model", MODELS)
def test_exits(boot, model):
    """Thousands of kicks against a CPU that does nothing but exit."""
    words = "kicks=1000" + (" steps=no" if model == "ryzen" else "")
    console = boot(
        bochs_machine(model), config(partition("exits", cpus=2, image="exits.elf", cmdline=words))
    )
    assert run_checks(console, "exits") >= 16


@pytest.mark.parametrize("model", MODELS)
def test_probe(boot, model):
    console = boot(bochs_machine(model), config(partition("one", image="probe.elf")), cpus=1)
    assert run_checks(console, "one") > 80


def test_refused_without_ept(boot):
    console = boot(bochs_machine("core2_penryn_t9600"), config(partition("one")))
    console.wait("lacks what Bulkhead needs: no EPT, no unrestricted guest", "bulkhead")
    console.wait("nothing is started", "bulkhead")


def test_two_linux(boot):
    """The two systems of issue 2, on an Intel CPU: to their shells, and beta off while alpha stays."""
    console = boot(
        bochs_machine("corei7_skylake_x"),
        config(linux("alpha", 2, "256M", "quiet"), linux("beta", 1, "128M", "quiet")),
    )
    console.wait("Linux .* is up.*: 2 CPU", "alpha", timeout=LINUX_TIMEOUT)
    console.wait("Linux .* is up.*: 1 CPU", "beta", timeout=LINUX_TIMEOUT)
    console.wait(r"\$ ", "alpha", timeout=LINUX_TIMEOUT)
    ask(console, "alpha", "echo cpus=$(nproc) sum=$((6*7))", "cpus=2 sum=42")
    console.type(KEY + "n")
    ask(console, "beta", "echo cpus=$(nproc) sum=$((6*8))", "cpus=1 sum=48")
    console.type("poweroff -f\r")
    console.wait("beta: ended by power-off", "bulkhead")
    console.type(KEY + "n")
    ask(console, "alpha", "echo sum=$((6*9))", "sum=54")
