// SPDX-License-Identifier: Apache-2.0
// Which back end of virtualization the machine has: the one place that names them.
#ifndef HV_START_VIRT_CHOICE_H
#define HV_START_VIRT_CHOICE_H

struct virt_ops;

// The back end of virtualization that this CPU can have. NULL: `why` says what is in the way, and
// nothing if the processor shows none.
#define VIRT_TEXT_SIZE 400
const struct virt_ops *virt_choose(char why[VIRT_TEXT_SIZE]);

#endif
