// SPDX-License-Identifier: Apache-2.0
// build/bulkhead-tables: writes the documents that are made from tables, says whether those in the
// repository are what it would write, and lists the tests that the sensitive-instruction table
// names.
#include <string.h>

#include "docs/tables/page.h"
#include "docs/tables/sensitive.h"

static const struct page pages[] = {
    {"sensitive-instructions.md", page_sensitive},
    {"controls.md", page_controls},
    {"msrs.md", page_msrs},
    {"cpuid.md", page_cpuid},
    {"ports.md", page_ports},
    {"pci.md", page_pci},
    {"emulation.md", page_emulation},
};

// Nothing is built for a vCPU here.
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    (void)leaf;
    (void)subleaf;
    memset(out, 0, 16);
}

static FILE *open_in(const char *folder, const char *file, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *f = fopen(path, mode);
    if (f == NULL) {
        perror(path);
    }
    return f;
}

static bool write_page(const struct page *page, const char *folder)
{
    FILE *out = open_in(folder, page->file, "w");
    if (out == NULL) {
        return false;
    }
    page->write(out);
    return fclose(out) == 0;
}

static bool same(FILE *a, FILE *b)
{
    int c;
    do {
        c = fgetc(a);
        if (c != fgetc(b)) {
            return false;
        }
    } while (c != EOF);
    return true;
}

static bool check_page(const struct page *page, const char *folder)
{
    FILE *is = open_in(folder, page->file, "r");
    FILE *wanted = tmpfile();
    bool good = false;
    if (is != NULL && wanted != NULL) {
        page->write(wanted);
        rewind(wanted);
        good = same(is, wanted);
        if (!good) {
            fprintf(stderr, "%s/%s is not what its tables say: run make docs\n", folder,
                    page->file);
        }
    }
    if (is != NULL) {
        fclose(is);
    }
    if (wanted != NULL) {
        fclose(wanted);
    }
    return good;
}

// ---- tests that rows name ------------------------------------------------------------------

typedef bool reference_fn(const char *id, const char *reference);

static bool each_reference(reference_fn *f)
{
    unsigned count;
    const struct sensitive_group *const *groups = sensitive_groups(&count);
    bool good = true;
    for (unsigned g = 0; g < count; g++) {
        for (unsigned i = 0; i < groups[g]->count; i++) {
            const struct sensitive_row *row = &groups[g]->rows[i];
            char tests[1024] = "";
            snprintf(tests, sizeof(tests), "%s", row->test != NULL ? row->test : "");
            for (char *at = strtok(tests, " "); at != NULL; at = strtok(NULL, " ")) {
                good &= f(row->id, at);
            }
        }
    }
    return good;
}

static bool print_reference(const char *id, const char *reference)
{
    printf("%s %s\n", id, reference);
    return true;
}

// FILE:FUNCTION has to be there; what the equivalence guest prints is looked for in its output.
static bool check_reference(const char *id, const char *reference)
{
    char path[1024], definition[2][256], line[1024];
    const char *colon = strchr(reference, ':');
    if (colon == NULL) {
        return true;
    }
    snprintf(path, sizeof(path), "%.*s", (int)(colon - reference), reference);
    snprintf(definition[0], sizeof(definition[0]), "def %s(", colon + 1);
    snprintf(definition[1], sizeof(definition[1]), "static void %s(void **", colon + 1);
    FILE *f = fopen(path, "r");
    bool found = false;
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        found = strncmp(line, definition[0], strlen(definition[0])) == 0 ||
                strncmp(line, definition[1], strlen(definition[1])) == 0;
    }
    if (f != NULL) {
        fclose(f);
    }
    if (!found) {
        fprintf(stderr, "%s: there is no test %s\n", id, reference);
    }
    return found;
}

int main(int argc, char **argv)
{
    bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
    if (argc == 2 && strcmp(argv[1], "--tests") == 0) {
        each_reference(print_reference);
        return 0;
    }
    if (!check && (argc != 2 || argv[1][0] == '-')) {
        fprintf(stderr, "usage: bulkhead-tables FOLDER          write the documents\n"
                        "       bulkhead-tables --check FOLDER  compare them; from the top folder\n"
                        "       bulkhead-tables --tests         list \"ROW TEST\"\n");
        return 2;
    }
    bool good = !check || each_reference(check_reference);
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
        good &= check ? check_page(&pages[i], argv[2]) : write_page(&pages[i], argv[1]);
    }
    return good ? 0 : 1;
}
