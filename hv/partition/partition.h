// SPDX-License-Identifier: Apache-2.0
// A partition: what the configuration gives it, its memory, its virtual CPUs and devices.
// hv/life/load.h and hv/life/end.h say how it starts, ends and starts again.
#ifndef HV_PARTITION_PARTITION_H
#define HV_PARTITION_PARTITION_H

#include "arch/cpu/mca.h"
#include "arch/lib/spinlock.h"
#include "arch/lib/types.h"
#include "arch/memory/paging.h"
#include "boot/boot_info.h"
#include "hv/guest/load_request.h"
#include "hv/memory/guest_layout.h"
#include "hv/partition/fault_limit.h"
#include "hv/partition/log_share.h"
#include "hv/partition/stray.h"
#include "hv/partition/timer_state.h"
#include "hv/partition/vcpu.h"
#include "hv/vdev/vcrtc.h"
#include "hv/vdev/vhpet.h"
#include "hv/vdev/vioapic.h"
#include "hv/vdev/vpic.h"
#include "hv/vdev/vpit.h"
#include "hv/vdev/vpm.h"
#include "hv/vdev/vreset.h"
#include "hv/vdev/vrtc.h"
#include "hv/vdev/vuart.h"
#include "hv/vpci/vpci.h"
#include "partitions/blob.h"

struct passthrough;

#define HELD_OUTPUT 16 // a 16550's FIFO

enum partition_end {
    PARTITION_POWER_OFF,
    PARTITION_REBOOT,
    PARTITION_TRIPLE_FAULT,
    PARTITION_FAULT, // an exit that the hypervisor can't handle
};

struct partition_devices {
    struct vuart uart;
    struct vpit pit;
    struct vhpet hpet;
    struct vrtc rtc;
    struct vpm pm;
    struct vcrtc crtc;
    struct vreset reset;
    struct vpci pci;
    struct vioapic ioapic;
    struct vpic pic;
    bool pic_told;            // vCPU 0 knows that the 8259s have an interrupt
    bool pic_window;          // and it exits as soon as its guest takes interrupts
    struct stray_pages stray; // pages logged since the start
    uint64_t start_tsc;       // when the devices were reset
    uint64_t pit_scale;       // from the TSC to the PIT's clock (arch/cpu/tsc_scale.h)
};

struct partition {
    const char *name;
    unsigned index;
    const struct blob_partition *config;
    struct guest_ram ram;
    struct page_table second_level; // EPT or NPT
    void *io_map;                   // I/O permission map; the back end knows its format
    struct boot_framebuffer screen; // at its guest-physical address; base 0 if it has none
    hpa_t reset_page;               // its reset page, which it sees read-only at GUEST_RESET_PAGE
    bool apic_page_mapped; // virtual and physical APIC IDs agree: the xAPIC page may be read
    uint64_t *apic_page;   // the page's entry in the second-level table; 0 in it: hidden

    unsigned vcpu_count;
    struct vcpu *vcpus[MAX_CPUS];

    // The device lock protects the devices and the partition's end of the console. Only the
    // partition's own CPUs take it.
    struct spinlock device_lock;
    struct partition_devices devices;
    struct guest_timer timers[GUEST_TIMERS];
    unsigned timer_count;      // number of timers in use
    bool told_no_timer;        // since its start: logged that nothing can make its timers interrupt
    unsigned console;          // console source number
    uint8_t held[HELD_OUTPUT]; // console output that waits for room
    unsigned held_count;

    struct passthrough *passthrough; // its PCI functions; NULL if it has none

    struct icr_topology topology;
    struct log_share log;  // used by any of its CPUs
    uint64_t bios_told[4]; // a bit for each interrupt whose BIOS call was logged; set by atomic or

    // A hardware error in its memory. Written by the CPU that took the machine check, read after
    // WORK_MACHINE_CHECK.
    struct mc_bank machine_check;

    const struct boot_module *image;
    const struct boot_module *initrd;
    struct load_module *modules; // as many as in its configuration
    struct load_result loaded;
    uint64_t clear_ticks; // TSC ticks that clearing its memory took

    // Ending. The vCPU that changes `ending` from 0 ends the partition. The others park and count
    // themselves in `parked` (atomic add). vCPU 0 then does the rest, while no other vCPU runs.
    uint32_t ending;
    uint32_t parked;
    uint32_t generation; // written by vCPU 0 at a restart, read by the others
    enum partition_end end;
    bool stops; // this end is not followed by a restart
    struct fault_limit triple_faults;
    bool reported; // this end's lines are shown; a partition that reboots again and again has only
                   // its share
};

extern struct partition *partitions[MAX_PARTITIONS];
extern unsigned partition_count;

// Number of partitions that have not ended (atomic); whoever ends the last one prints that.
// partitions_running() returns it, on any CPU.
extern uint32_t partitions_alive;
unsigned partitions_running(void);

#endif
