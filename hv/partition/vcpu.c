// SPDX-License-Identifier: Apache-2.0
// Posts work to virtual CPUs from any CPU. They do it themselves (hv/life/vcpu_work.c).
#include "hv/partition/vcpu.h"

#include "arch/interrupt/apic.h"
#include "arch/virt/virt.h"
#include "hv/partition/partition.h"

const struct virt_ops *virt;

void vcpu_post(struct vcpu *v, uint64_t work)
{
    // The CPU that finds the word empty sends the NMI; work of others goes with it. The exchange in
    // take_nmi() comes after an NMI, so no work is lost.
    if (__atomic_fetch_or(&v->work, work, __ATOMIC_SEQ_CST) == 0) {
        apic_send_nmi(v->physical_id);
    }
}

void vcpu_post_init(struct vcpu *v)
{
    __atomic_store_n(&v->sipi, 0, __ATOMIC_RELEASE); // an INIT cancels an earlier SIPI
    vcpu_post(v, WORK_INIT);
}

void vcpu_post_sipi(struct vcpu *v, uint8_t vector)
{
    uint64_t generation = __atomic_load_n(&v->partition->generation, __ATOMIC_ACQUIRE);
    uint64_t sipi = generation << SIPI_GENERATION_SHIFT | SIPI_VALID | vector;
    __atomic_store_n(&v->sipi, sipi, __ATOMIC_RELEASE);
    vcpu_post(v, WORK_SIPI);
}

void vcpu_post_nmi(struct vcpu *v)
{
    vcpu_post(v, WORK_NMI);
}
