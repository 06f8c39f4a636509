// SPDX-License-Identifier: Apache-2.0
// What the hypervisor says about a guest. A guest can cause as much as it likes, so each partition
// has a share of lines; what goes beyond is counted instead of shown (hv/partition/log_share.h).
#ifndef HV_PARTITION_LOG_H
#define HV_PARTITION_LOG_H

#include <stdbool.h>

struct partition;
struct vcpu;

// A line about something that a vCPU did: "alpha/0: ...". Any of the partition's CPUs.
void log_guest(struct vcpu *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Whether a report of `lines` lines about the partition may be shown now; if so, what was not shown
// before it is told first. Any of the partition's CPUs.
bool log_allows(struct partition *p, unsigned lines);

#endif
