// SPDX-License-Identifier: Apache-2.0
// Puts a guest into its partition's memory: the image, the files that belong to it, and firmware
// tables. The image's content tells its kind.
#ifndef HV_GUEST_LOAD_H
#define HV_GUEST_LOAD_H

#include <stddef.h>

#include "arch/lib/status.h"
#include "hv/guest/load_request.h"

struct guest_ram;

// Loads `req->image` and all that belongs to it into the memory `ram`. That must be all zero, and
// its CPUs must not run. Writes nothing outside the partition's RAM. On failure the memory's
// contents and `res` are undefined, and `error` tells the user the partition, the image, what is
// wrong, and the remedy:
//   ERR_UNSUPPORTED  the image's kind is unknown, or it demands what Bulkhead doesn't have
//   ERR_TRUNCATED    the image ends too early
//   ERR_INVALID      a field of the image, or the request, is invalid
//   ERR_RANGE        a part of it lies outside the partition's RAM, or overlaps something else
//   ERR_NO_MEMORY    not all of it fits
// Any CPU; for different partitions at the same time too.
enum status load_guest(const struct guest_ram *ram, const struct load_request *req,
                       struct load_result *res, char *error, size_t error_size);

#endif
