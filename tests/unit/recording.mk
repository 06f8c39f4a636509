# SPDX-License-Identifier: Apache-2.0
UNIT_TESTS += test_recording
test_recording_SRCS = tests/unit/test_recording.c arch/cpu/recording.c
