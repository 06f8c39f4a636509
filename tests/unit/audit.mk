UNIT_TESTS += test_audit
test_audit_SRCS = tests/unit/test_audit.c tests/unit/audit_fixture.c tests/unit/fake_heap.c hv/audit/audit.c \
               hv/audit/entry.c hv/audit/lists.c arch/memory/paging.c arch/memory/pt_format.c arch/lib/format.c
