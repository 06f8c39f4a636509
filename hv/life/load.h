// SPDX-License-Identifier: Apache-2.0
// Loads a partition: its memory, devices and image as at power-on.
#ifndef HV_LIFE_LOAD_H
#define HV_LIFE_LOAD_H

#include <stddef.h>

#include "arch/lib/status.h"

struct partition;

// Clears the memory, resets the devices, loads image and tables. On an error `error` names the
// partition. On the CPU of vCPU 0; no other vCPU of the partition runs.
enum status partition_load(struct partition *p, char *error, size_t error_size);

#endif
