// SPDX-License-Identifier: Apache-2.0
// Escape keys and input rings of drivers/console/input.h.
#include "drivers/console/input.h"

#include "arch/lib/string.h"

struct input_ring {
    // Count of bytes ever put. Writer: the console CPU; release, after the byte. Reader: the
    // partition under its lock; acquire, before the byte.
    uint32_t head;
    // Count of bytes ever taken. Writer: the partition under its lock; release, after it has read
    // the byte. Reader: the console CPU; acquire, before it overwrites the place.
    uint32_t tail;
    uint8_t *bytes; // `bytes` and `size` are set before a second CPU uses them
    uint32_t size;
};

static struct input_ring rings[CONSOLE_SOURCES];

static const struct {
    uint8_t byte;
    enum console_key_kind kind;
} keys[] = {
    {'n', CONSOLE_KEY_NEXT},  {'c', CONSOLE_KEY_COUNTERS}, {'l', CONSOLE_KEY_LOG},
    {'q', CONSOLE_KEY_ASK},   {'?', CONSOLE_KEY_HELP},     {'r', CONSOLE_KEY_VIEW},
    {'s', CONSOLE_KEY_POWER},
};

static struct console_key after_escape(enum console_key_state *state, uint8_t byte)
{
    if (byte == CONSOLE_ESCAPE)
        return (struct console_key){CONSOLE_KEY_BYTE, byte};
    if (byte >= '1' && byte <= '9')
        return (struct console_key){CONSOLE_KEY_SOURCE, (uint8_t)(byte - '0')};
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        if (keys[i].byte != byte)
            continue;
        if (keys[i].kind == CONSOLE_KEY_ASK)
            *state = CONSOLE_KEYS_ASKED;
        return (struct console_key){keys[i].kind, 0};
    }
    return (struct console_key){CONSOLE_KEY_HELP, 0};
}

struct console_key console_key(enum console_key_state *state, uint8_t byte)
{
    enum console_key_state before = *state;

    *state = CONSOLE_KEYS_PLAIN;
    if (before == CONSOLE_KEYS_ESCAPED)
        return after_escape(state, byte);
    if (before == CONSOLE_KEYS_ASKED)
        return (struct console_key){
            byte == 'y' || byte == 'Y' ? CONSOLE_KEY_LEAVE : CONSOLE_KEY_STAY, 0};
    if (byte != CONSOLE_ESCAPE)
        return (struct console_key){CONSOLE_KEY_BYTE, byte};
    *state = CONSOLE_KEYS_ESCAPED;
    return (struct console_key){CONSOLE_KEY_NONE, 0};
}

void console_input_init(void)
{
    memset(rings, 0, sizeof(rings));
}

void console_input_add(unsigned source, void *bytes, size_t size)
{
    rings[source] = (struct input_ring){.bytes = bytes, .size = (uint32_t)size};
}

bool console_input_put(unsigned source, uint8_t byte)
{
    struct input_ring *ring = &rings[source];
    uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

    if (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) >= ring->size)
        return false;
    ring->bytes[head & (ring->size - 1)] = byte;
    __atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
    return true;
}

static bool is_ready(const struct input_ring *ring)
{
    return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) !=
           __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
}

bool console_input_get(unsigned source, uint8_t *byte)
{
    struct input_ring *ring = &rings[source];
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);

    if (!is_ready(ring))
        return false;
    *byte = ring->bytes[tail & (ring->size - 1)];
    __atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
    return true;
}

void console_input_flush(unsigned source)
{
    struct input_ring *ring = &rings[source];

    __atomic_store_n(&ring->tail, __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}
