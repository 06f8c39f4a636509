// SPDX-License-Identifier: Apache-2.0
// The formats of second-level and IOMMU tables, by name only.
#ifndef ARCH_VIRT_TABLE_FORMAT_H
#define ARCH_VIRT_TABLE_FORMAT_H

enum table_format {
    TABLE_NPT,   // AMD64 nested paging
    TABLE_EPT,   // Intel extended page tables
    TABLE_VTD,   // VT-d second level
    TABLE_AMDVI, // AMD I/O page tables
};

#endif
