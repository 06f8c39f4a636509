// SPDX-License-Identifier: Apache-2.0
// The table of intercepted exceptions. The guest's own handlers get all others directly.
#include "arch/virt/exception_intercepts.h"

#include "arch/interrupt/exceptions.h"
#include "arch/lib/types.h"

static const struct exception_intercept table[] = {
    {EXCEPTION_DB, "#DB",
     "can recur without end while it is delivered, and no NMI gets through; given to the guest"},
    {EXCEPTION_AC, "#AC", "likewise"},
    {EXCEPTION_MC, "#MC", "is judged by the hypervisor"},
};

const struct exception_intercept *exception_intercepts(unsigned *count)
{
    *count = ARRAY_SIZE(table);
    return table;
}

uint32_t exception_intercept_mask(void)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        mask |= 1u << table[i].vector;
    }
    return mask;
}
