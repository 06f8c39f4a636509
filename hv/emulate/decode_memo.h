// SPDX-License-Identifier: Apache-2.0
// Remembers decoded instructions by their bytes, because a driver accesses its device with the same
// few instructions again and again. The result depends only on the bytes and the mode, and every
// use compares both in full. So an entry never becomes wrong, whatever the guest does to its code,
// page tables or segments.
#ifndef HV_EMULATE_DECODE_MEMO_H
#define HV_EMULATE_DECODE_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/lib/types.h"
#include "hv/emulate/decode.h"

#define DECODE_MEMO_ENTRIES 8

// Up to 15 bytes of an instruction, and the mode as the 16th byte.
struct decode_key {
    uint64_t first;
    uint64_t second;
};

// An entry of zeros is empty: it ignores no bits, and no mode is 0.
struct decode_memo {
    struct decode_memo_entry {
        struct decode_key key;
        struct decode_key ignored; // ones between the end of the instruction and the mode
        struct insn insn;
    } entry[DECODE_MEMO_ENTRIES];
};

// `bytes` are INSN_MAX_LENGTH bytes, whatever follows the instruction.
static inline struct decode_key decode_memo_key(const uint8_t *bytes, enum decode_mode mode)
{
    struct decode_key key;
    __builtin_memcpy(&key.first, bytes, sizeof(key.first));
    __builtin_memcpy(&key.second, bytes + 7, sizeof(key.second));
    key.second = key.second >> 8 | (uint64_t)mode << 56;
    return key;
}

// The slot comes from the first bytes (prefixes, opcode, ModRM), which usually differ between
// instructions; the length isn't known yet.
static inline unsigned decode_memo_slot(const struct decode_key *key)
{
    uint64_t start = key->first ^ key->first >> 8;
    return (unsigned)((start ^ start >> 4) % DECODE_MEMO_ENTRIES);
}

// The bits of a key that belong neither to an instruction of this length (1 to 15) nor to the mode.
static inline struct decode_key decode_memo_ignored(unsigned length)
{
    const uint64_t bytes = ~0ull >> 8; // of the second word, without the mode
    if (length < 8) {
        return (struct decode_key){~0ull << (8 * length), bytes};
    }
    return (struct decode_key){0, bytes & ~0ull << (8 * (length - 8))};
}

// The decoded instruction for `key`, or NULL if there is none. Valid until the next
// decode_memo_keep().
static inline const struct insn *decode_memo_find(const struct decode_memo *memo,
                                                  const struct decode_key *key)
{
    const struct decode_memo_entry *e = &memo->entry[decode_memo_slot(key)];
    uint64_t differs = ((e->key.first ^ key->first) & ~e->ignored.first) |
                       ((e->key.second ^ key->second) & ~e->ignored.second);
    return differs == 0 ? &e->insn : NULL;
}

// Remembers that `key` decodes to `insn`. Only after decode() returned STATUS_OK.
static inline void decode_memo_keep(struct decode_memo *memo, const struct decode_key *key,
                                    const struct insn *insn)
{
    struct decode_memo_entry *e = &memo->entry[decode_memo_slot(key)];
    e->key = *key;
    e->ignored = decode_memo_ignored(insn->length);
    e->insn = *insn;
}

#endif
