// SPDX-License-Identifier: Apache-2.0
// The virtual-machine control structure of VT-x: field encodings and the formats of the fields,
// with the manual's names (Intel SDM volume 3, chapters 25 to 28, appendices A to C). Its control
// bits and exit reasons are in vmcs_controls.h.
#ifndef ARCH_VMX_VMCS_H
#define ARCH_VMX_VMCS_H

#include "arch/lib/types.h"
#include "arch/vmx/vmcs_controls.h"

// Field encodings (appendix B).
enum vmcs_field {
    // 16 bits
    VMCS_VPID = 0x0000,
    VMCS_GUEST_ES_SELECTOR = 0x0800, // CS, SS, DS, FS, GS, LDTR, TR follow in steps of 2
    VMCS_HOST_ES_SELECTOR = 0x0c00,
    VMCS_HOST_CS_SELECTOR = 0x0c02,
    VMCS_HOST_SS_SELECTOR = 0x0c04,
    VMCS_HOST_DS_SELECTOR = 0x0c06,
    VMCS_HOST_FS_SELECTOR = 0x0c08,
    VMCS_HOST_GS_SELECTOR = 0x0c0a,
    VMCS_HOST_TR_SELECTOR = 0x0c0c,
    // 64 bits
    VMCS_IO_BITMAP_A = 0x2000,
    VMCS_IO_BITMAP_B = 0x2002,
    VMCS_MSR_BITMAP = 0x2004,
    VMCS_EPT_POINTER = 0x201a,
    VMCS_XSS_EXITING_BITMAP = 0x202c,
    VMCS_ENCLS_EXITING_BITMAP = 0x202e,
    VMCS_ENCLV_EXITING_BITMAP = 0x2036,
    VMCS_GUEST_PHYSICAL_ADDRESS = 0x2400,
    VMCS_LINK_POINTER = 0x2800,
    VMCS_GUEST_DEBUGCTL = 0x2802,
    VMCS_GUEST_PAT = 0x2804,
    VMCS_GUEST_EFER = 0x2806,
    VMCS_GUEST_PDPTE0 = 0x280a, // 1, 2 and 3 follow in steps of 2
    VMCS_HOST_PAT = 0x2c00,
    VMCS_HOST_EFER = 0x2c02,
    // 32 bits
    VMCS_PIN_CONTROLS = 0x4000,
    VMCS_PROC_CONTROLS = 0x4002,
    VMCS_EXCEPTION_BITMAP = 0x4004,
    VMCS_PF_ERROR_MASK = 0x4006,
    VMCS_PF_ERROR_MATCH = 0x4008,
    VMCS_CR3_TARGET_COUNT = 0x400a,
    VMCS_EXIT_CONTROLS = 0x400c,
    VMCS_EXIT_MSR_STORE_COUNT = 0x400e,
    VMCS_EXIT_MSR_LOAD_COUNT = 0x4010,
    VMCS_ENTRY_CONTROLS = 0x4012,
    VMCS_ENTRY_MSR_LOAD_COUNT = 0x4014,
    VMCS_ENTRY_EVENT = 0x4016,
    VMCS_ENTRY_ERROR_CODE = 0x4018,
    VMCS_ENTRY_LENGTH = 0x401a,
    VMCS_PROC2_CONTROLS = 0x401e,
    VMCS_INSTRUCTION_ERROR = 0x4400,
    VMCS_EXIT_REASON = 0x4402,
    VMCS_EXIT_EVENT = 0x4404,
    VMCS_EXIT_ERROR_CODE = 0x4406,
    VMCS_VECTORING_EVENT = 0x4408,
    VMCS_VECTORING_ERROR_CODE = 0x440a,
    VMCS_EXIT_LENGTH = 0x440c,
    VMCS_GUEST_ES_LIMIT = 0x4800, // CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR follow
    VMCS_GUEST_GDTR_LIMIT = 0x4810,
    VMCS_GUEST_IDTR_LIMIT = 0x4812,
    VMCS_GUEST_ES_RIGHTS = 0x4814, // CS, SS, DS, FS, GS, LDTR, TR follow
    VMCS_GUEST_INTERRUPTIBILITY = 0x4824,
    VMCS_GUEST_ACTIVITY = 0x4826,
    VMCS_GUEST_SYSENTER_CS = 0x482a,
    VMCS_PREEMPTION_TIMER = 0x482e,
    VMCS_HOST_SYSENTER_CS = 0x4c00,
    // Natural width
    VMCS_CR0_MASK = 0x6000,
    VMCS_CR4_MASK = 0x6002,
    VMCS_CR0_SHADOW = 0x6004,
    VMCS_CR4_SHADOW = 0x6006,
    VMCS_QUALIFICATION = 0x6400,
    VMCS_GUEST_CR0 = 0x6800,
    VMCS_GUEST_CR3 = 0x6802,
    VMCS_GUEST_CR4 = 0x6804,
    VMCS_GUEST_ES_BASE = 0x6806, // CS, SS, DS, FS, GS, LDTR, TR, GDTR, IDTR follow
    VMCS_GUEST_GDTR_BASE = 0x6816,
    VMCS_GUEST_IDTR_BASE = 0x6818,
    VMCS_GUEST_DR7 = 0x681a,
    VMCS_GUEST_RSP = 0x681c,
    VMCS_GUEST_RIP = 0x681e,
    VMCS_GUEST_RFLAGS = 0x6820,
    VMCS_GUEST_PENDING_DEBUG = 0x6822,
    VMCS_GUEST_SYSENTER_ESP = 0x6824,
    VMCS_GUEST_SYSENTER_EIP = 0x6826,
    VMCS_HOST_CR0 = 0x6c00,
    VMCS_HOST_CR3 = 0x6c02,
    VMCS_HOST_CR4 = 0x6c04,
    VMCS_HOST_FS_BASE = 0x6c06,
    VMCS_HOST_GS_BASE = 0x6c08,
    VMCS_HOST_TR_BASE = 0x6c0a,
    VMCS_HOST_GDTR_BASE = 0x6c0c,
    VMCS_HOST_IDTR_BASE = 0x6c0e,
    VMCS_HOST_SYSENTER_ESP = 0x6c10,
    VMCS_HOST_SYSENTER_EIP = 0x6c12,
    VMCS_HOST_RSP = 0x6c14,
    VMCS_HOST_RIP = 0x6c16,
};

// The order of the guest's segment registers in the fields above.
enum vmcs_segment {
    VMCS_ES,
    VMCS_CS,
    VMCS_SS,
    VMCS_DS,
    VMCS_FS,
    VMCS_GS,
    VMCS_LDTR,
    VMCS_TR,
    VMCS_SEGMENTS,
};
#define VMCS_SEGMENT_SELECTOR(s) (VMCS_GUEST_ES_SELECTOR + 2 * (unsigned)(s))
#define VMCS_SEGMENT_LIMIT(s)    (VMCS_GUEST_ES_LIMIT + 2 * (unsigned)(s))
#define VMCS_SEGMENT_RIGHTS(s)   (VMCS_GUEST_ES_RIGHTS + 2 * (unsigned)(s))
#define VMCS_SEGMENT_BASE(s)     (VMCS_GUEST_ES_BASE + 2 * (unsigned)(s))

// IA32_VMX_BASIC (A.1).
#define VMX_BASIC_REVISION(v)   ((uint32_t)((v)&0x7fffffff))
#define VMX_BASIC_32BIT_ADDRESS BIT(48)
#define VMX_BASIC_TYPE(v)       ((unsigned)((v) >> 50 & 15))
#define VMX_BASIC_TRUE_CONTROLS BIT(55)
#define VMX_MEMORY_WRITE_BACK   6

// IA32_VMX_EPT_VPID_CAP (A.10).
#define EPT_CAP_WALK_4         BIT(6)
#define EPT_CAP_WRITE_BACK     BIT(14)
#define EPT_CAP_2M             BIT(16)
#define EPT_CAP_1G             BIT(17)
#define EPT_CAP_INVEPT         BIT(20)
#define EPT_CAP_ACCESSED_DIRTY BIT(21)
#define EPT_CAP_INVEPT_ALL     BIT(26)
#define EPT_CAP_INVVPID        BIT(32)
#define EPT_CAP_INVVPID_ALL    BIT(42)

// EPT pointer (25.6.11).
#define EPTP_WRITE_BACK     6ull
#define EPTP_WALK_4         (3ull << 3)
#define EPTP_ACCESSED_DIRTY BIT(6)

// Access rights of a segment (25.4.1).
#define RIGHTS_TYPE(r)     ((unsigned)((r)&15))
#define RIGHTS_NOT_SYSTEM  BIT(4)
#define RIGHTS_DPL(r)      ((unsigned)((r) >> 5 & 3))
#define RIGHTS_PRESENT     BIT(7)
#define RIGHTS_LONG        BIT(13)
#define RIGHTS_BIG         BIT(14)
#define RIGHTS_GRANULARITY BIT(15)
#define RIGHTS_UNUSABLE    BIT(16)
#define RIGHTS_RESERVED    0xfffe0f00u

// Interruptibility (25.4.2).
#define BLOCKED_BY_STI    BIT(0)
#define BLOCKED_BY_MOV_SS BIT(1)
#define BLOCKED_BY_SMI    BIT(2)
#define BLOCKED_BY_NMI    BIT(3)
#define BLOCKED_RESERVED  0xffffffe0u
#define BLOCKED_BY_SHADOW (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)

#define ACTIVITY_ACTIVE    0
#define ACTIVITY_HLT       1
#define ACTIVITY_WAIT_SIPI 3

#define PENDING_DEBUG_ENABLED  BIT(12)
#define PENDING_DEBUG_RESERVED (~0x1500full)

// Events: injected at entry, the cause of an exit, and interrupted by an exit (25.8.3, 25.9.2,
// 25.9.3).
#define EVENT_VECTOR(e)        ((unsigned)((e)&0xff))
#define EVENT_TYPE(e)          ((unsigned)((e) >> 8 & 7))
#define EVENT_TYPE_EXTERNAL    0
#define EVENT_TYPE_NMI         2
#define EVENT_TYPE_EXCEPTION   3
#define EVENT_TYPE_SOFTWARE    4 // INT n
#define EVENT_TYPE_PRIVILEGED  5 // INT1
#define EVENT_TYPE_SOFTWARE_EX 6 // INT3, INTO
#define EVENT_OF_TYPE(t)       ((uint32_t)(t) << 8)
#define EVENT_HAS_ERROR        BIT(11)
#define EVENT_NMI_UNBLOCKED    BIT(12) // of an exit: it interrupted an IRET that unblocked NMIs
#define EVENT_VALID            BIT(31)

// Exit qualification of control-register accesses (table 28-3).
#define CR_NUMBER(q)     ((unsigned)((q)&15))
#define CR_ACCESS(q)     ((unsigned)((q) >> 4 & 3))
#define CR_ACCESS_MOV_TO 0
#define CR_REGISTER(q)   ((unsigned)((q) >> 8 & 15))

// The same for I/O instructions (table 28-5).
#define IO_SIZE(q) ((unsigned)((q)&7) + 1)
#define IO_IN      BIT(3)
#define IO_STRING  BIT(4)
#define IO_PORT(q) ((uint16_t)((q) >> 16))

// The same for EPT violations (table 28-7).
#define EPT_ACCESS_WRITE      BIT(1)
#define EPT_ACCESS_FETCH      BIT(2)
#define EPT_LINEAR_VALID      BIT(7)
#define EPT_LINEAR_TRANSLATED BIT(8) // the access itself, not a walk of the guest's tables
#define EPT_NMI_UNBLOCKED     BIT(12)

#endif
