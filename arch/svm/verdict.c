// SPDX-License-Identifier: Apache-2.0
// Whether a processor's AMD-V is sufficient (AMD APM volume 2, 15.4; volume 3, CPUID 0x8000000a).
#include "arch/svm/verdict.h"

#include "arch/cpu/msr.h"
#include "arch/lib/format.h"

#define EDX_NESTED_PAGING  BIT(0)
#define EDX_NEXT_RIP       BIT(3)
#define EDX_FLUSH_BY_ASID  BIT(6)
#define EDX_DECODE_ASSISTS BIT(7)
#define EDX_USED           (EDX_NEXT_RIP | EDX_FLUSH_BY_ASID | EDX_DECODE_ASSISTS)

enum status svm_verdict(const struct svm_identity *cpu, const struct svm_identity *first, char *why,
                        size_t size)
{
    if (!cpu->svm) {
        format(why, size, "no AMD-V (SVM)");
        return ERR_NOT_FOUND;
    }
    if (cpu->vm_cr & VM_CR_SVMDIS) {
        format(why, size,
               "AMD-V is turned off by the firmware (VM_CR.SVMDIS): turn on \"SVM mode\" in its "
               "setup");
        return ERR_UNSUPPORTED;
    }
    if ((cpu->edx & EDX_NESTED_PAGING) == 0) {
        format(why, size,
               "this processor has AMD-V but no nested paging (NPT), which Bulkhead "
               "needs: use a newer one");
        return ERR_UNSUPPORTED;
    }
    if (cpu->asids <= SVM_GUEST_ASID) {
        format(why, size,
               "this processor's AMD-V has %u address space identifiers, Bulkhead needs 2: use "
               "another one",
               cpu->asids);
        return ERR_UNSUPPORTED;
    }
    if (first != NULL && ((cpu->edx ^ first->edx) & EDX_USED) != 0) {
        format(why, size, "its AMD-V features are 0x%x, the others' 0x%x: update the firmware",
               cpu->edx, first->edx);
        return ERR_UNSUPPORTED;
    }
    return STATUS_OK;
}

struct svm_features svm_features_of(const struct svm_identity *cpu)
{
    return (struct svm_features){
        .next_rip = (cpu->edx & EDX_NEXT_RIP) != 0,
        .flush_by_asid = (cpu->edx & EDX_FLUSH_BY_ASID) != 0,
        .decode_assists = (cpu->edx & EDX_DECODE_ASSISTS) != 0,
    };
}
