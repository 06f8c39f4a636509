// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/hostile/hostile.h"
const struct attack storm_attacks[] = {{0}};
