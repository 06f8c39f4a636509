// SPDX-License-Identifier: Apache-2.0
// Storage for the functions and the IOMMUs' back end.
#include "hv/machine/pci.h"

#include "drivers/iommu/iommu.h"

struct machine_pci machine_pci;
const struct iommu_ops *iommu;
