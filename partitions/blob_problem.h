// SPDX-License-Identifier: Apache-2.0
// How the checks of the configuration blob record what they find. For the checks only; readers of
// problems need only blob.h.
#ifndef PARTITIONS_BLOB_PROBLEM_H
#define PARTITIONS_BLOB_PROBLEM_H

#include "partitions/blob.h"

// The place that a problem is about.
struct blob_place {
    int partition;         // index, or -1 for the whole blob
    enum blob_field field; // BLOB_FIELD_NONE for the whole partition
    int item;              // index into the field's list, or -1
};

#define BLOB_LABEL_SIZE 64

// Writes how a text names a partition: by its name, or, if the name is invalid, by its number,
// counted from 1. An invalid name may hold anything, so it isn't printed. Returns the length.
size_t blob_label(const struct blob *blob, unsigned partition, char text[BLOB_LABEL_SIZE]);

// Appends a problem. Its text starts with the partition's label; `blob` is used only for that, and
// may be NULL if place.partition is -1. If there are BLOB_MAX_PROBLEMS already, the problem is only
// counted.
void blob_problem_add(struct blob_problems *out, const struct blob *blob,
                      enum blob_problem_kind kind, struct blob_place place, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

// STATUS_OK if there is no problem, else the status for the first one.
enum status blob_problems_status(const struct blob_problems *problems);

// Whether a name has 1 to BLOB_MAX_NAME letters, digits, '_' or '-'.
bool blob_name_is_legal(const char *name);

// Whether a legal name could be taken for the hypervisor's, which precedes its own lines. This
// includes other case, '-' or '_' inside, and characters that look like its "l".
bool blob_name_is_hypervisors(const char *name);

// The checks that blob_check() makes of a blob with a valid form: see blob_rules.c.
void blob_check_rules(const struct blob *blob, struct blob_problems *out);

// The row of the table of kept ports that a range overlaps, or NULL.
const struct blob_kept_ports *blob_find_kept_ports(const struct blob_kept_ports *table,
                                                   unsigned count, struct blob_ioports ports);

#endif
