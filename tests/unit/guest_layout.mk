UNIT_TESTS += test_guest_layout
test_guest_layout_SRCS = tests/unit/test_guest_layout.c hv/memory/guest_layout.c hv/memory/page_alloc.c
