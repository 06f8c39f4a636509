// SPDX-License-Identifier: Apache-2.0
// docs/sensitive-instructions.md: an overview, and each row in words.
#include <ctype.h>
#include <string.h>

#include "docs/tables/page.h"
#include "docs/tables/sensitive.h"
#include "hv/policy/msr_policy.h"

static const char *const sensitivities[] = {
    [CONTROL] = "control",
    [BEHAVIOUR] = "behaviour",
    [BOTH] = "control, behaviour",
    [EVENT] = "event",
};

static const char *const treatments[] = {
    [EXITS] = "exits",       [UNLESS] = "exits unless", [CONFINED] = "confined",
    [HARMLESS] = "harmless", [SHARED] = "shared",       [UNDEFINED] = "#UD",
};

// ---- what a reference is called ------------------------------------------------------------

static const char *svm_names(uint32_t word, uint64_t mask)
{
    static const char *const words[SVM_WORD_COUNT] = {
        [SVM_CR] = "intercept",          [SVM_DR] = "intercept",
        [SVM_MISC1] = "intercept",       [SVM_MISC2] = "intercept",
        [SVM_MISC3] = "intercept",       [SVM_INTERRUPT] = "interrupt control",
        [SVM_NESTED] = "nested control", [SVM_LBR] = "branch control",
    };
    if (word == SVM_CR) {
        int bit = __builtin_ctzll(mask);
        return cell("intercept \"%s of CR%d\"", bit < 16 ? "read" : "write", bit % 16);
    }
    unsigned count;
    const struct svm_control_rule *r = svm_control_rules(&count);
    const char *names = "";
    for (unsigned i = 0; i < count; i++) {
        if (r[i].word == (enum svm_word)word && (r[i].mask & mask) != 0) {
            const char *state = r[i].kind == SVM_FREE ? ", at times" : "";
            names = cell("%s%s\"%s\"%s", names, *names != '\0' ? ", " : "", r[i].name, state);
        }
    }
    return cell("%s %s", words[word], names);
}

static const char *vmx_names(uint32_t word, uint64_t mask)
{
    unsigned count;
    const struct vmx_control_rule *r = vmx_control_rules(&count);
    const char *names = "";
    for (unsigned i = 0; i < count; i++) {
        if (r[i].word == (enum vmx_word)word && r[i].kind != RULE_ONE && (r[i].mask & mask) != 0) {
            const char *state = r[i].kind == RULE_USED                            ? ", where there"
                                : r[i].kind == RULE_FREE || r[i].kind == RULE_MAY ? ", at times"
                                                                                  : "";
            names = cell("%s%s\"%s\"%s", names, *names != '\0' ? ", " : "", r[i].name, state);
        }
    }
    return cell("control %s", names);
}

static const char *msr_name(uint32_t number)
{
    const struct msr_rule *rule = msr_policy_find(number);
    return rule->name[0] == '(' ? cell("0x%x", number) : cell("0x%x (%s)", number, rule->name);
}

static const char *ref_name(const struct ref *r)
{
    switch (r->kind) {
    case REF_SVM_ON:
        return svm_names(r->word, r->mask);
    case REF_SVM_OFF:
        return cell("%s off", svm_names(r->word, r->mask));
    case REF_VMX_ON:
        return vmx_names(r->word, r->mask);
    case REF_VMX_OFF:
        return cell("%s off", vmx_names(r->word, r->mask));
    case REF_EXCEPTION:
        return cell("exception bitmap, vector %u", r->word);
    case REF_ALWAYS:
        return cell("unconditional, exit reason %u", r->word);
    case REF_CR_KEPT:
        return cell("guest/host mask of CR%u, 0x%lx", r->word, r->mask);
    case REF_CR_PASSED:
        return cell("not in the guest/host mask of CR%u, 0x%lx", r->word, r->mask);
    case REF_MSR:
        return cell("MSR %s not written", msr_name(r->word));
    case REF_MSR_PASS:
        return cell("MSR %s passes", msr_name(r->word));
    case REF_NONE:
    default:
        return "";
    }
}

static void write_vendor(FILE *out, const char *vendor, const struct vendor_part *part)
{
    char refs[2048] = "";
    for (unsigned i = 0; i < MAX_REFS && part->by[i].kind != REF_NONE; i++) {
        size_t used = strlen(refs);
        snprintf(refs + used, sizeof(refs) - used, "%s%s", i == 0 ? "" : "; ",
                 ref_name(&part->by[i]));
    }
    char note[1024] = "";
    if (part->note != NULL) {
        snprintf(note, sizeof(note), ". %c%s", toupper((unsigned char)part->note[0]),
                 part->note + 1);
    }
    write_text(out, 2, "- %s: **%s**%s%s%s%s", vendor, treatments[part->how],
               *refs != '\0' ? " (" : "", refs, *refs != '\0' ? ")" : "", note);
}

// ---- rows ----------------------------------------------------------------------------------

static void write_hidden(FILE *out, const struct sensitive_row *row)
{
    static const char *const registers[] = {"EAX", "EBX", "ECX", "EDX"};
    if (row->hidden[0].mask == 0) {
        return;
    }
    const char *list = "";
    for (unsigned i = 0; i < MAX_HIDDEN && row->hidden[i].mask != 0; i++) {
        const struct hidden_bits *h = &row->hidden[i];
        list = cell("%s%sleaf 0x%x subleaf %u %s 0x%x", list, i == 0 ? "" : ", ", h->leaf,
                    h->subleaf, registers[h->reg], h->mask);
    }
    write_text(out, 2, "- hidden in CPUID: %s", list);
}

static void write_test(FILE *out, const struct sensitive_row *row)
{
    if (row->test == NULL) {
        write_text(out, 2, "- no test: %s", row->untested);
        return;
    }
    char text[1024] = "";
    for (const char *at = row->test; *at != '\0';) {
        size_t length = strcspn(at, " ");
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s`%.*s`", used == 0 ? "" : ", ", (int)length,
                 at);
        at += length + strspn(at + length, " ");
    }
    write_text(out, 2, "- test: %s", text);
}

static void write_details(FILE *out, const struct sensitive_row *row)
{
    fprintf(out, "\n### %s\n\n", row->id);
    write_text(out, 0, "%s", row->names);
    fputc('\n', out);
    write_text(out, 2, "- reaches: %s", row->reaches);
    write_vendor(out, "VT-x", &row->vmx);
    write_vendor(out, "AMD-V", &row->svm);
    write_hidden(out, row);
    write_text(out, 2, "- the guest sees: %s", row->sees);
    write_test(out, row);
}

static void write_overview(FILE *out)
{
    unsigned count;
    const struct sensitive_group *const *groups = sensitive_groups(&count);
    HEADER(out, "row", "is sensitive in", "VT-x", "AMD-V", "test");
    for (unsigned g = 0; g < count; g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            const struct sensitive_row *row = &groups[g]->rows[i];
            ROW(out, cell("[%s](#%s)", row->id, row->id), sensitivities[row->is],
                treatments[row->vmx.how], treatments[row->svm.how],
                row->test != NULL ? "yes" : "no");
        }
    }
}

static void write_untested(FILE *out)
{
    unsigned count;
    const struct sensitive_group *const *groups = sensitive_groups(&count);
    HEADER(out, "row", "why there is no test");
    for (unsigned g = 0; g < count; g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            const struct sensitive_row *row = &groups[g]->rows[i];
            if (row->test == NULL) {
                ROW(out, cell("[%s](#%s)", row->id, row->id), row->untested);
            }
        }
    }
}

void page_sensitive(FILE *out)
{
    page_begin(
        out, "Sensitive instructions",
        "Every x86-64 instruction that changes the configuration of resources (control-sensitive) "
        "or whose result depends on it (behaviour-sensitive), privileged or not, and the events "
        "that take a CPU from its guest. The unit test `test_sensitive` holds each reference "
        "against the tables that the hypervisor programs the processor from, and finds controls "
        "and intercepts that no row names. Those tables are in [controls.md](controls.md), "
        "[msrs.md](msrs.md), [cpuid.md](cpuid.md) and [ports.md](ports.md).");
    static const char *const words[][2] = {
        {"exits", "leaves the guest; the hypervisor decides"},
        {"exits unless", "the same, unless a table or register of ours lets it pass"},
        {"confined", "runs natively on what the processor switches or translates for this guest"},
        {"harmless", "runs natively on state of this CPU that the hypervisor does not rely on"},
        {"shared", "runs natively and uses what all CPUs share; no control bounds it"},
        {"#UD", "undefined, by the processor: a control is off, or this vendor lacks it"},
    };
    HEADER(out, "in the columns of the vendors", "");
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        ROW(out, words[i][0], words[i][1]);
    }
    fputc('\n', out);
    write_text(out, 0,
               "A test is the beginning of the names of checks that the equivalence guest prints "
               "(`insn.cpuid`), or a function of another test.");
    fprintf(out, "\n## Overview\n");
    write_overview(out);
    fprintf(out, "\n## Rows without a test\n");
    write_untested(out);
    unsigned count;
    const struct sensitive_group *const *groups = sensitive_groups(&count);
    for (unsigned g = 0; g < count; g++) {
        fprintf(out, "\n## %s\n", groups[g]->title);
        for (unsigned i = 0; i < groups[g]->count; i++) {
            write_details(out, &groups[g]->rows[i]);
        }
    }
}
