// SPDX-License-Identifier: Apache-2.0
// Reads files through EFI_SIMPLE_FILE_SYSTEM_PROTOCOL (UEFI specification 2.10, 13.4 and 13.5) from
// the device that the image came from: boot/uefi/files.h.
#include "boot/uefi/files.h"

#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "boot/module.h"

#define PATH_SIZE 512 // characters
// Bytes: enough for a directory entry with a name of more than 255 characters.
#define INFO_SIZE 1024

static CHAR16 folder[] = L"bulkhead";

// One directory entry.
union entry {
    EFI_FILE_INFO info;
    uint8_t space[INFO_SIZE];
};

// The folder bulkhead next to the image's own file. The image's folder is its path up to the last
// backslash. False: the path is too long.
static bool own_folder(EFI_DEVICE_PATH *path, CHAR16 out[PATH_SIZE])
{
    size_t length = 0, end = 0;
    for (; !IsDevicePathEnd(path); path = NextDevicePathNode(path)) {
        size_t size = (size_t)DevicePathNodeLength(path);
        if (size < sizeof(EFI_DEVICE_PATH)) {
            return false;
        }
        if (DevicePathType(path) != MEDIA_DEVICE_PATH ||
            DevicePathSubType(path) != MEDIA_FILEPATH_DP) {
            continue;
        }
        const uint8_t *text = (const uint8_t *)path + sizeof(EFI_DEVICE_PATH);
        for (size_t i = 0; i + sizeof(CHAR16) <= size - sizeof(EFI_DEVICE_PATH);
             i += sizeof(CHAR16)) {
            CHAR16 c;
            memcpy(&c, text + i, sizeof(c));
            if (c == 0) {
                break;
            }
            if (length == PATH_SIZE) {
                return false;
            }
            out[length++] = c;
            end = c == L'\\' ? length : end;
        }
    }
    if (end > PATH_SIZE - ARRAY_SIZE(folder)) {
        return false;
    }
    memcpy(out + end, folder, sizeof(folder));
    return true;
}

// Whether the firmware reports that something does not exist: a file, a folder, or a file system.
static bool is_absent(EFI_STATUS status)
{
    return status == EFI_NOT_FOUND || status == EFI_UNSUPPORTED || status == EFI_NO_MEDIA;
}

// Opens the folder. NULL if it does not exist (is_absent(*status) is then true) or can't be opened.
static EFI_FILE_HANDLE open_folder(EFI_BOOT_SERVICES *boot, const EFI_LOADED_IMAGE *image,
                                   EFI_STATUS *status)
{
    static EFI_GUID guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_FILE_IO_INTERFACE *system = NULL;
    EFI_FILE_HANDLE root, found = NULL;
    CHAR16 path[PATH_SIZE];
    if (image->DeviceHandle == NULL || image->FilePath == NULL) {
        *status = EFI_NOT_FOUND;
        return NULL;
    }
    if (!own_folder(image->FilePath, path)) {
        *status = EFI_BAD_BUFFER_SIZE;
        return NULL;
    }
    *status = boot->HandleProtocol(image->DeviceHandle, &guid, (void **)&system);
    if (!EFI_ERROR(*status)) {
        *status = system->OpenVolume(system, &root);
    }
    if (EFI_ERROR(*status)) {
        return NULL;
    }
    *status = root->Open(root, &found, path, EFI_FILE_MODE_READ, 0);
    root->Close(root);
    return EFI_ERROR(*status) ? NULL : found;
}

// A module's name is the file's name, in ASCII.
static bool to_name(const EFI_FILE_INFO *entry, char name[BOOT_TEXT_SIZE])
{
    for (size_t i = 0; i < BOOT_TEXT_SIZE; i++) {
        CHAR16 c = entry->FileName[i];
        if (c > 0x7e) {
            return false;
        }
        name[i] = (char)c;
        if (c == 0) {
            return true;
        }
    }
    return false;
}

// Reads all of `file` to `to`.
static EFI_STATUS read_all(EFI_FILE_HANDLE file, uint8_t *to, uint64_t size)
{
    while (size > 0) {
        UINTN part = size;
        EFI_STATUS status = file->Read(file, &part, to);
        if (EFI_ERROR(status)) {
            return status;
        }
        if (part == 0) {
            return EFI_END_OF_FILE;
        }
        to += part;
        size -= part;
    }
    return EFI_SUCCESS;
}

static EFI_STATUS load(EFI_BOOT_SERVICES *boot, EFI_FILE_HANDLE directory, EFI_FILE_INFO *entry,
                       struct boot_info *info, const struct boot_error *error)
{
    char name[BOOT_TEXT_SIZE];
    if (info->module_count == BOOT_MAX_MODULES) {
        boot_fail(error, ERR_RANGE, "bulkhead/: more than %d files; move some out",
                  BOOT_MAX_MODULES);
        return EFI_OUT_OF_RESOURCES;
    }
    if (!to_name(entry, name)) {
        boot_fail(error, ERR_INVALID,
                  "bulkhead/: file %u has a name that is too long or not plain ASCII; rename it",
                  info->module_count + 1);
        return EFI_UNSUPPORTED;
    }
    EFI_PHYSICAL_ADDRESS base = 0;
    EFI_FILE_HANDLE file = NULL;
    uint64_t pages = align_up(max_u64(entry->FileSize, 1), PAGE_SIZE) / PAGE_SIZE;
    EFI_STATUS status = directory->Open(directory, &file, entry->FileName, EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status)) {
        status = boot->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &base);
        if (!EFI_ERROR(status)) {
            status = read_all(file, (uint8_t *)base, entry->FileSize);
        }
        file->Close(file);
    }
    if (EFI_ERROR(status)) {
        boot_fail(error, ERR_NOT_FOUND, "bulkhead/%s: can't be loaded, %lu bytes", name,
                  (uint64_t)entry->FileSize);
    } else if (boot_enter_module(error, info, base, entry->FileSize, name, strlen(name)) !=
               STATUS_OK) {
        status = EFI_OUT_OF_RESOURCES;
    }
    if (EFI_ERROR(status) && base != 0) {
        boot->FreePages(base, pages);
    }
    return status;
}

static EFI_STATUS load_all(EFI_BOOT_SERVICES *boot, EFI_FILE_HANDLE directory,
                           struct boot_info *info, const struct boot_error *error)
{
    static union entry entry;
    for (;;) {
        UINTN size = sizeof(entry);
        EFI_STATUS status = directory->Read(directory, &size, &entry);
        if (EFI_ERROR(status)) {
            boot_fail(error, ERR_NOT_FOUND, "bulkhead/: can't be listed");
            return status;
        }
        if (size == 0) {
            return EFI_SUCCESS;
        }
        if (entry.info.Attribute & EFI_FILE_DIRECTORY) {
            continue;
        }
        status = load(boot, directory, &entry.info, info, error);
        if (EFI_ERROR(status)) {
            return status;
        }
    }
}

EFI_STATUS files_load(EFI_BOOT_SERVICES *boot, const EFI_LOADED_IMAGE *image,
                      struct boot_info *info, const struct boot_error *error)
{
    EFI_STATUS status;
    EFI_FILE_HANDLE directory = open_folder(boot, image, &status);
    if (directory == NULL) {
        if (is_absent(status)) {
            return EFI_SUCCESS;
        }
        boot_fail(error, ERR_NOT_FOUND,
                  "the folder bulkhead/ beside the EFI image can't be opened");
        return status;
    }
    status = load_all(boot, directory, info, error);
    directory->Close(directory);
    return status;
}

bool files_exist(EFI_BOOT_SERVICES *boot, const EFI_LOADED_IMAGE *image)
{
    EFI_STATUS status;
    EFI_FILE_HANDLE directory = open_folder(boot, image, &status);
    if (directory == NULL) {
        return !is_absent(status);
    }
    directory->Close(directory);
    return true;
}

void files_free(EFI_BOOT_SERVICES *boot, struct boot_info *info)
{
    for (unsigned i = 0; i < info->module_count; i++) {
        uint64_t size = align_up(max_u64(info->modules[i].size, 1), PAGE_SIZE);
        boot->FreePages(info->modules[i].base, size / PAGE_SIZE);
    }
    info->module_count = 0;
}
