// SPDX-License-Identifier: Apache-2.0
// The documents that are generated from tables, and how their text is written.
#ifndef DOCS_TABLES_PAGE_H
#define DOCS_TABLES_PAGE_H

#include <stdint.h>
#include <stdio.h>

struct page {
    const char *file; // in docs/
    void (*write)(FILE *out);
};

void page_sensitive(FILE *out); // page_sensitive.c
void page_controls(FILE *out);  // page_controls.c
void page_msrs(FILE *out);      // page_msrs.c
void page_cpuid(FILE *out);     // page_cpuid.c
void page_ports(FILE *out);     // page_ports.c
void page_pci(FILE *out);       // page_pci.c
void page_emulation(FILE *out); // page_emulation.c

// The heading of a page, and what it says of itself.
void page_begin(FILE *out, const char *title, const char *text);

// A paragraph or list item, its lines broken; `indent` for all lines but the first.
void write_text(FILE *out, unsigned indent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// A row of a table, from its cells; the separator of `columns`.
void write_row(FILE *out, const char *const *cells, unsigned columns);
void write_header(FILE *out, const char *const *cells, unsigned columns);

// Text into one of many static buffers, which last for one row: for cells.
const char *cell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define ROW(out, ...)                                                                              \
    do {                                                                                           \
        const char *const cells_[] = {__VA_ARGS__};                                                \
        write_row((out), cells_, sizeof(cells_) / sizeof(cells_[0]));                              \
    } while (0)
#define HEADER(out, ...)                                                                           \
    do {                                                                                           \
        const char *const cells_[] = {__VA_ARGS__};                                                \
        write_header((out), cells_, sizeof(cells_) / sizeof(cells_[0]));                           \
    } while (0)

#endif
