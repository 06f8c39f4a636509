// SPDX-License-Identifier: Apache-2.0
// The boot modules against the hashes that the configuration has of them.
#ifndef HV_MACHINE_MODULE_HASH_H
#define HV_MACHINE_MODULE_HASH_H

#include "arch/lib/status.h"

// Hashes each module that the configuration has a hash of, once, however many partitions use it.
// ERR_CHECKSUM, and each that differs is printed, if any does. After config_load(). Boot CPU.
enum status module_hashes_check(void);

#endif
