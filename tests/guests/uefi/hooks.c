// SPDX-License-Identifier: Apache-2.0
// An UEFI program that starts others on firmware which misbehaves. The file \cases says how: on
// each line the faults, joined by '+', and the program's path. Faults are taken away again when a
// program comes back, and what it returned is printed.
#include <efi.h>
#include <efilib.h>
#include <stdbool.h>

#include "arch/lib/types.h"
#include "tests/guests/uefi/faults.h"

#define CASES_SIZE 4096
#define NAME_SIZE  64
#define ROOM       64 // KiB that the memory map may take

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static EFI_HANDLE self;
static EFI_HANDLE device;

// The contents of a file of the disk that this program is on. NULL if it can't be read.
static void *read_file(CHAR16 *path, UINTN *size)
{
    static UINT8 info[1024];
    UINTN info_size = sizeof(info);
    EFI_FILE_HANDLE root = LibOpenRoot(device), file = NULL;
    void *contents = NULL;
    if (root == NULL || EFI_ERROR(root->Open(root, &file, path, EFI_FILE_MODE_READ, 0)) ||
        EFI_ERROR(file->GetInfo(file, &GenericFileInfo, &info_size, info))) {
        return NULL;
    }
    *size = ((EFI_FILE_INFO *)info)->FileSize;
    contents = AllocatePool(*size);
    if (contents == NULL || EFI_ERROR(file->Read(file, size, contents))) {
        return NULL;
    }
    file->Close(file);
    root->Close(root);
    return contents;
}

static UINTN free_pages(void)
{
    static UINT8 map[KIB(ROOM)];
    UINTN size = sizeof(map), key, stride, pages = 0;
    UINT32 version;
    if (EFI_ERROR(BS->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &stride, &version))) {
        return 0;
    }
    for (UINTN at = 0; at < size; at += stride) {
        const EFI_MEMORY_DESCRIPTOR *d = (const EFI_MEMORY_DESCRIPTOR *)(map + at);
        pages += d->Type == EfiConventionalMemory ? d->NumberOfPages : 0;
    }
    return pages;
}

static void run(const char *faults, CHAR16 *path)
{
    UINTN size, before = free_pages();
    EFI_HANDLE program = NULL;
    void *contents = read_file(path, &size);
    if (contents == NULL) {
        Print(L"can't be read\n");
        return;
    }
    if (!faults_begin(faults)) {
        Print(L"no such fault\n");
        return;
    }
    EFI_STATUS status =
        BS->LoadImage(FALSE, self, FileDevicePath(device, path), contents, size, &program);
    if (EFI_ERROR(status)) {
        if (program != NULL) {
            BS->UnloadImage(program); // not trusted, but there
        }
        faults_end();
        Print(L"not loaded: %r\n", status);
    } else {
        EFI_LOADED_IMAGE *loaded = NULL;
        BS->HandleProtocol(program, &LoadedImageProtocol, (void **)&loaded);
        Print(L"loaded at 0x%lx\n", (UINT64)loaded->ImageBase);
        status = BS->StartImage(program, NULL, NULL);
        faults_end();
        Print(L"returned: %r\n", status);
    }
    FreePool(contents);
    Print(L"2 MiB kept: %d\n", (int)((INT64)(before - free_pages()) * 4096 / (INT64)MIB(2)));
}

// Takes the line that `text` begins with apart; returns what follows it, NULL at the end.
static const char *next_case(const char *text, char faults[NAME_SIZE], CHAR16 path[NAME_SIZE])
{
    unsigned n = 0;
    for (; *text != ' ' && *text != '\0' && n < NAME_SIZE - 1; text++) {
        faults[n++] = *text;
    }
    faults[n] = '\0';
    if (*text++ != ' ') {
        return NULL;
    }
    for (n = 0; *text != '\n' && *text != '\0' && n < NAME_SIZE - 1; text++) {
        path[n++] = (CHAR16)*text;
    }
    path[n] = 0;
    return *text == '\n' ? text + 1 : NULL;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    static char cases[CASES_SIZE], faults[NAME_SIZE];
    static CHAR16 path[NAME_SIZE], list[] = L"\\cases";
    EFI_LOADED_IMAGE *loaded = NULL;
    UINTN size = 0;
    InitializeLib(image, system);
    self = image;
    BS->HandleProtocol(image, &LoadedImageProtocol, (void **)&loaded);
    device = loaded->DeviceHandle;
    void *contents = read_file(list, &size);
    if (contents == NULL || size >= sizeof(cases)) {
        Print(L"no \\cases\n");
        return EFI_NOT_FOUND;
    }
    CopyMem(cases, contents, size);
    const char *at = cases;
    while ((at = next_case(at, faults, path)) != NULL) {
        Print(L"case %a %s\n", faults, path);
        run(faults, path);
    }
    Print(L"cases done\n");
    return EFI_SUCCESS;
}
