// SPDX-License-Identifier: Apache-2.0
// One VT-d unit: its features, and its global commands, each with a time limit.
#include "arch/cpu/tsc.h"
#include "arch/lib/format.h"
#include "arch/memory/mmu.h"
#include "drivers/vtd/vtd.h"

#define TIME_LIMIT_US 1000000u

struct vtd vtd;

// Features that a unit must have.
static const struct {
    bool extended; // true: in ECAP; false: in CAP
    uint64_t mask; // at least one of these bits
    const char *missing;
} needs[] = {
    {true, VTD_ECAP_QI, "has no invalidation queue"},
    {true, VTD_ECAP_IR,
     "has no interrupt remapping: turn it on in the firmware's setup (QEMU: intremap=on)"},
    {false, VTD_CAP_SAGAW_48 | VTD_CAP_SAGAW_39,
     "walks no second-level tables of 3 or 4 levels in legacy mode"},
};

static enum status refuse(const struct vtd_unit *u, char *error, size_t size, const char *why)
{
    format(error, size, "VT-d unit at 0x%lx %s", u->base, why);
    return ERR_UNSUPPORTED;
}

static enum status map_registers(struct vtd_unit *u, uint64_t bytes)
{
    u->registers = mmu_map_device(hpa(u->base), bytes);
    return u->registers == NULL ? ERR_NO_MEMORY : STATUS_OK;
}

enum status vtd_unit_probe(struct vtd_unit *u, char *error, size_t size)
{
    if (map_registers(u, VTD_REGISTERS_MIN) != STATUS_OK) {
        refuse(u, error, size, "can't be mapped: the hypervisor's memory is used up");
        return ERR_NO_MEMORY;
    }
    uint32_t version = vtd_read32(u->registers, VTD_VER);
    u->cap = vtd_read64(u->registers, VTD_CAP);
    u->ecap = vtd_read64(u->registers, VTD_ECAP);
    if (version == 0 || version == UINT32_MAX || u->cap == UINT64_MAX || u->ecap == UINT64_MAX) {
        return refuse(u, error, size,
                      "does not answer: update the firmware, or turn VT-d off in its setup");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(needs); i++) {
        if (((needs[i].extended ? u->ecap : u->cap) & needs[i].mask) == 0) {
            return refuse(u, error, size, needs[i].missing);
        }
    }
    if (VTD_CAP_DOMAINS(u->cap) <= MAX_PARTITIONS) {
        return refuse(u, error, size, "has too few domains for all partitions");
    }
    uint64_t end = VTD_CAP_FRO(u->cap) + 16 * VTD_CAP_NFR(u->cap);
    if (end > VTD_REGISTERS_MIN && map_registers(u, end) != STATUS_OK) {
        refuse(u, error, size, "can't be mapped: the hypervisor's memory is used up");
        return ERR_NO_MEMORY;
    }
    return STATUS_OK;
}

bool vtd_wait(const struct vtd_unit *u, unsigned offset, uint32_t mask, uint32_t value)
{
    uint64_t begin = time_us();
    for (;;) {
        // Taken before the read, because this CPU may be delayed between.
        bool late = time_us() - begin > TIME_LIMIT_US;
        uint32_t now = vtd_read32(u->registers, offset);
        if (now == UINT32_MAX) {
            return false; // the unit no longer exists
        }
        if ((now & mask) == value) {
            return true;
        }
        if (late) {
            return false;
        }
        __builtin_ia32_pause();
    }
}

// One write gives all commands, so those in force must be repeated (11.4.4).
enum status vtd_command(const struct vtd_unit *u, uint32_t bit, bool on)
{
    uint32_t now = vtd_read32(u->registers, VTD_GSTS);
    if (now == UINT32_MAX) {
        return ERR_UNSUPPORTED;
    }
    if ((bit & VTD_GSTS_ONE_SHOT) == 0 && ((now & bit) != 0) == on) {
        return STATUS_OK;
    }
    uint32_t command = now & ~VTD_GSTS_ONE_SHOT;
    command = on ? command | bit : command & ~bit;
    vtd_write32(u->registers, VTD_GCMD, command);
    // A write buffer flush has ended when its status bit is clear; all other commands when it is
    // set.
    bool there = on && bit != VTD_G_WBF;
    return vtd_wait(u, VTD_GSTS, bit, there ? bit : 0) ? STATUS_OK : ERR_UNSUPPORTED;
}

enum status vtd_flush_write_buffer(struct vtd_unit *u)
{
    return u->cap & VTD_CAP_RWBF ? vtd_command(u, VTD_G_WBF, true) : STATUS_OK;
}

void vtd_written(const void *start, size_t size)
{
    if (!vtd.snoops) {
        vtd_write_back(start, size);
    }
}
