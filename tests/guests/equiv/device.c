// SPDX-License-Identifier: Apache-2.0
// The platform's side of the equivalence guest.

#include "tests/guests/equiv/equiv.h"

void equiv_device(void)
{
    outcome("dev.port61.refresh", "high nibble of port 0x61 without refresh 0x%x",
            inb(0x61) & 0xe0);
}
