// SPDX-License-Identifier: Apache-2.0
// SHA-256 by FIPS 180-4 (section numbers are those of that document). Written to be small; the
// compiler keeps the loop's eight variables in registers.
#include "partitions/sha256.h"

#include "arch/lib/string.h"

// The fractions of the cube roots of the first 64 primes (4.2.2).
static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate_right(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static inline uint32_t read_big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void write_big_endian(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

// Hashes one block (6.2.2). Only the last 16 words of the message schedule are needed at any time.
static void hash_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    uint32_t w[16];

    for (unsigned i = 0; i < 64; i++) {
        uint32_t *word = &w[i % 16];

        if (i < 16) {
            *word = read_big_endian(block + 4 * i);
        } else {
            uint32_t x = w[(i - 15) % 16];
            uint32_t y = w[(i - 2) % 16];

            *word += w[(i - 7) % 16] + (rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3) +
                     (rotate_right(y, 17) ^ rotate_right(y, 19) ^ y >> 10);
        }

        uint32_t t1 = h + (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                      (g ^ (e & (f ^ g))) + constants[i] + *word;
        uint32_t t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                      ((a & b) | (c & (a | b)));

        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void sha256_init(struct sha256 *s)
{
    // The fractions of the square roots of the first 8 primes (5.3.3).
    *s = (struct sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                   0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void sha256_update(struct sha256 *s, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t held = s->size % SHA256_BLOCK_SIZE;

    s->size += size;
    if (held > 0) {
        size_t n = min_u64(SHA256_BLOCK_SIZE - held, size);

        memcpy(s->block + held, bytes, n);
        if (held + n < SHA256_BLOCK_SIZE)
            return;
        hash_block(s->state, s->block);
        bytes += n;
        size -= n;
    }
    for (; size >= SHA256_BLOCK_SIZE; size -= SHA256_BLOCK_SIZE, bytes += SHA256_BLOCK_SIZE)
        hash_block(s->state, bytes);
    if (size > 0)
        memcpy(s->block, bytes, size);
}

// Padding (5.1.1): a one bit, zeros, and the number of bits in the last 8 bytes of a block.
void sha256_final(struct sha256 *s, uint8_t hash[SHA256_SIZE])
{
    uint64_t bits = s->size * 8;
    size_t held = s->size % SHA256_BLOCK_SIZE;

    s->block[held++] = 0x80;
    if (held > SHA256_BLOCK_SIZE - sizeof(bits)) {
        memset(s->block + held, 0, SHA256_BLOCK_SIZE - held);
        hash_block(s->state, s->block);
        held = 0;
    }
    memset(s->block + held, 0, SHA256_BLOCK_SIZE - sizeof(bits) - held);
    write_big_endian(s->block + SHA256_BLOCK_SIZE - 8, (uint32_t)(bits >> 32));
    write_big_endian(s->block + SHA256_BLOCK_SIZE - 4, (uint32_t)bits);
    hash_block(s->state, s->block);
    for (unsigned i = 0; i < 8; i++)
        write_big_endian(hash + 4 * i, s->state[i]);
}
