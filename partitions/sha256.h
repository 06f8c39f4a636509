// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), of data that comes in pieces. For bulkhead-config, which writes down what a
// module's file gives, and for the hypervisor, which computes it again from what was loaded.
#ifndef PARTITIONS_SHA256_H
#define PARTITIONS_SHA256_H

#include "arch/lib/types.h"

#define SHA256_SIZE       32 // bytes of a hash
#define SHA256_BLOCK_SIZE 64 // bytes that are hashed at a time

struct sha256 {
    uint32_t state[8];
    uint64_t size;                    // bytes so far
    uint8_t block[SHA256_BLOCK_SIZE]; // the last size % SHA256_BLOCK_SIZE of them, not yet hashed
};

void sha256_init(struct sha256 *s);

// Adds `size` bytes; all of them together are less than 2^61.
void sha256_update(struct sha256 *s, const void *data, size_t size);

// The hash of all that was added. `s` is of no use afterwards.
void sha256_final(struct sha256 *s, uint8_t hash[SHA256_SIZE]);

#endif
