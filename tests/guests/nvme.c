// SPDX-License-Identifier: Apache-2.0
// The admin queue of an NVMe controller for the test guests.

#include "tests/guests/nvme.h"

#include "tests/guests/guest.h"

enum {
    NVME_VENDOR = 0x1b36,
    NVME_DEVICE = 0x0010,
    QUEUE_LENGTH = 32,
    SUBMISSION_WORDS = 16,
    COMPLETION_WORDS = 4,
    TIMEOUT_MS = 20000,

    // Controller registers (3.1)
    REG_CONFIGURATION = 0x14,
    REG_STATUS = 0x1c,
    REG_ADMIN_ATTRIBUTES = 0x24,
    REG_ADMIN_SUBMISSION = 0x28,
    REG_ADMIN_COMPLETION = 0x30,
    REG_TAIL = 0x1000, // doorbells, stride 0
    REG_HEAD = 0x1004,
    ENABLE = 1,
    READY = 1,
    ENTRY_SIZES = 6 << 16 | 4 << 20, // 64 and 16 bytes

    // Admin commands (5)
    OP_IDENTIFY = 0x06,
    OP_SET_FEATURES = 0x09,
    OP_GET_FEATURES = 0x0a,
    IDENTIFY_CONTROLLER = 1,
    FEATURE_TIME_STAMP = 0x0e,
    FEATURE_ARBITRATION = 0x01,
};

#define STAMP_VALUE  ((1ull << 48) - 1)
#define STAMP_ORIGIN (7ull << 49)

static uint32_t submission[QUEUE_LENGTH][SUBMISSION_WORDS] __attribute__((aligned(4096)));
static volatile uint32_t completion[QUEUE_LENGTH][COMPLETION_WORDS] __attribute__((aligned(4096)));

static volatile uint32_t *reg(const struct nvme *n, unsigned offset)
{
    return (volatile uint32_t *)(n->base + offset);
}

static void set64(const struct nvme *n, unsigned offset, uint64_t value)
{
    *reg(n, offset) = (uint32_t)value;
    *reg(n, offset + 4) = (uint32_t)(value >> 32);
}

static bool wait_ready(const struct nvme *n, uint32_t ready)
{
    uint64_t end = rdtsc() + TIMEOUT_MS * tsc_khz();
    while ((*reg(n, REG_STATUS) & READY) != ready) {
        if (rdtsc() > end)
            return false;
        pause();
    }
    return true;
}

static void find_msix(struct nvme *n)
{
    n->msix = pci_capability(n->where, PCI_CAP_MSIX);
    uint32_t place = pci_read(n->where, n->msix + PCI_MSIX_TABLE, 4);
    n->vectors = (pci_read(n->where, n->msix + PCI_MSIX_CONTROL, 2) & PCI_MSIX_SIZE_MASK) + 1;
    n->table = (volatile uint32_t *)(pci_bar(n->where, place & 7) + (place & ~7u));
}

bool nvme_open(struct nvme *n)
{
    *n = (struct nvme){.phase = 1};
    if (pci_find(NVME_VENDOR, NVME_DEVICE, &n->where, 1) == 0)
        return false;
    pci_command(n->where, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 0);
    n->base = pci_bar(n->where, 0);
    find_msix(n);
    // On before the queue is made: QEMU connects the queue to its message only then.
    nvme_msix(n, true, true);
    *reg(n, REG_CONFIGURATION) = 0;
    if (!wait_ready(n, 0))
        print("FAIL nvme: it does not stop\n");
    memset((void *)completion, 0, sizeof(completion));
    *reg(n, REG_ADMIN_ATTRIBUTES) = (QUEUE_LENGTH - 1) << 16 | (QUEUE_LENGTH - 1);
    set64(n, REG_ADMIN_SUBMISSION, (uint64_t)submission);
    set64(n, REG_ADMIN_COMPLETION, (uint64_t)completion);
    *reg(n, REG_CONFIGURATION) = ENTRY_SIZES | ENABLE;
    if (wait_ready(n, READY))
        return true;
    print("FAIL nvme: it does not start, status 0x%x\n", *reg(n, REG_STATUS));
    return false;
}

static bool run(struct nvme *n, uint32_t opcode, uint64_t memory, uint32_t word10)
{
    uint32_t *entry = submission[n->tail];
    memset(entry, 0, sizeof(submission[0]));
    entry[0] = opcode;
    entry[6] = (uint32_t)memory;
    entry[7] = (uint32_t)(memory >> 32);
    entry[10] = word10;
    n->tail = (n->tail + 1) % QUEUE_LENGTH;
    __asm__ volatile("" : : : "memory");
    *reg(n, REG_TAIL) = n->tail;

    volatile uint32_t *answer = completion[n->head];
    uint64_t end = rdtsc() + TIMEOUT_MS * tsc_khz();
    while ((answer[3] >> 16 & 1) != n->phase) {
        if (rdtsc() > end)
            return false;
        pause();
    }
    bool good = answer[3] >> 17 == 0;
    n->head = (n->head + 1) % QUEUE_LENGTH;
    n->phase ^= n->head == 0;
    *reg(n, REG_HEAD) = n->head;
    return good;
}

bool nvme_identify(struct nvme *n, uint64_t memory)
{
    return run(n, OP_IDENTIFY, memory, IDENTIFY_CONTROLLER);
}

// The controller adds the time since then, and says in bits 51:49 whether it was set at all: not if
// it was set to zero (5.21.1.14).
bool nvme_fetch(struct nvme *n, uint64_t memory, uint64_t *value)
{
    static volatile uint64_t stamp __attribute__((aligned(64)));
    stamp = 0;
    bool good = run(n, OP_SET_FEATURES, memory, FEATURE_TIME_STAMP) &&
                run(n, OP_GET_FEATURES, (uint64_t)&stamp, FEATURE_TIME_STAMP);
    *value = stamp & STAMP_ORIGIN ? stamp & STAMP_VALUE : 0;
    return good;
}

bool nvme_nothing(struct nvme *n)
{
    return run(n, OP_GET_FEATURES, 0, FEATURE_ARBITRATION);
}

void nvme_msix(const struct nvme *n, bool on, bool masked)
{
    pci_write(n->where, n->msix + PCI_MSIX_CONTROL, 2,
              (on ? PCI_MSIX_ENABLE : 0) | (masked ? PCI_MSIX_MASK_ALL : 0));
}

void nvme_vector(const struct nvme *n, unsigned vector, uint64_t address, uint32_t data,
                 bool masked)
{
    volatile uint32_t *entry = n->table + vector * (PCI_MSIX_ENTRY_SIZE / 4);
    entry[3] = PCI_MSIX_ENTRY_MASKED;
    entry[0] = (uint32_t)address;
    entry[1] = (uint32_t)(address >> 32);
    entry[2] = data;
    entry[3] = masked ? PCI_MSIX_ENTRY_MASKED : 0;
}
