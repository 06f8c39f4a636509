// SPDX-License-Identifier: Apache-2.0
// The command buffer of an AMD-Vi unit (48882, 2.4): a ring of one page that the hypervisor fills
// and the unit empties. The completion of commands is awaited by COMPLETION_WAIT, never by reading
// the head.
#include "arch/cpu/tsc.h"
#include "arch/interrupt/exceptions.h"
#include "arch/memory/heap.h"
#include "drivers/amdvi/amdvi.h"

#define RING_SIZE    PAGE_SIZE
#define COMMAND_SIZE 16u
#define LIMIT_US     1000000u // a unit needs microseconds; an emulator's host may be busy

// The head is the next place that the unit reads. (QEMU lets it reach the ring's size before it
// wraps.)
static uint32_t ring_head(const struct amdvi_unit *u)
{
    return (uint32_t)amdvi_read(u, AMDVI_COMMAND_HEAD) & (RING_SIZE - COMMAND_SIZE);
}

bool amdvi_command(struct amdvi_unit *u, uint64_t first, uint64_t second)
{
    uint32_t next = (u->command_tail + COMMAND_SIZE) % RING_SIZE;
    uint64_t begin = time_us();
    while (ring_head(u) == next) { // full
        if (time_us() - begin > LIMIT_US) {
            return false;
        }
    }
    uint64_t *command = heap_ptr(hpa(u->commands.v + u->command_tail));
    command[0] = first;
    command[1] = second;
    u->command_tail = next;
    amdvi_write(u, AMDVI_COMMAND_TAIL, next);
    return true;
}

// Before it stores, the unit also completes the devices' accesses that use invalidated translations
// (2.4.1).
bool amdvi_complete(struct amdvi_unit *u)
{
    const uint64_t *done = heap_ptr(u->wait);
    u->wait_count++;
    if (!amdvi_command(u, AMDVI_COMMAND_WAIT | u->wait.v | AMDVI_WAIT_STORE, u->wait_count)) {
        return false;
    }
    uint64_t begin = time_us();
    while (__atomic_load_n(done, __ATOMIC_ACQUIRE) != u->wait_count) {
        if (time_us() - begin > LIMIT_US) {
            return false;
        }
    }
    return true;
}

void amdvi_must_complete(struct amdvi_unit *u)
{
    if (!amdvi_complete(u)) {
        panic("the IOMMU at 0x%lx has stopped obeying: what devices reach is not known any more",
              u->firmware->base);
    }
}
