// SPDX-License-Identifier: Apache-2.0
// Shows and hides the page. Relies on the second-level table's writer, and on the device lock,
// which protects the table.
#include "hv/life/apic_page.h"

#include "arch/interrupt/apic.h"
#include "arch/virt/virt.h"
#include "hv/machine/guest_platform.h"
#include "hv/partition/partition.h"

enum status apic_page_create(struct partition *p)
{
    if (!p->apic_page_mapped) {
        return STATUS_OK;
    }
    p->apic_page = pt_entry_4k(&p->second_level, GUEST_LAPIC_ADDRESS);
    if (p->apic_page == NULL) {
        return ERR_NO_MEMORY;
    }
    apic_page_show(p);
    return STATUS_OK;
}

void apic_page_show(struct partition *p)
{
    if (p->apic_page != NULL) {
        *p->apic_page = pt_make_leaf(p->second_level.format, 0, apic_page(), PT_READ | PT_UC);
    }
}

// Traps reads of the page. Until they flush, other CPUs of the partition may still read it: it is
// their own APIC's page, so this does no harm.
static void hide(struct vcpu *v)
{
    struct partition *p = v->partition;
    *p->apic_page = 0;
    virt->flush(v);
    for (unsigned i = 0; i < p->vcpu_count; i++) {
        if (p->vcpus[i] != v) {
            vcpu_post(p->vcpus[i], WORK_FLUSH);
        }
    }
}

void apic_page_moved(struct vcpu *v)
{
    struct partition *p = v->partition;
    if (v->apic.page == GUEST_LAPIC_ADDRESS || p->apic_page == NULL) {
        return;
    }
    spin_lock(&p->device_lock);
    if (*p->apic_page != 0) {
        hide(v);
    }
    spin_unlock(&p->device_lock);
}

// Whether nothing is mapped at the page, now or later: the APIC's page must be trapped. BARs of a
// partition with devices can move anywhere in their window.
bool apic_page_is_free(const struct vapic *a, uint64_t page)
{
    const struct vcpu *v = (const struct vcpu *)((const char *)a - offsetof(struct vcpu, apic));
    const struct partition *p = v->partition;
    struct pt_leaf leaf;
    bool window = p->passthrough != NULL && page - GUEST_PCI_WINDOW < GUEST_PCI_WINDOW_SIZE;
    return page == GUEST_LAPIC_ADDRESS || (!window && !pt_lookup(&p->second_level, page, &leaf));
}
