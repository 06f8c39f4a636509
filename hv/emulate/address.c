// SPDX-License-Identifier: Apache-2.0
// Fetches an instruction and finds what it addresses: effective addresses and segmentation. Relies
// on the guest page-table walk for the bytes, and on the vCPU's side for its segments.
#include "hv/emulate/emulate.h"

#include "arch/lib/string.h"

#include "hv/emulate/decode_memo.h"

enum status emulate_page_fault(struct emulate_context *c, const struct guest_fault *fault)
{
    c->exception.vector = EXCEPTION_PF;
    c->exception.error_code = fault->error_code;
    c->exception.cr2 = fault->address;
    return ERR_FAULT;
}

// Decodes an instruction that is not in the memo. Out of line, so that those in the memo don't pay
// for it.
static __attribute__((noinline)) enum status
decode_new(struct emulate_context *c, const uint8_t *bytes, size_t available, struct insn *out)
{
    enum status status = decode(bytes, available, c->mode, out);

    if (status == STATUS_OK && available == INSN_MAX_LENGTH && c->memo != NULL) {
        struct decode_key key = decode_memo_key(bytes, c->mode);
        decode_memo_keep(c->memo, &key, out);
    }
    return status;
}

// Does what decode() does, through the memo if all bytes are there.
static inline enum status decode_known(struct emulate_context *c, const uint8_t *bytes,
                                       size_t available, struct insn *out)
{
    if (available == INSN_MAX_LENGTH && c->memo != NULL) {
        struct decode_key key = decode_memo_key(bytes, c->mode);
        const struct insn *known = decode_memo_find(c->memo, &key);
        if (known != NULL) {
            *out = *known;
            return STATUS_OK;
        }
    }
    return decode_new(c, bytes, available, out);
}

enum status emulate_fetch(struct emulate_context *c, struct insn *out,
                          uint8_t bytes[INSN_MAX_LENGTH], size_t *got)
{
    struct guest_fault fault;
    enum status status = ERR_TRUNCATED;

    *got = c->fetched_count;
    if (c->fetched_count > 0) {
        memcpy(bytes, c->fetched, c->fetched_count);
        status = decode_known(c, bytes, *got, out);
    }
    // Only an instruction that crosses into another page needs a second round.
    while (status == ERR_TRUNCATED) {
        status =
            guest_fetch(c->ram, c->paging, c->cs_base, c->rip, bytes, INSN_MAX_LENGTH, got, &fault);
        if (status == ERR_FAULT)
            return emulate_page_fault(c, &fault);
        if (status != STATUS_OK)
            return status;
        status = decode_known(c, bytes, *got, out);
    }
    return status;
}

uint64_t emulate_offset(const struct insn *insn, const struct guest_regs *regs, uint64_t rip)
{
    uint64_t offset = (uint64_t)insn->disp;

    if (insn->base != INSN_NO_REG)
        offset += regs->r[insn->base];
    if (insn->index != INSN_NO_REG)
        offset += regs->r[insn->index] << insn->scale;
    if (insn->rip_relative)
        offset += rip + insn->length;
    return offset & size_mask(insn->address_size);
}

static enum status segment_fault(struct emulate_context *c, unsigned segment)
{
    c->exception.vector = segment == SEG_SS ? EXCEPTION_SS : EXCEPTION_GP;
    c->exception.error_code = 0;
    return ERR_FAULT;
}

static bool is_canonical(const struct emulate_context *c, uint64_t linear)
{
    unsigned unused = c->paging->cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

    return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

// Whether a segment's rights in protected mode allow the access. A segment with a null selector is
// not present.
static bool segment_allows(const struct guest_segment *s, bool write)
{
    if (!(s->attributes & SEGMENT_PRESENT))
        return false;
    if (s->attributes & SEGMENT_CODE)
        return !write && (s->attributes & SEGMENT_READABLE);
    return !write || (s->attributes & SEGMENT_WRITABLE);
}

// Whether [first, last] lies in the segment. `last` is the offset of the last byte and has not
// wrapped.
static bool within_limit(const struct guest_segment *s, bool rights, uint64_t first, uint64_t last)
{
    if (rights && !(s->attributes & SEGMENT_CODE) && (s->attributes & SEGMENT_EXPAND_DOWN))
        return first > s->limit && last <= (s->attributes & SEGMENT_BIG ? 0xffffffff : 0xffff);
    return last <= s->limit;
}

enum status emulate_linear(struct emulate_context *c, unsigned segment, uint64_t offset,
                           unsigned size, bool write, uint64_t *linear)
{
    struct guest_segment s = {0, 0, 0};

    if (c->mode == DECODE_64) {
        if (segment == SEG_FS || segment == SEG_GS)
            c->host->segment(c->vcpu, segment, &s);
        *linear = s.base + offset;
        if (is_canonical(c, *linear) && is_canonical(c, *linear + size - 1))
            return STATUS_OK;
        return segment_fault(c, segment);
    }

    c->host->segment(c->vcpu, segment, &s);
    if (!c->real_mode && !segment_allows(&s, write))
        return segment_fault(c, segment);
    if (!within_limit(&s, !c->real_mode, offset, offset + size - 1))
        return segment_fault(c, segment);
    *linear = (s.base + offset) & 0xffffffff;
    return STATUS_OK;
}
