// SPDX-License-Identifier: Apache-2.0
// The UEFI application: takes the modules from the image or from loose files, loads the hypervisor,
// leaves the firmware, and enters the hypervisor (boot/uefi.asm). Before that, every failure ends
// with a message, and a status for the firmware. Runs on the boot CPU, on the firmware's page
// tables, which map memory one to one.
#include <efi.h>
#include <stdbool.h>

#include "arch/cpu/cpuid.h"
#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "boot/boot_info.h"
#include "boot/error.h"
#include "boot/uefi/elf_image.h"
#include "boot/uefi/files.h"
#include "boot/uefi/firmware.h"
#include "boot/uefi/memory_map.h"
#include "boot/uefi/parts.h"
#include "boot/uefi/screen.h"

#define IMAGE_LIMIT GIB(512) // boot/uefi.asm maps no more
#define MAP_SPARE   KIB(8)   // room for the map to grow until the boot services end
#define CR4_LA57    BIT(12)
#define MEMORY_XP   BIT(14) // EFI_MEMORY_XP

// EFI_MEMORY_ATTRIBUTE_PROTOCOL (UEFI 2.10, 37.5), which the headers of Debian 12 lack.
#define MEMORY_ATTRIBUTE_GUID                                                                      \
    {                                                                                              \
        0xf4560cf6, 0x40ec, 0x4b4a,                                                                \
        {                                                                                          \
            0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89                                         \
        }                                                                                          \
    }
struct memory_attribute {
    void *get, *set;
    EFI_STATUS(EFIAPI *clear)(struct memory_attribute *, EFI_PHYSICAL_ADDRESS, UINT64, UINT64);
};

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static struct boot_info info;
static char error_text[400];
static const struct boot_error error = {error_text, sizeof(error_text)};
static EFI_BOOT_SERVICES *boot;

// What must be freed if the start fails.
static struct {
    uint64_t image;
    bool files;
} taken;

static EFI_STATUS refuse(EFI_STATUS status, const char *text)
{
    format(error_text, sizeof(error_text), "%s", text);
    return status;
}

static bool five_level_paging(void)
{
    uint64_t cr4;
    __asm__("mov %%cr4, %0" : "=r"(cr4));
    return (cr4 & CR4_LA57) != 0;
}

// Whether the processor has no-execute pages: the hypervisor's entry turns them on.
static bool no_execute(void)
{
    uint32_t eax = CPUID_EXT_FEATURES, ebx, ecx = 0, edx;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return (edx & CPUID_80000001_EDX_NX) != 0;
}

// Whether the firmware checks signatures. It has checked none of loose files.
static bool secure_boot(const EFI_SYSTEM_TABLE *system)
{
    static EFI_GUID guid = EFI_GLOBAL_VARIABLE;
    static CHAR16 name[] = L"SecureBoot";
    uint8_t on = 0;
    UINTN size = sizeof(on);
    EFI_STATUS status = system->RuntimeServices->GetVariable(name, &guid, NULL, &size, &on);
    return !EFI_ERROR(status) && on == 1;
}

static EFI_STATUS find_modules(const EFI_SYSTEM_TABLE *system, const EFI_LOADED_IMAGE *loaded,
                               const struct uefi_parts *parts)
{
    if (uefi_parts_enter(parts, &info, &error) != STATUS_OK) {
        return EFI_LOAD_ERROR;
    }
    if (info.module_count > 0) {
        return EFI_SUCCESS; // an image with any module is complete
    }
    if (secure_boot(system)) {
        if (!files_exist(boot, loaded)) {
            return EFI_SUCCESS;
        }
        return refuse(
            EFI_SECURITY_VIOLATION,
            "no configuration in the EFI image, and Secure Boot is on: the loose files in "
            "bulkhead/ are covered by no signature; build one file with make efi and "
            "sign it");
    }
    taken.files = true;
    return files_load(boot, loaded, &info, &error);
}

static void find_tables(const EFI_SYSTEM_TABLE *system)
{
    static EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_GRAPHICS_OUTPUT_PROTOCOL *screen = NULL;
    info.rsdp = firmware_rsdp(system);
    if (EFI_ERROR(boot->LocateProtocol(&guid, NULL, (void **)&screen)) || screen->Mode == NULL ||
        screen->Mode->Info == NULL) {
        return;
    }
    firmware_screen(screen->Mode, &info);
    if (info.framebuffer_refused[0] != '\0') {
        say("the framebuffer %s; the hypervisor shows nothing there", info.framebuffer_refused);
    }
}

// Allocates a buffer for the memory map, with some room for it to grow.
static EFI_STATUS allocate_map(void **buffer, UINTN *size)
{
    UINTN key, stride;
    UINT32 version;
    *size = 0;
    boot->GetMemoryMap(size, NULL, &key, &stride, &version);
    *size += MAP_SPARE;
    EFI_STATUS status = boot->AllocatePool(EfiLoaderData, *size, buffer);
    return EFI_ERROR(status) ? refuse(status, "no memory for firmware's memory map") : status;
}

// Firmware may map memory as not executable; this asks it to allow execution.
static void make_executable(uint64_t base)
{
    static EFI_GUID guid = MEMORY_ATTRIBUTE_GUID;
    struct memory_attribute *attribute = NULL;
    if (!EFI_ERROR(boot->LocateProtocol(&guid, NULL, (void **)&attribute))) {
        attribute->clear(attribute, base, ELF_IMAGE_SIZE, MEMORY_XP);
    }
}

static EFI_STATUS place_hypervisor(const struct uefi_part *file, void *buffer, UINTN size,
                                   uint64_t *entry)
{
    struct uefi_map map;
    EFI_STATUS status = firmware_map(boot, buffer, size, &map, &error);
    if (EFI_ERROR(status)) {
        return status;
    }
    EFI_PHYSICAL_ADDRESS base = uefi_map_place(&map, ELF_IMAGE_SIZE, IMAGE_LIMIT);
    status = base == 0 ? EFI_OUT_OF_RESOURCES
                       : boot->AllocatePages(AllocateAddress, EfiLoaderCode,
                                             ELF_IMAGE_SIZE / PAGE_SIZE, &base);
    if (EFI_ERROR(status)) {
        return refuse(status, "no 2 MiB of memory, aligned to 2 MiB, for the hypervisor");
    }
    taken.image = base;
    if (elf_image_load(file->data, file->size, (uint8_t *)base, entry, &error) != STATUS_OK) {
        return EFI_LOAD_ERROR;
    }
    *entry += base;
    make_executable(base);
    return EFI_SUCCESS;
}

static EFI_STATUS find_parts(EFI_HANDLE image, EFI_LOADED_IMAGE **loaded, struct uefi_parts *parts)
{
    static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    struct pe_image pe;
    EFI_STATUS status = boot->HandleProtocol(image, &guid, (void **)loaded);
    if (EFI_ERROR(status)) {
        return refuse(status, "firmware does not say where it has loaded the EFI image");
    }
    if (pe_open(&pe, (*loaded)->ImageBase, (*loaded)->ImageSize, &error) != STATUS_OK ||
        uefi_parts_find(&pe, parts, &error) != STATUS_OK) {
        return EFI_LOAD_ERROR;
    }
    return EFI_SUCCESS;
}

// Returns only after a failure.
static EFI_STATUS start(EFI_HANDLE image, const EFI_SYSTEM_TABLE *system, bool *leaving)
{
    static struct uefi_parts parts;
    EFI_LOADED_IMAGE *loaded = NULL;
    void *buffer = NULL;
    UINTN size = 0;
    uint64_t entry = 0;
    if (five_level_paging()) {
        return refuse(EFI_UNSUPPORTED, "firmware runs with 5-level paging: turn it off in its "
                                       "setup (5-level paging, or LA57)");
    }
    if (!no_execute()) {
        return refuse(EFI_UNSUPPORTED,
                      "the processor shows no no-execute pages: turn on \"Execute Disable Bit\" or "
                      "\"NX Mode\" in the firmware's setup");
    }
    EFI_STATUS status = find_parts(image, &loaded, &parts);
    if (EFI_ERROR(status)) {
        return status;
    }
    status = find_modules(system, loaded, &parts);
    if (EFI_ERROR(status)) {
        return status;
    }
    find_tables(system);
    if (info.rsdp == 0) {
        return refuse(EFI_UNSUPPORTED, "firmware has no ACPI tables (no RSDP): turn on ACPI in its "
                                       "setup");
    }
    status = allocate_map(&buffer, &size);
    if (!EFI_ERROR(status)) {
        status = place_hypervisor(&parts.hypervisor, buffer, size, &entry);
    }
    if (!EFI_ERROR(status)) {
        status = firmware_leave(boot, image, buffer, size, &info, leaving, &error);
    }
    if (!EFI_ERROR(status)) {
        void (*hypervisor)(const struct boot_info *) =
            (void (*)(const struct boot_info *))(uintptr_t)entry; // does not return
        hypervisor(&info);
    }
    if (!*leaving && buffer != NULL) {
        boot->FreePool(buffer);
    }
    return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    bool leaving = false;
    boot = system->BootServices;
    screen_init(system);
    format(info.loader, sizeof(info.loader), "UEFI");
    EFI_STATUS status = start(image, system, &leaving);
    if (leaving) {
        screen_leave(); // from here on the firmware allows only another attempt to leave it
    }
    say("%s", error_text);
    say("nothing is started");
    if (leaving) {
        return status;
    }
    if (taken.files) {
        files_free(boot, &info);
    }
    if (taken.image != 0) {
        boot->FreePages(taken.image, ELF_IMAGE_SIZE / PAGE_SIZE);
    }
    return status;
}
