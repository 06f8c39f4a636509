// SPDX-License-Identifier: Apache-2.0
// Guests of one partition that write anything to their APICs, as bytes from libFuzzer. Whatever
// they do: IPIs stay within the partition, and nothing is written to a physical APIC that would
// fault there, that raises an SMI or INIT, or that sends an IPI past the check.
#include <string.h>

#include "arch/cpu/msr.h"
#include "arch/interrupt/apic.h"
#include "arch/interrupt/apic_defs.h"
#include "hv/interrupt/vapic.h"
#include "tests/fuzz/fuzz.h"

#define VCPUS 5

static bool host_x2apic;
static uint32_t physical[VCPUS][APIC_REGISTER_COUNT];
static unsigned current;

bool apic_is_x2apic(void)
{
    return host_x2apic;
}

uint32_t apic_read(unsigned offset)
{
    CHECK(offset < 0x400 && offset % 16 == 0);
    CHECK(offset != APIC_EOI && offset != APIC_SELF_IPI && offset != APIC_ICR_LOW);
    return physical[current][offset / 16];
}

void apic_write(unsigned offset, uint32_t value)
{
    CHECK(offset < 0x400 && offset % 16 == 0);
    CHECK(offset != APIC_ICR_LOW && offset != APIC_ICR_HIGH && offset != APIC_ID);
    CHECK(offset != APIC_EOI || value == 0);
    CHECK(offset != APIC_ESR || value == 0);
    CHECK(!host_x2apic || (offset != APIC_LDR && offset != APIC_DFR));
    if (offset >= APIC_LVT_THERMAL && offset <= APIC_LVT_ERROR) {
        uint32_t mode = value & APIC_LVT_MODE;
        CHECK(mode == APIC_LVT_MODE_FIXED || mode == APIC_LVT_MODE_NMI ||
              (mode == APIC_LVT_MODE_EXT && (value & APIC_LVT_MASKED) != 0));
    }
    physical[current][offset / 16] = value;
}

static void obey(const struct vapic *v, enum vapic_action action, const struct icr_verdict *verdict)
{
    switch (action) {
    case VAPIC_IPI:
        CHECK(verdict->targets != 0 && verdict->targets >> VCPUS == 0);
        CHECK(verdict->kind == ICR_FIXED || verdict->kind == ICR_NMI || verdict->kind == ICR_INIT ||
              verdict->kind == ICR_SIPI);
        CHECK(verdict->kind != ICR_FIXED || (verdict->vector >= 16 && verdict->vector < 256));
        break;
    case VAPIC_REFUSED:
    case VAPIC_FAULT:
    case VAPIC_FAULT_TOLD:
        CHECK(v->reason != NULL && v->reason[0] != 0);
        break;
    case VAPIC_MODE:
        CHECK(v->mode != APIC_X2APIC || v->offer_x2apic);
        break;
    case VAPIC_EXTINT:
        CHECK(vapic_takes_extint(v));
        break;
    case VAPIC_MOVED:
        CHECK(v->page == (v->base & v->addresses));
        break;
    default:
        CHECK(action == VAPIC_DONE);
    }
}

static bool page_is_free(const struct vapic *v, uint64_t page)
{
    (void)v;
    return page >= 0x40000000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct icr_topology topology;
    static struct vapic apics[VCPUS];
    if (size == 0) {
        return 0;
    }
    host_x2apic = data[0] & 1;
    memset(&topology, 0, sizeof(topology));
    memset(physical, 0, sizeof(physical));
    topology.vcpu_count = VCPUS;
    for (current = 0; current < VCPUS; current++) {
        physical[current][APIC_VERSION / 16] = 0x14 | (uint32_t)(3 + data[0] % 4) << 16;
        vapic_init(&apics[current], &topology, current, host_x2apic, (data[0] & 2) != 0, 40,
                   page_is_free);
        vapic_reset(&apics[current], false);
    }
    // Each step: vCPU and kind, register, value (8 bytes).
    for (size_t at = 1; at + 10 <= size; at += 10) {
        struct icr_verdict verdict = {0};
        current = data[at] % VCPUS;
        struct vapic *v = &apics[current];
        uint64_t value;
        memcpy(&value, &data[at + 2], sizeof(value));
        unsigned offset = data[at + 1] * 16u + (data[at] >= 250 ? 4u : 0);
        switch (data[at] / VCPUS % 5) {
        case 0:
            (void)vapic_mmio_read(v, offset);
            break;
        case 1:
            obey(v, vapic_mmio_write(v, offset, (uint32_t)value, &verdict), &verdict);
            break;
        case 2:
            (void)vapic_msr_read(v, MSR_X2APIC_FIRST + data[at + 1], &value);
            break;
        case 3:
            obey(v, vapic_msr_write(v, MSR_X2APIC_FIRST + data[at + 1], value, &verdict), &verdict);
            break;
        default:
            if ((data[at + 1] & 1) != 0) {
                value = APIC_PAGE_BASE | (value & 0xd00); // mostly legal steps
            }
            obey(v, vapic_msr_write(v, MSR_APIC_BASE, value, &verdict), &verdict);
            break;
        }
    }
    return 0;
}
