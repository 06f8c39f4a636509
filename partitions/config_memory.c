// SPDX-License-Identifier: Apache-2.0
// Memory of bulkhead-config, which ends if it gets none.
#include <stdio.h>
#include <stdlib.h>

#include "partitions/config.h"

void *config_alloc(size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size);

    if (memory == NULL) {
        fputs("bulkhead-config: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

void config_free(struct config *config)
{
    for (unsigned i = 0; i < config->partition_count; i++) {
        struct config_partition *p = &config->partitions[i];

        free(p->cpus);
        free(p->modules);
        free(p->ioports);
        free(p->devices);
    }
    free(config->partitions);
    *config = (struct config){0};
}
