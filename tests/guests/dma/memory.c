// SPDX-License-Identifier: Apache-2.0
// DMA to what isn't the guest's own: reads, which must bring nothing back, and writes. Where
// to: `ranges=FROM-TO,...`, or everything from the end of its RAM to 4 GiB. There at every `step=`
// bytes, at a random page of each step; or `count=` times anywhere. All its devices work at once.

#include "tests/guests/dma/dma.h"

enum {
    MAX_RANGES = 8,
    DEFAULT_STEP = 16 << 20,
    PAGE = 4096,
    READ_BYTES = 2048,
    SAY_EVERY = 256,
    CANARY_PAGES = 16,
    SAY_LEAKS = 8,
};

struct range {
    uint64_t from, to;
};

static struct range ranges[MAX_RANGES];
static unsigned range_count;
static uint64_t step, pages, count;

static uint8_t marker[PAGE] __attribute__((aligned(PAGE)));
static uint8_t brought[EDU_MAX][PAGE] __attribute__((aligned(PAGE)));
static uint8_t canary[CANARY_PAGES * PAGE] __attribute__((aligned(PAGE)));

static struct {
    uint64_t writes, reads, unchanged, ones, zeros, foreign;
} seen;

// ---- where to

static const char *number(const char *p, uint64_t *value)
{
    *value = 0;
    p += p[0] == '0' && p[1] == 'x' ? 2 : 0;
    for (; (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f'); p++)
        *value = *value << 4 | (uint64_t)(*p >= 'a' ? *p - 'a' + 10 : *p - '0');
    return p;
}

uint64_t targets_begin(void)
{
    char text[160];
    step = option_number("step", DEFAULT_STEP);
    step = step < PAGE ? PAGE : step;
    range_count = 0;
    if (option("ranges", text, sizeof(text))) {
        for (const char *p = text; *p && range_count < MAX_RANGES; p += *p == ',') {
            struct range *r = &ranges[range_count++];
            p = number(p, &r->from);
            p = number(p + (*p == '-'), &r->to);
        }
    } else {
        ranges[0].from = (ram_end_low() + PAGE - 1) & ~(uint64_t)(PAGE - 1);
        ranges[0].to = 1ull << 32;
        range_count = 1;
    }
    pages = 0;
    for (unsigned i = 0; i < range_count; i++)
        pages += (ranges[i].to - ranges[i].from) / PAGE;
    count = option_number("count", 0);
    return count ? count : (pages * PAGE + step - 1) / step;
}

static uint64_t nth_page(uint64_t n)
{
    for (unsigned i = 0; i < range_count; i++) {
        uint64_t here = (ranges[i].to - ranges[i].from) / PAGE;
        if (n < here)
            return ranges[i].from + n * PAGE;
        n -= here;
    }
    return ranges[0].from;
}

// The window of interrupts is another attack's, see forge.c: there a write is no memory access.
static bool is_interrupt(uint64_t address)
{
    return address >> 20 == PCI_MSI_WINDOW >> 20;
}

uint64_t target_number(uint64_t i)
{
    uint64_t per_step = step / PAGE, address;
    do {
        uint64_t n = count ? random_less(pages) : i * per_step + random_less(per_step);
        address = nth_page(n < pages ? n : random_less(pages));
    } while (is_interrupt(address));
    return address;
}

// ---- the attack

// What a device holds before a read, and what it writes.
static void load_marker(const struct edu *e)
{
    if (!edu_from_ram(e, (uint64_t)marker, 0, EDU_BUFFER_USABLE))
        print("FAIL %s: a transfer from the guest's own memory does not end\n",
              where_text(e->where));
}

static bool all(const uint8_t *p, uint8_t value)
{
    for (unsigned i = 0; i < READ_BYTES; i++) {
        if (p[i] != value)
            return false;
    }
    return true;
}

// A blocked read leaves the buffer alone, or fills it with ones as a bus does, or, in an emulator,
// with zeros. Anything else was somebody's. A neighbour whose memory is to be found holds no zeros.
static void judge(const struct edu *e, uint64_t address, const uint8_t *p)
{
    seen.reads++;
    if (memcmp(p, marker, READ_BYTES) == 0) {
        seen.unchanged++;
        return;
    }
    if (all(p, 0xff))
        seen.ones++;
    else if (all(p, 0))
        seen.zeros++;
    else if (seen.foreign++ < SAY_LEAKS)
        print("FAIL %s read at 0x%lx: %02x %02x %02x %02x %02x %02x %02x %02x\n",
              where_text(e->where), address, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]);
    load_marker(e);
}

static void start_all(const uint64_t *address, unsigned n, uint32_t command)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned bytes = READ_BYTES;
        if (command & EDU_DMA_TO_RAM)
            bytes = 8 + (unsigned)random_less(EDU_BUFFER_USABLE - 8);
        edu_start(&guest.edu[i], address[i], 0, bytes, command);
    }
}

// As many addresses as there are devices: a read of each, what they have read, then a write to
// each.
static void attack_some(const uint64_t *address, unsigned n)
{
    start_all(address, n, 0);
    for (unsigned i = 0; i < n; i++)
        edu_start(&guest.edu[i], (uint64_t)brought[i], 0, READ_BYTES, EDU_DMA_TO_RAM);
    for (unsigned i = 0; i < n; i++) {
        if (!edu_wait(&guest.edu[i]))
            print("FAIL %s: stuck\n", where_text(guest.edu[i].where));
        judge(&guest.edu[i], address[i], brought[i]);
    }
    start_all(address, n, EDU_DMA_TO_RAM);
    seen.writes += n;
}

static bool canary_lives(void)
{
    for (unsigned i = 0; i < sizeof(canary); i++) {
        if (canary[i] != (uint8_t)(i * 7 + (i >> 8)))
            return false;
    }
    return true;
}

static void begin(void)
{
    seen.writes = seen.reads = seen.unchanged = seen.ones = seen.zeros = seen.foreign = 0;
    for (unsigned i = 0; i < PAGE; i++)
        marker[i] = (uint8_t)(0xd1 ^ i * 5);
    for (unsigned i = 0; i < sizeof(canary); i++)
        canary[i] = (uint8_t)(i * 7 + (i >> 8));
    for (unsigned i = 0; i < guest.edus; i++) {
        pci_command(guest.edu[i].where, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 0);
        load_marker(&guest.edu[i]);
    }
}

void memory_attack(void)
{
    begin();
    uint64_t total = targets_begin(), said = 0;
    for (uint64_t i = 0; i < total;) {
        uint64_t address[EDU_MAX];
        unsigned n = 0;
        for (; n < guest.edus && i < total; n++, i++)
            address[n] = target_number(i);
        attack_some(address, n);
        if (seen.writes >= said + SAY_EVERY) {
            said = seen.writes;
            print("memory: %lu of %lu addresses\n", said, total);
        }
    }
    print("memory: %lu writes, %lu reads: %lu unchanged, %lu ones, %lu zeros, %lu foreign\n",
          seen.writes, seen.reads, seen.unchanged, seen.ones, seen.zeros, seen.foreign);
    check(seen.foreign == 0, "memory: nobody else's was read");
    check(canary_lives(), "memory: the guest's own is unharmed");
    for (unsigned i = 0; i < guest.edus; i++)
        check_device(&guest.edu[i]);
}
