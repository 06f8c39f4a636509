// SPDX-License-Identifier: Apache-2.0
// Serves the console: keys, kicks of partitions, the tick.
#include "hv/console/service.h"

#include "arch/interrupt/apic.h"
#include "arch/memory/heap.h"
#include "arch/memory/percpu.h"
#include "drivers/console/console.h"
#include "hv/device/passthrough.h"
#include "hv/machine/machine.h"
#include "hv/partition/counters.h"
#include "hv/partition/partition.h"

#define POLL_US 1000 // a FIFO of 16 bytes takes 1.4 ms at 115200 baud

static struct partition *partition_of_source(unsigned source)
{
    for (unsigned i = 0; i < partition_count; i++) {
        if (partitions[i]->console == source) {
            return partitions[i];
        }
    }
    return NULL;
}

// Posts work to the first vCPU of each partition in a mask of console sources.
static void post(uint32_t sources, uint64_t work)
{
    for (; sources != 0; sources &= sources - 1) {
        struct partition *p = partition_of_source((unsigned)__builtin_ctz(sources));
        if (p != NULL) {
            vcpu_post(p->vcpus[0], work);
        }
    }
}

static void tell(uint32_t sources)
{
    post(sources, WORK_CONSOLE);
}

void console_service_tell_unstalled(void)
{
    uint32_t sources = console_take_unstalled();
    if (sources != 0) {
        tell(sources);
    }
}

// The NMI handler never prints, so this never runs in the middle of another ICR write on this CPU.
static void wake_ticker(void)
{
    if (this_cpu()->index != machine.console_cpu) {
        apic_send_nmi(cpus[machine.console_cpu]->apic_id);
    }
}

// The same holds as for wake_ticker().
static void wake_sources(uint32_t sources)
{
    if ((sources & 1u << CONSOLE_HYPERVISOR) != 0) {
        apic_send_nmi(cpus[machine.console_cpu]->apic_id);
    }
    tell(sources & ~(1u << CONSOLE_HYPERVISOR));
}

const struct console_wakers console_service_wakers = {
    .ticker = wake_ticker,
    .sources = wake_sources,
};

unsigned console_service_ticks(void)
{
    if (this_cpu()->index != machine.console_cpu) {
        return 0;
    }
    return machine.serial_polled ? POLL_US : console_tick_wanted() ? CONSOLE_TICK_US : 0;
}

static void print_counters(void)
{
    for (unsigned i = 0; i < partition_count; i++) {
        counters_print(partitions[i]);
        if (passthrough_fault_count(partitions[i]) > 0) {
            print("%s: %lu accesses of its devices were refused\n", partitions[i]->name,
                  passthrough_fault_count(partitions[i]));
        }
        uint64_t restarts = __atomic_load_n(&partitions[i]->generation, __ATOMIC_RELAXED);
        if (restarts > 0) {
            print("%s: has started again %lu times\n", partitions[i]->name, restarts);
        }
    }
    print("memory: %lu bytes of the heap used, %lu KiB free for partitions\n", heap_used(),
          page_alloc_total(&machine.memory) >> 10);
}

static void ask_to_leave(void)
{
    unsigned running = partitions_running();
    if (running == 0) {
        print("no partition is running: y resets the machine, any other key goes on\n");
    } else {
        print("%u partition%s running: y resets the machine, any other key goes on\n", running,
              running == 1 ? " is" : "s are");
    }
}

static void serve_console(void)
{
    struct console_events events = console_poll();
    tell(events.input | events.unstalled);
    post(events.power, WORK_POWER_BUTTON);
    if (events.actions & CONSOLE_ACTION_COUNTERS) {
        print_counters();
    }
    if (events.actions & CONSOLE_ACTION_ASK) {
        ask_to_leave();
    }
    if (events.actions & CONSOLE_ACTION_LEAVE) {
        console_panic(); // prints what the rings still hold
        print("leaving: the machine is reset\n");
        machine_reset();
    }
}

bool console_service_nmi(void)
{
    if (this_cpu()->index != machine.console_cpu) {
        return false;
    }
    serve_console();
    passthrough_faults();
    return true;
}

void console_service_tick(void)
{
    if (this_cpu()->index != machine.console_cpu) {
        return;
    }
    console_tick();
    console_service_tell_unstalled();
    if (machine.serial_polled) {
        serve_console();
    }
}
