// SPDX-License-Identifier: Apache-2.0
// The steps of every start of a partition, the first and all later ones.
#include "hv/life/load.h"

#include "arch/cpu/cpu.h"
#include "arch/interrupt/apic.h"
#include "arch/lib/string.h"
#include "hv/device/passthrough.h"
#include "hv/guest/load.h"
#include "hv/life/apic_page.h"
#include "hv/machine/machine.h"
#include "hv/memory/guest_mem.h"
#include "hv/partition/devices.h"
#include "hv/partition/partition.h"
#include "version.h"

enum status partition_load(struct partition *p, char *error, size_t error_size)
{
    uint64_t begin = rdtsc();
    guest_clear(&p->ram);
    p->clear_ticks = rdtsc() - begin;
    devices_reset(p);
    memset(p->bios_told, 0, sizeof(p->bios_told));
    apic_page_show(p);
    passthrough_start(p);
    for (unsigned i = 0; i < p->vcpu_count; i++) {
        struct vcpu *v = p->vcpus[i];
        bool tsc_deadline = (v->cpuid.basic[1].ecx & CPUID_1_ECX_TSC_DEADLINE) != 0;
        vapic_init(&v->apic, &p->topology, i, apic_is_x2apic(), tsc_deadline,
                   v->cpuid.extended[8].eax & 0xff, apic_page_is_free);
    }
    struct load_request request = {
        .partition = p->name,
        .version = BULKHEAD_VERSION,
        .uuid = p->config->uuid,
        .memory = p->config->memory,
        .dma_floor = p->ram.dma_floor,
        .image = p->image,
        .initrd = p->initrd,
        .cmdline = blob_string(machine.config, p->config->cmdline),
        .modules = p->modules,
        .module_count = p->config->modules.count,
        .no_image_name = (p->config->flags & BLOB_NO_IMAGE_NAME) != 0,
        .screen = p->screen.base != 0 ? &p->screen : NULL,
        .platform =
            {
                .cpu_count = p->vcpu_count,
                .cpu_signature = p->vcpus[0]->cpuid.basic[1].eax,
                .cpu_features = p->vcpus[0]->cpuid.basic[1].edx,
                .lapic_address = GUEST_LAPIC_ADDRESS,
                .ioapic_address = GUEST_IOAPIC_ADDRESS,
                .ioapic_id = 0,
                .sci_irq = GUEST_SCI_IRQ,
                .pm1_base = machine.pm1_base,
                .pm_timer_port = machine.acpi.pm_timer_port,
                .pm_timer_32bit = machine.acpi.pm_timer_32bit,
                .reset_port = GUEST_RESET_PORT,
                .reset_value = GUEST_RESET_VALUE,
                .has_hpet = (p->config->flags & BLOB_HPET) != 0,
                .has_pci = p->passthrough != NULL,
            },
    };
    return load_guest(&p->ram, &request, &p->loaded, error, error_size);
}
