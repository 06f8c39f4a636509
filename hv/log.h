// SPDX-License-Identifier: Apache-2.0
// Messages about a guest, with the partition's name and the vCPU. A guest can cause as many as it
// likes, so each partition has only so many before the rest is counted instead of shown.
#ifndef HV_LOG_H
#define HV_LOG_H

struct partition;
struct vcpu;

// A line about something that a vCPU did: "alpha/0: ...". Rate-limited. Any of the partition's
// CPUs.
void log_guest(struct vcpu *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Allows the partition a fresh share of messages, and says how many were not shown.
void log_refill(struct partition *p);

#endif
