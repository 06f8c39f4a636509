// SPDX-License-Identifier: Apache-2.0
// The log ring of drivers/console/log.h: an array of slots with sequence marks. A writer that never
// continues between reserving and marking stops the log at that slot; after console_panic() print()
// no longer depends on it.
#include "drivers/console/log.h"

#include "arch/cpu/tsc.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "arch/memory/percpu.h"

#define EARLY_SLOTS 64u // power of two

struct slot {
    // Position of the text in the endless sequence of slots, plus one: the slot can be read. The
    // position itself: it is being written. Any other value: an earlier text, which has been shown.
    // Writer: the one CPU that reserved the position; release, before and after the text. Readers:
    // the holder of the output lock; and CPUs that copy shown messages, which test it before and
    // after the copy; acquire.
    uint32_t mark;
    uint32_t unused;
    struct console_log_part part;
};
_Static_assert(sizeof(struct slot) == CONSOLE_LOG_SLOT, "a part fills its slot");

static struct slot early[EARLY_SLOTS];

// Set while only the boot CPU runs, constant afterwards.
static struct slot *slots = early;
static uint32_t slot_count = EARLY_SLOTS;

// The next position to reserve. Writers: all CPUs, by compare and swap; relaxed, because `mark` and
// `taken` order the contents.
static uint32_t reserved;

// The next position to read. Writer: the holder of the output lock; release, after its last read of
// the slot. Readers: writers of the log; acquire, before they overwrite the slot.
static uint32_t taken;

static uint32_t offset; // in the slot being read; only the holder of the output lock

static uint32_t overwritten; // messages; written by any CPU, relaxed: a plain count

static struct slot *slot_at(uint32_t position)
{
    return &slots[position & (slot_count - 1)];
}

void console_log_init(void)
{
    slots = early;
    slot_count = EARLY_SLOTS;
    memset(early, 0, sizeof(early));
    offset = 0;
    overwritten = 0;
    __atomic_store_n(&reserved, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
}

bool console_log_grow(void *memory, size_t size, unsigned cpu)
{
    struct slot *larger = memory;
    size_t count = size / CONSOLE_LOG_SLOT;

    if (count <= slot_count || count > MIB(1) || (count & (count - 1)) != 0)
        return false;
    for (uint32_t back = 1; back <= min_u64(reserved, slot_count); back++) {
        struct slot *slot = &larger[(reserved - back) & (count - 1)];

        *slot = *slot_at(reserved - back);
        slot->part.cpu = (uint16_t)cpu;
    }
    slots = larger;
    slot_count = (uint32_t)count;
    return true;
}

// Stores one part in the slot at `position`, which the caller has reserved.
static void fill(uint32_t position, const struct console_log_part *part, const char *text)
{
    struct slot *slot = slot_at(position);

    if (slot->part.first)
        __atomic_fetch_add(&overwritten, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->mark, position, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    slot->part.time = part->time;
    slot->part.cpu = part->cpu;
    slot->part.first = part->first;
    slot->part.length = part->length;
    memcpy(slot->part.text, text, part->length);
    __atomic_store_n(&slot->mark, position + 1, __ATOMIC_RELEASE);
}

bool console_log_write(const char *text, size_t length)
{
    struct console_log_part part = {.time = time_ticks(), .cpu = (uint16_t)cpu_number()};

    if (length == 0)
        return true;
    if (length > (size_t)slot_count * CONSOLE_LOG_PART)
        return false;

    uint32_t count = (uint32_t)((length + CONSOLE_LOG_PART - 1) / CONSOLE_LOG_PART);
    uint32_t first = __atomic_load_n(&reserved, __ATOMIC_RELAXED);

    do {
        uint32_t used = first - __atomic_load_n(&taken, __ATOMIC_ACQUIRE);
        // If `used` exceeds the count, `first` is out of date: the exchange fails and loads a new
        // one.
        if (used <= slot_count && used + count > slot_count)
            return false;
    } while (!__atomic_compare_exchange_n(&reserved, &first, first + count, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));

    // Backwards, so that the reader sees the first slot only when all others are filled.
    for (uint32_t i = count; i-- > 0;) {
        size_t start = (size_t)i * CONSOLE_LOG_PART;

        part.first = i == 0;
        part.length = (uint8_t)min_u64(length - start, CONSOLE_LOG_PART);
        fill(first + i, &part, text + start);
    }
    return true;
}

bool console_log_crowded(void)
{
    return __atomic_load_n(&reserved, __ATOMIC_RELAXED) - console_log_taken() > slot_count / 2;
}

bool console_log_ready(void)
{
    uint32_t position = console_log_taken();

    return __atomic_load_n(&slot_at(position)->mark, __ATOMIC_ACQUIRE) == position + 1;
}

bool console_log_read(uint8_t *byte)
{
    uint32_t position = console_log_taken();
    const struct console_log_part *part = &slot_at(position)->part;

    if (!console_log_ready())
        return false;
    *byte = (uint8_t)part->text[offset++];
    if (offset >= part->length) {
        offset = 0;
        __atomic_store_n(&taken, position + 1, __ATOMIC_RELEASE);
    }
    return true;
}

uint32_t console_log_taken(void)
{
    return __atomic_load_n(&taken, __ATOMIC_RELAXED);
}

uint32_t console_log_kept(void)
{
    return (uint32_t)min_u64(console_log_taken(), slot_count);
}

bool console_log_part(uint32_t position, struct console_log_part *copy)
{
    const struct slot *slot = slot_at(position);

    if (__atomic_load_n(&slot->mark, __ATOMIC_ACQUIRE) != position + 1)
        return false;
    *copy = slot->part;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&slot->mark, __ATOMIC_RELAXED) == position + 1;
}

uint32_t console_log_overwritten(void)
{
    return __atomic_load_n(&overwritten, __ATOMIC_RELAXED);
}
