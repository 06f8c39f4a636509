// SPDX-License-Identifier: Apache-2.0
// The writes to IA32_APIC_BASE that change a local APIC from the mode in which the firmware left it
// to the machine's chosen mode. Has no privileged instruction, so it is tested on the host.
#ifndef ARCH_INTERRUPT_APIC_BASE_H
#define ARCH_INTERRUPT_APIC_BASE_H

#include "arch/lib/types.h"

struct apic_steps {
    unsigned count;
    uint64_t value[2]; // in the order of writing
};

// `base` is the register's present value. `page` is where the xAPIC page is to be; x2APIC mode
// ignores it. An APIC found in x2APIC mode stays in it, because leaving that mode may be locked
// (IA32_XAPIC_DISABLE_STATUS; SDM vol. 3, 11.12.5.1 and vol. 4).
struct apic_steps apic_base_steps(uint64_t base, bool x2apic, uint64_t page);

#endif
