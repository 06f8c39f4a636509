// SPDX-License-Identifier: Apache-2.0
// A good configuration for the tests of the blob and its checks, to be spoiled in one place each.
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include "partitions/config.h"

// alpha: any 2 CPUs, 512 MiB, initrd and cmdline
// beta:  CPU 3, 256 MiB, cmdline, ports 0xf4-0xf7, device 00:03.0, trusted
// gamma: CPUs 5 and 4, 2 MiB, modules "one" (cmdline "a b") and "two", ports 0x500-0x50f and 0x600,
//        devices 0001:02:1f.7 and 00:04.1, to be stopped by refused DMA
// Valid until the next call. There is room for FIXTURE_PARTITIONS partitions, and in each of these
// for as many entries as all may have together.
struct config *good_config(void);
#define FIXTURE_PARTITIONS 4

// The blob of a configuration, with nothing behind its end that ASan would let pass. To be freed.
struct blob_header *blob_of(const struct config *config);

// The same after blob_check() has passed it. It lives until the next call, and frees its file then.
const struct blob *checked_blob(const struct config *config);

// A copy of the first `size` bytes, which ends where its memory ends. To be freed.
struct blob_header *copy_of(const struct blob_header *file, size_t size);

// Makes the checksum right again after a change.
void seal(struct blob_header *file);

// The entry of the table of sections, and the records themselves. Fails if there is no such
// section.
struct blob_section *section_of(struct blob_header *file, const char *type);
void *records_of(struct blob_header *file, const char *type);

// Asserts that the problem is of this kind and place and its text contains `part`.
void assert_problem(const struct blob_problem *problem, enum blob_problem_kind kind, int partition,
                    enum blob_field field, int item, const char *part);

#endif
