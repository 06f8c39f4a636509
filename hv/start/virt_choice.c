// SPDX-License-Identifier: Apache-2.0
// Asks one back end after the other.
#include "hv/start/virt_choice.h"

#include "arch/virt/virt.h"

const struct virt_ops *virt_choose(char why[VIRT_TEXT_SIZE])
{
    static const struct virt_ops *const back_ends[] = {&svm_ops, &vmx_ops};
    for (unsigned i = 0; i < ARRAY_SIZE(back_ends); i++) {
        enum status s = back_ends[i]->probe(why, VIRT_TEXT_SIZE);
        if (s != ERR_NOT_FOUND) {
            return s == STATUS_OK ? back_ends[i] : NULL;
        }
    }
    why[0] = '\0';
    return NULL;
}
