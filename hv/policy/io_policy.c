// SPDX-License-Identifier: Apache-2.0
// Builds I/O permission maps. Refuses to pass a port if its access would reach beyond the
// partition, or bypass a virtual device at that port.
#include "hv/policy/io_policy.h"

#include "arch/lib/string.h"

#define PORTS    65536u
#define MAP_SIZE (PORTS / 8)

static const struct io_range fixed[] = {
    {0x0000, 0x001f, "DMA controller 1 reaches all memory"},
    {0x0020, 0x0021, "interrupt controller 1: the guest has one of its own"},
    {0x0022, 0x0023, "chipset and interrupt mode configuration"},
    {0x0040, 0x0043, "timer: the guest has a virtual one"},
    {0x0060, 0x0060, "keyboard controller: can reset the machine"},
    {0x0061, 0x0061, "timer channel 2 and NMI mask: the guest has a virtual one"},
    {0x0064, 0x0064, "keyboard controller: can reset the machine"},
    {0x0070, 0x0077, "real-time clock and NMI mask: the guest has a virtual one"},
    {0x0080, 0x008f, "DMA page registers reach all memory"},
    {0x0092, 0x0092, "fast reset and A20"},
    {0x00a0, 0x00a1, "interrupt controller 2: the guest has one of its own"},
    {0x00b2, 0x00b3, "triggers system management interrupts"},
    {0x00c0, 0x00df, "DMA controller 2 reaches all memory"},
    {0x03f8, 0x03ff, "serial port 1: the guest has a virtual one"},
    {0x0400, 0x0401, "DMA controller 1, extended"},
    {0x0481, 0x048f, "DMA page registers, extended"},
    {0x04d0, 0x04d1, "edge and level control of interrupts"},
    {0x0cf8, 0x0cff, "PCI configuration and the reset register"},
};

const struct io_range *io_policy_kept(unsigned *count)
{
    *count = ARRAY_SIZE(fixed);
    return fixed;
}

static const struct io_range *overlap(const struct io_range *pass, const struct io_range *kept,
                                      unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (pass->first <= kept[i].last && kept[i].first <= pass->last) {
            return &kept[i];
        }
    }
    return NULL;
}

enum status io_policy_check(const struct io_range *pass, const struct io_range *kept,
                            unsigned kept_count, struct io_refusal *refusal)
{
    *refusal = (struct io_refusal){.pass = pass};
    if (pass->first > pass->last) {
        return ERR_INVALID;
    }
    refusal->kept = overlap(pass, fixed, ARRAY_SIZE(fixed));
    if (refusal->kept == NULL) {
        refusal->kept = overlap(pass, kept, kept_count);
    }
    return refusal->kept == NULL ? STATUS_OK : ERR_DENIED;
}

enum status io_policy_build(uint8_t *map, size_t size, const struct io_range *passes,
                            unsigned pass_count, const struct io_range *kept, unsigned kept_count,
                            struct io_refusal *refusal)
{
    *refusal = (struct io_refusal){0};
    memset(map, 0xff, size);
    if (size < MAP_SIZE) {
        return ERR_RANGE;
    }
    for (unsigned i = 0; i < pass_count; i++) {
        enum status status = io_policy_check(&passes[i], kept, kept_count, refusal);
        if (status != STATUS_OK) {
            return status;
        }
    }
    for (unsigned i = 0; i < pass_count; i++) {
        for (unsigned port = passes[i].first; port <= passes[i].last; port++) {
            map[port / 8] &= (uint8_t) ~(1u << port % 8);
        }
    }
    return STATUS_OK;
}
