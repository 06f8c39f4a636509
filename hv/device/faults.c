// SPDX-License-Identifier: Apache-2.0
// Handles accesses that the IOMMUs have refused. They are counted for the partition that owns the
// device and logged within its share of lines; if so configured, they end the partition. A storm of
// faults costs the partition that causes it, not the one whose CPU serves the console.
#include "hv/device/passthrough.h"

#include "arch/cpu/tsc.h"
#include "arch/interrupt/apic.h"
#include "arch/memory/percpu.h"
#include "drivers/console/console.h"
#include "hv/machine/machine.h"
#include "hv/machine/pci.h"
#include "hv/partition/log.h"
#include "hv/partition/partition.h"

// A device that faults again and again stays blocked. After this many faults since the partition's
// start they are no longer recorded.
#define MOST_FAULTS 100

// Faults taken per period; the rest waits for the offender's pause. A fault takes a few
// microseconds, so together they take less than a hundredth of the console's CPU.
#define MOST_IN_TIME 16
#define TIME_US      10000u
#define PAUSE_US     10000u

// Used by the console's CPU only.
static struct {
    uint64_t since; // start of the period, microseconds
    unsigned taken; // faults taken since then
    bool held;      // the IOMMUs announce no faults
} storm;

// Set when the pause is over. Written by the offender's CPU before its NMI, taken by the console's
// CPU.
static uint32_t pause_over;

// The partition that owns a device with this requester ID, or NULL; `d` is the first such device.
static struct partition *owner_of(uint16_t requester, struct passthrough_device **d)
{
    for (unsigned i = 0; i < partition_count; i++) {
        struct passthrough *pt = partitions[i]->passthrough;
        for (unsigned n = 0; pt != NULL && n < pt->count; n++) {
            if (pt->device[n].pci->requester == requester) {
                *d = &pt->device[n];
                return partitions[i];
            }
        }
    }
    return NULL;
}

static void tell(const struct iommu_fault *fault, const char *name, const char *place)
{
    print("%s: device %s: %s 0x%lx refused: %s\n", name, place,
          fault->interrupt ? "an interrupt request, entry"
          : fault->write   ? "DMA write to"
                           : "DMA read of",
          fault->address, fault->why);
}

static void quiet(struct partition *p, const struct passthrough_device *d)
{
    spin_lock(&machine_pci.iommu_lock);
    iommu->quiet(d->pci->requester);
    spin_unlock(&machine_pci.iommu_lock);
    char place[PCI_TEXT_SIZE];
    if (log_allows(p, 1)) {
        print("%s: device %s was refused %u times: the rest is not recorded until its next start\n",
              p->name, pci_text(d->pci->address, place), MOST_FAULTS);
    }
}

// Counts and logs a fault. Returns the partition that caused it, or NULL.
static struct partition *judge(const struct iommu_fault *fault)
{
    struct passthrough_device *d;
    char place[PCI_TEXT_SIZE];
    struct partition *p = owner_of(fault->requester, &d);
    if (p == NULL) {
        static struct log_share share; // shared by all unassigned devices
        uint32_t hidden;
        if (log_share_take(&share, time_us(), 1, &hidden)) {
            tell(fault, "nobody", pci_text((pci_address_t){fault->requester}, place));
        }
        return NULL;
    }
    __atomic_add_fetch(&p->passthrough->dma_faults, 1, __ATOMIC_RELAXED);
    uint32_t count = __atomic_add_fetch(&d->faults, 1, __ATOMIC_RELAXED);
    if (log_allows(p, 1)) {
        tell(fault, p->name, pci_text(d->pci->address, place));
    }
    if (count == MOST_FAULTS) {
        quiet(p, d);
    }
    if (p->config->flags & BLOB_STOP_ON_DMA_FAULT) {
        vcpu_post(p->vcpus[0], WORK_DMA_FAULT);
    }
    return p;
}

static bool may_take(void)
{
    uint64_t now = time_us();
    if (now - storm.since >= TIME_US) {
        storm.since = now;
        storm.taken = 0;
    }
    return storm.taken < MOST_IN_TIME;
}

// The vCPU that pauses. It runs on the console's CPU only if the offender has no other CPU.
static struct vcpu *who_pauses(const struct partition *p)
{
    for (unsigned i = 0; i < p->vcpu_count; i++) {
        if (p->vcpus[i]->cpu != machine.console_cpu) {
            return p->vcpus[i];
        }
    }
    return p->vcpus[0];
}

// Unassigned devices have bus mastering off, so their faults mean a broken machine. From then on
// they are seen only with the next key or with another device's fault.
static void hold(struct partition *offender)
{
    if (storm.held || offender == NULL) {
        return;
    }
    storm.held = true;
    iommu->fault_hold(true);
    vcpu_post(who_pauses(offender), WORK_FAULT_PAUSE);
}

void passthrough_fault_pause(void)
{
    delay_us(PAUSE_US);
    __atomic_store_n(&pause_over, 1, __ATOMIC_SEQ_CST);
    apic_send_nmi(cpus[machine.console_cpu]->apic_id);
}

void passthrough_faults(void)
{
    if (iommu == NULL) {
        return;
    }
    struct iommu_fault fault;
    struct partition *offender = NULL;
    bool lost = false;
    // Announce faults again before taking those recorded meanwhile: later ones must be announced.
    if (__atomic_exchange_n(&pause_over, 0, __ATOMIC_SEQ_CST) != 0) {
        storm.held = false;
        iommu->fault_hold(false);
    }
    bool room = may_take();
    while (room && iommu->take_fault(&fault, &lost)) {
        struct partition *p = judge(&fault);
        offender = p != NULL ? p : offender;
        storm.taken++;
        room = may_take();
    }
    if (!room) {
        hold(offender);
    }
}

uint64_t passthrough_fault_count(const struct partition *p)
{
    return p->passthrough != NULL ? __atomic_load_n(&p->passthrough->dma_faults, __ATOMIC_RELAXED)
                                  : 0;
}
