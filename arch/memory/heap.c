// SPDX-License-Identifier: Apache-2.0
// The hypervisor's heap: a bump pointer with a list of freed single pages. Nearly everything in it
// lives as long as the machine runs. Relies on arch/memory/mmu.c, which maps the block.
#include "arch/memory/heap.h"

#include "arch/lib/spinlock.h"
#include "arch/lib/string.h"

// Held for a few instructions. CPUs compete for it only while the machine starts.
static struct spinlock lock;

static struct {
    uint64_t base;
    uint64_t size;
    uint64_t next;  // offset of the first page that was never handed out
    uint64_t freed; // physical address of the first freed page, 0: none; each page's first word
                    // links to the next
    uint64_t freed_count;
    uint8_t *pointer;
    uint64_t small_next; // offset of heap_alloc's next bytes, in the pages before small_end
    uint64_t small_end;
} heap;

void heap_init(hpa_t base, uint64_t size, void *pointer)
{
    heap.base = base.v;
    heap.size = size;
    heap.pointer = pointer;
}

bool heap_contains(hpa_t address)
{
    return address.v - heap.base < heap.size;
}

void *heap_ptr(hpa_t address)
{
    return heap.pointer + (address.v - heap.base);
}

hpa_t heap_pa(const void *pointer)
{
    return hpa(heap.base + (uint64_t)((const uint8_t *)pointer - heap.pointer));
}

static hpa_t take_pages(unsigned count)
{
    uint64_t bytes = (uint64_t)count * PAGE_SIZE;
    if (heap.size - heap.next < bytes) {
        return hpa(0);
    }
    hpa_t page = hpa(heap.base + heap.next);
    heap.next += bytes;
    return page;
}

hpa_t heap_pages_alloc(unsigned count)
{
    spin_lock(&lock);
    hpa_t pages = take_pages(count);
    spin_unlock(&lock);
    if (pages.v != 0) {
        memset(heap_ptr(pages), 0, count * PAGE_SIZE);
    }
    return pages;
}

hpa_t heap_page_alloc(void)
{
    spin_lock(&lock);
    hpa_t page = hpa(heap.freed);
    if (page.v != 0) {
        heap.freed = *(uint64_t *)heap_ptr(page);
        heap.freed_count--;
    } else {
        page = take_pages(1);
    }
    spin_unlock(&lock);
    if (page.v != 0) {
        memset(heap_ptr(page), 0, PAGE_SIZE);
    }
    return page;
}

void heap_page_free(hpa_t page)
{
    spin_lock(&lock);
    *(uint64_t *)heap_ptr(page) = heap.freed;
    heap.freed = page.v;
    heap.freed_count++;
    spin_unlock(&lock);
}

void heap_pages_free(hpa_t base, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        heap_page_free(hpa(base.v + i * PAGE_SIZE));
    }
}

static void *take_small(size_t size)
{
    if (heap.small_end - heap.small_next < size) {
        unsigned count = (unsigned)(align_up(size, PAGE_SIZE) / PAGE_SIZE);
        hpa_t pages = take_pages(count);
        if (pages.v == 0) {
            return NULL;
        }
        heap.small_next = pages.v - heap.base;
        heap.small_end = heap.small_next + count * PAGE_SIZE;
    }
    void *p = heap.pointer + heap.small_next;
    heap.small_next += size;
    return p;
}

void *heap_alloc(size_t size)
{
    size = align_up(size, 16);
    spin_lock(&lock);
    void *p = take_small(size);
    spin_unlock(&lock);
    if (p != NULL) {
        memset(p, 0, size);
    }
    return p;
}

hpa_t heap_base(void)
{
    return hpa(heap.base);
}

uint64_t heap_size(void)
{
    return heap.size;
}

uint64_t heap_used(void)
{
    return heap.next - heap.freed_count * PAGE_SIZE;
}
