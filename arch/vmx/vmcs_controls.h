// SPDX-License-Identifier: Apache-2.0
// The bits of the VMCS's control fields, and the exit reasons, with the manual's names (Intel SDM
// volume 3, chapter 25, appendix C).
#ifndef ARCH_VMX_VMCS_CONTROLS_H
#define ARCH_VMX_VMCS_CONTROLS_H

#include "arch/lib/types.h"

// Pin-based controls (25.6.1).
#define PIN_EXTERNAL_INTERRUPT BIT(0)
#define PIN_NMI                BIT(3)
#define PIN_VIRTUAL_NMIS       BIT(5)
#define PIN_PREEMPTION_TIMER   BIT(6)
#define PIN_POSTED_INTERRUPTS  BIT(7)

// Primary processor-based controls (25.6.2).
#define PROC_INTERRUPT_WINDOW BIT(2)
#define PROC_TSC_OFFSETTING   BIT(3)
#define PROC_HLT              BIT(7)
#define PROC_INVLPG           BIT(9)
#define PROC_MWAIT            BIT(10)
#define PROC_RDPMC            BIT(11)
#define PROC_RDTSC            BIT(12)
#define PROC_CR3_LOAD         BIT(15)
#define PROC_CR3_STORE        BIT(16)
#define PROC_TERTIARY         BIT(17)
#define PROC_CR8_LOAD         BIT(19)
#define PROC_CR8_STORE        BIT(20)
#define PROC_TPR_SHADOW       BIT(21)
#define PROC_NMI_WINDOW       BIT(22)
#define PROC_MOV_DR           BIT(23)
#define PROC_ALL_IO           BIT(24)
#define PROC_IO_BITMAPS       BIT(25)
#define PROC_MONITOR_TRAP     BIT(27)
#define PROC_MSR_BITMAPS      BIT(28)
#define PROC_MONITOR          BIT(29)
#define PROC_PAUSE            BIT(30)
#define PROC_SECONDARY        BIT(31)

// Secondary processor-based controls (25.6.2).
#define PROC2_APIC_ACCESSES      BIT(0)
#define PROC2_EPT                BIT(1)
#define PROC2_DESCRIPTOR_TABLES  BIT(2)
#define PROC2_RDTSCP             BIT(3)
#define PROC2_X2APIC             BIT(4)
#define PROC2_VPID               BIT(5)
#define PROC2_WBINVD             BIT(6)
#define PROC2_UNRESTRICTED_GUEST BIT(7)
#define PROC2_APIC_REGISTERS     BIT(8)
#define PROC2_INTERRUPT_DELIVERY BIT(9)
#define PROC2_PAUSE_LOOP         BIT(10)
#define PROC2_RDRAND             BIT(11)
#define PROC2_INVPCID            BIT(12)
#define PROC2_VM_FUNCTIONS       BIT(13)
#define PROC2_VMCS_SHADOWING     BIT(14)
#define PROC2_ENCLS              BIT(15)
#define PROC2_RDSEED             BIT(16)
#define PROC2_PML                BIT(17)
#define PROC2_EPT_VE             BIT(18)
#define PROC2_CONCEAL_PT         BIT(19)
#define PROC2_XSAVES             BIT(20)
#define PROC2_PASID              BIT(21)
#define PROC2_MODE_EXECUTE       BIT(22)
#define PROC2_SUB_PAGE           BIT(23)
#define PROC2_PT_GUEST_PHYSICAL  BIT(24)
#define PROC2_TSC_SCALING        BIT(25)
#define PROC2_USER_WAIT          BIT(26)
#define PROC2_PCONFIG            BIT(27)
#define PROC2_ENCLV              BIT(28)
#define PROC2_BUS_LOCK           BIT(30)
#define PROC2_TIMEOUT            BIT(31)

// VM-exit controls (25.7.1).
#define EXIT_SAVE_DEBUG       BIT(2)
#define EXIT_HOST_64BIT       BIT(9)
#define EXIT_LOAD_PERF_GLOBAL BIT(12)
#define EXIT_ACK_INTERRUPT    BIT(15)
#define EXIT_SAVE_PAT         BIT(18)
#define EXIT_LOAD_PAT         BIT(19)
#define EXIT_SAVE_EFER        BIT(20)
#define EXIT_LOAD_EFER        BIT(21)
#define EXIT_SAVE_PREEMPTION  BIT(22)
#define EXIT_CLEAR_BNDCFGS    BIT(23)

// VM-entry controls (25.8.1).
#define ENTRY_LOAD_DEBUG       BIT(2)
#define ENTRY_IA32E_GUEST      BIT(9)
#define ENTRY_TO_SMM           BIT(10)
#define ENTRY_NO_DUAL_MONITOR  BIT(11)
#define ENTRY_LOAD_PERF_GLOBAL BIT(13)
#define ENTRY_LOAD_PAT         BIT(14)
#define ENTRY_LOAD_EFER        BIT(15)
#define ENTRY_LOAD_BNDCFGS     BIT(16)

// Exit reasons (appendix C).
#define EXIT_REASON_BASIC(r) ((unsigned)((r)&0xffff))
#define EXIT_ENTRY_FAILED    BIT(31)
enum vmx_exit {
    VMX_EXIT_EXCEPTION_NMI = 0,
    VMX_EXIT_TRIPLE_FAULT = 2,
    VMX_EXIT_INIT = 3,
    VMX_EXIT_SIPI = 4,
    VMX_EXIT_INTERRUPT_WINDOW = 7,
    VMX_EXIT_NMI_WINDOW = 8,
    VMX_EXIT_TASK_SWITCH = 9,
    VMX_EXIT_CPUID = 10,
    VMX_EXIT_GETSEC = 11,
    VMX_EXIT_HLT = 12,
    VMX_EXIT_INVD = 13,
    VMX_EXIT_RDPMC = 15,
    VMX_EXIT_RSM = 17,
    VMX_EXIT_VMCALL = 18,
    VMX_EXIT_VMCLEAR = 19,
    VMX_EXIT_VMXON = 27,
    VMX_EXIT_CR = 28,
    VMX_EXIT_IO = 30,
    VMX_EXIT_RDMSR = 31,
    VMX_EXIT_WRMSR = 32,
    VMX_EXIT_GUEST_STATE = 33,
    VMX_EXIT_MWAIT = 36,
    VMX_EXIT_MONITOR = 39,
    VMX_EXIT_EPT_VIOLATION = 48,
    VMX_EXIT_EPT_MISCONFIGURATION = 49,
    VMX_EXIT_INVEPT = 50,
    VMX_EXIT_PREEMPTION_TIMER = 52,
    VMX_EXIT_INVVPID = 53,
    VMX_EXIT_WBINVD = 54,
    VMX_EXIT_XSETBV = 55,
    VMX_EXIT_VMFUNC = 59,
    VMX_EXIT_ENCLS = 60,
    VMX_EXIT_ENCLV = 70,
    VMX_EXIT_SEAMCALL = 76,
    VMX_EXIT_TDCALL = 77,
    VMX_EXIT_RDMSR_IMMEDIATE = 84,
    VMX_EXIT_WRMSR_IMMEDIATE = 85,
};

#endif
