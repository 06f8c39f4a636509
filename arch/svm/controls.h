// SPDX-License-Identifier: Apache-2.0
// Which of AMD-V's controls are on or off: one table with a reason in each row, from which the
// VMCB's control words are built. Has no privileged instruction, so it is tested on the host.
#ifndef ARCH_SVM_CONTROLS_H
#define ARCH_SVM_CONTROLS_H

#include "arch/lib/types.h"

// The VMCB's words that hold the controls (AMD APM volume 2, table B-1).
enum svm_word {
    SVM_CR,        // 0x000: reads and writes of control registers
    SVM_DR,        // 0x004: the same for debug registers
    SVM_MISC1,     // 0x00c
    SVM_MISC2,     // 0x010
    SVM_MISC3,     // 0x014
    SVM_INTERRUPT, // 0x060: virtual interrupts
    SVM_NESTED,    // 0x090
    SVM_LBR,       // 0x0b8
    SVM_WORD_COUNT,
};

enum svm_rule_kind {
    SVM_ON,
    SVM_OFF,
    SVM_FREE, // switched at run time; 0 at first
};

struct svm_control_rule {
    enum svm_word word;
    enum svm_rule_kind kind;
    uint32_t mask;
    const char *name;
    const char *reason;
};

// The table; also read by tests and for printing. A bit without a row is off.
const struct svm_control_rule *svm_control_rules(unsigned *count);

// The initial value of one of a VMCB's words.
uint32_t svm_control_word(enum svm_word word);

#endif
