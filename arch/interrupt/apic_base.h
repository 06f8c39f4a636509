// SPDX-License-Identifier: Apache-2.0
// Which writes to IA32_APIC_BASE lead from the mode that firmware left a local APIC in to the one
// that the machine has. No privileged instruction: tested on the host.
#ifndef ARCH_INTERRUPT_APIC_BASE_H
#define ARCH_INTERRUPT_APIC_BASE_H

#include "arch/lib/types.h"

struct apic_steps {
    unsigned count;
    uint64_t value[2]; // to be written in this order
};

// `base` is the register as it was found; `page` where the xAPIC page is to be, which is of no
// account in x2APIC mode. A processor that was found in x2APIC mode is not taken out of it: that
// may be locked (IA32_XAPIC_DISABLE_STATUS; SDM vol. 3, 11.12.5.1 and vol. 4).
struct apic_steps apic_base_steps(uint64_t base, bool x2apic, uint64_t page);

#endif
