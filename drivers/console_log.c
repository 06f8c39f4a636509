// SPDX-License-Identifier: Apache-2.0
// The log ring of drivers/console_log.h, an array of slots with sequence marks. A writer that is
// interrupted for good between reserving and marking stops the log there; console_panic() writes
// past it.
#include "drivers/console_log.h"

#include "arch/string.h"

#define SLOTS     128u // power of two
#define SLOT_TEXT 120u

struct slot {
    // Position of the text in the endless row of slots, plus one; anything else: not written yet.
    // Writer: the one CPU that reserved the position; release, after the text. Reader: the holder
    // of the output lock; acquire, before the text.
    uint32_t mark;
    uint32_t length;
    char text[SLOT_TEXT];
};

static struct slot slots[SLOTS];

// The next position to be reserved. Writers: all CPUs, by compare and swap; relaxed, since what
// it hands over is covered by `mark` and `taken`.
static uint32_t reserved;

// The next position to be read. Writer: the holder of the output lock; release, after its last
// look at the slot. Reader: writers of the log; acquire, before they overwrite the slot.
static uint32_t taken;

static uint32_t offset; // within the slot being read; holder of the output lock only

void console_log_init(void)
{
    memset(slots, 0, sizeof(slots));
    offset = 0;
    __atomic_store_n(&reserved, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
}

bool console_log_write(const char *text, size_t length)
{
    if (length == 0)
        return true;
    if (length > SLOTS * SLOT_TEXT)
        return false;

    uint32_t count = (uint32_t)((length + SLOT_TEXT - 1) / SLOT_TEXT);
    uint32_t first = __atomic_load_n(&reserved, __ATOMIC_RELAXED);

    do {
        uint32_t used = first - __atomic_load_n(&taken, __ATOMIC_ACQUIRE);
        // `used` above SLOTS: `first` is out of date, the exchange will fail and bring a new one.
        if (used <= SLOTS && used + count > SLOTS)
            return false;
    } while (!__atomic_compare_exchange_n(&reserved, &first, first + count, false, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));

    // Backwards: the reader sees the first slot only when all the others are there.
    for (uint32_t i = count; i-- > 0;) {
        struct slot *slot = &slots[(first + i) % SLOTS];
        size_t start = (size_t)i * SLOT_TEXT;
        size_t part = length - start < SLOT_TEXT ? length - start : SLOT_TEXT;

        memcpy(slot->text, text + start, part);
        slot->length = (uint32_t)part;
        __atomic_store_n(&slot->mark, first + i + 1, __ATOMIC_RELEASE);
    }
    return true;
}

bool console_log_crowded(void)
{
    return __atomic_load_n(&reserved, __ATOMIC_RELAXED) -
               __atomic_load_n(&taken, __ATOMIC_RELAXED) >
           SLOTS / 2;
}

bool console_log_ready(void)
{
    uint32_t position = __atomic_load_n(&taken, __ATOMIC_RELAXED);

    return __atomic_load_n(&slots[position % SLOTS].mark, __ATOMIC_ACQUIRE) == position + 1;
}

bool console_log_read(uint8_t *byte)
{
    uint32_t position = __atomic_load_n(&taken, __ATOMIC_RELAXED);
    struct slot *slot = &slots[position % SLOTS];

    if (!console_log_ready())
        return false;
    *byte = (uint8_t)slot->text[offset++];
    if (offset >= slot->length) {
        offset = 0;
        __atomic_store_n(&taken, position + 1, __ATOMIC_RELEASE);
    }
    return true;
}
