// SPDX-License-Identifier: Apache-2.0
// docs/controls.md: how both vendors' processors are programmed for a guest.
#include "arch/svm/controls.h"
#include "arch/virt/exception_intercepts.h"
#include "arch/vmx/controls.h"
#include "arch/vmx/cr_rules.h"
#include "docs/tables/page.h"

// Numbers of the bits in a mask.
static const char *bit_numbers(uint64_t mask)
{
    if (mask == 0xffffffff) {
        return "all";
    }
    const char *list = "";
    while (mask != 0) {
        int low = __builtin_ctzll(mask);
        int high = low;
        while (high < 63 && (mask >> (high + 1) & 1) != 0) {
            high++;
        }
        const char *range = low == high ? cell("%d", low) : cell("%d-%d", low, high);
        list = cell("%s%s%s", list, *list != '\0' ? ", " : "", range);
        mask &= high == 63 ? 0 : ~0ull << (high + 1);
    }
    return list;
}

static void write_vmx(FILE *out)
{
    static const char *const words[WORD_COUNT] = {
        [WORD_PIN] = "Pin-based controls",
        [WORD_PROC] = "Primary processor-based controls",
        [WORD_PROC2] = "Secondary processor-based controls",
        [WORD_EXIT] = "VM-exit controls",
        [WORD_ENTRY] = "VM-entry controls",
    };
    static const char *const kinds[] = {
        [RULE_ON] = "on",
        [RULE_OFF] = "off",
        [RULE_USED] = "on where there",
        [RULE_FREE] = "switched",
        [RULE_MAY] = "switched, if it is there",
        [RULE_ONE] = "as the processor says",
    };
    unsigned count;
    const struct vmx_control_rule *r = vmx_control_rules(&count);
    for (enum vmx_word word = 0; word < WORD_COUNT; word++) {
        fprintf(out, "\n### %s\n", words[word]);
        HEADER(out, "bit", "control", "is", "why");
        for (unsigned i = 0; i < count; i++) {
            if (r[i].word == word) {
                ROW(out, bit_numbers(r[i].mask), r[i].name, kinds[r[i].kind], r[i].reason);
            }
        }
    }
}

static void write_control_registers(FILE *out)
{
    unsigned count;
    const struct vmx_cr_rule *r = vmx_cr_rules(&count);
    HEADER(out, "register", "bit", "name", "is", "why");
    for (unsigned i = 0; i < count; i++) {
        ROW(out, cell("CR%u", r[i].number), bit_numbers(r[i].mask), r[i].name,
            r[i].passed ? "the guest's" : "kept", r[i].reason);
    }
}

static void write_svm(FILE *out)
{
    static const char *const words[SVM_WORD_COUNT] = {
        [SVM_CR] = "0x000",     [SVM_DR] = "0x004",    [SVM_MISC1] = "0x00c",
        [SVM_MISC2] = "0x010",  [SVM_MISC3] = "0x014", [SVM_INTERRUPT] = "0x060",
        [SVM_NESTED] = "0x090", [SVM_LBR] = "0x0b8",
    };
    static const char *const kinds[] = {
        [SVM_ON] = "on", [SVM_OFF] = "off", [SVM_FREE] = "switched"};
    unsigned count;
    const struct svm_control_rule *r = svm_control_rules(&count);
    HEADER(out, "VMCB", "bit", "intercept or control", "is", "why");
    for (unsigned i = 0; i < count; i++) {
        ROW(out, words[r[i].word], bit_numbers(r[i].mask), r[i].name, kinds[r[i].kind],
            r[i].reason);
    }
}

static void write_exceptions(FILE *out)
{
    unsigned count;
    const struct exception_intercept *e = exception_intercepts(&count);
    HEADER(out, "vector", "exception", "why");
    for (unsigned i = 0; i < count; i++) {
        ROW(out, cell("%u", e[i].vector), e[i].name, e[i].reason);
    }
}

void page_controls(FILE *out)
{
    page_begin(out, "Controls of VT-x and AMD-V",
               "How the processor is programmed for every guest. A bit that is in no table is off; "
               "a VT-x processor that forces one on is refused.");
    fprintf(out, "\n## Exceptions that are intercepted, by both vendors\n");
    write_exceptions(out);
    fprintf(out, "\n## AMD-V\n");
    write_svm(out);
    fprintf(out, "\n## VT-x\n\n");
    write_text(out, 0,
               "\"On\" and \"off\" are demanded: a processor that can't is refused by name.");
    write_vmx(out);
    fprintf(out, "\n### Control registers\n\n");
    write_text(out, 0,
               "A write that changes a kept bit exits, and the guest reads what it wrote. Other "
               "bits of CR0 are the guest's; other bits of CR4 are kept, and setting one gives "
               "#GP(0). On AMD-V both registers are the guest's, and the processor switches them.");
    write_control_registers(out);
}
