// SPDX-License-Identifier: Apache-2.0
// What the IOMMUs have refused: counted for the partition whose device it was, told within its
// share of lines, and if it is configured so, its end.
#include "hv/passthrough.h"

#include "arch/tsc.h"
#include "drivers/console.h"
#include "hv/log.h"
#include "hv/partition.h"
#include "hv/passthrough_machine.h"

#define MOST_AT_ONCE 64 // records in one go: a flood of them must not hold up the console

// The partition that owns a device with this requester ID, or NULL.
static struct partition *owner_of(uint16_t requester, const struct pci_function **f)
{
    const struct passthrough_machine *m = &passthrough_machine;
    for (unsigned i = 0; i < m->pci.count; i++) {
        if (m->pci.function[i].requester == requester && m->owner[i] != BLOB_NOBODY) {
            *f = &m->pci.function[i];
            return partitions[m->owner[i]];
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

static void judge(const struct iommu_fault *fault)
{
    const struct pci_function *f;
    char place[PCI_TEXT_SIZE];
    struct partition *p = owner_of(fault->requester, &f);
    if (p == NULL) {
        static struct log_share share; // of all that is nobody's
        uint32_t hidden;
        if (log_share_take(&share, time_us(), 1, &hidden)) {
            tell(fault, "nobody", pci_text((pci_address_t){fault->requester}, place));
        }
        return;
    }
    __atomic_add_fetch(&p->passthrough->dma_faults, 1, __ATOMIC_RELAXED);
    if (log_allows(p, 1)) {
        tell(fault, p->name, pci_text(f->address, place));
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
    return count > 0;
}

uint64_t passthrough_fault_count(const struct partition *p)
{
    return p->passthrough != NULL ? __atomic_load_n(&p->passthrough->dma_faults, __ATOMIC_RELAXED)
                                  : 0;
}
