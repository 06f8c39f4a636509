// SPDX-License-Identifier: Apache-2.0
// Compares the boot modules with the hashes in the configuration.
#ifndef HV_MACHINE_MODULE_HASH_H
#define HV_MACHINE_MODULE_HASH_H

#include "arch/lib/status.h"

// Hashes each module that the configuration has a hash for, once, even if several partitions use
// it. Prints each that differs; ERR_CHECKSUM if any does. After config_load(). Boot CPU.
enum status module_hashes_check(void);

#endif
