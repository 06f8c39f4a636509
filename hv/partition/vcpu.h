// SPDX-License-Identifier: Apache-2.0
// A virtual CPU. One physical CPU runs it as long as the partition lives. Other CPUs reach it only
// through its `work` word and the NMI that announces it.
#ifndef HV_PARTITION_VCPU_H
#define HV_PARTITION_VCPU_H

#include "arch/lib/types.h"
#include "arch/virt/guest_regs.h"
#include "arch/virt/vcpu_entry.h"
#include "hv/emulate/decode_memo.h"
#include "hv/interrupt/vapic.h"
#include "hv/partition/next_rip_cache.h"
#include "hv/policy/cpuid_policy.h"

struct partition;

// What exits are counted by. hv/partition/counters.c has the names.
enum exit_event {
    EVENT_CPUID,
    EVENT_HYPERCALL,
    EVENT_MSR_READ,
    EVENT_MSR_WRITE,
    EVENT_PORT,
    EVENT_PORT_STRING,
    EVENT_APIC_PAGE,
    EVENT_IOAPIC,
    EVENT_PCI,   // configuration space and MSI-X tables
    EVENT_STRAY, // addresses where the partition has nothing
    EVENT_HPET,
    EVENT_NMI,
    EVENT_EXCEPTION,
    EVENT_INSTRUCTION, // an intercepted instruction not listed above
    EVENT_OTHER,
    EVENT_COUNT,
};

enum vcpu_state {
    VCPU_WAIT_SIPI, // after INIT: the physical CPU sleeps in the hypervisor
    VCPU_RUNNING,
    VCPU_STOPPED, // its partition has ended
};

// Bits of vcpu.work.
#define WORK_STOP          BIT(0)  // the partition is ending: park
#define WORK_INIT          BIT(1)  // a guest's INIT
#define WORK_SIPI          BIT(2)  // a guest's start-up IPI; `sipi` has the vector
#define WORK_NMI           BIT(3)  // a guest's NMI
#define WORK_CONSOLE       BIT(4)  // the console has input for the partition, or room again
#define WORK_RESTART       BIT(5)  // for vCPU 0: all others are parked
#define WORK_MACHINE_CHECK BIT(6)  // for vCPU 0: the partition's memory has failed
#define WORK_FLUSH         BIT(7)  // second-level tables have changed: flush cached translations
#define WORK_DMA_FAULT     BIT(8)  // for vCPU 0: a refused access of a device stops the partition
#define WORK_FAULT_PAUSE   BIT(9)  // its devices caused too many faults: pause, then report back
#define WORK_POWER_BUTTON  BIT(10) // for vCPU 0: the operator pressed the power button
#define WORK_TIMER         BIT(11) // for vCPU 0: one of its timers is due
#define WORK_INTERRUPT     BIT(12) // for vCPU 0: the 8259s have an interrupt

// Fields of vcpu.sipi.
#define SIPI_VALID            BIT(8)
#define SIPI_GENERATION_SHIFT 32

// Whether a guest is in its NMI handler, for a back end whose processor doesn't track that.
enum nmi_state {
    NMI_OPEN,     // outside of it
    NMI_BLOCKED,  // inside of it
    NMI_LEAVING,  // the IRET that ends it was allowed, and may not have run yet
    NMI_STEPPING, // that IRET is single-stepped
};

struct vcpu {
    struct partition *partition;
    unsigned index;        // index in its partition: the virtual APIC ID
    unsigned cpu;          // index in cpus[]
    uint32_t physical_id;  // APIC ID of that CPU
    enum vcpu_state state; // used by its own CPU only
    struct vapic apic;
    struct cpuid_table cpuid;
    struct next_rip_cache next_rip;
    struct decode_memo decode_memo;
    uint64_t exits[EVENT_COUNT]; // written by its own CPU; others read them for reports

    // Written by any CPU of the partition and by the console CPU (atomic or). Taken by the vCPU's
    // own CPU (atomic exchange) after an NMI. The CPU that changes it from zero sends the NMI. So
    // each NMI sent is followed by exactly one exchange, and an NMI that finds no work is not a
    // kick.
    uint64_t work;
    // The last SIPI: bits 7:0 vector, bit 8 valid, bits 63:32 the partition's generation when it
    // was sent, so that a SIPI from before a restart is not taken for a new one. An INIT clears it.
    uint64_t sipi;

    // An INIT stopped it while it ran this guest. Its own CPU only.
    bool after_init;

    // The last instruction that could not be emulated: its RIP, the exit count, and how often in a
    // row. Its own CPU only (hv/exit/emulation.c).
    struct {
        uint64_t rip;
        uint64_t exits;
        unsigned times;
    } refused;

    uint32_t parked_at;    // generation + 1 when it parked; its own CPU only
    uint32_t string_event; // enum vdev_event caused by a string instruction

    bool timer_noted; // its timers come as NMIs, so an NMI without work may be one of them
    bool timer_runs;  // its CPU's own timer runs (struct virt_ops); its own CPU only

    // Of the back end.
    void *vm;          // VMCB or VMCS, by its heap address
    uint64_t vm_state; // physical address of a second state area; see the back end
    bool nmi_pending;  // an NMI for the guest waits until the guest takes NMIs
    enum nmi_state nmi_state;
    uint64_t nmi_iret_rip; // in NMI_LEAVING
};

// Sends work to a vCPU. Any CPU; the vCPU may be the caller's own.
void vcpu_post(struct vcpu *v, uint64_t work);

// Post the guest's INIT, SIPI and NMI. Any CPU of the partition.
void vcpu_post_init(struct vcpu *v);
void vcpu_post_sipi(struct vcpu *v, uint8_t vector);
void vcpu_post_nmi(struct vcpu *v);

#endif
