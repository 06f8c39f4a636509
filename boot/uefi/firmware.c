// SPDX-License-Identifier: Apache-2.0
// Reads the firmware's tables and leaves the boot services (UEFI specification 2.10, 4.6, 7.4 and
// 12.9): boot/uefi/firmware.h. Works on tables passed as arguments, so that tests can make their
// own.
#include "boot/uefi/firmware.h"

#include "arch/lib/format.h"
#include "arch/lib/string.h"
#include "arch/lib/types.h"
#include "boot/screen.h"

#define LEAVE_ATTEMPTS   8
#define LOW_PAGES_NEEDED 4 // boot/smp.h: SMP_LOW_PAGES

uint64_t firmware_rsdp(const EFI_SYSTEM_TABLE *system)
{
    static const EFI_GUID acpi2 = ACPI_20_TABLE_GUID;
    static const EFI_GUID acpi1 = ACPI_TABLE_GUID;
    uint64_t found = 0;
    for (UINTN i = 0; i < system->NumberOfTableEntries; i++) {
        const EFI_CONFIGURATION_TABLE *t = &system->ConfigurationTable[i];
        if (memcmp(&t->VendorGuid, &acpi2, sizeof(acpi2)) == 0) {
            return (uint64_t)t->VendorTable;
        }
        if (memcmp(&t->VendorGuid, &acpi1, sizeof(acpi1)) == 0) {
            found = (uint64_t)t->VendorTable;
        }
    }
    return found;
}

// Stores position and size of a colour in a pixel. The size of a mask with gaps counts as 0.
static void set_colour(struct boot_screen *screen, unsigned n, uint32_t mask)
{
    unsigned position = mask == 0 ? 0 : (unsigned)__builtin_ctz(mask);
    unsigned size = 0;
    while (size < 32 - position && (mask >> position >> size & 1) != 0) {
        size++;
    }
    bool whole = size > 0 && mask >> position == UINT32_MAX >> (32 - size);
    screen->colour[2 * n] = (uint8_t)position;
    screen->colour[2 * n + 1] = (uint8_t)(whole ? size : 0);
}

void firmware_screen(const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode, struct boot_info *info)
{
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *m = mode->Info;
    EFI_PIXEL_BITMASK mask = {0, 0, 0, 0};
    switch (m->PixelFormat) {
    case PixelRedGreenBlueReserved8BitPerColor:
        mask = (EFI_PIXEL_BITMASK){0xff, 0xff00, 0xff0000, 0};
        break;
    case PixelBlueGreenRedReserved8BitPerColor:
        mask = (EFI_PIXEL_BITMASK){0xff0000, 0xff00, 0xff, 0};
        break;
    case PixelBitMask:
        mask = m->PixelInformation;
        break;
    default:
        format(info->framebuffer_refused, sizeof(info->framebuffer_refused),
               "is not linear: only the firmware can draw on it");
        return;
    }
    // `bits` may be 32 for every format: a pixel of fewer bits has colours of fewer than 8 bits,
    // which boot_set_screen() refuses.
    struct boot_screen screen = {
        .base = mode->FrameBufferBase,
        .pitch = (uint32_t)min_u64((uint64_t)m->PixelsPerScanLine * 4, UINT32_MAX),
        .width = m->HorizontalResolution,
        .height = m->VerticalResolution,
        .bits = 32,
        .kind = BOOT_SCREEN_RGB,
    };
    set_colour(&screen, 0, mask.RedMask);
    set_colour(&screen, 1, mask.GreenMask);
    set_colour(&screen, 2, mask.BlueMask);
    if ((uint64_t)screen.pitch * screen.height > mode->FrameBufferSize) {
        format(info->framebuffer_refused, sizeof(info->framebuffer_refused),
               "is larger than the 0x%lx bytes that the firmware has for it",
               (uint64_t)mode->FrameBufferSize);
        return;
    }
    boot_set_screen(info, &screen);
}

EFI_STATUS firmware_map(EFI_BOOT_SERVICES *boot, void *buffer, UINTN size, struct uefi_map *map,
                        const struct boot_error *error)
{
    UINTN key = 0, stride = 0;
    UINT32 version = 0;
    EFI_STATUS status = boot->GetMemoryMap(&size, buffer, &key, &stride, &version);
    *map = (struct uefi_map){buffer, size, stride, key};
    if (EFI_ERROR(status)) {
        boot_fail(error, ERR_NO_MEMORY, "memory map: firmware does not give it");
    }
    return status;
}

EFI_STATUS firmware_leave(EFI_BOOT_SERVICES *boot, EFI_HANDLE image, void *buffer, UINTN size,
                          struct boot_info *info, bool *leaving, const struct boot_error *error)
{
    EFI_STATUS status = EFI_SUCCESS;
    for (unsigned i = 0; i < LEAVE_ATTEMPTS; i++) {
        struct uefi_map map;
        status = firmware_map(boot, buffer, size, &map, error);
        if (EFI_ERROR(status)) {
            return status;
        }
        if (uefi_map_convert(&map, info, error) != STATUS_OK) {
            return EFI_LOAD_ERROR;
        }
        if (!uefi_map_has_low(info, LOW_PAGES_NEEDED)) {
            boot_fail(error, ERR_NOT_FOUND,
                      "memory map: no %d free pages below 640 KiB to start the other CPUs through",
                      LOW_PAGES_NEEDED);
            return EFI_LOAD_ERROR;
        }
        *leaving = true;
        status = boot->ExitBootServices(image, map.key);
        if (!EFI_ERROR(status)) {
            return status;
        }
    }
    boot_fail(error, ERR_CHANGED, "firmware does not let go: ExitBootServices failed %d times",
              LEAVE_ATTEMPTS);
    return status;
}
