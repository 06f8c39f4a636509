// SPDX-License-Identifier: Apache-2.0
// Faults of firmware: tests/guests/uefi/faults.h.
#include "tests/guests/uefi/faults.h"

#include <efi.h>
#include <efilib.h>

#include "arch/lib/types.h"

#define MAP_SIZE  KIB(64)
#define MAX_TAKEN 2048

// Firmware's own, as found.
static struct {
    EFI_GET_MEMORY_MAP map;
    EFI_EXIT_BOOT_SERVICES leave;
    EFI_ALLOCATE_PAGES allocate;
    EFI_GET_VARIABLE variable;
} own;

// What faults_end() has to put back.
static struct {
    EFI_PHYSICAL_ADDRESS page[MAX_TAKEN];
    UINTN pages[MAX_TAKEN];
    unsigned count;
} taken;
static EFI_GUID acpi2_guid = ACPI_20_TABLE_GUID;
static void *acpi2, *acpi1;
static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode;
static EFI_GRAPHICS_PIXEL_FORMAT format;

// ---- the memory map --------------------------------------------------------------------------

static EFI_MEMORY_DESCRIPTOR *entry(void *map, UINTN stride, UINTN index)
{
    return (EFI_MEMORY_DESCRIPTOR *)((UINT8 *)map + index * stride);
}

static EFI_STATUS EFIAPI overlapping_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
                                         UINTN *stride, UINT32 *version)
{
    EFI_STATUS status = own.map(size, map, key, stride, version);
    if (!EFI_ERROR(status)) {
        entry(map, *stride, 1)->PhysicalStart = entry(map, *stride, 0)->PhysicalStart;
    }
    return status;
}

static EFI_STATUS EFIAPI no_low_memory(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
                                       UINTN *stride, UINT32 *version)
{
    EFI_STATUS status = own.map(size, map, key, stride, version);
    for (UINTN i = 0; !EFI_ERROR(status) && i < *size / *stride; i++) {
        EFI_MEMORY_DESCRIPTOR *d = entry(map, *stride, i);
        d->Type = d->PhysicalStart < MIB(1) ? EfiReservedMemoryType : d->Type;
    }
    return status;
}

static EFI_STATUS EFIAPI no_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key, UINTN *stride,
                                UINT32 *version)
{
    return map == NULL ? own.map(size, map, key, stride, version) : EFI_DEVICE_ERROR;
}

// ---- ExitBootServices ------------------------------------------------------------------------

static EFI_STATUS EFIAPI never_leave(EFI_HANDLE image, UINTN key)
{
    (void)image;
    (void)key;
    return EFI_INVALID_PARAMETER;
}

// Something of firmware's allocates between the map and the call: firmware itself refuses the key.
static EFI_STATUS EFIAPI leave_late(EFI_HANDLE image, UINTN key)
{
    EFI_PHYSICAL_ADDRESS page;
    BS->ExitBootServices = own.leave;
    Print(L"the memory map changes as it is left\n");
    own.allocate(AllocateAnyPages, EfiBootServicesData, 1, &page);
    return own.leave(image, key);
}

// ---- memory ----------------------------------------------------------------------------------

static EFI_STATUS EFIAPI no_memory(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages,
                                   EFI_PHYSICAL_ADDRESS *base)
{
    return how == AllocateAddress ? EFI_OUT_OF_RESOURCES : own.allocate(how, type, pages, base);
}

static bool take(EFI_PHYSICAL_ADDRESS base, UINTN pages, EFI_MEMORY_TYPE type)
{
    if (taken.count == MAX_TAKEN || EFI_ERROR(own.allocate(AllocateAddress, type, pages, &base))) {
        return false;
    }
    taken.page[taken.count] = base;
    taken.pages[taken.count++] = pages;
    return true;
}

static UINT8 map_space[MAP_SIZE];

// The map as it is now; returns the number of entries.
static UINTN read_map(UINTN *stride)
{
    UINTN size = sizeof(map_space), key;
    UINT32 version;
    EFI_STATUS status = own.map(&size, (EFI_MEMORY_DESCRIPTOR *)map_space, &key, stride, &version);
    return EFI_ERROR(status) ? 0 : size / *stride;
}

// Takes every second page of the largest free range below 4 GiB.
static void take_every_second(unsigned count, EFI_MEMORY_TYPE type)
{
    UINTN stride, best_pages = 0;
    EFI_PHYSICAL_ADDRESS best = 0;
    UINTN entries = read_map(&stride);
    for (UINTN i = 0; i < entries; i++) {
        const EFI_MEMORY_DESCRIPTOR *d = entry(map_space, stride, i);
        if (d->Type == EfiConventionalMemory && d->PhysicalStart < GIB(4) &&
            d->NumberOfPages > best_pages) {
            best = d->PhysicalStart;
            best_pages = d->NumberOfPages;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (!take(best + i * 2 * PAGE_SIZE, 1, type)) {
            Print(L"page %d not taken\n", i);
            return;
        }
    }
}

// A map of hundreds of entries; most are neighbours that the hypervisor sees as one.
static void many_entries(void)
{
    take_every_second(60, EfiReservedMemoryType);
    take_every_second(300, EfiBootServicesData);
}

static void too_many_entries(void)
{
    take_every_second(300, EfiReservedMemoryType);
}

// Leaves only small pieces below 4 GiB: what is loaded now is loaded above.
static void only_high_memory(void)
{
    UINTN stride, entries = read_map(&stride);
    for (UINTN i = 0; i < entries; i++) {
        const EFI_MEMORY_DESCRIPTOR *d = entry(map_space, stride, i);
        if (d->Type == EfiConventionalMemory && d->PhysicalStart >= MIB(1) &&
            d->PhysicalStart < GIB(4) && d->NumberOfPages >= 16) {
            take(d->PhysicalStart, d->NumberOfPages, EfiBootServicesData);
        }
    }
}

// ---- other tables ----------------------------------------------------------------------------

static void remove_rsdp(void)
{
    LibGetSystemConfigurationTable(&acpi2_guid, &acpi2);
    LibGetSystemConfigurationTable(&AcpiTableGuid, &acpi1);
    BS->InstallConfigurationTable(&acpi2_guid, NULL);
    BS->InstallConfigurationTable(&AcpiTableGuid, NULL);
}

static void hide_framebuffer(void)
{
    EFI_GRAPHICS_OUTPUT_PROTOCOL *screen = NULL;
    if (!EFI_ERROR(LibLocateProtocol(&GraphicsOutputProtocol, (void **)&screen))) {
        mode = screen->Mode->Info;
        format = mode->PixelFormat;
        mode->PixelFormat = PixelBltOnly;
    }
}

static EFI_STATUS EFIAPI secure_boot(CHAR16 *name, EFI_GUID *vendor, UINT32 *attributes,
                                     UINTN *size, void *data)
{
    if (StrCmp(name, L"SecureBoot") != 0) {
        return own.variable(name, vendor, attributes, size, data);
    }
    *(UINT8 *)data = 1;
    return EFI_SUCCESS;
}

// ---- the table -------------------------------------------------------------------------------

static void hook_overlap(void)
{
    BS->GetMemoryMap = overlapping_map;
}

static void hook_no_low(void)
{
    BS->GetMemoryMap = no_low_memory;
}

static void hook_no_map(void)
{
    BS->GetMemoryMap = no_map;
}

static void hook_never_leave(void)
{
    BS->ExitBootServices = never_leave;
}

static void hook_leave_late(void)
{
    BS->ExitBootServices = leave_late;
}

static void hook_no_memory(void)
{
    BS->AllocatePages = no_memory;
}

static void hook_secure_boot(void)
{
    RT->GetVariable = secure_boot;
}

static void nothing(void) {}

static const struct {
    const char *name;
    void (*begin)(void);
} faults[] = {
    {"none", nothing},
    {"overlap", hook_overlap},         // the memory map overlaps itself
    {"no-map", hook_no_map},           // there is none
    {"no-low", hook_no_low},           // nothing free below 1 MiB
    {"many", many_entries},            // hundreds of entries
    {"too-many", too_many_entries},    // more than the hypervisor takes
    {"no-memory", hook_no_memory},     // nothing can be allocated at an address
    {"high", only_high_memory},        // no room for a program below 4 GiB
    {"never-leave", hook_never_leave}, // ExitBootServices fails always,
    {"leave-late", hook_leave_late},   // ... once
    {"no-rsdp", remove_rsdp},
    {"blt-only", hide_framebuffer}, // a screen without a linear framebuffer
    {"secure-boot", hook_secure_boot},
};

bool faults_begin(const char *names)
{
    own.map = BS->GetMemoryMap;
    own.leave = BS->ExitBootServices;
    own.allocate = BS->AllocatePages;
    own.variable = RT->GetVariable;
    while (*names != '\0') {
        size_t length = 0;
        while (names[length] != '\0' && names[length] != '+') {
            length++;
        }
        unsigned i = 0;
        while (i < ARRAY_SIZE(faults) && (strlena((const CHAR8 *)faults[i].name) != length ||
                                          CompareMem(faults[i].name, names, length) != 0)) {
            i++;
        }
        if (i == ARRAY_SIZE(faults)) {
            return false;
        }
        faults[i].begin();
        names += length + (names[length] == '+');
    }
    return true;
}

void faults_end(void)
{
    BS->GetMemoryMap = own.map;
    BS->ExitBootServices = own.leave;
    BS->AllocatePages = own.allocate;
    RT->GetVariable = own.variable;
    while (taken.count > 0) {
        taken.count--;
        BS->FreePages(taken.page[taken.count], taken.pages[taken.count]);
    }
    if (acpi2 != NULL) {
        BS->InstallConfigurationTable(&acpi2_guid, acpi2);
    }
    if (acpi1 != NULL) {
        BS->InstallConfigurationTable(&AcpiTableGuid, acpi1);
    }
    acpi2 = acpi1 = NULL;
    if (mode != NULL) {
        mode->PixelFormat = format;
        mode = NULL;
    }
}
