# SPDX-License-Identifier: Apache-2.0
# The configuration: the blob as the hypervisor loads it, and the text as bulkhead-config reads it.
FUZZERS += fuzz_config fuzz_config_text
fuzz_config_SRCS = tests/fuzz/fuzz_config.c hv/machine/config.c hv/machine/screen_place.c hv/memory/page_alloc.c \
                   hv/vdev/ports.c \
                   partitions/config_show.c $(BLOB_SRCS) arch/lib/format.c
fuzz_config_text_SRCS = tests/fuzz/fuzz_config_text.c $(filter-out partitions/config_tool.c,$(CONFIG_TOOL_SRCS))
fuzz_config_text_LIBS = -lconfig
fuzz_config_text_PART = 2
