// SPDX-License-Identifier: Apache-2.0
// Reads and writes spans. A processor splits such an access too, and it is atomic there only if it
// is locked. Here a locked access is not atomic either.
#include "hv/emulate/split.h"

#include "hv/memory/guest_mem.h"

static bool is_ram(const struct emulate_context *c, const struct guest_span *span, unsigned i)
{
    return guest_ram_contains(c->ram, span->part[i], span->len[i]);
}

static enum status read_part(const struct emulate_context *c, const struct guest_span *span,
                             unsigned i, uint64_t *value)
{
    *value = 0; // little-endian: a shorter copy fills the low bytes
    return is_ram(c, span, i) ? guest_read(c->ram, span->part[i], value, span->len[i])
                              : c->host->mmio_read(c->vcpu, span->part[i], span->len[i], value);
}

enum status emulate_span_read(const struct emulate_context *c, const struct guest_span *span,
                              uint64_t *value)
{
    uint64_t high;
    enum status status = read_part(c, span, 0, value);

    if (status != STATUS_OK || span->len[1] == 0)
        return status;
    status = read_part(c, span, 1, &high);
    if (status == STATUS_OK)
        *value |= high << 8 * span->len[0];
    return status;
}

static enum status write_part(const struct emulate_context *c, const struct guest_span *span,
                              unsigned i, uint64_t value)
{
    value &= size_mask(span->len[i]);
    return is_ram(c, span, i) ? guest_write(c->ram, span->part[i], &value, span->len[i])
                              : c->host->mmio_write(c->vcpu, span->part[i], span->len[i], value);
}

// The part outside RAM is written first: only that can fail.
enum status emulate_span_write(const struct emulate_context *c, const struct guest_span *span,
                               uint64_t value)
{
    uint64_t high = span->len[1] == 0 ? 0 : value >> 8 * span->len[0];
    unsigned first = is_ram(c, span, 0) ? 1 : 0;
    enum status status = STATUS_OK;

    if (span->len[1] == 0)
        return write_part(c, span, 0, value);
    status = write_part(c, span, first, first == 0 ? value : high);
    return status == STATUS_OK ? write_part(c, span, !first, first == 0 ? high : value) : status;
}

bool emulate_span_has(const struct emulate_context *c, const struct guest_span *span, gpa_t address)
{
    bool first = span->part[0].v == address.v && !is_ram(c, span, 0);
    // Processors report a fault on the second page at the first byte accessed there.
    bool second = span->len[1] != 0 && span->part[1].v == address.v && !is_ram(c, span, 1);

    return first || second;
}
