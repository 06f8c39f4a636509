// SPDX-License-Identifier: Apache-2.0
// equiv.elf: runs the same checks on a bare machine and in a partition, whose lines are compared
// (tests/boot/test_equivalence.py). The parts are in tests/guests/equiv/.

#include "tests/guests/equiv/equiv.h"

static unsigned outcomes;

void outcome(const char *name, const char *fmt, ...)
{
    va_list args;
    print("%s: ", name);
    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
    print("\n");
    outcomes++;
}

static const struct {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"cpu", equiv_cpu},
    {"device", equiv_device},
};

void run_guest(void)
{
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char wanted[8];
        if (!option("parts", wanted, sizeof(wanted)) || option_is("parts", parts[i].name))
            parts[i].run();
    }
    print("outcomes: %u\n", outcomes);
}
