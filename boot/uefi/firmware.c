// SPDX-License-Identifier: Apache-2.0
// Reads firmware's tables, and leaves the boot services (UEFI specification 2.10, 4.6, 7.4
// and 12.9): boot/uefi/firmware.h. Works on the tables that it is given, so that tests can make
// some.
#include "boot/uefi/firmware.h"

#include "arch/string.h"

#define LEAVE_ATTEMPTS   8
#define LOW_PAGES_NEEDED 4 // arch/smp.h: SMP_LOW_PAGES

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

// The lowest bit of a colour's mask of 8 bits in a row.
static bool shift_of(uint32_t mask, uint8_t *shift)
{
    for (uint8_t i = 0; i <= 24; i++) {
        if (mask == 0xffu << i) {
            *shift = i;
            return true;
        }
    }
    return false;
}

bool firmware_framebuffer(const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode,
                          struct boot_framebuffer *out)
{
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *m = mode->Info;
    struct boot_framebuffer f = {
        .base = mode->FrameBufferBase,
        .pitch = m->PixelsPerScanLine * 4,
        .width = m->HorizontalResolution,
        .height = m->VerticalResolution,
    };
    EFI_PIXEL_BITMASK mask = {0, 0, 0, 0};
    memset(out, 0, sizeof(*out));
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
        return false; // to be drawn to by firmware's function only
    }
    if (!shift_of(mask.RedMask, &f.red_shift) || !shift_of(mask.GreenMask, &f.green_shift) ||
        !shift_of(mask.BlueMask, &f.blue_shift) || m->PixelsPerScanLine > UINT32_MAX / 4 ||
        f.base == 0 || f.width == 0 || f.height == 0 || m->PixelsPerScanLine < f.width ||
        (uint64_t)f.pitch * f.height > mode->FrameBufferSize) {
        return false;
    }
    *out = f;
    return true;
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
