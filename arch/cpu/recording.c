// SPDX-License-Identifier: Apache-2.0
// Relies on arch/cpu/msr_access.h only, which skips an MSR that does not exist.
#include "arch/cpu/recording.h"

#include "arch/cpu/msr.h"
#include "arch/cpu/msr_access.h"

// In this order: the global enables come before the single counters.
static const struct {
    uint32_t first, last, step;
} controls[] = {
    {MSR_RTIT_CTL, MSR_RTIT_CTL, 1},                 // processor trace, to memory
    {MSR_DEBUGCTL, MSR_DEBUGCTL, 1},                 // branch trace store, to memory
    {MSR_PERF_GLOBAL_CTRL, MSR_PERF_GLOBAL_CTRL, 1}, // Intel's counters
    {MSR_PEBS_ENABLE, MSR_PEBS_ENABLE, 1},           // their samples, to memory
    {MSR_LBR_CTL, MSR_LBR_CTL, 1},                   // branch records
    {MSR_PERF_GLOBAL_AMD, MSR_PERF_GLOBAL_AMD, 1},   // all of AMD's counters, then each
    {MSR_PERF_CORE, MSR_PERF_CORE + 10, 2},
    {MSR_PERF_LEGACY, MSR_PERF_LEGACY + 3, 1},
    {MSR_IBS_FETCH_CTL, MSR_IBS_FETCH_CTL, 1}, // instruction-based sampling
    {MSR_IBS_OP_CTL, MSR_IBS_OP_CTL, 1},
};

void recording_stop(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(controls); i++) {
        for (uint32_t msr = controls[i].first; msr <= controls[i].last; msr += controls[i].step) {
            uint64_t value;
            if (msr_read_safe(msr, &value) && value != 0) {
                msr_write_safe(msr, 0);
            }
        }
    }
}
