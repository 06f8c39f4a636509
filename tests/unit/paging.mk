UNIT_TESTS += test_paging
test_paging_SRCS = tests/unit/test_paging.c tests/unit/fake_heap.c arch/memory/paging.c arch/memory/pt_format.c
