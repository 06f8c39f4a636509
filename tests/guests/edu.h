// SPDX-License-Identifier: Apache-2.0
// Driver of QEMU's `edu` device for the test guests: a device that anyone can make do DMA to any
// address below 4 GiB, and send its interrupt (QEMU's documentation, "EDU device").

#ifndef TESTS_GUESTS_EDU_H
#define TESTS_GUESTS_EDU_H

#include "tests/guests/pci.h"

enum {
    EDU_VENDOR = 0x1234,
    EDU_DEVICE = 0x11e8,
    EDU_MAX = 16,
    EDU_BAR_SIZE = 1 << 20,

    EDU_ID = 0x00,
    EDU_LIVENESS = 0x04,
    EDU_FACTORIAL = 0x08,
    EDU_STATUS = 0x20,
    EDU_INTERRUPTS = 0x24,
    EDU_RAISE = 0x60,
    EDU_ACKNOWLEDGE = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,

    EDU_STATUS_BUSY = 1,
    EDU_DMA_START = 1,
    EDU_DMA_TO_RAM = 2,
    EDU_DMA_INTERRUPT = 4,
    EDU_DMA_DONE = 0x100, // in its interrupt status

    // Its buffer. QEMU 7.2 ends if a transfer reaches the buffer's last byte.
    EDU_BUFFER = 0x40000,
    EDU_BUFFER_USABLE = 4095,
};

struct edu {
    pci_where_t where;
    uint64_t base; // of its registers
};

// Opens all there are, decoding on, bus mastering and interrupts off; how many.
unsigned edu_open(struct edu *edus, unsigned max);
uint32_t edu_get(const struct edu *e, unsigned reg);
void edu_set(const struct edu *e, unsigned reg, uint32_t value);
// One interrupt, and its acknowledgement at the device.
void edu_raise(const struct edu *e, uint32_t bits);
void edu_acknowledge(const struct edu *e);

// A transfer between its buffer, from `offset` on, and memory. Starting one waits for the one
// before it, so that several devices can work at once; each takes 100 ms of the machine's time.
void edu_start(const struct edu *e, uint64_t memory, unsigned offset, unsigned count,
               uint32_t command);
bool edu_busy(const struct edu *e);
// False if it does not get done.
bool edu_wait(const struct edu *e);
bool edu_to_ram(const struct edu *e, uint64_t memory, unsigned offset, unsigned count);
bool edu_from_ram(const struct edu *e, uint64_t memory, unsigned offset, unsigned count);

#endif
