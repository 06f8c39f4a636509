// SPDX-License-Identifier: Apache-2.0
// Runs the hypervisor's own check on the blob. Turns each problem's place, a partition and a key,
// into a line of the configuration file.
#include "partitions/config.h"

static struct config_place place_of(const struct config *config, const struct blob_problem *problem)
{
    const struct config_partition *p;
    unsigned item = (unsigned)problem->item;

    if (problem->partition < 0)
        return config->place;
    p = &config->partitions[problem->partition];
    if (problem->item >= 0 && problem->field == BLOB_FIELD_CPUS)
        return p->cpus[item].place;
    if (problem->item >= 0 && problem->field == BLOB_FIELD_MODULES)
        return p->modules[item].place;
    if (problem->item >= 0 && problem->field == BLOB_FIELD_IOPORTS)
        return p->ioports[item].place;
    if (problem->item >= 0 && problem->field == BLOB_FIELD_DEVICES)
        return p->devices[item].place;
    return p->fields[problem->field];
}

void config_check(const struct config *config, const struct blob_header *file, size_t size,
                  struct config_messages *messages)
{
    static struct blob_problems problems;
    struct blob blob;

    blob_check(file, size, &blob, &problems);
    for (unsigned i = 0; i < blob_problems_kept(&problems); i++) {
        const struct blob_problem *problem = &problems.list[i];

        // The parser has already reported that there is no partition.
        if (problem->kind == BLOB_NO_PARTITION)
            continue;
        if (problem->partition >= 0 &&
            config->partitions[problem->partition].is_reported[problem->field])
            continue;
        config_message(messages, place_of(config, problem), "%s", problem->text);
    }
    if (problems.count > blob_problems_kept(&problems))
        config_message(messages, (struct config_place){config->place.file, 0},
                       "there is more to correct than the %u values listed here",
                       blob_problems_kept(&problems));
}
