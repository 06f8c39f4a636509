// SPDX-License-Identifier: Apache-2.0
// The fake page heap; see fake_heap.h. Misuse (double free, access to a free page) ends the test.
#include "tests/unit/fake_heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t memory[FAKE_HEAP_PAGES][512] __attribute__((aligned(4096)));
static bool taken[FAKE_HEAP_PAGES];
static unsigned used;
static unsigned next;
static long fail_after = -1;

static void misuse(const char *what, uint64_t address)
{
    fprintf(stderr, "fake heap: %s 0x%llx\n", what, (unsigned long long)address);
    abort();
}

void fake_heap_reset(void)
{
    memset(taken, 0, sizeof(taken));
    used = 0;
    next = 0;
    fail_after = -1;
}

void fake_heap_fail_after(long count)
{
    fail_after = count;
}

unsigned fake_heap_used(void)
{
    return used;
}

void fake_heap_take_all(void)
{
    while (used < FAKE_HEAP_PAGES) {
        heap_page_alloc();
    }
}

uint64_t fake_heap_hash(void)
{
    uint64_t hash = 14695981039346656037ull;
    for (unsigned i = 0; i < FAKE_HEAP_PAGES; i++) {
        if (!taken[i]) {
            continue;
        }
        hash = (hash ^ i) * 1099511628211ull;
        for (unsigned j = 0; j < 512; j++) {
            hash = (hash ^ memory[i][j]) * 1099511628211ull;
            hash ^= hash >> 29;
        }
    }
    return hash;
}

hpa_t heap_page_alloc(void)
{
    if (fail_after == 0 || used == FAKE_HEAP_PAGES) {
        return hpa(0);
    }
    if (fail_after > 0) {
        fail_after--;
    }
    while (taken[next]) {
        next = (next + 1) % FAKE_HEAP_PAGES;
    }
    unsigned i = next;
    next = (next + 1) % FAKE_HEAP_PAGES; // a freed page comes back as late as possible
    taken[i] = true;
    used++;
    memset(memory[i], 0, sizeof(memory[i]));
    return hpa(FAKE_HEAP_BASE + i * PAGE_SIZE);
}

// Consecutive pages that were never handed out, from the end, so that they are never short of one.
hpa_t heap_pages_alloc(unsigned count)
{
    unsigned free_run = 0;
    for (unsigned i = FAKE_HEAP_PAGES; i-- > 0;) {
        free_run = taken[i] ? 0 : free_run + 1;
        if (free_run < count || fail_after == 0) {
            continue;
        }
        fail_after -= fail_after > 0;
        used += count;
        for (unsigned j = i; j < i + count; j++) {
            taken[j] = true;
            memset(memory[j], 0, sizeof(memory[j]));
        }
        return hpa(FAKE_HEAP_BASE + i * PAGE_SIZE);
    }
    return hpa(0);
}

// Whole pages, so that what goes beyond its end is found.
void *heap_alloc(size_t size)
{
    hpa_t pages = heap_pages_alloc((unsigned)(align_up(size, PAGE_SIZE) / PAGE_SIZE));
    return pages.v != 0 ? heap_ptr(pages) : NULL;
}

hpa_t heap_pa(const void *pointer)
{
    uint64_t offset = (uint64_t)((const uint8_t *)pointer - (const uint8_t *)memory);
    if (offset >= sizeof(memory)) {
        misuse("not a pointer into it:", (uint64_t)pointer);
    }
    return hpa(FAKE_HEAP_BASE + offset);
}

bool heap_contains(hpa_t address)
{
    return address.v >= FAKE_HEAP_BASE && address.v < FAKE_HEAP_BASE + FAKE_HEAP_PAGES * PAGE_SIZE;
}

void heap_page_free(hpa_t page)
{
    uint64_t i = (page.v - FAKE_HEAP_BASE) / PAGE_SIZE;
    if (!heap_contains(page) || !is_aligned(page.v, PAGE_SIZE) || !taken[i]) {
        misuse("freed what wasn't taken:", page.v);
    }
    taken[i] = false;
    used--;
    memset(memory[i], 0xa5, sizeof(memory[i]));
}

void heap_pages_free(hpa_t base, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        heap_page_free(hpa(base.v + i * PAGE_SIZE));
    }
}

void *heap_ptr(hpa_t address)
{
    if (!heap_contains(address)) {
        misuse("access outside:", address.v);
    }
    uint64_t i = (address.v - FAKE_HEAP_BASE) / PAGE_SIZE;
    if (!taken[i]) {
        misuse("access to a free page:", address.v);
    }
    return (uint8_t *)memory[i] + (address.v & PAGE_MASK);
}
