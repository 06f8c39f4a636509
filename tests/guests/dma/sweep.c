// SPDX-License-Identifier: Apache-2.0
// DMA by an NVMe controller, which is fast: a write to each target of memory.c, and a read there,
// which must bring nothing, neither what was written nor what somebody else has there.

#include "tests/guests/dma/dma.h"
#include "tests/guests/nvme.h"

enum {
    SAY_EVERY = 1 << 16,
    SAY_LEAKS = 8,
};

static struct nvme nvme;
// What identification begins with: the vendor.
static const uint8_t identity[] = {0x36, 0x1b};
static uint8_t own[4096] __attribute__((aligned(4096)));

void sweep_attack(void)
{
    uint64_t landed = 0;
    if (!nvme_open(&nvme)) {
        print("FAIL no NVMe controller\n");
        return;
    }
    uint64_t value;
    check(nvme_identify(&nvme, (uint64_t)own) && memcmp(own, identity, sizeof(identity)) == 0,
          "sweep: a write to the guest's own memory");
    check(nvme_fetch(&nvme, (uint64_t)own, &value) && (value & 0xffff) != 0,
          "sweep: a read of it brings 0x%lx", value);
    uint64_t total = targets_begin();
    for (uint64_t i = 0; i < total; i++) {
        uint64_t address = target_number(i);
        nvme_identify(&nvme, address);
        nvme_fetch(&nvme, address, &value);
        if (value && landed++ < SAY_LEAKS)
            print("FAIL sweep: a read of 0x%lx brings 0x%lx\n", address, value);
        if (i % SAY_EVERY == SAY_EVERY - 1)
            print("sweep: %lu of %lu addresses\n", i + 1, total);
    }
    print("sweep: %lu addresses, %lu reads brought something\n", total, landed);
    check(landed == 0, "sweep: nobody else's was reached");
    check(nvme_identify(&nvme, (uint64_t)own), "sweep: the device works");
}
