UNIT_TESTS += test_paging
test_paging_SRCS = tests/unit/test_paging.c tests/unit/fake_heap.c arch/paging.c arch/pt_format.c
