// SPDX-License-Identifier: Apache-2.0
// Making partitions, once, at boot.
#ifndef HV_LIFE_CREATE_H
#define HV_LIFE_CREATE_H

#include "arch/lib/status.h"

// Makes the partitions that the configuration names: memory, tables, vCPUs. Prints errors with the
// partition's name. Boot CPU.
enum status partitions_create(void);

#endif
