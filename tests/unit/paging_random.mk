UNIT_TESTS += test_paging_random
test_paging_random_SRCS = tests/unit/test_paging_random.c tests/unit/fake_heap.c arch/memory/paging.c \
                          arch/memory/pt_format.c
