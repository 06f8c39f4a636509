// SPDX-License-Identifier: Apache-2.0
// The virtual machine control block of AMD-V: layout and exit codes, with the manual's names (AMD
// APM volume 2, appendix B and C). Its control bits are in vmcb_controls.h.
#ifndef ARCH_SVM_VMCB_H
#define ARCH_SVM_VMCB_H

#include "arch/lib/types.h"
#include "arch/svm/vmcb_controls.h"

struct vmcb_segment {
    uint16_t selector;
    uint16_t attributes; // descriptor bits 55:52 and 47:40
    uint32_t limit;
    uint64_t base;
};

struct vmcb_control {
    uint32_t intercept_cr;         // 0x000: reads 15:0, writes 31:16
    uint32_t intercept_dr;         // 0x004
    uint32_t intercept_exceptions; // 0x008
    uint32_t intercept_misc1;      // 0x00c
    uint32_t intercept_misc2;      // 0x010
    uint32_t intercept_misc3;      // 0x014
    uint8_t reserved1[0x040 - 0x018];
    uint64_t iopm_base; // 0x040
    uint64_t msrpm_base;
    uint64_t tsc_offset;
    uint32_t asid; // 0x058
    uint8_t tlb_control;
    uint8_t reserved2[3];
    uint32_t v_intr; // 0x060: V_TPR, V_IRQ, VGIF, V_INTR_PRIO, V_IGN_TPR, V_INTR_MASKING
    uint32_t v_intr_vector;
    uint64_t interrupt_shadow; // 0x068
    uint64_t exit_code;        // 0x070
    uint64_t exit_info1;
    uint64_t exit_info2;
    uint64_t exit_int_info;
    uint64_t nested_control; // 0x090: bit 0 nested paging
    uint8_t reserved3[0x0a8 - 0x098];
    uint64_t event_injection; // 0x0a8
    uint64_t nested_cr3;
    uint64_t lbr_control;
    uint32_t clean; // 0x0c0
    uint32_t reserved4;
    uint64_t next_rip;
    uint8_t fetched_count; // 0x0d0
    uint8_t fetched[15];
    uint8_t reserved5[0x400 - 0x0e0];
};

struct vmcb_save {
    struct vmcb_segment es; // 0x400
    struct vmcb_segment cs;
    struct vmcb_segment ss;
    struct vmcb_segment ds;
    struct vmcb_segment fs; // fs, gs, ldtr and tr: loaded and stored by VMLOAD and VMSAVE only
    struct vmcb_segment gs;
    struct vmcb_segment gdtr;
    struct vmcb_segment ldtr;
    struct vmcb_segment idtr;
    struct vmcb_segment tr;
    uint8_t reserved1[0x4cb - 0x4a0];
    uint8_t cpl; // 0x4cb
    uint32_t reserved2;
    uint64_t efer; // 0x4d0
    uint8_t reserved3[0x548 - 0x4d8];
    uint64_t cr4; // 0x548
    uint64_t cr3;
    uint64_t cr0;
    uint64_t dr7;
    uint64_t dr6;
    uint64_t rflags; // 0x570
    uint64_t rip;
    uint8_t reserved4[0x5d8 - 0x580];
    uint64_t rsp; // 0x5d8
    uint64_t s_cet;
    uint64_t ssp;
    uint64_t isst_addr;
    uint64_t rax;  // 0x5f8
    uint64_t star; // star to sysenter_eip: by VMLOAD and VMSAVE only
    uint64_t lstar;
    uint64_t cstar;
    uint64_t sfmask;
    uint64_t kernel_gs_base;
    uint64_t sysenter_cs;
    uint64_t sysenter_esp;
    uint64_t sysenter_eip;
    uint64_t cr2; // 0x640
    uint8_t reserved5[0x668 - 0x648];
    uint64_t g_pat; // 0x668
    uint64_t dbgctl;
    uint8_t reserved6[0x1000 - 0x678];
};

struct vmcb {
    struct vmcb_control control;
    struct vmcb_save save;
};

_Static_assert(offsetof(struct vmcb_control, exit_code) == 0x070, "APM vol. 2, table B-1");
_Static_assert(offsetof(struct vmcb_control, event_injection) == 0x0a8, "APM vol. 2, table B-1");
_Static_assert(offsetof(struct vmcb_control, next_rip) == 0x0c8, "APM vol. 2, table B-1");
_Static_assert(offsetof(struct vmcb, save) == 0x400, "APM vol. 2, table B-2");
_Static_assert(offsetof(struct vmcb, save.cpl) == 0x4cb, "APM vol. 2, table B-2");
_Static_assert(offsetof(struct vmcb, save.cr4) == 0x548, "APM vol. 2, table B-2");
_Static_assert(offsetof(struct vmcb, save.rsp) == 0x5d8, "APM vol. 2, table B-2");
_Static_assert(offsetof(struct vmcb, save.cr2) == 0x640, "APM vol. 2, table B-2");
_Static_assert(offsetof(struct vmcb, save.g_pat) == 0x668, "APM vol. 2, table B-2");

#define TLB_CONTROL_NOTHING 0
#define TLB_CONTROL_ALL     1 // every ASID's entries on this CPU
#define TLB_CONTROL_ASID    3 // the entries of this guest's ASID; needs flush-by-ASID (15.16.2)

// Event injection and EXITINTINFO.
#define EVENT_TYPE_EXTERNAL  (0u << 8)
#define EVENT_TYPE_NMI       (2u << 8)
#define EVENT_TYPE_EXCEPTION (3u << 8)
#define EVENT_TYPE_SOFTWARE  (4u << 8)
#define EVENT_TYPE_MASK      (7u << 8)
#define EVENT_HAS_ERROR      BIT(11)
#define EVENT_VALID          BIT(31)

// Exit codes (appendix C).
#define EXIT_EXCEPTION_FIRST 0x040
#define EXIT_EXCEPTION_LAST  0x05f
#define EXIT_NMI             0x061
#define EXIT_INIT            0x063
#define EXIT_VINTR           0x064
#define EXIT_RDPMC           0x06f
#define EXIT_CPUID           0x072
#define EXIT_RSM             0x073
#define EXIT_IRET            0x074
#define EXIT_INVD            0x076
#define EXIT_INVLPGA         0x07a
#define EXIT_IOIO            0x07b
#define EXIT_MSR             0x07c
#define EXIT_FERR_FREEZE     0x07e
#define EXIT_SHUTDOWN        0x07f
#define EXIT_VMRUN           0x080
#define EXIT_VMMCALL         0x081
#define EXIT_VMLOAD          0x082
#define EXIT_VMSAVE          0x083
#define EXIT_STGI            0x084
#define EXIT_CLGI            0x085
#define EXIT_SKINIT          0x086
#define EXIT_WBINVD          0x089
#define EXIT_MONITOR         0x08a
#define EXIT_MWAIT           0x08b
#define EXIT_MWAIT_ARMED     0x08c
#define EXIT_RDPRU           0x08e
#define EXIT_INVLPGB         0x0a0
#define EXIT_TLBSYNC         0x0a4
#define EXIT_NPF             0x400
#define EXIT_INVALID         (-1ull)

// EXITINFO1 of IOIO (15.10.2).
#define IOIO_IN         BIT(0)
#define IOIO_STRING     BIT(2)
#define IOIO_SIZE_SHIFT 4    // bits 6:4, exactly one is set: 1, 2 or 4 bytes
#define IOIO_WHAT       0x7f // the bits that describe the access
#define IOIO_IN_BYTE    (IOIO_IN | 1u << IOIO_SIZE_SHIFT)
#define IOIO_PORT_SHIFT 16

// EXITINFO1 of a nested page fault (15.25.6).
#define NPF_WRITE      BIT(1)
#define NPF_FETCH      BIT(4)
#define NPF_TABLE_WALK BIT(33)

#endif
