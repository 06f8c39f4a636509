// SPDX-License-Identifier: Apache-2.0
// Chooses the back end of virtualization. Only this file names the back ends.
#ifndef HV_START_VIRT_CHOICE_H
#define HV_START_VIRT_CHOICE_H

struct virt_ops;

// The back end of virtualization that this CPU supports. NULL: `why` gives the reason, or is empty
// if the processor has no such feature.
#define VIRT_TEXT_SIZE 400
const struct virt_ops *virt_choose(char why[VIRT_TEXT_SIZE]);

#endif
