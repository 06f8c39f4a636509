AUDIT_IOMMU_PARTS := tests/unit/audit_iommu_fixture.c tests/unit/audit_fixture.c tests/unit/fake_heap.c \
                     hv/audit/audit.c \
               hv/audit/entry.c hv/audit/lists.c hv/audit/iommu.c hv/audit/vtd.c hv/audit/amdvi.c \
               arch/memory/paging.c \
               arch/memory/pt_format.c arch/lib/format.c
UNIT_TESTS += test_audit_iommu test_audit_iommu_flips
test_audit_iommu_SRCS = tests/unit/test_audit_iommu.c $(AUDIT_IOMMU_PARTS)
test_audit_iommu_flips_SRCS = tests/unit/test_audit_iommu_flips.c $(AUDIT_IOMMU_PARTS)
