// SPDX-License-Identifier: Apache-2.0
// Numbers of the local APIC, with the manuals' names: Intel SDM vol. 3 chapter "APIC", AMD APM vol.
// 2 chapter 16. A register is named with its xAPIC offset; in x2APIC mode the register at offset n
// is MSR 0x800 + n / 16.
#ifndef ARCH_INTERRUPT_APIC_DEFS_H
#define ARCH_INTERRUPT_APIC_DEFS_H

#include <stdint.h>

// Registers
#define APIC_ID            0x020u
#define APIC_VERSION       0x030u
#define APIC_TPR           0x080u
#define APIC_APR           0x090u
#define APIC_PPR           0x0a0u
#define APIC_EOI           0x0b0u
#define APIC_RRD           0x0c0u
#define APIC_LDR           0x0d0u
#define APIC_DFR           0x0e0u // xAPIC only
#define APIC_SVR           0x0f0u
#define APIC_ISR           0x100u // 8 registers
#define APIC_TMR           0x180u // 8 registers
#define APIC_IRR           0x200u // 8 registers
#define APIC_ESR           0x280u
#define APIC_LVT_CMCI      0x2f0u
#define APIC_ICR_LOW       0x300u // 64 bits in x2APIC mode
#define APIC_ICR_HIGH      0x310u // xAPIC only
#define APIC_LVT_TIMER     0x320u
#define APIC_LVT_THERMAL   0x330u
#define APIC_LVT_PERF      0x340u
#define APIC_LVT_LINT0     0x350u
#define APIC_LVT_LINT1     0x360u
#define APIC_LVT_ERROR     0x370u
#define APIC_TIMER_INITIAL 0x380u
#define APIC_TIMER_CURRENT 0x390u
#define APIC_TIMER_DIVIDE  0x3e0u
#define APIC_SELF_IPI      0x3f0u // x2APIC only

#define APIC_PAGE_BASE      0xfee00000ull
#define APIC_REGISTER_STEP  0x10u
#define APIC_REGISTER_COUNT 0x40u // up to 0x3f0; AMD's extended registers lie above

#define MSR_X2APIC_FIRST   0x800u
#define MSR_X2APIC_LAST    0x8ffu
#define X2APIC_MSR(offset) (MSR_X2APIC_FIRST + (offset) / APIC_REGISTER_STEP)
#define X2APIC_OFFSET(msr) (((msr)-MSR_X2APIC_FIRST) * APIC_REGISTER_STEP)

// IA32_APIC_BASE
#define APIC_BASE_BSP     (1ull << 8)
#define APIC_BASE_EXTD    (1ull << 10) // x2APIC mode
#define APIC_BASE_ENABLE  (1ull << 11)
#define APIC_BASE_ADDRESS 0x000ffffffffff000ull

// Version
#define APIC_VERSION_NUMBER     0xffu
#define APIC_VERSION_MAXLVT     0xff0000u // number of LVT entries - 1
#define APIC_VERSION_MAXLVT_POS 16

// Spurious-interrupt vector
#define APIC_SVR_VECTOR 0xffu
#define APIC_SVR_ENABLE (1u << 8)
#define APIC_SVR_FOCUS  (1u << 9) // focus check: has no meaning since the Pentium 4
#define APIC_SVR_RESET  0xffu

// Local vector table
#define APIC_LVT_VECTOR     0xffu
#define APIC_LVT_MODE       0x700u
#define APIC_LVT_MODE_FIXED 0x000u
#define APIC_LVT_MODE_SMI   0x200u
#define APIC_LVT_MODE_NMI   0x400u
#define APIC_LVT_MODE_EXT   0x700u
#define APIC_LVT_STATUS     (1u << 12) // read-only
#define APIC_LVT_REMOTE_IRR (1u << 14) // read-only
#define APIC_LVT_MASKED     (1u << 16)
#define APIC_LVT_PERIODIC   (1u << 17)
#define APIC_LVT_DEADLINE   (1u << 18)

// Error status
#define APIC_ESR_SEND_VECTOR 0x20u // attempt to send a vector below 16
#define APIC_ESR_REGISTER    0x80u // access to a register that does not exist

// Interrupt command
#define APIC_ICR_VECTOR         0xffull
#define APIC_ICR_MODE           0x700ull
#define APIC_ICR_MODE_POS       8
#define APIC_ICR_LOGICAL        (1ull << 11)
#define APIC_ICR_BUSY           (1ull << 12) // xAPIC, read-only: delivery status
#define APIC_ICR_ASSERT         (1ull << 14)
#define APIC_ICR_LEVEL          (1ull << 15)
#define APIC_ICR_SHORTHAND      0xc0000ull
#define APIC_ICR_SHORTHAND_POS  18
#define APIC_ICR_TO_SELF        0x40000ull
#define APIC_ICR_TO_ALL         0x80000ull
#define APIC_ICR_TO_OTHERS      0xc0000ull
#define APIC_ICR_DEST_POS       32 // x2APIC: 32 bits
#define APIC_ICR_XAPIC_DEST_POS 56 // xAPIC: 8 bits
// Bits 31:20, 17:16 and 13 are reserved; x2APIC mode raises #GP
#define APIC_ICR_RESERVED 0xfff32000ull

// ICR delivery modes (bits 10:8)
#define APIC_MODE_FIXED   0u
#define APIC_MODE_LOWEST  1u
#define APIC_MODE_SMI     2u
#define APIC_MODE_REMOTE  3u // AMD "remote read", reserved elsewhere
#define APIC_MODE_NMI     4u
#define APIC_MODE_INIT    5u
#define APIC_MODE_STARTUP 6u
#define APIC_MODE_EXTINT  7u

#define APIC_VECTOR_FIRST_LEGAL 16u

// The highest ID that 8 bits can address, in xAPIC mode and in messages; 255 is broadcast.
#define APIC_XAPIC_LAST_ID 254u

// Interrupt messages of devices (SDM vol. 3, 11.11; APM vol. 2, 16.10): a write to this address
// with the destination in bits 19:12. The data holds the vector and, in bits 10:8, the delivery
// mode.
#define APIC_MSI_ADDRESS  0xfee00000u
#define APIC_MSI_DEST_POS 12
#define APIC_MSI_MODE_POS 8

// Destination format register: bits 31:28 give the model
#define APIC_DFR_FLAT    0xffffffffu
#define APIC_DFR_CLUSTER 0x0fffffffu

#endif
