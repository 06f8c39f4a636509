// SPDX-License-Identifier: Apache-2.0
// The event log of AMD-Vi (48882, 2.5): a ring of one page that the unit fills. Each event is read
// once, then its place is cleared, so that an event that the unit has not written yet can be
// recognized.
#include "arch/memory/heap.h"
#include "drivers/amdvi/amdvi.h"

#define RING_SIZE      PAGE_SIZE
#define EVENT_SIZE     16u
#define WRITE_OUT_SPIN 1000u // reads of an event whose code is not written yet

// Texts by the event's code. Events of the unit itself carry no requester.
static const struct {
    const char *why;
    bool of_device;
} events[16] = {
    [0x0] = {"an event that the IOMMU did not write out", false},
    [0x1] = {"the device's entry in the IOMMU's table is not valid", true},
    [0x2] = {"not allowed by the IOMMU's tables", true},
    [0x3] = {"the IOMMU could not read its device table", true},
    [0x4] = {"the IOMMU could not read a page table", true},
    [0x5] = {"the IOMMU met an illegal command", false},
    [0x6] = {"the IOMMU could not read a command", false},
    [0x7] = {"the device did not answer when its TLB was emptied", true},
    [0x8] = {"a kind of request that the IOMMU does not let pass", true},
    [0x9] = {"a page request that is not valid", true},
    [0xa] = {"a counter of the IOMMU has run down", false},
    [0xd] = {"not allowed by the reverse map table", true},
    [0xe] = {"the IOMMU could not read the reverse map table", true},
};

static void decode(const uint64_t raw[2], struct iommu_fault *out)
{
    unsigned code = (unsigned)(raw[0] >> AMDVI_EVENT_CODE_SHIFT);
    const char *why = events[code].why;
    bool access = code >= 1 && code <= 4; // the events with the two flags
    *out = (struct iommu_fault){
        .requester = events[code].of_device || why == NULL ? (uint16_t)raw[0] : 0,
        .address = raw[1],
        .write = access && (raw[0] & AMDVI_EVENT_WRITE) != 0,
        .interrupt = access && (raw[0] & AMDVI_EVENT_INTERRUPT) != 0,
        .why = why != NULL ? why : "for a reason that is not known here",
    };
}

// Restarts the log, which stops when it is full. Its interrupt setting does not change.
static void restart_log(struct amdvi_unit *u)
{
    amdvi_write(u, AMDVI_CONTROL, u->control & ~AMDVI_CONTROL_EVENT_LOG);
    (void)amdvi_await_status(u, AMDVI_STATUS_EVENT_RUNS, 0);
    amdvi_write(u, AMDVI_STATUS, AMDVI_STATUS_EVENT_OVERFLOW);
    amdvi_write(u, AMDVI_CONTROL, u->control);
}

static bool next_event(struct amdvi_unit *u, struct iommu_fault *out, bool *lost)
{
    uint64_t status = amdvi_read(u, AMDVI_STATUS);
    // Cleared first, so that an event after this point is reported again.
    if (status & AMDVI_STATUS_EVENT_MSI) {
        amdvi_write(u, AMDVI_STATUS, AMDVI_STATUS_EVENT_MSI);
    }
    uint32_t tail = (uint32_t)amdvi_read(u, AMDVI_EVENT_TAIL) & (RING_SIZE - EVENT_SIZE);
    if (u->event_head == tail) {
        if (status & AMDVI_STATUS_EVENT_OVERFLOW) {
            *lost = true;
            restart_log(u);
        }
        return false;
    }
    uint64_t *event = heap_ptr(hpa(u->events.v + u->event_head));
    for (unsigned i = 0; i < WRITE_OUT_SPIN; i++) {
        if (__atomic_load_n(&event[0], __ATOMIC_ACQUIRE) >> AMDVI_EVENT_CODE_SHIFT != 0) {
            break;
        }
    }
    decode(event, out);
    event[0] = 0;
    event[1] = 0;
    u->event_head = (u->event_head + EVENT_SIZE) % RING_SIZE;
    amdvi_write(u, AMDVI_EVENT_HEAD, u->event_head);
    return true;
}

bool amdvi_take_fault(struct iommu_fault *out, bool *lost)
{
    for (unsigned i = 0; i < amdvi.unit_count; i++) {
        if (next_event(&amdvi.unit[i], out, lost)) {
            return true;
        }
    }
    return false;
}
