// SPDX-License-Identifier: Apache-2.0
// Puts a guest into its partition's memory: the image, what goes with it, and the firmware tables
// that it will look for. The image's kind is known by its content.
#ifndef HV_GUEST_LOAD_H
#define HV_GUEST_LOAD_H

#include <stddef.h>

#include "arch/lib/status.h"
#include "hv/guest/load_request.h"

struct guest_ram;

// Loads `req->image` and all that belongs to it into the memory `ram`, which must be all zero and
// whose CPUs must not run. Writes nothing outside the partition's RAM. On failure the
// memory holds anything, `res` means nothing, and `error` tells a person which partition and image,
// what is wrong and what to do about it:
//   ERR_UNSUPPORTED  of no known kind, or of a known kind with a demand we can't meet
//   ERR_TRUNCATED    the image ends before it should
//   ERR_INVALID      a field of the image, or the request, makes no sense
//   ERR_RANGE        a part of it lies outside the partition's RAM, or on something else
//   ERR_NO_MEMORY    it doesn't all fit
// May be called on any CPU, for different partitions at the same time.
enum status load_guest(const struct guest_ram *ram, const struct load_request *req,
                       struct load_result *res, char *error, size_t error_size);

#endif
