// SPDX-License-Identifier: Apache-2.0
// Queued invalidation (VT-d specification, 6.5.2). Each batch ends with a wait descriptor, which
// makes the unit write a number when everything before it is done. So the queue is empty between
// two batches.
#include "arch/cpu/tsc.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "drivers/vtd/vtd.h"

#define TIME_LIMIT_US 1000000u
#define BATCH_MAX     8u

enum status vtd_queue_create(struct vtd_unit *u)
{
    _Static_assert(VTD_QUEUE_ENTRIES * sizeof(struct vtd_descriptor) == PAGE_SIZE, "one page");
    hpa_t queue = heap_page_alloc();
    hpa_t status = heap_page_alloc();
    if (queue.v == 0 || status.v == 0) {
        return ERR_NO_MEMORY;
    }
    u->queue = heap_ptr(queue);
    u->status = heap_ptr(status);
    return STATUS_OK;
}

// The firmware's queue may still be active. It must be empty before it is turned off (6.5.2).
static enum status stop_queue(const struct vtd_unit *u)
{
    if ((vtd_read32(u->registers, VTD_GSTS) & VTD_G_QIE) == 0) {
        return STATUS_OK;
    }
    uint32_t tail = vtd_read32(u->registers, VTD_IQT);
    vtd_write32(u->registers, VTD_FSTS, VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE);
    vtd_wait(u, VTD_IQH, UINT32_MAX, tail); // a queue that hangs is turned off anyway
    return vtd_command(u, VTD_G_QIE, false);
}

enum status vtd_queue_enable(struct vtd_unit *u)
{
    enum status s = stop_queue(u);
    if (s != STATUS_OK) {
        return s;
    }
    u->tail = 0;
    vtd_write64(u->registers, VTD_IQT, 0);
    vtd_write64(u->registers, VTD_IQA, heap_pa(u->queue).v); // 256 descriptors of 128 bits
    return vtd_command(u, VTD_G_QIE, true);
}

// Also drains requests in progress, if the unit has the bits for it (6.5.2.3).
static uint64_t drain_bits(const struct vtd_unit *u, struct vtd_descriptor d)
{
    if ((d.low & VTD_INV_TYPE) != VTD_INV_IOTLB) {
        return 0;
    }
    return (u->cap & VTD_CAP_DWD ? VTD_INV_DW : 0) | (u->cap & VTD_CAP_DRD ? VTD_INV_DR : 0);
}

static void push(struct vtd_unit *u, struct vtd_descriptor d)
{
    d.low |= drain_bits(u, d);
    u->queue[u->tail] = d;
    vtd_written(&u->queue[u->tail], sizeof(d));
    u->tail = (u->tail + 1) % VTD_QUEUE_ENTRIES;
}

static enum status wait_for_status(const struct vtd_unit *u)
{
    uint64_t begin = time_us();
    for (;;) {
        bool late = time_us() - begin > TIME_LIMIT_US;
        if (__atomic_load_n(u->status, __ATOMIC_ACQUIRE) == u->sequence) {
            return STATUS_OK;
        }
        if (late || (vtd_read32(u->registers, VTD_FSTS) & (VTD_FSTS_IQE | VTD_FSTS_ITE)) != 0) {
            return ERR_UNSUPPORTED;
        }
        __builtin_ia32_pause();
    }
}

enum status vtd_queue_run(struct vtd_unit *u, const struct vtd_descriptor *d, unsigned count)
{
    ASSERT(count <= BATCH_MAX);
    enum status s = vtd_flush_write_buffer(u);
    if (s != STATUS_OK) {
        return s;
    }
    for (unsigned i = 0; i < count; i++) {
        push(u, d[i]);
    }
    u->sequence++;
    push(u, (struct vtd_descriptor){VTD_INV_WAIT | VTD_WAIT_STATUS | VTD_WAIT_DATA(u->sequence),
                                    heap_pa((const void *)u->status).v});
    vtd_write64(u->registers, VTD_IQT, u->tail * sizeof(struct vtd_descriptor));
    return wait_for_status(u);
}

void vtd_invalidate(const struct vtd_descriptor *d, unsigned count)
{
    for (unsigned i = 0; i < vtd.unit_count; i++) {
        struct vtd_unit *u = &vtd.units[i];
        if (vtd_queue_run(u, d, count) != STATUS_OK) {
            panic("VT-d unit at 0x%lx does not answer any more: DMA can't be confined", u->base);
        }
    }
}
