// SPDX-License-Identifier: Apache-2.0
// Decides what a machine check must stop. Relies only on the banks' contents.
#include "hv/life/machine_check.h"

#define GLOBAL_RIPV BIT(0) // the interrupted program can continue

#define STATUS_VALID    BIT(63)
#define STATUS_OVERFLOW BIT(62) // another error was lost
#define STATUS_UNCORR   BIT(61)
#define STATUS_ENABLED  BIT(60)
#define STATUS_ADDRESS  BIT(58)
#define STATUS_CORRUPT  BIT(57) // the processor's context (PCC)
#define STATUS_HARMFUL  (STATUS_VALID | STATUS_UNCORR | STATUS_ENABLED)

// An error without a known place belongs to the CPU.
static void blame_cpu(bool in_guest, const char *why, struct mc_verdict *out)
{
    if (in_guest) {
        out->stop_own = true;
    } else {
        out->panic = why;
    }
}

static void judge_bank(const struct machine_check *m, const struct mc_bank *b, bool in_guest,
                       struct mc_verdict *out)
{
    unsigned partition;

    if ((b->status & STATUS_CORRUPT) != 0)
        blame_cpu(in_guest, "the processor's context is corrupt", out);
    if ((b->status & STATUS_OVERFLOW) != 0)
        blame_cpu(in_guest, "more errors than could be told", out);
    if ((b->status & STATUS_ADDRESS) == 0 || !m->physical) {
        blame_cpu(in_guest, "an error without an address", out);
        return;
    }
    switch (machine_check_owner(hpa(b->address), &partition)) {
    case MC_OWNER_PARTITION:
        out->stop |= BIT(partition);
        break;
    case MC_OWNER_HYPERVISOR:
        out->panic = "an error in the hypervisor's memory";
        break;
    case MC_OWNER_NONE:
        blame_cpu(in_guest, "an error in memory of nobody's", out);
        break;
    }
}

void machine_check_judge(const struct machine_check *m, bool in_guest, struct mc_verdict *out)
{
    *out = (struct mc_verdict){0};
    for (unsigned i = 0; i < m->bank_count && out->panic == NULL; i++) {
        if ((m->bank[i].status & STATUS_HARMFUL) == STATUS_HARMFUL) {
            out->bank = i;
            judge_bank(m, &m->bank[i], in_guest, out);
        }
    }
    // If machine checks are broadcast, a CPU also takes those of other CPUs, and continues.
    if ((m->global & GLOBAL_RIPV) == 0 && out->panic == NULL)
        blame_cpu(in_guest, "the interrupted code can't go on", out);
}
