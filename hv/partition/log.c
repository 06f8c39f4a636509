// SPDX-License-Identifier: Apache-2.0
// Rate-limited messages about guests.
#include "hv/partition/log.h"

#include <stdarg.h>

#include "arch/cpu/tsc.h"
#include "arch/lib/format.h"
#include "drivers/console/console.h"
#include "hv/partition/partition.h"

bool log_allows(struct partition *p, unsigned lines)
{
    uint32_t hidden;
    if (!log_share_take(&p->log, time_us(), lines, &hidden)) {
        return false;
    }
    if (hidden > 0) {
        print("%s: %u lines about it were not shown\n", p->name, hidden);
    }
    return true;
}

void log_guest(struct vcpu *v, const char *fmt, ...)
{
    if (!log_allows(v->partition, 1)) {
        return;
    }
    char text[200];
    va_list args;
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    print("%s/%u: %s\n", v->partition->name, v->index, text);
}
