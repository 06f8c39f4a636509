// SPDX-License-Identifier: Apache-2.0
// The log's past: drivers/console/history.h. Repeated messages are not written to the log again, so
// reading the past does not overwrite it.
#include "drivers/console/history.h"

#include "arch/cpu/tsc.h"
#include "arch/lib/format.h"

static struct console_history repeat;
static bool repeating;   // only the holder of the output lock
static bool within_line; // the last byte of console_own_read() was inside a line; only the holder
                         // of the output lock
static uint32_t repeat_wish; // lines wanted; set by any CPU, taken by the holder of the output lock

// ---- a reader --------------------------------------------------------------------------------

static unsigned line_ends(const struct console_log_part *part)
{
    unsigned count = 0;

    for (unsigned i = 0; i < part->length; i++)
        count += part->text[i] == '\n';
    return count;
}

// The position where the message begins that holds the line `lines` lines before the end; or the
// oldest complete message, if that is later or `lines` is 0.
static uint32_t begin_of(uint32_t end, unsigned lines)
{
    uint32_t begin = end;
    unsigned seen = 0;

    for (uint32_t back = 1; back <= console_log_kept(); back++) {
        struct console_log_part part;

        if (!console_log_part(end - back, &part))
            break;
        seen += line_ends(&part);
        if (part.first)
            begin = end - back;
        if (part.first && lines != 0 && seen >= lines)
            break;
    }
    return begin;
}

void console_history_begin(struct console_history *h, unsigned lines, bool stamps)
{
    uint32_t gone = console_log_overwritten();

    *h = (struct console_history){.end = console_log_taken(), .stamps = stamps, .line_start = true};
    h->next = begin_of(h->end, lines);
    if (stamps)
        h->length =
            (uint8_t)format(h->out, sizeof(h->out),
                            "the log's last lines (%u older messages are overwritten):\n", gone);
    else if (gone > 0)
        h->length =
            (uint8_t)format(h->out, sizeof(h->out), "%u older messages are overwritten\n", gone);
}

// Loads the next part to read, or a line end if the last line has none. False at the end.
static bool advance(struct console_history *h)
{
    h->part_at = 0;
    h->part.length = 0;
    while (h->next != h->end) {
        if (console_log_part(h->next++, &h->part) && h->part.length > 0)
            return true;
        h->part.length = 0;
    }
    if (h->line_start)
        return false;
    h->part.text[0] = '\n';
    h->part.length = 1;
    return true;
}

static void stamp(struct console_history *h)
{
    uint64_t us = ticks_us(h->part.time);

    h->at = 0;
    h->length = (uint8_t)format(h->out, sizeof(h->out), "%lu.%06lu CPU %u: ", us / 1000000,
                                us % 1000000, h->part.cpu);
}

bool console_history_read(struct console_history *h, uint8_t *byte)
{
    if (h->at == h->length && h->part_at == h->part.length && !advance(h))
        return false;
    if (h->at == h->length && h->line_start && h->stamps)
        stamp(h);
    if (h->at < h->length) {
        *byte = (uint8_t)h->out[h->at++];
        h->line_start = false;
        // The introducing line is not a message and gets no stamp.
        if (*byte == '\n')
            h->line_start = true;
        return true;
    }
    *byte = (uint8_t)h->part.text[h->part_at++];
    h->line_start = *byte == '\n';
    return true;
}

// ---- the hypervisor's source -----------------------------------------------------------------

void console_own_init(void)
{
    console_log_init();
    repeating = false;
    within_line = false;
    __atomic_store_n(&repeat_wish, 0, __ATOMIC_RELAXED);
}

void console_own_repeat(unsigned lines)
{
    __atomic_store_n(&repeat_wish, lines, __ATOMIC_RELAXED);
}

bool console_own_ready(void)
{
    return repeating || __atomic_load_n(&repeat_wish, __ATOMIC_RELAXED) != 0 || console_log_ready();
}

bool console_own_read(uint8_t *byte)
{
    if (!repeating && __atomic_load_n(&repeat_wish, __ATOMIC_RELAXED) != 0) {
        unsigned lines = __atomic_exchange_n(&repeat_wish, 0, __ATOMIC_RELAXED);

        console_history_begin(&repeat, lines, true);
        repeating = true;
        if (within_line) {
            within_line = false;
            *byte = '\n';
            return true;
        }
    }
    if (repeating && console_history_read(&repeat, byte))
        return true;
    repeating = false;
    if (!console_log_read(byte))
        return false;
    within_line = *byte != '\n';
    return true;
}
