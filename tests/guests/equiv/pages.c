// SPDX-License-Identifier: Apache-2.0
// Page tables of the engine: 4 GiB one to one for ring 0, the low area for every ring, and a window
// whose pages a check maps as it likes.

#include "tests/guests/equiv/engine.h"
#include "tests/guests/equiv/segments.h"

#define PAGE_TABLE uint64_t __attribute__((aligned(4096)))

PAGE_TABLE engine_pml4[512];
PAGE_TABLE engine_pdpt[512];
PAGE_TABLE engine_pd[4][512];
PAGE_TABLE engine_low_table[512];
PAGE_TABLE engine_window_table[512];
uint8_t engine_frames[FRAMES][4096] __attribute__((aligned(4096)));
static uint64_t before;

uint64_t frame_entry(unsigned frame, uint64_t bits)
{
    return (uint64_t)engine_frames[frame] | bits;
}

void window_map(unsigned page, uint64_t entry)
{
    engine_window_table[page] = entry;
    flush_page(WINDOW + page * (uint64_t)ENGINE_PAGE);
}

void pages_start(void)
{
    for (unsigned i = 0; i < 4 * 512; i++)
        engine_pd[i / 512][i % 512] = i * 0x200000ull | PTE_P | PTE_W | PTE_PS;
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t at = i * ENGINE_PAGE;
        engine_low_table[i] = at | PTE_P | PTE_W | (at >= LOW_BASE && at < LOW_END ? PTE_U : 0);
    }
    for (unsigned i = 0; i < 4; i++)
        engine_pdpt[i] = (uint64_t)engine_pd[i] | PTE_ALL;
    engine_pml4[0] = (uint64_t)engine_pdpt | PTE_ALL;
    engine_pd[0][0] = (uint64_t)engine_low_table | PTE_ALL;
    engine_pd[WINDOW >> 30][0] = (uint64_t)engine_window_table | PTE_ALL;
    before = read_cr3();
    write_cr3((uint64_t)engine_pml4);
}

void pages_stop(void)
{
    write_cr3(before);
}
