// SPDX-License-Identifier: Apache-2.0
// Partitions: made from the configuration at boot, loaded, ended, started again. Relies on the
// blob's checks (partitions/blob.c) having passed.
#include "hv/partition.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/exceptions.h"
#include "arch/heap.h"
#include "arch/percpu.h"
#include "arch/ssbd.h"
#include "arch/string.h"
#include "arch/tsc.h"
#include "arch/virt.h"
#include "arch/window.h"
#include "drivers/console.h"
#include "drivers/format.h"
#include "hv/apic_page.h"
#include "hv/counters.h"
#include "hv/devices.h"
#include "hv/guest_bios.h"
#include "hv/guest_mem.h"
#include "hv/guest_timer.h"
#include "hv/io_policy.h"
#include "hv/log.h"
#include "hv/machine.h"
#include "hv/passthrough.h"
#include "hv/screen_place.h"
#include "version.h"

struct partition *partitions[MAX_PARTITIONS];
unsigned partition_count;

// Partitions that have not ended; whoever ends the last one says so.
static uint32_t alive;

unsigned partitions_running(void)
{
    return __atomic_load_n(&alive, __ATOMIC_RELAXED);
}

// ---- making --------------------------------------------------------------------------------

static const struct boot_module *find_module(const char *name)
{
    for (unsigned i = 0; i < machine.boot.module_count; i++) {
        if (strcmp(machine.boot.modules[i].name, name) == 0) {
            return &machine.boot.modules[i];
        }
    }
    return NULL;
}

static void find_modules(struct partition *p)
{
    const struct blob_module *modules = blob_modules(machine.config, p->config);
    p->image = find_module(blob_string(machine.config, p->config->image));
    if (p->config->initrd != 0) {
        p->initrd = find_module(blob_string(machine.config, p->config->initrd));
    }
    for (unsigned i = 0; i < p->config->module_count; i++) {
        p->modules[i].module = find_module(blob_string(machine.config, modules[i].name));
        p->modules[i].cmdline = blob_string(machine.config, modules[i].cmdline);
    }
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

// What the guest reaches without an exit: its RAM, with the largest pages that fit, its local
// APIC's page where that shows what it should, and the framebuffer if that is its own.
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
    struct io_range passes[BLOB_MAX_IOPORTS + 1];
    unsigned count = 0;
    for (; count < p->config->ioport_count; count++) {
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
    p->name = p->config->name;
    p->vcpu_count = p->config->cpu_count;
    partitions[index] = p;
    if (p->config->flags & BLOB_FRAMEBUFFER) {
        p->screen = screen_of_guest(&machine.boot.framebuffer);
    }
    find_modules(p);
    return STATUS_OK;
}

// A page of no RAM of anyone's, which nobody writes to again.
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

// What is left when all have their memory.
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
    unsigned count = machine.config->partition_count;
    enum status s = STATUS_OK;
    for (unsigned i = 0; s == STATUS_OK && i < count; i++) {
        s = create(i);
    }
    // Those that need memory at certain addresses have the first choice.
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
    alive = partition_count;
    return s == STATUS_OK ? passthrough_wire_pins() : s;
}

// ---- loading -------------------------------------------------------------------------------

enum status partition_load(struct partition *p, char *error, size_t error_size)
{
    uint64_t begin = rdtsc();
    guest_clear(p);
    p->clear_ticks = rdtsc() - begin;
    devices_reset(p);
    memset(p->bios_told, 0, sizeof(p->bios_told));
    apic_page_show(p);
    passthrough_start(p);
    for (unsigned i = 0; i < p->vcpu_count; i++) {
        struct vcpu *v = p->vcpus[i];
        bool tsc_deadline = (v->cpuid.basic[1].ecx & CPUID_1_ECX_TSC_DEADLINE) != 0;
        vapic_init(&v->apic, &p->topology, i, apic_is_x2apic(), tsc_deadline,
                   v->cpuid.extended[8].eax & 0xff);
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
        .module_count = p->config->module_count,
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
    return load_guest(p, &request, &p->loaded, error, error_size);
}

// ---- ending --------------------------------------------------------------------------------

static const char *const end_names[] = {
    [PARTITION_POWER_OFF] = "power-off",
    [PARTITION_REBOOT] = "reboot",
    [PARTITION_TRIPLE_FAULT] = "triple fault",
    [PARTITION_FAULT] = "fault",
};

// A triple fault is a reset on a PC; a guest that does it again and again has no use for another.
static bool ends_for_good(struct partition *p, enum partition_end end)
{
    if (end == PARTITION_TRIPLE_FAULT) {
        return fault_limit_reached(&p->triple_faults, time_us());
    }
    return end != PARTITION_REBOOT;
}

void partition_end(struct vcpu *v, enum partition_end end, const char *why, struct guest_regs *regs)
{
    struct partition *p = v->partition;
    if (__atomic_exchange_n(&p->ending, 1, __ATOMIC_SEQ_CST) == 0) {
        p->end = end;
        guest_timers_stop(p); // before any vCPU clears what its APIC holds
        p->stops = ends_for_good(p, end);
        // A restart has this line, two more, and one for each of the counters.
        p->reported = log_allows(p, 3 + p->vcpu_count) || p->stops;
        if (p->reported) {
            print("%s/%u: %s%s\n", p->name, v->index, why,
                  p->stops && end == PARTITION_TRIPLE_FAULT ? ", the third within 10 s: stopped"
                                                            : "");
        }
        for (unsigned i = 0; i < p->vcpu_count; i++) {
            if (p->vcpus[i] != v) {
                vcpu_post(p->vcpus[i], WORK_STOP);
            }
        }
    }
    partition_park(v);
    vcpu_wait_until_running(v, regs);
}

void partition_park(struct vcpu *v)
{
    struct partition *p = v->partition;
    if (!__atomic_load_n(&p->ending, __ATOMIC_ACQUIRE) || v->parked_at == p->generation + 1) {
        return; // an order to stop that came too late: the end it belongs to is over
    }
    v->parked_at = p->generation + 1;
    vcpu_reset_apic(v);
    v->after_init = false;
    v->state = VCPU_WAIT_SIPI;
    if (__atomic_add_fetch(&p->parked, 1, __ATOMIC_SEQ_CST) == p->vcpu_count) {
        vcpu_post(p->vcpus[0], WORK_RESTART); // also when this is vCPU 0 itself
    }
}

static void start_again(struct vcpu *v, struct guest_regs *regs)
{
    struct partition *p = v->partition;
    char error[256];
    uint64_t begin = time_us();
    enum status s = partition_load(p, error, sizeof(error));
    if (s != STATUS_OK) {
        print("%s\n", error); // it has been loaded before: this is the hypervisor's fault
        v->state = VCPU_STOPPED;
        return;
    }
    vcpu_reset_apic(v);
    virt->vcpu_reset(v, &p->loaded.entry, regs);
    vcpu_boot_apic(v);
    if (p->reported) {
        print("%s: started again, %lu us\n", p->name, time_us() - begin);
    }
    __atomic_store_n(&p->parked, 0, __ATOMIC_RELAXED);
    // In this order: see partition_park.
    __atomic_store_n(&p->ending, 0, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&p->generation, 1, __ATOMIC_SEQ_CST);
    v->state = VCPU_RUNNING;
}

void partition_finish_end(struct vcpu *v, struct guest_regs *regs)
{
    struct partition *p = v->partition;
    passthrough_stop(p); // before its memory can be anything else
    if (p->reported) {
        print("%s: ended by %s\n", p->name, end_names[p->end]);
        counters_print(p);
    }
    if (!p->stops) {
        start_again(v, regs);
        return;
    }
    console_end(p->console);
    v->state = VCPU_STOPPED;
    if (__atomic_sub_fetch(&alive, 1, __ATOMIC_SEQ_CST) == 0) {
        print("all partitions have ended\n");
    }
}
