AUDIT_IOMMU_PARTS := tests/unit/audit_iommu_fixture.c tests/unit/audit_fixture.c tests/unit/fake_heap.c hv/audit.c \
               hv/audit_entry.c hv/audit_lists.c hv/audit_iommu.c hv/audit_vtd.c hv/audit_amdvi.c arch/paging.c \
               arch/pt_format.c drivers/format.c
UNIT_TESTS += test_audit_iommu test_audit_iommu_flips
test_audit_iommu_SRCS = tests/unit/test_audit_iommu.c $(AUDIT_IOMMU_PARTS)
test_audit_iommu_flips_SRCS = tests/unit/test_audit_iommu_flips.c $(AUDIT_IOMMU_PARTS)
