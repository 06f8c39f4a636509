// SPDX-License-Identifier: Apache-2.0
// Rate-limited messages about guests.
#include "hv/log.h"

#include <stdarg.h>

#include "drivers/console.h"
#include "drivers/format.h"
#include "hv/partition.h"

#define MESSAGES_PER_START 32 // of a partition, until it starts again

void log_guest(struct vcpu *v, const char *fmt, ...)
{
    struct partition *p = v->partition;
    if (__atomic_fetch_add(&p->messages, 1, __ATOMIC_RELAXED) >= MESSAGES_PER_START) {
        return;
    }
    char text[200];
    va_list args;
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    print("%s/%u: %s\n", p->name, v->index, text);
}

void log_refill(struct partition *p)
{
    uint32_t count = __atomic_exchange_n(&p->messages, 0, __ATOMIC_RELAXED);
    if (count > MESSAGES_PER_START) {
        print("%s: %u more messages were not shown\n", p->name, count - MESSAGES_PER_START);
    }
}
