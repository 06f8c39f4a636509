UNIT_TESTS += test_audit_corruption
test_audit_corruption_SRCS = tests/unit/test_audit_corruption.c tests/unit/audit_fixture.c tests/unit/fake_heap.c hv/audit.c \
               hv/audit_entry.c hv/audit_lists.c arch/paging.c arch/pt_format.c drivers/format.c
