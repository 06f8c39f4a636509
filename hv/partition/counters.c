// SPDX-License-Identifier: Apache-2.0
// Prints the exit counters.
#include "hv/partition/counters.h"

#include "arch/lib/format.h"
#include "drivers/console/console.h"
#include "hv/partition/partition.h"

static const char *const event_names[EVENT_COUNT] = {
    [EVENT_CPUID] = "cpuid",
    [EVENT_HYPERCALL] = "hypercall",
    [EVENT_MSR_READ] = "rdmsr",
    [EVENT_MSR_WRITE] = "wrmsr",
    [EVENT_PORT] = "port",
    [EVENT_PORT_STRING] = "port-string",
    [EVENT_APIC_PAGE] = "apic-page",
    [EVENT_IOAPIC] = "ioapic",
    [EVENT_PCI] = "pci",
    [EVENT_STRAY] = "stray",
    [EVENT_HPET] = "hpet",
    [EVENT_NMI] = "nmi",
    [EVENT_EXCEPTION] = "exception",
    [EVENT_INSTRUCTION] = "instruction",
    [EVENT_OTHER] = "other",
};

uint64_t counters_total(const struct vcpu *v)
{
    uint64_t total = 0;
    for (unsigned e = 0; e < EVENT_COUNT; e++) {
        total += __atomic_load_n(&v->exits[e], __ATOMIC_RELAXED);
    }
    return total;
}

void counters_print(const struct partition *p)
{
    for (unsigned i = 0; i < p->vcpu_count; i++) {
        char text[300];
        size_t used = 0;
        text[0] = '\0';
        for (unsigned e = 0; e < EVENT_COUNT; e++) {
            uint64_t n = __atomic_load_n(&p->vcpus[i]->exits[e], __ATOMIC_RELAXED);
            if (n > 0 && used < sizeof(text)) {
                used += format(text + used, sizeof(text) - used, " %s %lu", event_names[e], n);
            }
        }
        print("%s/%u: exits %lu:%s\n", p->name, i, counters_total(p->vcpus[i]), text);
    }
}
