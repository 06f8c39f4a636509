# SPDX-License-Identifier: Apache-2.0
"""Intel's VT-x, and a second AMD-V, in Bochs. It is slow: small guests, and one Linux boot."""

import shutil

import pytest

from conftest import bochs_machine, config, partition
from test_guests import run_checks

pytestmark = pytest.mark.skipif(not shutil.which("bochs"), reason="Bochs is not installed")

# x2APIC and all of VT-x; the least VT-x that works, xAPIC only; the most; AMD-V with nRIP save.
MODELS = ["corei7_skylake_x", "corei5_arrandale_m520", "tigerlake", "ryzen"]


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
    assert run_checks(console, "exits") >= 13


@pytest.mark.parametrize("model", MODELS)
def test_probe(boot, model):
    console = boot(bochs_machine(model), config(partition("one", image="probe.elf")), cpus=1)
    assert run_checks(console, "one") > 80


def test_refused_without_ept(boot):
    console = boot(bochs_machine("core2_penryn_t9600"), config(partition("one")))
    console.wait("lacks what Bulkhead needs: no EPT, no unrestricted guest", "bulkhead")
    console.wait("nothing is started", "bulkhead")
