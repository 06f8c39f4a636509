// SPDX-License-Identifier: Apache-2.0
// The memory operand of an emulated instruction: in one device page, or on two pages, one of which
// may be RAM. Internal to the emulator.
#ifndef HV_EMULATE_SPLIT_H
#define HV_EMULATE_SPLIT_H

#include "hv/emulate/emulate.h"

// Each page of a span is RAM or not. Parts outside RAM are accessed through the host's mmio_read()
// and mmio_write(). At most 8 bytes together. Errors as theirs.
enum status emulate_span_read(const struct emulate_context *c, const struct guest_span *span,
                              uint64_t *value);
enum status emulate_span_write(const struct emulate_context *c, const struct guest_span *span,
                               uint64_t value);

// Whether an access to the span can be the access that was refused at `address`.
bool emulate_span_has(const struct emulate_context *c, const struct guest_span *span,
                      gpa_t address);

// Accesses the operand at `address`, or at c->split if it lies on two pages.
static inline enum status operand_read(const struct emulate_context *c, gpa_t address,
                                       unsigned size, uint64_t *value)
{
    return c->split == NULL ? c->host->mmio_read(c->vcpu, address, size, value)
                            : emulate_span_read(c, c->split, value);
}

static inline enum status operand_write(const struct emulate_context *c, gpa_t address,
                                        unsigned size, uint64_t value)
{
    return c->split == NULL ? c->host->mmio_write(c->vcpu, address, size, value)
                            : emulate_span_write(c, c->split, value);
}

#endif
