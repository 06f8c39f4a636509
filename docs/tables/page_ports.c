// SPDX-License-Identifier: Apache-2.0
// docs/ports.md: the virtual devices' ports, and the host's ports that no guest gets.
#include "docs/tables/page.h"
#include "hv/machine/guest_platform.h"
#include "hv/machine/kept_ports.h"
#include "hv/policy/io_policy.h"
#include "hv/vdev/ports.h"
#include "hv/vdev/vpm.h"

static const char *range(unsigned first, unsigned last)
{
    return first == last ? cell("0x%x", first) : cell("0x%x-0x%x", first, last);
}

static void write_devices(FILE *out)
{
    static const char *const sees[] = {
        [VDEV_PORT_NONE] = "all ones; writes are dropped",
        [VDEV_PORT_SILENT] = "all ones; writes are dropped",
        [VDEV_PORT_PIC] = "8259A, wired to LINT0 of the boot processor",
        [VDEV_PORT_PIT] = "8254 with three counters; the first one interrupts",
        [VDEV_PORT_61] = "gate and output of counter 2",
        [VDEV_PORT_RTC] = "MC146818 with the machine's time and 128 registers; never interrupts",
        [VDEV_PORT_RESET] = "reset: restarts the partition",
        [VDEV_PORT_BIOS] = "all ones; a write of a stub is a BIOS call, which is told and answered",
        [VDEV_PORT_UART] = "16550A",
        [VDEV_PORT_CRTC] = "32 registers that keep what is written; there is no picture",
        [VDEV_PORT_PCI] = "configuration mechanism 1, see pci.md; without devices an empty bus",
        [VDEV_PORT_PM] = "ACPI PM1 event and control block: power-off ends the partition",
    };
    HEADER(out, "ports", "the guest sees", "what it is for");
    for (size_t i = 0; i < vdev_port_range_count; i++) {
        const struct vdev_port_range *r = &vdev_port_ranges[i];
        bool pm = r->device == VDEV_PORT_PM;
        unsigned base = pm ? GUEST_PM1_BASE : 0;
        ROW(out, cell("%s%s", range(base + r->first, base + r->last), pm ? " or 0x700" : ""),
            sees[r->device], r->reason);
    }
    ROW(out, "the physical PM timer's four", "the physical timer, without an exit",
        "a clock that only counts: writes have no effect");
    ROW(out, "`ioports` of the configuration", "the physical device, without an exit",
        "what the configuration gives to this partition, and none of the ports below");
    ROW(out, "all others", "all ones; writes are dropped", "default deny");
}

void page_ports(FILE *out)
{
    page_begin(out, "I/O ports",
               "What IN and OUT reach in a guest. The permission map of a partition lets the PM "
               "timer and the ports of its configuration pass, and everything else exits.");
    fprintf(out, "\n## What a guest finds\n");
    write_devices(out);
    fprintf(out, "\n## Host ports that no configuration can give away\n");
    HEADER(out, "ports", "why");
    unsigned count;
    const struct io_range *kept = io_policy_kept(&count);
    for (unsigned i = 0; i < count; i++) {
        ROW(out, range(kept[i].first, kept[i].last), kept[i].reason);
    }
    const struct kept_port_rule *rules = kept_port_rules(&count);
    for (unsigned i = 0; i < count; i++) {
        ROW(out, cell("ACPI's %s (%u)", rules[i].name, rules[i].count), rules[i].reason);
    }
    ROW(out, "ACPI's reset register, if it is a port", "the machine's reset");
    ROW(out, "the serial port that `console=` or ACPI's SPCR chose (boot.md)",
        "the hypervisor's console");
}
