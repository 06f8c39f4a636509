// SPDX-License-Identifier: Apache-2.0
// The bits of the VMCB's control words, with the manual's names (AMD APM volume 2, table B-1).
#ifndef ARCH_SVM_VMCB_CONTROLS_H
#define ARCH_SVM_VMCB_CONTROLS_H

#include "arch/lib/types.h"

// Intercepts of intercept_misc1 (0x00c).
#define INTERCEPT_INTR          BIT(0)
#define INTERCEPT_NMI           BIT(1)
#define INTERCEPT_SMI           BIT(2)
#define INTERCEPT_INIT          BIT(3)
#define INTERCEPT_VINTR         BIT(4)
#define INTERCEPT_CR0_SELECTIVE BIT(5)  // writes that change more than TS and MP
#define INTERCEPT_TABLE_READS   0x3c0u  // IDTR, GDTR, LDTR, TR
#define INTERCEPT_TABLE_WRITES  0x3c00u // the same
#define INTERCEPT_RDTSC         BIT(14)
#define INTERCEPT_RDPMC         BIT(15)
#define INTERCEPT_PUSHF         BIT(16)
#define INTERCEPT_POPF          BIT(17)
#define INTERCEPT_CPUID         BIT(18)
#define INTERCEPT_RSM           BIT(19)
#define INTERCEPT_IRET          BIT(20)
#define INTERCEPT_INTN          BIT(21)
#define INTERCEPT_INVD          BIT(22)
#define INTERCEPT_PAUSE         BIT(23)
#define INTERCEPT_HLT           BIT(24)
#define INTERCEPT_INVLPG        BIT(25)
#define INTERCEPT_INVLPGA       BIT(26)
#define INTERCEPT_IOIO          BIT(27)
#define INTERCEPT_MSR           BIT(28)
#define INTERCEPT_TASK_SWITCH   BIT(29)
#define INTERCEPT_FERR_FREEZE   BIT(30)
#define INTERCEPT_SHUTDOWN      BIT(31)
// Intercepts of intercept_misc2 (0x010).
#define INTERCEPT_VMRUN       BIT(0)
#define INTERCEPT_VMMCALL     BIT(1)
#define INTERCEPT_VMLOAD      BIT(2)
#define INTERCEPT_VMSAVE      BIT(3)
#define INTERCEPT_STGI        BIT(4)
#define INTERCEPT_CLGI        BIT(5)
#define INTERCEPT_SKINIT      BIT(6)
#define INTERCEPT_RDTSCP      BIT(7)
#define INTERCEPT_ICEBP       BIT(8)
#define INTERCEPT_WBINVD      BIT(9)  // and WBNOINVD
#define INTERCEPT_MONITOR     BIT(10) // and MONITORX
#define INTERCEPT_MWAIT       BIT(11) // and MWAITX
#define INTERCEPT_MWAIT_ARMED BIT(12)
#define INTERCEPT_XSETBV      BIT(13)
#define INTERCEPT_RDPRU       BIT(14)
#define INTERCEPT_EFER_TRAP   BIT(15)
#define INTERCEPT_CR_TRAPS    0xffff0000u
// Intercepts of intercept_misc3 (0x014).
#define INTERCEPT_INVLPGB         BIT(0)
#define INTERCEPT_INVLPGB_ILLEGAL BIT(1)
#define INTERCEPT_INVPCID         BIT(2)
#define INTERCEPT_MCOMMIT         BIT(3)
#define INTERCEPT_TLBSYNC         BIT(4)
#define INTERCEPT_BUS_LOCK        BIT(5)
#define INTERCEPT_IDLE_HLT        BIT(6)

// v_intr (0x060).
#define V_IRQ           BIT(8)
#define V_IGN_TPR       BIT(20)
#define V_INTR_MASKING  BIT(24)
#define V_GIF_ENABLE    BIT(25)
#define V_NMI_ENABLE    BIT(26)
#define V_X2AVIC_ENABLE BIT(30)
#define V_AVIC_ENABLE   BIT(31)

// nested_control (0x090).
#define NESTED_PAGING  BIT(0)
#define NESTED_SEV     BIT(1)
#define NESTED_SEV_ES  BIT(2)
#define NESTED_OTHERS  0x78u  // GMET, SSSCheckEn, VTE, read-only guest page tables
#define NESTED_INVLPGB BIT(7) // INVLPGB and TLBSYNC; both raise #UD without it

// lbr_control (0x0b8).
#define LBR_VIRTUAL       BIT(0)
#define LBR_VMLOAD_VMSAVE BIT(1)
#define LBR_IBS           BIT(2)
#define LBR_PMC           BIT(3)

#endif
