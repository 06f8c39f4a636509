// SPDX-License-Identifier: Apache-2.0
// Registers, tables, commands and events of AMD's IOMMU (AMD I/O Virtualization Technology
// Specification, 48882; section numbers in parentheses), with the bits that the hypervisor uses.
#ifndef DRIVERS_AMDVI_REGS_H
#define DRIVERS_AMDVI_REGS_H

#include "arch/lib/types.h"

// Registers (3.4), all 64 bits wide.
#define AMDVI_MMIO_SIZE       0x4000u
#define AMDVI_DEVICE_TABLE    0x0000u // address, and size in 4 KiB pages - 1
#define AMDVI_COMMAND_BASE    0x0008u
#define AMDVI_EVENT_BASE      0x0010u
#define AMDVI_CONTROL         0x0018u
#define AMDVI_EXCLUSION_BASE  0x0020u
#define AMDVI_EXCLUSION_LIMIT 0x0028u
#define AMDVI_FEATURES        0x0030u
#define AMDVI_COMMAND_HEAD    0x2000u // this and the next three: byte offsets into their buffers
#define AMDVI_COMMAND_TAIL    0x2008u
#define AMDVI_EVENT_HEAD      0x2010u
#define AMDVI_EVENT_TAIL      0x2018u
#define AMDVI_STATUS          0x2020u

#define AMDVI_BASE_256_ENTRIES (8ull << 56) // a buffer's length: one page of 16-byte entries

#define AMDVI_DEVICE_TABLE_PAGES 0x1ffull // pages - 1
#define AMDVI_LEVELS             4        // levels of the page tables

#define AMDVI_CONTROL_ON             BIT(0)
#define AMDVI_CONTROL_HT_TUNNEL      BIT(1)
#define AMDVI_CONTROL_EVENT_LOG      BIT(2)
#define AMDVI_CONTROL_EVENT_MSI      BIT(3)
#define AMDVI_CONTROL_TIMEOUT_1S     (4ull << 5) // for invalidations in devices' TLBs
#define AMDVI_CONTROL_PASS_PW        BIT(8)
#define AMDVI_CONTROL_RES_PASS_PW    BIT(9)
#define AMDVI_CONTROL_COHERENT       BIT(10) // tables are read through the CPUs' caches
#define AMDVI_CONTROL_ISOCHRONOUS    BIT(11)
#define AMDVI_CONTROL_COMMAND_BUFFER BIT(12)
#define AMDVI_CONTROL_GUEST_APIC     BIT(17) // GAEn: interrupt table entries have 128 bits
#define AMDVI_CONTROL_X2APIC         BIT(50) // XTEn: their destinations have 32 bits

#define AMDVI_FEATURE_X2APIC         BIT(2)
#define AMDVI_FEATURE_INVALIDATE_ALL BIT(6)
#define AMDVI_FEATURE_GUEST_APIC     BIT(7)

#define AMDVI_STATUS_EVENT_OVERFLOW BIT(0) // this and the next: write 1 to clear
#define AMDVI_STATUS_EVENT_MSI      BIT(1)
#define AMDVI_STATUS_EVENT_RUNS     BIT(3)
#define AMDVI_STATUS_COMMAND_RUNS   BIT(4)

// Device table entries (2.2.2.1): four quadwords.
#define AMDVI_DTE_SIZE 32u
// First quadword. Mode 0 translates nothing; only IR and IW decide.
#define AMDVI_DTE_VALID             BIT(0)
#define AMDVI_DTE_TRANSLATION_VALID BIT(1)
#define AMDVI_DTE_MODE(levels)      ((uint64_t)(levels) << 9)
#define AMDVI_DTE_ROOT_MASK         0x000ffffffffff000ull
#define AMDVI_DTE_READ              BIT(61)
#define AMDVI_DTE_WRITE             BIT(62)
// Second quadword: the domain in bits 15:0. These stay clear: I (bit 32), which would let the
// device use its own translations, EX (exclusion range) and SysMgt (system management messages).
#define AMDVI_DTE_DOMAIN_MASK     0xffffull
#define AMDVI_DTE_SUPPRESS_EVENTS BIT(34) // SA: refused accesses are not recorded
// Third quadword: interrupts. Without IV they pass unchanged.
#define AMDVI_DTE_INTERRUPTS_VALID  BIT(0)
#define AMDVI_DTE_TABLE_LENGTH(log) ((uint64_t)(log) << 1)
#define AMDVI_DTE_NMI_PASS          BIT(58)
// IntCtl, for fixed and arbitrated interrupts; 0 refuses them.
#define AMDVI_DTE_FIXED_REMAPPED (2ull << 60)

// Interrupt table entries (2.2.5.2): 32 bits, or 128 bits if GAEn is set.
#define AMDVI_IRTE_VALID             BIT(0) // clear: the interrupt is refused and recorded
#define AMDVI_IRTE_DESTINATION_SHIFT 8      // physical, 8 bits; in 128-bit entries bits 23:0
#define AMDVI_IRTE_VECTOR_SHIFT      16
// Second quadword of a 128-bit entry: vector in bits 7:0, bits 31:24 of the destination from this
// bit.
#define AMDVI_IRTE_HIGH_DESTINATION_SHIFT 56

// Commands (2.4): the code is in bits 63:60 of the first quadword.
#define AMDVI_COMMAND_WAIT                  (1ull << 60)
#define AMDVI_COMMAND_INVALIDATE_DEVICE     (2ull << 60)
#define AMDVI_COMMAND_INVALIDATE_PAGES      (3ull << 60)
#define AMDVI_COMMAND_INVALIDATE_INTERRUPTS (5ull << 60)
#define AMDVI_COMMAND_INVALIDATE_ALL        (8ull << 60)
#define AMDVI_WAIT_STORE                    BIT(0)
#define AMDVI_PAGES_DOMAIN_SHIFT            32
// Second quadword of INVALIDATE_PAGES: all addresses (S set, the address all ones except its sign),
// including directory entries (PDE).
#define AMDVI_PAGES_ALL (0x7ffffffffffff000ull | BIT(0) | BIT(1))

// Events (2.5): requester in bits 15:0 of the first quadword, flags from bit 48, code in bits
// 63:60. The second quadword is the address.
#define AMDVI_EVENT_CODE_SHIFT 60
#define AMDVI_EVENT_INTERRUPT  BIT(51)
#define AMDVI_EVENT_WRITE      BIT(53)

#endif
