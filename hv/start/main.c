// SPDX-License-Identifier: Apache-2.0
// The way from the loader's entry to the guests, as a list. The boot CPU does everything until the
// guests run, except loading: each partition's first CPU loads its own partition.
#include "hv/start/main.h"

#include "arch/cpu/cpu.h"
#include "arch/cpu/mca.h"
#include "arch/cpu/mtrr_cpu.h"
#include "arch/cpu/recording.h"
#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/interrupt/exceptions.h"
#include "arch/lib/format.h"
#include "arch/memory/heap.h"
#include "arch/memory/mmu.h"
#include "arch/memory/percpu.h"
#include "arch/memory/window.h"
#include "arch/virt/virt.h"
#include "boot/module.h"
#include "boot/multiboot1.h"
#include "boot/multiboot2.h"
#include "boot/smp.h"
#include "drivers/clock/rtc.h"
#include "drivers/console/console.h"
#include "hv/console/screen.h"
#include "hv/console/serial.h"
#include "hv/console/service.h"
#include "hv/device/passthrough.h"
#include "hv/life/create.h"
#include "hv/life/load.h"
#include "hv/life/machine_check.h"
#include "hv/life/vcpu_work.h"
#include "hv/machine/config.h"
#include "hv/machine/machine.h"
#include "hv/machine/module_hash.h"
#include "hv/memory/uncached.h"
#include "hv/partition/partition.h"
#include "hv/partition/timer.h"
#include "hv/policy/cpuid_lack.h"
#include "hv/start/audit_input.h"
#include "hv/start/inventory.h"
#include "hv/start/routes.h"
#include "hv/start/stages.h"
#include "hv/start/virt_choice.h"
#include "hv/vdev/ports.h"
#include "version.h"

#define MULTIBOOT1_MAGIC 0x2badb002
#define MULTIBOOT2_MAGIC 0x36d76289

// Heap: 4 CPUs and 4 partitions need well below 2 MiB. Each further CPU needs its stack, tables and
// control structures, each partition its permission map and second-level tables.
#define HEAP_FIXED     KIB(512)
#define HEAP_LOG       KIB(64) // the log of the hypervisor's messages
#define HEAP_PER_CPU   KIB(80)
#define HEAP_PER_GUEST (KIB(108) + CONSOLE_RING_SIZE + CONSOLE_INPUT_SIZE)

// How far the start has come. The boot CPU writes it; the others wait for it.
enum phase {
    PHASE_SETUP,
    PHASE_LOAD,    // each partition's first CPU loads it
    PHASE_GUESTS,  // the guests run
    PHASE_NOTHING, // nothing is started: all CPUs sleep for good
};
static enum phase phase;
static uint32_t joined; // CPUs, except the boot CPU, that have reached join()
static uint32_t joins_failed;
static uint32_t loads_left;
static uint32_t loads_failed;
static uint64_t load_us[MAX_PARTITIONS];

static void set_phase(enum phase p)
{
    __atomic_store_n(&phase, p, __ATOMIC_SEQ_CST);
}

_Noreturn static void give_up(void)
{
    console_open_any();
    screen_give_up();
    print("nothing is started\n");
    set_phase(PHASE_NOTHING);
    cpu_stop();
}

static void must(enum status s, const char *what)
{
    if (s != STATUS_OK) {
        print("%s failed (status %d)\n", what, (int)s);
        give_up();
    }
}

// ---- the boot CPU, on the boot tables ------------------------------------------------------

static const struct exception_calls exception_calls = {
    .machine_check = machine_check_taken,
    .begin_report = console_panic,
    .print = print,
};

static void read_boot_info(uint32_t magic, hpa_t info)
{
    char error[256] = "the loader's information can't be read";
    enum status s;
    if (magic == BOOT_INFO_MAGIC) {
        s = phys_read(info, &machine.boot, sizeof(machine.boot));
        if (s == STATUS_OK) {
            boot_info_moved(&machine.boot, info.v);
        }
    } else if (magic == MULTIBOOT1_MAGIC) {
        s = multiboot1_parse((uint32_t)info.v, &machine.boot, error, sizeof(error));
    } else if (magic == MULTIBOOT2_MAGIC) {
        s = multiboot2_parse((uint32_t)info.v, &machine.boot, error, sizeof(error));
    } else {
        print("not started by a Multiboot loader (EAX is 0x%x): use one\n", magic);
        give_up();
    }
    if (s != STATUS_OK) {
        print("%s\n", error);
        give_up();
    }
}

static void place_heap(void)
{
    // A framebuffer is never RAM, whether it is used or not.
    const struct boot_framebuffer *fb = &machine.boot.framebuffer;
    struct page_range kept[] = {{image_start().v, image_size()}, screen_range(fb)};
    must(page_alloc_boot(&machine.memory, &machine.boot, kept, fb->base != 0 ? 2 : 1),
         "reading the memory map");
    mtrr_boot_init();
    must(uncached_leave_out(&machine.memory, &machine.boot, &mtrr_boot),
         "reading the memory types");
    unsigned count = machine.acpi.cpu_count;
    uint64_t size = HEAP_FIXED + HEAP_LOG + count * HEAP_PER_CPU +
                    min_u64(count, MAX_PARTITIONS) * HEAP_PER_GUEST + passthrough_heap_size() +
                    screen_heap_size() + config_heap_size();
    hpa_t base;
    must(page_alloc_take(&machine.memory, size, MIB(2), 0, &base),
         "finding memory for the hypervisor");
    mmu_place_heap(base, size);
}

static void create_cpus(void)
{
    for (unsigned i = 0; i < machine.acpi.cpu_count; i++) {
        must(percpu_create(i, machine.acpi.cpus[i].apic_id), "making the CPUs' private areas");
    }
    cpu_count = machine.acpi.cpu_count;
}

_Noreturn static void main_on_own_stack(void);

extern uint8_t boot_directory_high[]; // boot/multiboot.asm; at its link address

_Noreturn void boot_main(uint32_t magic, hpa_t info, hpa_t image, uint64_t entered)
{
    mmu_set_image(image, (uint64_t *)(HV_IMAGE_BASE + (uint64_t)boot_directory_high));
    time_begin(entered);
    exceptions_init(&exception_calls);
    exceptions_load();
    recording_stop();
    console_init(&console_service_wakers);
    print("Bulkhead " BULKHEAD_VERSION "\n");
    read_boot_info(magic, info);
    screen_choose();
    stage_ends(STAGE_ENTRY);
    if (machine_discover() != STATUS_OK) {
        give_up();
    }
    must(vdev_ports_init(machine.pm1_base), "placing the virtual PM1 block");
    serial_choose();
    passthrough_scan();
    stage_ends(STAGE_DISCOVERY);
    place_heap();
    must(mmu_init(), "making the hypervisor's page tables");
    must(exceptions_prepare(), "making the descriptor tables");
    create_cpus();
    mmu_cpu_init();
    percpu_enter(machine.boot_cpu);
    exceptions_take_nmi();
    window_ready();
    __asm__ volatile("mov %0, %%rsp; xor %%ebp, %%ebp; call *%1"
                     :
                     : "r"(PERCPU_STACK_TOP), "r"(main_on_own_stack)
                     : "memory");
    __builtin_unreachable();
}

// ---- the boot CPU, on its own tables -------------------------------------------------------

static void start_clocks(void)
{
    must(apic_init(), "mapping the local APIC");
    mca_cpu_init();
    apic_cpu_init();
    this_cpu()->online = 1;
    tsc_calibrate(machine.acpi.pm_timer_port, machine.acpi.pm_timer_32bit);
    apic_timer_calibrate();
    machine.rtc_epoch = rtc_read(machine.acpi.century);
    machine.rtc_tsc = rdtsc();
}

static void print_machine(void)
{
    print("machine: %u CPUs, %s, %lu MiB memory, TSC %lu.%03lu MHz, loaded by %s\n", cpu_count,
          apic_is_x2apic() ? "x2APIC" : "xAPIC", machine_usable_memory() >> 20, tsc_khz() / 1000,
          tsc_khz() % 1000, machine.boot.loader);
}

static void choose_virtualization(void)
{
    char why[VIRT_TEXT_SIZE];
    virt = virt_choose(why);
    if (virt != NULL) {
        return;
    }
    if (why[0] != '\0') {
        print("%s\n", why);
        give_up();
    }
    print("this processor shows neither AMD-V (SVM) nor Intel VT-x (VMX): use one that has it, or "
          "turn on virtualization in the firmware's setup\n");
    give_up();
}

static void start_virtualization(void)
{
    choose_virtualization();
    must(virt->init(), "preparing virtualization");
    must(virt->cpu_enable(), "turning on virtualization");
}

// Pages below 640 KiB, which no partition gets.
static struct smp_low low_pages(void)
{
    hpa_t page[SMP_LOW_PAGES];
    struct page_range kept[1 + SMP_LOW_PAGES] = {{image_start().v, image_size()}};
    for (unsigned i = 0; i < SMP_LOW_PAGES; i++) {
        if (page_alloc_low_page(&machine.boot, kept, 1 + i, &page[i]) != STATUS_OK) {
            print("no %u free pages below 640 KiB to start the other CPUs through\n",
                  SMP_LOW_PAGES);
            give_up();
        }
        kept[1 + i] = (struct page_range){page[i].v, PAGE_SIZE};
    }
    return (struct smp_low){page[0], page[1], page[2], page[3]};
}

static void start_cpus(void)
{
    struct smp_low low = low_pages();
    unsigned failed = 0;
    if (smp_start(&low, cpu_main, &failed) != STATUS_OK) {
        print("CPU %u (APIC ID %u) does not start\n", failed, cpus[failed]->apic_id);
        give_up();
    }
    while (__atomic_load_n(&joined, __ATOMIC_SEQ_CST) + 1 < cpu_count) {
        cpu_relax();
    }
    if (joins_failed > 0) {
        give_up();
    }
}

// Loads the partition of this CPU's vCPU, if that is the partition's first.
static void load_own(const struct vcpu *v)
{
    if (v == NULL || v->index != 0) {
        return;
    }
    struct partition *p = v->partition;
    char error[256];
    uint64_t begin = time_us();
    if (partition_load(p, error, sizeof(error)) != STATUS_OK) {
        print("%s\n", error);
        __atomic_add_fetch(&loads_failed, 1, __ATOMIC_SEQ_CST);
    }
    load_us[p->index] = time_us() - begin;
    __atomic_sub_fetch(&loads_left, 1, __ATOMIC_SEQ_CST);
}

static void load_partitions(void)
{
    loads_left = partition_count;
    set_phase(PHASE_LOAD);
    load_own(this_cpu()->vcpu);
    while (__atomic_load_n(&loads_left, __ATOMIC_SEQ_CST) > 0) {
        cpu_relax();
    }
    if (loads_failed > 0) {
        give_up();
    }
}

static void print_partition(const struct partition *p)
{
    char list[64] = "";
    size_t used = 0;
    for (unsigned i = 0; i < p->vcpu_count && used < sizeof(list); i++) {
        used +=
            format(list + used, sizeof(list) - used, "%s%u", i > 0 ? "," : "", p->vcpus[i]->cpu);
    }
    print("partition %s: CPUs %s, %lu MiB, %s (%s), loaded in %lu us\n", p->name, list,
          p->config->memory >> 20, p->image->name, p->loaded.kind, load_us[p->index]);
    passthrough_print(p);
    if (p->screen.base != 0) {
        print("partition %s: the framebuffer, %ux%u, at its 0x%lx\n", p->name, p->screen.width,
              p->screen.height, p->screen.base);
    }
}

static void print_partitions(void)
{
    for (unsigned i = 0; i < partition_count; i++) {
        print_partition(partitions[i]);
    }
    print("hypervisor memory: image %lu KiB, kept %lu KiB (heap %lu KiB of %lu KiB used), from "
          "0x%lx\n",
          image_size() >> 10, (image_size() + heap_size()) >> 10, heap_used() >> 10,
          heap_size() >> 10, image_start().v);
}

static void keep_log(void)
{
    void *memory = heap_borrow(HEAP_LOG);
    must(memory != NULL && console_set_log(memory, HEAP_LOG, machine.boot_cpu) ? STATUS_OK
                                                                               : ERR_NO_MEMORY,
         "finding memory for the log");
}

_Noreturn static void idle(void);

// Without a configuration: shows the inventory, then only serves the console's keys on this CPU.
// The other CPUs sleep as firmware left them, and no device reaches anything.
_Noreturn static void show_inventory(bool devices_known)
{
    inventory_show(devices_known);
    if (passthrough_block_all() != STATUS_OK) {
        give_up();
    }
    machine.cpu_owner[machine.boot_cpu].partition = BLOB_NOBODY;
    must(routes_start(), "routing interrupts");
    console_print_help();
    print("nothing is started\n");
    console_start();
    idle();
}

_Noreturn static void main_on_own_stack(void)
{
    keep_log();
    serial_choose_late();
    screen_start();
    stage_ends(STAGE_MEMORY);
    start_clocks();
    stage_ends(STAGE_CLOCKS);
    print_machine();
    bool devices_known = passthrough_discover() == STATUS_OK;
    stage_ends(STAGE_IOMMUS);
    if (!config_is_there()) {
        show_inventory(devices_known);
    }
    if (!devices_known || config_load() != STATUS_OK) {
        give_up();
    }
    stage_ends(STAGE_CONFIG);
    if (module_hashes_check() != STATUS_OK) {
        give_up();
    }
    stage_ends(STAGE_HASHES);
    if (passthrough_assign() != STATUS_OK || screen_grant() != STATUS_OK) {
        give_up();
    }
    stage_ends(STAGE_DEVICES);
    start_virtualization();
    if (partitions_create() != STATUS_OK) {
        give_up();
    }
    must(routes_start(), "routing interrupts");
    stage_ends(STAGE_PARTITIONS);
    start_cpus();
    stage_ends(STAGE_CPUS);
    load_partitions();
    stage_ends(STAGE_LOADING);
    print_partitions();
    if (!boot_audit()) {
        give_up();
    }
    stage_ends(STAGE_AUDIT);
    stages_print();
    console_print_help();
    console_start();
    set_phase(PHASE_GUESTS);
    cpu_main();
}

// ---- every CPU -----------------------------------------------------------------------------

// Returns when that phase or a later one is reached, except PHASE_NOTHING, in which it never
// returns.
static void wait_for(enum phase p)
{
    enum phase now;
    do {
        cpu_relax();
        now = __atomic_load_n(&phase, __ATOMIC_SEQ_CST);
    } while (now < p);
    if (now == PHASE_NOTHING) {
        cpu_stop();
    }
}

// Sleeps until an NMI, the console's next tick if it needs one, or the next timer.
static void sleep(void)
{
    uint32_t count = timers_sleep(console_service_ticks());
    if (count == 0) {
        cpu_wait_nmi();
        return;
    }
    apic_timer_start(count);
    cpu_wait_nmi_or_interrupt();
    apic_timer_start(0);
}

// An unowned CPU sleeps, and serves the console if that is its task.
_Noreturn static void idle(void)
{
    // Pending interrupts of firmware, or of a device before all were silenced, would wake this CPU.
    apic_drain();
    for (;;) {
        sleep();
        bool kicked = this_cpu()->nmi_taken != 0;
        this_cpu()->nmi_taken = 0;
        if (kicked) {
            console_service_nmi();
        }
        timers_run();
        console_service_tick();
    }
}

// Sets the boot CPU's memory types on this CPU too. False if that is impossible.
static bool follow_mtrrs(void)
{
    char text[200];
    enum mtrr_state state = mtrr_follow(text, sizeof(text));
    if (state != MTRR_EVEN) {
        print("CPU %u: memory types differ from the boot CPU's (%s): %s\n", this_cpu()->index, text,
              state == MTRR_MADE ? "made the same" : "update the firmware");
    }
    return state != MTRR_ODD;
}

// Whether this CPU has the features that its guest is shown. An unowned CPU is compared with the
// first guest's CPUID; a difference is reported, nothing more.
static bool has_features(void)
{
    const struct vcpu *own = this_cpu()->vcpu;
    const struct vcpu *v = own != NULL ? own : partitions[0]->vcpus[0];
    char text[200];
    if (!cpuid_lacks(&v->cpuid, text, sizeof(text))) {
        return true;
    }
    print("CPU %u lacks features of the boot CPU (%s)%s\n", this_cpu()->index, text,
          own != NULL ? ": its partition needs CPUs like the boot CPU" : "");
    return own == NULL;
}

static bool can_virtualize(void)
{
    char why[200];
    if (virt->probe(why, sizeof(why)) != STATUS_OK) {
        print("CPU %u differs from the boot CPU: %s\n", this_cpu()->index, why);
        return false;
    }
    if (virt->cpu_enable() != STATUS_OK) {
        print("CPU %u: virtualization can't be turned on\n", this_cpu()->index);
        return false;
    }
    return true;
}

// Makes a CPU like the boot CPU, as far as firmware has not done so.
static void join(void)
{
    if (!follow_mtrrs() || !has_features() || !can_virtualize()) {
        __atomic_add_fetch(&joins_failed, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_add_fetch(&joined, 1, __ATOMIC_SEQ_CST);
}

_Noreturn void cpu_main(void)
{
    struct vcpu *v = this_cpu()->vcpu;
    if (this_cpu()->index != machine.boot_cpu) {
        join();
    }
    wait_for(PHASE_LOAD);
    if (this_cpu()->index != machine.boot_cpu) {
        load_own(v);
    }
    wait_for(PHASE_GUESTS);
    if (v != NULL) {
        vcpu_start(v, v->index == 0 ? &v->partition->loaded.entry : NULL);
    }
    idle();
}
