UNIT_TESTS += test_guest_layout
test_guest_layout_SRCS = tests/unit/test_guest_layout.c hv/guest_layout.c hv/page_alloc.c
