// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of data that comes in pieces. bulkhead-config writes the hash of a module's
// file into the blob; the hypervisor computes it again from the loaded module.
#ifndef PARTITIONS_SHA256_H
#define PARTITIONS_SHA256_H

#include "arch/lib/types.h"

#define SHA256_SIZE       32 // bytes of a hash
#define SHA256_BLOCK_SIZE 64 // bytes of a block

struct sha256 {
    uint32_t state[8];
    uint64_t size;                    // bytes added so far
    uint8_t block[SHA256_BLOCK_SIZE]; // the last size % SHA256_BLOCK_SIZE bytes, not yet hashed
};

void sha256_init(struct sha256 *s);

// Adds `size` bytes. All of them together must be less than 2^61.
void sha256_update(struct sha256 *s, const void *data, size_t size);

// The hash of all bytes added. `s` is invalid afterwards.
void sha256_final(struct sha256 *s, uint8_t hash[SHA256_SIZE]);

#endif
