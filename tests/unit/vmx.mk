# The decision code of the VT-x back end, arch/vmx.
UNIT_TESTS += test_vmx_controls test_vmx_check
test_vmx_controls_SRCS = tests/unit/test_vmx_controls.c arch/vmx/controls.c arch/lib/format.c
test_vmx_check_SRCS = tests/unit/test_vmx_check.c arch/vmx/check.c
UNIT_TESTS += test_vmx_task
test_vmx_task_SRCS = tests/unit/test_vmx_task.c tests/unit/fake_flat_ram.c arch/vmx/task.c hv/memory/guest_walk.c
