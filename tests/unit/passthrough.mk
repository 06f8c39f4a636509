# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_msi_check
test_msi_check_SRCS = tests/unit/test_msi_check.c hv/msi_check.c hv/icr.c
UNIT_TESTS += test_assign
test_assign_SRCS = tests/unit/test_assign.c hv/assign.c hv/io_policy.c drivers/format.c \
                   partitions/config_to_blob.c $(BLOB_SRCS)
