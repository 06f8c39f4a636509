// SPDX-License-Identifier: Apache-2.0
// The isolation audit (hv/audit/audit.c) of this machine's partitions.
#ifndef HV_START_AUDIT_INPUT_H
#define HV_START_AUDIT_INPUT_H

#include <stdbool.h>

// Audits all partitions and prints the result. False: nothing may start. Call before any guest
// runs.
bool boot_audit(void);

#endif
