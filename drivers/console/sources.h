// SPDX-License-Identifier: Apache-2.0
// The console's sources and sinks.
#ifndef DRIVERS_CONSOLE_SOURCES_H
#define DRIVERS_CONSOLE_SOURCES_H

#include "arch/lib/types.h"

#define CONSOLE_HYPERVISOR 0 // the source that print() writes to
#define CONSOLE_SOURCES    (MAX_PARTITIONS + 1)
#define CONSOLE_NAME_SIZE  32 // longest name shown, including the NUL; longer ones are cut

#define CONSOLE_DEBUG_PORT 0xe9 // in QEMU and Bochs; output only

enum console_sink {
    CONSOLE_SINK_NONE, // no device: nothing is shown, and no source stalls
    CONSOLE_SINK_UART,
    CONSOLE_SINK_DEBUG_PORT, // of an emulator
};

#endif
