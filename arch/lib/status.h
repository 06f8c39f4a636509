// SPDX-License-Identifier: Apache-2.0
// The result of an operation that can fail. It gives the kind of failure only; the function that
// understands the failure writes the text for the user.
#ifndef ARCH_LIB_STATUS_H
#define ARCH_LIB_STATUS_H

enum status {
    STATUS_OK = 0,
    ERR_INVALID,     // an argument, field or table makes no sense
    ERR_RANGE,       // outside what is allowed or present
    ERR_NO_MEMORY,   // memory or table space is used up
    ERR_EXISTS,      // already there, or owned by another
    ERR_NOT_FOUND,   // not there
    ERR_UNSUPPORTED, // understood, but this machine or version can't
    ERR_DENIED,      // understood, and not allowed
    ERR_TRUNCATED,   // ends before it should
    ERR_VERSION,     // of another version
    ERR_CHECKSUM,    // its checksum is wrong
    ERR_FAULT,       // a guest's own page tables or segments don't allow the access
    ERR_CHANGED,     // changed meanwhile by another writer
};

#endif
