// SPDX-License-Identifier: Apache-2.0
// Address kinds as distinct types, so that the compiler catches a mixed-up address, and the few
// macros that every layer uses. Builds for the hypervisor and for the host.
#ifndef ARCH_LIB_TYPES_H
#define ARCH_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A host-physical address: what the memory bus sees.
typedef struct {
    uint64_t v;
} hpa_t;

// A guest-physical address: what one partition sees as physical.
typedef struct {
    uint64_t v;
} gpa_t;

static inline hpa_t hpa(uint64_t v)
{
    return (hpa_t){v};
}

static inline gpa_t gpa(uint64_t v)
{
    return (gpa_t){v};
}

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ull
#define PAGE_MASK  (PAGE_SIZE - 1)

#define BIT(n) (1ull << (n))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

// `a` is a power of two.
static inline uint64_t align_up(uint64_t x, uint64_t a)
{
    return (x + a - 1) & ~(a - 1);
}

static inline uint64_t align_down(uint64_t x, uint64_t a)
{
    return x & ~(a - 1);
}

static inline bool is_aligned(uint64_t x, uint64_t a)
{
    return (x & (a - 1)) == 0;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

// Whether `size` bytes at `at` lie within the range 0 to `limit` - 1.
static inline bool is_within(uint64_t at, uint64_t size, uint64_t limit)
{
    return at <= limit && size <= limit - at;
}

// Whether two ranges share a byte. An empty range shares none. Neither range may wrap.
static inline bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a_size != 0 && b_size != 0 && a < b + b_size && b < a + a_size;
}

// Limits of the machine, for which the static tables are sized.
#define MAX_CPUS       64
#define MAX_PARTITIONS 16

#endif
