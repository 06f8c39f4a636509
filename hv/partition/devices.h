// SPDX-License-Identifier: Apache-2.0
// The virtual devices of a partition as a whole.
#ifndef HV_PARTITION_DEVICES_H
#define HV_PARTITION_DEVICES_H

struct partition;

// Power-on state of all devices. No vCPU of the partition runs.
void devices_reset(struct partition *p);

#endif
