// SPDX-License-Identifier: Apache-2.0
// The processor's side of the equivalence guest.

#include "tests/guests/equiv/cpu.h"

void equiv_cpu(void)
{
    engine_start();
    checks_tables();
    checks_control();
    checks_hidden();
    checks_msrs();
    checks_flow();
    checks_exceptions();
    checks_page_faults();
    checks_enabled();
    checks_paging();
    checks_string_io();
    checks_mmio();
    checks_shadow();
    checks_steps();
    engine_stop();
}
