# SPDX-License-Identifier: Apache-2.0
# Tests of the configuration blob and of the values in a configuration file. The tool itself is
# tested in tests/boot/test_config_tool.py.

CONFIG_TESTS := test_config test_config_rules test_config_machine test_config_show
UNIT_TESTS   += $(CONFIG_TESTS) test_config_value

# The blobs are made by bulkhead-config's own writer.
$(foreach t,$(CONFIG_TESTS),$(eval $(t)_SRCS = tests/unit/$(t).c tests/unit/config_fixture.c \
    $(CONFIG_BLOB_SRCS) $(BLOB_SRCS) arch/lib/format.c))

UNIT_TESTS           += test_sha256 test_module_hash test_config_hash
test_sha256_SRCS      = tests/unit/test_sha256.c partitions/sha256.c
test_module_hash_SRCS = tests/unit/test_module_hash.c hv/machine/module_hash.c tests/unit/config_fixture.c \
                        tests/unit/fake_print.c tests/unit/fake_heap.c \
                        $(CONFIG_BLOB_SRCS) $(BLOB_SRCS) arch/lib/format.c
UNIT_TESTS           += test_config_load
test_config_load_SRCS = tests/unit/test_config_load.c hv/machine/config.c hv/machine/screen_place.c \
                        hv/memory/page_alloc.c tests/unit/config_fixture.c tests/unit/fake_print.c \
                        tests/unit/fake_heap.c $(CONFIG_BLOB_SRCS) $(BLOB_SRCS) arch/lib/format.c
test_config_hash_SRCS = tests/unit/test_config_hash.c tests/unit/config_fixture.c \
                        $(filter-out partitions/config_tool.c,$(CONFIG_TOOL_SRCS))
test_config_hash_LIBS = -lconfig

test_config_show_SRCS  += partitions/config_show.c partitions/config_limits.c
test_config_value_SRCS = tests/unit/test_config_value.c partitions/config_value.c $(BLOB_SRCS) \
                         arch/lib/format.c

UNIT_TESTS               += test_config_syntax test_config_text
test_config_syntax_SRCS   = tests/unit/test_config_syntax.c partitions/config_syntax.c partitions/config_scan.c
test_config_text_SRCS     = tests/unit/test_config_text.c partitions/config_text.c partitions/config_scan.c \
                            partitions/config_messages.c
