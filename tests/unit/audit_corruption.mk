UNIT_TESTS += test_audit_corruption
test_audit_corruption_SRCS = tests/unit/test_audit_corruption.c tests/unit/audit_fixture.c tests/unit/fake_heap.c \
                             hv/audit/audit.c \
               hv/audit/entry.c hv/audit/lists.c arch/memory/paging.c arch/memory/pt_format.c arch/lib/format.c
