// SPDX-License-Identifier: Apache-2.0
// The processor's side of the equivalence guest.

#include "tests/guests/equiv/cpu.h"

void equiv_cpu(void)
{
    engine_start();
    checks_tables();
    checks_control();
    checks_hidden();
    engine_stop();
}
