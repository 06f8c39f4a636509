// SPDX-License-Identifier: Apache-2.0
// The values that a configuration file has as text: sizes, ranges of I/O ports, addresses of PCI
// functions, hashes, UUIDs. Host only.
#ifndef PARTITIONS_CONFIG_VALUE_H
#define PARTITIONS_CONFIG_VALUE_H

#include "partitions/blob.h"

// "512M" to bytes: a decimal number, followed by K, M or G (powers of 1024) or nothing. ERR_INVALID
// if it is not a size, ERR_RANGE if it has more than 64 bits.
enum status config_parse_size(const char *text, uint64_t *bytes);

// "0xf4-0xf7" or "0xf4": numbers as in C. ERR_INVALID if it is not a range, ERR_RANGE if a port
// does not exist. Doesn't check the order of the two.
enum status config_parse_ports(const char *text, struct blob_ioports *ports);

// "00:03.0" or "0000:00:03.0": hexadecimal, each part with this number of digits. ERR_INVALID if it
// is not such a text, ERR_RANGE if the device is above 1f or the function above 7.
enum status config_parse_pci(const char *text, struct blob_device *device);

// The 64 hexadecimal digits of a hash, in either case. ERR_INVALID if a character is not such a
// digit, ERR_RANGE if there are fewer or more.
enum status config_parse_sha256(const char *text, uint8_t hash[SHA256_SIZE]);

// "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", digits in either case. ERR_INVALID if it is not such a
// text.
enum status config_parse_uuid(const char *text, uint8_t uuid[BLOB_UUID_SIZE]);

// The UUID of a partition that has none in the configuration: version 8 (RFC 9562, 5.8), made from
// the SHA-256 of its name, so that it is the same at every start and on every machine.
void config_uuid_of_name(const char *name, uint8_t uuid[BLOB_UUID_SIZE]);

#endif
