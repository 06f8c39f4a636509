// SPDX-License-Identifier: Apache-2.0
// The list of partitions.
#include "hv/partition/partition.h"

struct partition *partitions[MAX_PARTITIONS];
unsigned partition_count;
uint32_t partitions_alive;

unsigned partitions_running(void)
{
    return __atomic_load_n(&partitions_alive, __ATOMIC_RELAXED);
}
