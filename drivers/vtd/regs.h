// SPDX-License-Identifier: Apache-2.0
// Registers, tables and descriptors of a VT-d unit, with the specification's names (Intel
// Virtualization Technology for Directed I/O, Architecture Specification: chapter 9 translation
// structures, 6.5.2 invalidation queue, 11 registers).
#ifndef DRIVERS_VTD_REGS_H
#define DRIVERS_VTD_REGS_H

#include "arch/interrupt/apic_defs.h"
#include "arch/lib/types.h"

#define VTD_VER     0x00u // 32 bits
#define VTD_CAP     0x08u // 64
#define VTD_ECAP    0x10u // 64
#define VTD_GCMD    0x18u // 32
#define VTD_GSTS    0x1cu // 32
#define VTD_RTADDR  0x20u // 64
#define VTD_FSTS    0x34u // 32
#define VTD_FECTL   0x38u // 32
#define VTD_FEDATA  0x3cu // 32
#define VTD_FEADDR  0x40u // 32
#define VTD_FEUADDR 0x44u // 32
#define VTD_PMEN    0x64u // 32
#define VTD_IQH     0x80u // 64
#define VTD_IQT     0x88u // 64
#define VTD_IQA     0x90u // 64
#define VTD_IRTA    0xb8u // 64

#define VTD_REGISTERS_MIN 0x1000u // fault records may lie above

// CAP.
#define VTD_CAP_DOMAINS(cap) (1u << (4 + 2 * (unsigned)((cap)&7)))
#define VTD_CAP_RWBF         BIT(4) // write buffers must be flushed by command
#define VTD_CAP_PLMR         BIT(5) // protected memory registers exist
#define VTD_CAP_PHMR         BIT(6)
#define VTD_CAP_CM           BIT(7)  // caching mode: absent entries are also cached
#define VTD_CAP_SAGAW_39     BIT(9)  // three levels
#define VTD_CAP_SAGAW_48     BIT(10) // four levels
#define VTD_CAP_FRO(cap)     (16u * ((unsigned)((cap) >> 24) & 0x3ffu))
#define VTD_CAP_LARGE_2M     BIT(34)
#define VTD_CAP_LARGE_1G     BIT(35)
#define VTD_CAP_NFR(cap)     (1u + ((unsigned)((cap) >> 40) & 0xffu))
#define VTD_CAP_DWD          BIT(54) // drains writes
#define VTD_CAP_DRD          BIT(55) // drains reads

// ECAP.
#define VTD_ECAP_C   BIT(0) // table walks snoop the caches
#define VTD_ECAP_QI  BIT(1)
#define VTD_ECAP_IR  BIT(3)
#define VTD_ECAP_EIM BIT(4) // 32-bit destinations

// Bits of GCMD, and of GSTS, which shows each command's state. Commands in VTD_GSTS_ONE_SHOT act
// once: they are not repeated when another command is given.
#define VTD_G_TE          (1u << 31)
#define VTD_G_SRTP        (1u << 30)
#define VTD_G_SFL         (1u << 29)
#define VTD_G_EAFL        (1u << 28)
#define VTD_G_WBF         (1u << 27)
#define VTD_G_QIE         (1u << 26)
#define VTD_G_IRE         (1u << 25)
#define VTD_G_SIRTP       (1u << 24)
#define VTD_G_CFI         (1u << 23)
#define VTD_GSTS_ONE_SHOT (VTD_G_SRTP | VTD_G_SFL | VTD_G_WBF | VTD_G_SIRTP)

#define VTD_RTADDR_TTM 0xc00ull // translation table mode; 0: legacy

#define VTD_FSTS_PFO     (1u << 0) // primary fault overflow, cleared by writing 1
#define VTD_FSTS_PPF     (1u << 1) // a record is pending
#define VTD_FSTS_IQE     (1u << 4) // the invalidation queue has a bad descriptor
#define VTD_FSTS_ICE     (1u << 5)
#define VTD_FSTS_ITE     (1u << 6)
#define VTD_FSTS_CLEAR   0x7du                // all bits that are cleared by writing 1
#define VTD_FSTS_FRI(s)  (((s) >> 8) & 0xffu) // index of the first record
#define VTD_FECTL_MASKED (1u << 31)

// The fault event's message, to a physical destination: FEDATA, FEADDR, FEUADDR.
#define VTD_FEDATA_NMI (APIC_MODE_NMI << APIC_MSI_MODE_POS)

#define VTD_PMEN_EPM (1u << 31)
#define VTD_PMEN_PRS (1u << 0)

// A fault record (11.4.14), 128 bits.
#define VTD_FAULT_ADDRESS    0xfffffffffffff000ull     // low half
#define VTD_FAULT_INDEX(low) ((unsigned)((low) >> 48)) // for a refused interrupt
#define VTD_FAULT_SID(high)  ((uint16_t)(high))
#define VTD_FAULT_FR(high)   ((uint8_t)((high) >> 32))
#define VTD_FAULT_READ       BIT(62) // high half
#define VTD_FAULT_PRESENT    BIT(63) // high half, cleared by writing 1

// Root entry (9.1) and context entry (9.3) of legacy mode, 128 bits each.
#define VTD_ROOT_PRESENT      BIT(0)
#define VTD_CONTEXT_PRESENT   BIT(0)
#define VTD_CONTEXT_FPD       BIT(1) // faults of this requester are not recorded
#define VTD_CONTEXT_AW_39     1ull   // high half
#define VTD_CONTEXT_AW_48     2ull
#define VTD_CONTEXT_DID(id)   ((uint64_t)(id) << 8) // high half
#define VTD_CONTEXT_DID_OF(h) ((uint16_t)((h) >> 8))
#define VTD_TABLE_ADDRESS     0x000ffffffffff000ull

// Interrupt remapping table entry (9.9), 128 bits.
#define VTD_IRTE_PRESENT    BIT(0)
#define VTD_IRTE_LEVEL      BIT(4)
#define VTD_IRTE_NMI        (4ull << 5) // delivery mode; 0: fixed
#define VTD_IRTE_VECTOR(v)  ((uint64_t)(v) << 16)
#define VTD_IRTE_XAPIC(id)  ((uint64_t)(id) << 40)
#define VTD_IRTE_X2APIC(id) ((uint64_t)(id) << 32)
#define VTD_IRTE_SID(id)    ((uint64_t)(id)) // high half
#define VTD_IRTE_SVT_SID    (1ull << 18)     // high half: the whole requester ID must match
#define VTD_IRTA_EIME       BIT(11)

// A message in remappable format (5.1.2.2), and an IOAPIC's redirection entry in that format
// (5.1.5.1).
#define VTD_MSI_SUBHANDLE  BIT(3)
#define VTD_MSI_REMAPPABLE BIT(4)
#define VTD_RTE_ACTIVE_LOW BIT(13)
#define VTD_RTE_LEVEL      BIT(15)
#define VTD_RTE_REMAPPABLE BIT(48)

// Invalidation descriptors (6.5.2), 128 bits.
#define VTD_INV_TYPE    15ull
#define VTD_INV_CONTEXT 1ull
#define VTD_INV_IOTLB   2ull
#define VTD_INV_IEC     4ull
#define VTD_INV_WAIT    5ull
// This and the next two: granularities for context cache and IOTLB.
#define VTD_INV_GLOBAL   (1ull << 4)
#define VTD_INV_DOMAIN   (2ull << 4)
#define VTD_INV_DEVICE   (3ull << 4)
#define VTD_INV_DID(id)  ((uint64_t)(id) << 16)
#define VTD_INV_SID(id)  ((uint64_t)(id) << 32)
#define VTD_INV_DW       BIT(6)
#define VTD_INV_DR       BIT(7)
#define VTD_IEC_INDEX    BIT(4)
#define VTD_IEC_OF(i)    ((uint64_t)(i) << 32)
#define VTD_WAIT_STATUS  BIT(5)
#define VTD_WAIT_DATA(d) ((uint64_t)(d) << 32)

struct vtd_entry { // root, context, interrupt remapping
    uint64_t low, high;
};

struct vtd_descriptor {
    uint64_t low, high;
};

#define VTD_QUEUE_ENTRIES 256u // one page

#endif
