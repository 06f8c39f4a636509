# SPDX-License-Identifier: Apache-2.0
# The configuration: BLOB_SRCS reads and checks the blob, in the hypervisor, in bulkhead-config and in
# tests. CONFIG_TOOL_SRCS are the sources of build/bulkhead-config (its rule is in the Makefile).

BLOB_SRCS := partitions/blob.c partitions/blob_problem.c partitions/blob_rules.c \
             partitions/blob_machine.c partitions/sha256.c
HV_C      += $(filter-out $(HV_C),$(BLOB_SRCS))

# From struct config to the blob: in bulkhead-config, and in the tests that make blobs.
CONFIG_BLOB_SRCS := partitions/config_to_blob.c partitions/config_value.c partitions/config_memory.c

CONFIG_TOOL_SRCS := partitions/config_tool.c partitions/config_parse.c partitions/config_check.c \
                    partitions/config_show.c partitions/config_limits.c $(CONFIG_BLOB_SRCS) \
                    partitions/config_messages.c partitions/config_lists.c \
                    partitions/config_hash.c partitions/config_scan.c partitions/config_syntax.c \
                    partitions/config_text.c \
                    $(BLOB_SRCS) arch/lib/format.c
