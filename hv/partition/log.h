// SPDX-License-Identifier: Apache-2.0
// What the hypervisor says about a guest. A guest can cause any number of messages, so each
// partition has a share of lines. Those beyond it are counted, not shown
// (hv/partition/log_share.h).
#ifndef HV_PARTITION_LOG_H
#define HV_PARTITION_LOG_H

#include <stdbool.h>

struct partition;
struct vcpu;

// Logs a line about something that a vCPU did: "alpha/0: ...". Any of the partition's CPUs.
void log_guest(struct vcpu *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Whether a report of `lines` lines about the partition may be shown now. If so, first prints how
// many lines were hidden before it. Any of the partition's CPUs.
bool log_allows(struct partition *p, unsigned lines);

#endif
