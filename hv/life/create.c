// SPDX-License-Identifier: Apache-2.0
// Creates the partitions one by one; those that need memory at certain addresses come first. Relies
// on the blob's checks (partitions/blob.c) having passed.
#include "hv/life/create.h"

#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/lib/string.h"
#include "arch/memory/heap.h"
#include "arch/memory/percpu.h"
#include "arch/memory/window.h"
#include "arch/virt/ssbd.h"
#include "arch/virt/virt.h"
#include "drivers/console/console.h"
#include "hv/device/passthrough.h"
#include "hv/guest/bios.h"
#include "hv/life/apic_page.h"
#include "hv/machine/machine.h"
#include "hv/machine/screen_place.h"
#include "hv/partition/guest_timer.h"
#include "hv/partition/partition.h"
#include "hv/policy/io_policy.h"

static const struct boot_module *find_module(const char *name)
{
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        if (strcmp(machine.boot.modules[i].name, name) == 0) {
            return &machine.boot.modules[i];
        }
    }
    return NULL;
}

static enum status find_modules(struct partition *p)
{
    const struct blob_module *modules = blob_modules(machine.config, p->config);
    p->modules = heap_alloc(p->config->modules.count * sizeof(*p->modules));
    if (p->modules == NULL) {
        print("partition \"%s\": no memory for its list of modules\n", p->name);
        return ERR_NO_MEMORY;
    }
    p->image = find_module(blob_string(machine.config, p->config->image));
    if (p->config->initrd != 0) {
        p->initrd = find_module(blob_string(machine.config, p->config->initrd));
    }
    for (unsigned i = 0; i < p->config->modules.count; i++) {
        p->modules[i].module = find_module(blob_string(machine.config, modules[i].name));
        p->modules[i].cmdline = blob_string(machine.config, modules[i].cmdline);
    }
    return STATUS_OK;
}

static enum status create_vcpu(struct partition *p, unsigned index, unsigned cpu)
{
    struct vcpu *v = heap_alloc(sizeof(*v));
    if (v == NULL) {
        return ERR_NO_MEMORY;
    }
    v->partition = p;
    v->index = index;
    v->cpu = cpu;
    v->physical_id = cpus[cpu]->apic_id;
    v->vm = cpus[cpu]->vm_page;
    v->state = VCPU_WAIT_SIPI;
    p->vcpus[index] = v;
    cpuid_build(&v->cpuid, &(struct cpuid_params){
                               .vcpu_id = index,
                               .vcpu_count = p->vcpu_count,
                               .tsc_khz = (uint32_t)tsc_khz(),
                               .apic_khz = (uint32_t)apic_timer_khz(),
                               .offer_virt_ssbd = ssbd_offered(),
                               .offer_x2apic = apic_is_x2apic(),
                           });
    enum status s = virt->vcpu_create(v);
    cpus[cpu]->vcpu = v;
    return s;
}

// Maps what the guest reaches without an exit: its RAM, with the largest pages that fit; its local
// APIC's page, if that shows the right IDs; and the framebuffer, if the partition has it.
static enum status map_memory(struct partition *p)
{
    enum status s = STATUS_OK;
    for (unsigned i = 0; s == STATUS_OK && i < p->ram.count; i++) {
        const struct guest_ram_region *r = &p->ram.region[i];
        s = pt_map(&p->second_level, r->gpa, hpa(r->hpa), r->size, PT_READ | PT_WRITE | PT_EXEC);
    }
    if (s == STATUS_OK) {
        s = apic_page_create(p);
    }
    if (s == STATUS_OK) {
        s = pt_map(&p->second_level, GUEST_RESET_PAGE, p->reset_page, PAGE_SIZE, PT_READ | PT_EXEC);
    }
    if (s == STATUS_OK && p->screen.base != 0) {
        struct page_range pages = screen_range(&p->screen);
        s = pt_map(&p->second_level, pages.base, hpa(machine.framebuffer.base), pages.size,
                   PT_READ | PT_WRITE | PT_WC);
    }
    return s;
}

static enum status create_vcpus(struct partition *p)
{
    p->apic_page_mapped = !apic_is_x2apic();
    for (unsigned i = 0; i < cpu_count; i++) {
        const struct blob_cpu_owner *owner = &machine.cpu_owner[i];
        if (owner->partition == (int)p->index && cpus[i]->apic_id != owner->vcpu) {
            p->apic_page_mapped = false; // the page would show IDs that the guest doesn't have
        }
    }
    p->topology.vcpu_count = p->vcpu_count;
    enum status s = virt->partition_create(p);
    if (s == STATUS_OK) {
        s = map_memory(p);
    }
    for (unsigned i = 0; s == STATUS_OK && i < cpu_count; i++) {
        if (machine.cpu_owner[i].partition == (int)p->index) {
            s = create_vcpu(p, machine.cpu_owner[i].vcpu, i);
        }
    }
    return s;
}

static enum status open_ports(struct partition *p)
{
    const struct blob_ioports *config = blob_ioports(machine.config, p->config);
    struct io_range *passes = heap_alloc((p->config->ioports.count + 1) * sizeof(*passes));
    if (passes == NULL) {
        print("partition \"%s\": no memory for its I/O ports\n", p->name);
        return ERR_NO_MEMORY;
    }
    unsigned count = 0;
    for (; count < p->config->ioports.count; count++) {
        passes[count] = (struct io_range){config[count].first, config[count].last,
                                          "given by the configuration"};
    }
    if (machine.acpi.pm_timer_port != 0) {
        passes[count++] = (struct io_range){machine.acpi.pm_timer_port,
                                            (uint16_t)(machine.acpi.pm_timer_port + 3),
                                            "a counter that nobody can set"};
    }
    struct io_refusal refusal;
    enum status s = io_policy_build(p->io_map, virt->io_map_size, passes, count, machine_kept_ports,
                                    machine_kept_port_count, &refusal);
    if (s != STATUS_OK) {
        print("partition \"%s\": I/O ports 0x%x-0x%x can't be given away%s%s: take them out of "
              "its ioports\n",
              p->name, refusal.pass->first, refusal.pass->last, refusal.kept != NULL ? ": " : "",
              refusal.kept != NULL ? refusal.kept->reason : "");
    }
    return s;
}

static enum status fail_memory(const struct partition *p, enum status s)
{
    uint64_t memory = p->config->memory >> 20;
    if (passthrough_is_direct(p)) {
        print("partition \"%s\": no %lu MiB of memory in one piece below %lu MiB, as its devices "
              "need without an IOMMU (the largest has %lu MiB): give it less\n",
              p->name, memory, GUEST_RAM_LOW_MAX >> 20,
              guest_ram_direct_most(&machine.memory) >> 20);
    } else {
        print("partition \"%s\": no %lu MiB of memory in large enough pieces (%lu MiB are free): "
              "give it less\n",
              p->name, memory, page_alloc_total(&machine.memory) >> 20);
    }
    return s;
}

static enum status allocate_memory(struct partition *p)
{
    enum status s = passthrough_is_direct(p)
                        ? guest_ram_allocate_direct(&p->ram, &machine.memory, p->config->memory)
                        : guest_ram_allocate(&p->ram, &machine.memory, p->config->memory);
    return s == STATUS_OK ? s : fail_memory(p, s);
}

static enum status create(unsigned index)
{
    struct partition *p = heap_alloc(sizeof(*p));
    if (p == NULL) {
        print("no memory for the structures of partition %u\n", index);
        return ERR_NO_MEMORY;
    }
    p->index = index;
    p->config = blob_partition(machine.config, index);
    p->name = blob_name(machine.config, index);
    p->vcpu_count = p->config->cpu_count;
    partitions[index] = p;
    if (p->config->flags & BLOB_FRAMEBUFFER) {
        p->screen = screen_of_guest(&machine.boot.framebuffer);
    }
    return find_modules(p);
}

// A page outside all partitions' RAM that is never written again.
static enum status create_reset_page(struct partition *p)
{
    enum status s = page_alloc_take(&machine.memory, PAGE_SIZE, PAGE_SIZE, 0, &p->reset_page);
    if (s == STATUS_OK) {
        s = phys_fill(p->reset_page, 0, PAGE_SIZE);
    }
    if (s == STATUS_OK) {
        s = phys_write(hpa(p->reset_page.v + GUEST_RESET_OFFSET), guest_reset_code,
                       sizeof(guest_reset_code));
    }
    return s;
}

// Creates what needs all partitions' memory to be allocated.
static enum status complete(struct partition *p)
{
    enum status s = create_reset_page(p);
    if (s == STATUS_OK) {
        s = create_vcpus(p);
    }
    void *ring = s == STATUS_OK ? heap_alloc(CONSOLE_RING_SIZE) : NULL;
    void *input = ring != NULL ? heap_alloc(CONSOLE_INPUT_SIZE) : NULL;
    if (input == NULL) {
        print("partition \"%s\": no memory for its tables\n", p->name);
        return s == STATUS_OK ? ERR_NO_MEMORY : s;
    }
    p->console = console_add_source(p->name, ring, CONSOLE_RING_SIZE, input, CONSOLE_INPUT_SIZE);
    s = guest_timers_create(p);
    if (s == STATUS_OK) {
        s = passthrough_create(p);
    }
    return s == STATUS_OK ? open_ports(p) : s;
}

static enum status allocate_those(unsigned count, bool direct)
{
    enum status s = STATUS_OK;
    for (unsigned i = 0; s == STATUS_OK && i < count; i++) {
        if (passthrough_is_direct(partitions[i]) == direct) {
            s = allocate_memory(partitions[i]);
        }
    }
    return s;
}

enum status partitions_create(void)
{
    unsigned count = blob_partition_count(machine.config);
    enum status s = STATUS_OK;
    for (unsigned i = 0; s == STATUS_OK && i < count; i++) {
        s = create(i);
    }
    // Partitions that need memory at certain addresses choose first.
    if (s == STATUS_OK) {
        s = allocate_those(count, true);
    }
    if (s == STATUS_OK) {
        s = allocate_those(count, false);
    }
    for (unsigned i = 0; s == STATUS_OK && i < count; i++) {
        s = complete(partitions[i]);
        partition_count = i + 1;
    }
    partitions_alive = partition_count;
    return s == STATUS_OK ? passthrough_wire_pins() : s;
}
