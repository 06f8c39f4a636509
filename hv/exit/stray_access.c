// SPDX-License-Identifier: Apache-2.0
// What a stray access reads or writes, and what is logged about it.
#include "hv/exit/stray_access.h"

#include "arch/memory/window.h"
#include "hv/partition/log.h"
#include "hv/partition/partition.h"
#include "hv/partition/stray.h"

// Whether the address is memory that the guest may only read. Its device lock is held.
static bool is_read_only(const struct partition *p, gpa_t address, struct pt_leaf *leaf)
{
    return pt_lookup(&p->second_level, address.v, leaf) && (leaf->flags & PT_WRITE) == 0;
}

// Logs one line for each page that has nothing, or that doesn't accept a write.
static void tell_stray(struct vcpu *v, gpa_t address, bool write, bool read_only)
{
    struct partition *p = v->partition;
    spin_lock(&p->device_lock);
    enum stray_news news = stray_note(&p->devices.stray, address);
    spin_unlock(&p->device_lock);
    const char *end = news == STRAY_LAST ? "; pages touched from now on are only counted" : "";
    if (news != STRAY_KNOWN && read_only) {
        log_guest(v, "guest-physical 0x%lx is read-only: a write is dropped%s", address.v, end);
    } else if (news != STRAY_KNOWN) {
        log_guest(v, "nothing is at guest-physical 0x%lx (a PC has there %s): a %s%s", address.v,
                  stray_place(address), write ? "write is dropped" : "read gives ones", end);
    }
}

static bool stray_stops(const struct vcpu *v)
{
    return (v->partition->config->flags & BLOB_STOP_ON_STRAY) != 0;
}

enum status stray_read(struct vcpu *v, gpa_t address, unsigned size, uint64_t *value)
{
    struct partition *p = v->partition;
    struct pt_leaf leaf;
    spin_lock(&p->device_lock);
    bool there = is_read_only(p, address, &leaf);
    spin_unlock(&p->device_lock);
    *value = size_mask(size);
    if (there) { // read-only memory, read by an instruction that also writes
        phys_read(leaf.pa, value, size);
        return STATUS_OK;
    }
    if (stray_stops(v)) {
        return ERR_RANGE;
    }
    tell_stray(v, address, false, false);
    return STATUS_OK;
}

enum status stray_write(struct vcpu *v, gpa_t address)
{
    struct partition *p = v->partition;
    struct pt_leaf leaf;
    if (stray_stops(v)) {
        return ERR_RANGE;
    }
    spin_lock(&p->device_lock);
    bool read_only = is_read_only(p, address, &leaf);
    spin_unlock(&p->device_lock);
    tell_stray(v, address, true, read_only);
    return STATUS_OK;
}
