// SPDX-License-Identifier: Apache-2.0
// Starts one AMD-Vi unit: turns it off, gives it its tables, turns it on, and empties its caches.
#include "arch/cpu/tsc.h"
#include "arch/memory/heap.h"
#include "drivers/amdvi/amdvi.h"

#define LIMIT_US 1000000u

struct amdvi amdvi;

bool amdvi_await_status(const struct amdvi_unit *u, uint64_t mask, uint64_t value)
{
    uint64_t begin = time_us();
    while ((amdvi_read(u, AMDVI_STATUS) & mask) != value) {
        if (time_us() - begin > LIMIT_US) {
            return false;
        }
    }
    return true;
}

// Stops the buffers first: the unit may still use those of the firmware.
static enum status turn_off(struct amdvi_unit *u)
{
    const uint64_t runs = AMDVI_STATUS_EVENT_RUNS | AMDVI_STATUS_COMMAND_RUNS;
    uint64_t control = amdvi_read(u, AMDVI_CONTROL);
    control &= AMDVI_CONTROL_ON | AMDVI_CONTROL_COHERENT;
    amdvi_write(u, AMDVI_CONTROL, control);
    if (!amdvi_await_status(u, runs, 0)) {
        return ERR_UNSUPPORTED;
    }
    amdvi_write(u, AMDVI_CONTROL, 0);
    amdvi_write(u, AMDVI_STATUS, AMDVI_STATUS_EVENT_OVERFLOW | AMDVI_STATUS_EVENT_MSI);
    return STATUS_OK;
}

static enum status make_buffers(struct amdvi_unit *u)
{
    u->commands = heap_page_alloc();
    u->events = heap_page_alloc();
    u->wait = heap_page_alloc();
    return u->commands.v == 0 || u->events.v == 0 || u->wait.v == 0 ? ERR_NO_MEMORY : STATUS_OK;
}

static void give_tables(const struct amdvi_unit *u)
{
    uint64_t pages = amdvi.device_count * AMDVI_DTE_SIZE / PAGE_SIZE;
    amdvi_write(u, AMDVI_DEVICE_TABLE, amdvi.devices.v | (pages - 1));
    amdvi_write(u, AMDVI_COMMAND_BASE, u->commands.v | AMDVI_BASE_256_ENTRIES);
    amdvi_write(u, AMDVI_COMMAND_HEAD, 0);
    amdvi_write(u, AMDVI_COMMAND_TAIL, 0);
    amdvi_write(u, AMDVI_EVENT_BASE, u->events.v | AMDVI_BASE_256_ENTRIES);
    amdvi_write(u, AMDVI_EVENT_HEAD, 0);
    amdvi_write(u, AMDVI_EVENT_TAIL, 0);
    // An exclusion range of the firmware's would bypass the tables.
    amdvi_write(u, AMDVI_EXCLUSION_BASE, 0);
    amdvi_write(u, AMDVI_EXCLUSION_LIMIT, 0);
}

static uint64_t control_bits(const struct amdvi_unit *u)
{
    static const struct {
        uint8_t flag;
        uint64_t control;
    } wanted[] = {
        // Only the firmware knows the settings for the links to devices.
        {IVRS_UNIT_HT_TUNNEL, AMDVI_CONTROL_HT_TUNNEL},
        {IVRS_UNIT_PASS_PW, AMDVI_CONTROL_PASS_PW},
        {IVRS_UNIT_RES_PASS_PW, AMDVI_CONTROL_RES_PASS_PW},
        {IVRS_UNIT_ISOCHRONOUS, AMDVI_CONTROL_ISOCHRONOUS},
    };
    uint64_t control = AMDVI_CONTROL_ON | AMDVI_CONTROL_EVENT_LOG | AMDVI_CONTROL_COMMAND_BUFFER |
                       AMDVI_CONTROL_COHERENT | AMDVI_CONTROL_TIMEOUT_1S;
    for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (u->firmware->flags & wanted[i].flag) {
            control |= wanted[i].control;
        }
    }
    return amdvi.wide ? control | AMDVI_CONTROL_GUEST_APIC | AMDVI_CONTROL_X2APIC : control;
}

// Caches keep their contents while the unit is off (48882, 2.4.10). A cached translation is used
// only if a device table entry names its domain, and the hypervisor's entries name only the
// partitions' domains and 0.
static bool empty_caches(struct amdvi_unit *u)
{
    if (u->features & AMDVI_FEATURE_INVALIDATE_ALL) {
        return amdvi_command(u, AMDVI_COMMAND_INVALIDATE_ALL, 0) && amdvi_complete(u);
    }
    for (uint32_t id = 0; id < amdvi.device_count; id++) {
        if (!amdvi_command(u, AMDVI_COMMAND_INVALIDATE_DEVICE | id, 0) ||
            !amdvi_command(u, AMDVI_COMMAND_INVALIDATE_INTERRUPTS | id, 0)) {
            return false;
        }
    }
    for (uint64_t domain = 0; domain <= MAX_PARTITIONS; domain++) {
        uint64_t first = AMDVI_COMMAND_INVALIDATE_PAGES | domain << AMDVI_PAGES_DOMAIN_SHIFT;
        if (!amdvi_command(u, first, AMDVI_PAGES_ALL)) {
            return false;
        }
    }
    return amdvi_complete(u);
}

enum status amdvi_unit_enable(struct amdvi_unit *u)
{
    enum status s = make_buffers(u);
    if (s == STATUS_OK) {
        s = turn_off(u);
    }
    if (s != STATUS_OK) {
        return s;
    }
    give_tables(u);
    u->control = control_bits(u);
    amdvi_write(u, AMDVI_CONTROL, u->control);
    return empty_caches(u) ? STATUS_OK : ERR_UNSUPPORTED;
}
