// SPDX-License-Identifier: Apache-2.0
// Calls from a guest to the hypervisor: VMMCALL or VMCALL with the number in RAX. The result is in
// RAX.
#ifndef HV_EXIT_HYPERCALL_H
#define HV_EXIT_HYPERCALL_H

#include <stdint.h>

// Result of a call whose number is unknown: -KVM_ENOSYS, which guests know (Linux,
// include/uapi/linux/kvm_para.h).
#define HYPERCALL_UNKNOWN ((uint64_t)-1000)

#endif
