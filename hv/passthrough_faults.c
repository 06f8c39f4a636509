// SPDX-License-Identifier: Apache-2.0
// What the IOMMUs have refused: counted for the partition whose device it was, told within its
// share of lines, and if it is configured so, its end.
#include "hv/passthrough.h"

#include "arch/tsc.h"
#include "drivers/console.h"
#include "hv/log.h"
#include "hv/partition.h"
#include "hv/passthrough_machine.h"

// A device that is refused again and again would make the console's CPU take NMIs without end, and
// that CPU may be another partition's. So its accesses go on being refused, but are not recorded
// any more, after so many since its partition's start.
#define MOST_FAULTS 100
// What can't be turned off device by device, refused interrupts among it, ends all announcements.
#define MOST_AT_ONCE 1000

// The partition that owns a device with this requester ID, or NULL; and the first such device.
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
    spin_lock(&passthrough_machine.iommu_lock);
    iommu->quiet(d->pci->requester);
    spin_unlock(&passthrough_machine.iommu_lock);
    char place[PCI_TEXT_SIZE];
    if (log_allows(p, 1)) {
        print("%s: device %s was refused %u times: the rest is not recorded until its next start\n",
              p->name, pci_text(d->pci->address, place), MOST_FAULTS);
    }
}

static void announce_no_more(void)
{
    static bool said;
    spin_lock(&passthrough_machine.iommu_lock);
    iommu->fault_nmi_off();
    spin_unlock(&passthrough_machine.iommu_lock);
    if (!said) {
        said = true;
        print("%s: too many refused interrupts: they are only told with the console's next key\n",
              iommu->name);
    }
}

static void judge(const struct iommu_fault *fault)
{
    struct passthrough_device *d;
    char place[PCI_TEXT_SIZE];
    struct partition *p = owner_of(fault->requester, &d);
    if (p == NULL) {
        static struct log_share share; // of all that is nobody's
        uint32_t hidden;
        if (log_share_take(&share, time_us(), 1, &hidden)) {
            tell(fault, "nobody", pci_text((pci_address_t){fault->requester}, place));
        }
        return;
    }
    __atomic_add_fetch(&p->passthrough->dma_faults, 1, __ATOMIC_RELAXED);
    uint32_t count = __atomic_add_fetch(&d->faults, 1, __ATOMIC_RELAXED);
    if (log_allows(p, 1)) {
        tell(fault, p->name, pci_text(d->pci->address, place));
    }
    if (count == MOST_FAULTS) {
        quiet(p, d);
    } else if (count == 2 * MOST_FAULTS) {
        announce_no_more();
    }
    if (p->config->flags & BLOB_STOP_ON_DMA_FAULT) {
        vcpu_post(p->vcpus[0], WORK_DMA_FAULT);
    }
}

bool passthrough_faults(void)
{
    struct iommu_fault fault;
    bool lost = false;
    unsigned count = 0;
    while (iommu != NULL && count < MOST_AT_ONCE && iommu->take_fault(&fault, &lost)) {
        judge(&fault);
        count++;
    }
    if (count == MOST_AT_ONCE) {
        announce_no_more();
    }
    return count > 0;
}

uint64_t passthrough_fault_count(const struct partition *p)
{
    return p->passthrough != NULL ? __atomic_load_n(&p->passthrough->dma_faults, __ATOMIC_RELAXED)
                                  : 0;
}
